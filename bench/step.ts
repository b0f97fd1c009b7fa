/**
 * Time and peak memory of a training step, captured and op by op, beside the same model in PyTorch on the CPU, in turns and with as
 * many threads. PyTorch runs with its threads waiting actively and passively (OMP_WAIT_POLICY), and the ratio is to the faster. On a CPU
 * with instructions for bfloat16, the same under autocast on both sides.
 *
 * The peak is that of one model on either side, in a process of its own: its parameters and optimizer state, and what a step takes beyond
 * what was held before. TensorFlow's allocator counts the unused ends of its pieces too, which depend on what else was freed.
 *
 *     npm run build && node dist/bench/step.js [rounds] [--quick]
 *
 * `--quick` takes 2 rounds of 3 steps of the two small settings. The limit by arithmetic is the step's floating-point operations in
 * matrix products over the fastest rate at which either side was seen to multiply two matrices of 1024 x 1024 in float32.
 *
 * PyTorch runs under HALFTONE_TORCH_PYTHON, or python3, if that has `torch` (pip install torch numpy).
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  adamW,
  type Batches,
  countParameters,
  fixedLengthBatches,
  formatBytes,
  freeUnreachable,
  listOps,
  listOpsVocabulary,
  matmul,
  nativeMemory,
  predictTransformerMemory,
  randn,
  ready,
  runtimeInfo,
  stepWork,
  type TransformerConfig,
  train,
  transformerClassifier,
} from "../src/index.ts";
import { median, reference, torchPython } from "./figures.ts";

interface Measured {
  times: number[];
  peakBytes: number;
}

type Precision = "float32" | "bfloat16";

interface Runner {
  precision: Precision;
  run(steps: number): Promise<Measured>;
  stop(): void;
}

/** What a process that measures a peak is told. */
interface PeakOf {
  setting: number;
  precision: Precision;
  capture: boolean;
}

const {
  values: { quick, peak },
  positionals,
} = parseArgs({
  options: { quick: { type: "boolean", default: false }, peak: { type: "string" } },
  allowPositionals: true,
});
const STEPS = quick ? 3 : 8;
const rounds = Number(positionals[0] ?? (quick ? 2 : 5));
const common = { vocabularySize: listOpsVocabulary.size, classes: 10, heads: 4, activation: "relu" as const };
const settings = [
  { rows: 32, time: 64, features: 64, layers: 2, dropout: 0.1 },
  { rows: 32, time: 64, features: 64, layers: 2, dropout: 0 },
  { rows: 32, time: 128, features: 128, layers: 4, dropout: 0.1 },
  { rows: 32, time: 128, features: 128, layers: 4, dropout: 0 },
].slice(0, quick ? 2 : 4);

await ready();
if (peak !== undefined) {
  console.log(await peakOf(JSON.parse(peak)));
  process.exit();
}
const { backend, version, device, kernels, threads } = runtimeInfo();
const python = torchPython();
console.log(
  `${backend} ${version} on the ${device}, ${kernels} kernels, ${threads} threads; ${rounds} rounds of ${STEPS} steps, in turns`,
);
const precisions: Precision[] = hasBfloat16() ? ["float32", "bfloat16"] : ["float32"];
if (precisions.length === 1) console.log("this CPU has no instructions for bfloat16");
const rate = await multiplyRate();
console.log(`matrix products at ${(rate / 1e9).toFixed(0)} GFLOP/s in float32`);

for (const [setting, { rows, time, ...sizes }] of settings.entries()) {
  const task = taskOf(setting);
  const { config } = task;
  const runners = Object.fromEntries(
    precisions.flatMap((precision): [string, Runner][] => {
      const sizes = { ...task, precision };
      return [
        [nameOf("captured", precision), halftone(sizes, true, measuredPeak({ setting, precision, capture: true }))],
        [nameOf("op by op", precision), halftone(sizes, false, measuredPeak({ setting, precision, capture: false }))],
        ...(["active", "passive"] as const).flatMap((waiting): [string, Runner][] =>
          python ? [[nameOf(`PyTorch, ${waiting}`, precision), startTorch(python, waiting, sizes)]] : [],
        ),
      ];
    }),
  );
  const all: Record<string, Measured[]> = Object.fromEntries(Object.keys(runners).map((name) => [name, []]));
  // A step is captured when it has run three times.
  for (const runner of Object.values(runners)) await runner.run(6);
  const order = Object.keys(runners);
  for (let round = 0; round < rounds; round++) {
    for (const name of order) all[name]!.push(await runners[name]!.run(STEPS));
    order.push(order.shift()!);
  }
  for (const runner of Object.values(runners)) runner.stop();

  const predicted = predictTransformerMemory(config, { rows, time }).total;
  console.log(`\n${rows} x ${time} tokens, ${sizes.layers} layers of ${sizes.features}, dropout ${sizes.dropout}`);
  for (const precision of precisions) {
    const own = Object.fromEntries(Object.entries(all).filter(([name]) => runners[name]!.precision === precision));
    report("fastest step", own, ({ times }) => Math.min(...times), milliseconds);
    report("median step", own, ({ times }) => median(times), milliseconds);
    report("peak of tensors", own, ({ peakBytes }) => peakBytes, formatBytes);
  }
  console.log(`  limit by arithmetic in float32: ${milliseconds((1000 * stepWork(config, rows, time)) / rate)}`);
  console.log(`  predicted from the sizes alone: ${formatBytes(predicted)}`);
}

