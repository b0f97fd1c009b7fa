/**
 * What it costs that nobody has to call dispose or tidy: naive loops beside the same with tidy, and beside tfjs as it is;
 * and what an op costs more at the door, idle, under a budget, in a probe and with allocations tracked.
 *
 *     npm run build && node dist/bench/memory.js [rounds]
 *
 * Each figure of a loop comes from a process of its own, and the variants take turns; the median of the rounds is shown.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import {
  adamW,
  fixedLengthBatches,
  formatBytes,
  listOps,
  listOpsVocabulary,
  memoryBudget,
  nativeMemory,
  probe,
  ready,
  runtimeInfo,
  tf,
  trackAllocations,
  train,
  transformerClassifier,
} from "../src/index.ts";
import { nativeBackend } from "../src/runtime/index.ts";
import { median } from "./figures.ts";

interface Measured {
  microseconds: number;
  most: number;
  /** The process after a tenth, half and all of the steps. */
  rss: number[];
}

type Variant = "naive" | "tidy" | "tfjs naive" | "tfjs tidy";
const variants: Variant[] = ["naive", "tidy", "tfjs naive", "tfjs tidy"];

/** A linear regression by hand: seven ops over at most 2 KB. */
function smallStep(): (tidy: boolean) => void {
  const x = tf.randomNormal([32, 16], 0, 1, "float32", 1);
  const y = tf.randomNormal([32, 1], 0, 1, "float32", 2);
  let w: Tensor = tf.zeros([16, 1]);
  const step = () =>
    w.sub(
      x
        .transpose()
        .matMul(x.matMul(w).sub(y))
        .mul(0.01 / 32),
    );
  return (tidy) => {
    if (!tidy) {
      w = step();
      return;
    }
    const old = w;
    w = tf.tidy(step);
    old.dispose();
  };
}

/** Three ops over 8 MB. */
function largeStep(): (tidy: boolean) => void {
  const x = tf.ones([2048, 1024]);
  const step = () => x.add(1).relu().mean();
  return (tidy) => {
    if (tidy) tf.tidy(step).dispose();
    else step();
  };
}

const loops = {
  "small step": { make: smallStep, steps: 10_000, rawSteps: 10_000 },
  "8 MB tensors": { make: largeStep, steps: 500, rawSteps: 100 },
};
type Loop = keyof typeof loops;

/** Lets tensors made from now on go unwatched: tfjs as it is, on the same TensorFlow. Returns the way back. */
function unwatch(): () => void {
  const { tensorMap } = nativeBackend();
  const { set } = tensorMap;
  tensorMap.set = (Object.getPrototypeOf(tensorMap) as typeof tensorMap).set;
  return () => {
    tensorMap.set = set;
  };
}

function measure(loop: Loop, variant: Variant): Measured {
  const { make, steps: asked, rawSteps } = loops[loop];
  const raw = variant.startsWith("tfjs");
  const steps = raw ? rawSteps : asked;
  if (raw) unwatch();
  const tidy = variant.endsWith("tidy");
  const step = make();
  for (let i = 0; i < steps / 10; i++) step(tidy);
  let most = 0;
  const rss: number[] = [];
  const marks = new Set([steps / 10, steps / 2, steps].map(Math.floor));
  const start = performance.now();
  for (let i = 1; i <= steps; i++) {
    step(tidy);
    if (i % 10 === 0) most = Math.max(most, nativeMemory().live);
    if (marks.has(i)) rss.push(process.memoryUsage.rss());
  }
  return { microseconds: ((performance.now() - start) / steps) * 1000, most, rss };
}

