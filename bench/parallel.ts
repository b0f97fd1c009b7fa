// Training by several workers: what exchanges cost by their size, two workers of one core against one with two threads, and what follows
// for many machines: node dist/bench/parallel.js [steps]
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  adamW,
  countParameters,
  distributed,
  listOps,
  listOpsVocabulary,
  ready,
  tf,
  train,
  transformerClassifier,
  uniformLengthBatches,
} from "../src/index.ts";

/** Numbers in a vector that workers add up: 4 KB to 40 MB. */
const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7];
const MACHINES = [1, 2, 4, 8, 16, 32, 64];
/** Bits a second of a network, and milliseconds that a message takes in it. */
const NETWORKS = [
  { name: "1 Gbit/s", bits: 1e9, latency: 0.2 },
  { name: "10 Gbit/s", bits: 1e10, latency: 0.05 },
] as const;
/** Exchanges of a step beside that of the gradients: weights, and losses with figures. */
const SMALL_EXCHANGES = 2;

interface Measured {
  parameters: number;
  /** Milliseconds of a step by the clock, of the exchanges in it, and of processor time in all threads of one worker. */
  step: number;
  exchange: number;
  processor: number;
  tokens: number;
  /** Milliseconds by numbers in the vector. */
  reduce: Record<number, { float32: number; bfloat16: number }>;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

function reduceTimes(): Measured["reduce"] {
  const time = (numbers: number, half?: "bfloat16") => {
    const times = Array.from({ length: 9 }, () => {
      const vector = tf.ones([numbers]);
      vector.dataSync();
      distributed.barrier();
      const began = performance.now();
      const sum = distributed.allReduce(vector, { in: half });
      const spent = performance.now() - began;
      tf.dispose([vector, sum]);
      return spent;
    });
    return median(times);
  };
  return Object.fromEntries(SIZES.map((size) => [size, { float32: time(size), bfloat16: time(size, "bfloat16") }]));
}

async function measure(steps: number): Promise<Measured> {
  await ready();
  const sizes = {
    vocabularySize: listOpsVocabulary.size,
    classes: 10,
    maxLength: 64,
    features: 128,
    heads: 4,
    layers: 4,
  };
  const model = transformerClassifier({ ...sizes, seed: 1 });
  const examples = listOps({ count: 512, seed: 1, maxLength: 64 });
  const history = await train({
    model,
    optimizer: adamW(model.parameters),
    batches: uniformLengthBatches(examples, { batchSize: 32, seed: 1 }),
    steps: steps + 8,
    progress: false,
  });
  // The first steps of each shape are recorded.
  const counted = history.steps.slice(8);
  return {
    parameters: countParameters(model.parameters),
    step: median(counted.map(({ milliseconds }) => milliseconds)),
    exchange: median(counted.map(({ times }) => times.exchange ?? 0)),
    processor: median(counted.map(({ processor }) => processor)),
    tokens: counted.reduce((sum, { usefulTokens }) => sum + usefulTokens, 0) / counted.length,
    reduce: distributed.size > 1 ? reduceTimes() : {},
  };
}

function measured(workers: number, threads: number, steps: number): Measured {
  const file = path.join(tmpdir(), `halftone-parallel-${process.pid}-${workers}.json`);
  const main = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
  const own = fileURLToPath(import.meta.url);
  const { status } = spawnSync(
    process.execPath,
    [main, "train", own, "--workers", `${workers}`, "--", "worker", file, `${steps}`],
    { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, TF_NUM_INTRAOP_THREADS: `${threads}` } },
  );
  if (status !== 0) throw new Error(`the workers ended with status ${status}`);
  const found = JSON.parse(readFileSync(file, "utf8")) as Measured;
  rmSync(file);
  return found;
}

const [role, file, asked] = process.argv.slice(2);
if (role === "worker") {
  const found = await measure(Number(asked));
  if (distributed.rank === 0) writeFileSync(file!, JSON.stringify(found));
  distributed.barrier();
} else {
  const steps = Number(role ?? 40);
  const alone = measured(1, 2, steps);
  const half = measured(1, 1, steps);
  const two = measured(2, 1, steps);
  console.log("A sum of two workers on this machine, in milliseconds:");
  for (const [size, { float32, bfloat16 }] of Object.entries(two.reduce)) {
    const kilobytes = (4 * Number(size)) / 1000;
    console.log(
      `  ${`${kilobytes}`.padStart(6)} KB  float32 ${float32.toFixed(2).padStart(8)}  bfloat16 ${bfloat16.toFixed(2).padStart(8)}`,
    );
  }
  console.log(`\nA step of ${alone.parameters} parameters on ${alone.tokens.toFixed(0)} tokens:`);
  const row = (name: string, { step, exchange, processor }: Measured, processes: number) =>
    console.log(
      `  ${name.padEnd(26)} ${step.toFixed(1).padStart(7)} ms, of which exchanges ${exchange.toFixed(1)} ms; ${(processor * processes).toFixed(1)} ms of processor time`,
    );
  row("1 worker, 1 thread", half, 1);
  row("1 worker, 2 threads", alone, 1);
  row("2 workers, 1 thread each", two, 2);
  console.log(`  Two workers take ${(two.step / alone.step).toFixed(2)} of the time of one with two threads.`);
  console.log("\nOn paper, each machine with the batch that one has here: share of the machines' time that computes.");
  const bytes = 4 * alone.parameters;
  for (const { name, bits, latency } of NETWORKS) {
    for (const [type, factor] of [
      ["float32", 1],
      ["bfloat16", 0.5],
    ] as const) {
      const shares = MACHINES.map((n) => {
        const hops = 2 * (n - 1);
        const sent = (hops / n) * ((8 * factor * bytes) / bits) * 1000;
        const exchange = n === 1 ? 0 : sent + (1 + SMALL_EXCHANGES) * hops * latency;
        return `${((100 * alone.step) / (alone.step + exchange)).toFixed(0)} %`.padStart(6);
      });
      console.log(`  ${`${name}, ${type}`.padEnd(22)} ${shares.join("")}   of ${MACHINES.join(", ")} machines`);
    }
  }
}