function taskOf(setting: number): Omit<Task, "precision"> {
  const { rows, time, ...sizes } = settings[setting]!;
  const config: TransformerConfig = { ...common, ...sizes, hidden: 4 * sizes.features, maxLength: time };
  const examples = listOps({ count: rows, seed: 1, minLength: time / 4, maxLength: time });
  return { config, batches: fixedLengthBatches(examples, { batchSize: rows, maxLength: time }), rows, time };
}

function measuredPeak(what: PeakOf): number {
  const script = fileURLToPath(import.meta.url);
  return Number(execFileSync(process.execPath, [script, "--peak", JSON.stringify(what)], { encoding: "utf8" }));
}

async function peakOf({ setting, precision, capture }: PeakOf): Promise<number> {
  const { run } = halftone({ ...taskOf(setting), precision }, capture);
  await run(6);
  return (await run(STEPS)).peakBytes;
}

function nameOf(who: string, precision: Precision): string {
  return precision === "float32" ? who : `${who}, ${precision}`;
}

function hasBfloat16(): boolean {
  return device === "cpu" && /\b(avx512_bf16|amx_bf16|bf16)\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
}

/** Floating-point operations in a second, of the fastest product of two large matrices. */
async function multiplyRate(): Promise<number> {
  const size = 1024;
  const [a, b] = [randn([size, size], { from: 1 }), randn([size, size], { from: 2 })];
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    const product = matmul(a, b);
    product.dataSync();
    times.push(performance.now() - began);
    product.dispose();
  }
  let fastest = Math.min(...times);
  if (python) {
    const torch = reference(python, "multiply.py");
    fastest = Math.min(fastest, (await torch.ask(JSON.stringify({ size, threads }))) as number);
    torch.stop();
  }
  return (2 * size ** 3) / (fastest / 1000);
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** Prints a figure of every runner, and its ratio to PyTorch's faster one, round by round. */
function report(
  what: string,
  all: Record<string, Measured[]>,
  pick: (measured: Measured) => number,
  show: (value: number) => string,
): void {
  const figures = Object.entries(all).map(([name, rounds]) => ({ name, rounds: rounds.map(pick) }));
  const torch = figures.filter(({ name }) => name.startsWith("PyTorch"));
  const best = torch.sort((a, b) => median(a.rounds) - median(b.rounds))[0];
  for (const { name, rounds } of figures) {
    const line = `  ${what.padEnd(16)} ${name.padEnd(26)} ${show(median(rounds)).padStart(10)}`;
    if (!best || name.startsWith("PyTorch")) {
      console.log(line);
      continue;
    }
    const ratios = rounds.map((figure, i) => figure / best.rounds[i]!).sort((a, b) => a - b);
    console.log(
      `${line}   ratio ${median(ratios).toFixed(2)} (${ratios[0]!.toFixed(2)} to ${ratios.at(-1)!.toFixed(2)})`,
    );
  }
}

interface Task {
  config: TransformerConfig;
  batches: Batches;
  rows: number;
  time: number;
  precision: Precision;
}

/** `peakBytes` are those that another process measured; it measures its own where there are none. */
function halftone({ config, batches, precision }: Task, capture: boolean, peakBytes?: number): Runner {
  const model = transformerClassifier(config);
  const optimizer = adamW(model.parameters, { clipNorm: 1 });
  let seed = 0;
  const run = async (steps: number): Promise<Measured> => {
    freeUnreachable();
    // What this process holds besides the model.
    const others = nativeMemory().live - 4 * countParameters(model.parameters) - optimizer.bytes;
    const half = precision === "float32" ? {} : { autocast: precision };
    const history = await train({ model, batches, optimizer, steps, seed: seed++, capture, progress: false, ...half });
    const { steps: records } = history;
    return {
      times: records.map(({ milliseconds }) => milliseconds),
      peakBytes: peakBytes ?? Math.max(...records.map(({ peakBytes }) => peakBytes)) - others,
    };
  };
  const stop = () => {
    optimizer.dispose();
    model.dispose();
  };
  return { precision, run, stop };
}

function startTorch(
  python: string,
  waiting: "active" | "passive",
  { config, batches, rows, time, precision }: Task,
): Runner {
  const { tell, ask, stop } = reference(python, "step.py", { OMP_WAIT_POLICY: waiting });
  const [batch] = batches;
  const { ids, labels } = batch!;
  tell(JSON.stringify({ ...config, rows, time, threads, precision, ids: [...ids], labels: [...labels!] }));
  return { precision, run: async (steps) => (await ask(String(steps))) as Measured, stop };
}