function compareLoops(rounds: number): void {
  for (const loop of Object.keys(loops) as Loop[]) {
    const results = new Map<Variant, Measured[]>(variants.map((variant) => [variant, []]));
    for (let round = 0; round < rounds; round++) {
      for (const variant of variants) {
        const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), "loop", loop, variant], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "inherit"],
        });
        results.get(variant)!.push(JSON.parse(child.stdout) as Measured);
      }
    }
    console.log(`\n${loop}: ${loops[loop].steps} steps (naive tfjs ${loops[loop].rawSteps})`);
    for (const [variant, measured] of results) {
      const rss = [0, 1, 2].map((at) => formatBytes(median(measured.map((one) => one.rss[at]!))));
      const time = median(measured.map(({ microseconds }) => microseconds)).toFixed(0);
      const most = formatBytes(median(measured.map((one) => one.most)));
      console.log(
        `  ${variant.padEnd(11)} ${time.padStart(6)} us a step, tensors at most ${most.padStart(8)}, RSS ${rss.join(" -> ")}`,
      );
    }
  }
}

/** Microseconds of processor time for each of `times` calls. */
function processorTime(times: number, call: () => void): number {
  const start = process.cpuUsage();
  for (let i = 0; i < times; i++) call();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / times;
}

function compareOps(rounds: number): void {
  const a = tf.ones([8, 8]);
  const run = () => a.add(a).dispose();
  const off = Number.POSITIVE_INFINITY;
  const ways: Record<string, () => number> = {
    "tfjs as it is": () => {
      const back = unwatch();
      const time = processorTime(4000, run);
      back();
      return time;
    },
    "freed when unreachable": () => processorTime(4000, run),
    "under a budget": () => {
      memoryBudget("4 GB");
      const time = processorTime(4000, run);
      memoryBudget(off);
      return time;
    },
    "in a probe": () => probe(() => processorTime(4000, run)).value,
    "allocations tracked": () => {
      trackAllocations();
      const time = processorTime(1000, run);
      trackAllocations(false);
      return time;
    },
  };
  processorTime(20_000, run);
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, [] as number[]]));
  // What ran before leaves its garbage to what comes next, so the order turns.
  for (let round = 0; round < 4 * rounds; round++) {
    const entries = Object.entries(ways);
    for (const [name, way] of round % 2 ? entries.reverse() : entries) times[name]!.push(way());
  }
  console.log("\n[8, 8] + [8, 8] and dispose, processor time: median (least)");
  for (const [name, all] of Object.entries(times))
    console.log(`  ${name.padEnd(23)} ${median(all).toFixed(2)} us (${Math.min(...all).toFixed(2)})`);
}

async function compareTraining(rounds: number): Promise<void> {
  const sizes = {
    classes: 10,
    maxLength: 64,
    features: 64,
    heads: 4,
    layers: 2,
    vocabularySize: listOpsVocabulary.size,
  };
  const batches = fixedLengthBatches(listOps({ count: 32, seed: 1, maxLength: 64 }), { batchSize: 32, maxLength: 64 });
  const model = transformerClassifier(sizes);
  const optimizer = adamW(model.parameters);
  const step = async (steps: number) => {
    const start = process.cpuUsage();
    await train({ model, optimizer, batches, steps, progress: false });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000 / steps;
  };
  await step(5);
  const times: Record<"raw" | "ours", number[]> = { raw: [], ours: [] };
  for (let round = 0; round < 4 * rounds; round++) {
    for (const raw of round % 2 ? [true, false] : [false, true]) {
      const back = raw ? unwatch() : () => {};
      times[raw ? "raw" : "ours"].push(await step(4));
      back();
    }
  }
  const [raw, ours] = [median(times.raw), median(times.ours)];
  console.log("\nTraining step of a Transformer (2 layers, 64 features, 32 x 64 tokens), processor time");
  console.log(
    `  tfjs as it is ${raw.toFixed(1)} ms, freed when unreachable ${ours.toFixed(1)} ms: ${((ours / raw - 1) * 100).toFixed(1)} %`,
  );
}

await ready();
if (process.argv[2] === "loop") {
  console.log(JSON.stringify(measure(process.argv[3] as Loop, process.argv[4] as Variant)));
} else {
  const rounds = Number(process.argv[2] ?? 3);
  console.log(runtimeInfo().reason);
  compareOps(rounds);
  await compareTraining(rounds);
  compareLoops(rounds);
}
