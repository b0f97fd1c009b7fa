/**
 * Time and peak activation memory of a training step by precision and length, beside PyTorch's autocast on the CPU with
 * as many threads, in turns; and what autocast itself costs.
 *
 *     npm run build && node dist/bench/amp.js [rounds] [lengths, as 64,128]
 *
 * PyTorch runs under HALFTONE_TORCH_PYTHON, or python3, if that has `torch` (pip install torch numpy).
 */
import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import {
  adamW,
  autocast,
  type Batch,
  fixedLengthBatches,
  formatBytes,
  GradScaler,
  halfPrecision,
  labelTensor,
  listOps,
  listOpsVocabulary,
  ready,
  runtimeInfo,
  type TransformerConfig,
  tf,
  to,
  transformerClassifier,
  valueAndGradients,
} from "../src/index.ts";
import { crossEntropy } from "../src/nn/ops/cross-entropy.ts";
import { nativeBackend, nativeMemory, resetPeak } from "../src/runtime/index.ts";
import { parameterList } from "../src/tensor/index.ts";
import { median, reference, torchPython } from "./figures.ts";

const precisions = ["float32", "float16", "bfloat16", "float64"] as const;
type Precision = (typeof precisions)[number];

interface Measured {
  times: number[];
  peakBytes: number;
  /** Share of the time outside of TensorFlow's own ops. */
  outside: number;
}

const STEPS = 3;
const rounds = Number(process.argv[2] ?? 3);
const common = { vocabularySize: listOpsVocabulary.size, classes: 10, heads: 4, activation: "relu" as const };
const lengths = process.argv[3]?.split(",").map(Number);
const settings = [
  { rows: 16, time: 64, features: 64, layers: 2, dropout: 0.1 },
  { rows: 16, time: 128, features: 64, layers: 2, dropout: 0.1 },
  { rows: 16, time: 128, features: 64, layers: 2, dropout: 0 },
  { rows: 16, time: 256, features: 64, layers: 2, dropout: 0.1 },
  { rows: 4, time: 512, features: 64, layers: 2, dropout: 0.1 },
].filter(({ time }) => lengths?.includes(time) ?? true);

await ready();
const { backend, version, device, threads } = runtimeInfo();
const python = torchPython();
console.log(`${backend} ${version} on the ${device}, ${threads} threads; ${rounds} rounds of ${STEPS} steps, in turns`);
console.log(halfPrecision().reason);

for (const { rows, time, ...sizes } of settings) {
  const config: TransformerConfig = { ...common, ...sizes, hidden: 4 * sizes.features, maxLength: time };
  const examples = listOps({ count: rows, seed: 1, minLength: time / 4, maxLength: time });
  const [batch] = fixedLengthBatches(examples, { batchSize: rows, maxLength: time });
  const torch = python ? startTorch(python, config, batch!, rows, time) : undefined;
  const mine = new Map(precisions.map((precision) => [precision, [] as Measured[]]));
  const theirs = new Map(precisions.map((precision) => [precision, [] as Measured[]]));
  const runs = new Map(precisions.map((precision) => [precision, halftone(config, batch!, precision)]));
  for (let round = 0; round < rounds; round++)
    for (const precision of precisions) {
      mine.get(precision)!.push(runs.get(precision)!.run());
      const other = await torch?.run(precision);
      if (other) theirs.get(precision)!.push(other);
    }
  torch?.stop();
  for (const { stop } of runs.values()) stop();
  console.log(`\n${rows} x ${time} tokens, ${sizes.layers} layers of ${sizes.features}, dropout ${sizes.dropout}`);
  report("halftone", mine);
  if (python) report("PyTorch", theirs);
}

function report(who: string, measured: Map<Precision, Measured[]>): void {
  const own = (precision: Precision, pick: (each: Measured) => number) => median(measured.get(precision)!.map(pick));
  const time = (each: Measured) => median(each.times);
  for (const precision of precisions) {
    if (measured.get(precision)!.length === 0) {
      console.log(`  ${who.padEnd(9)}${precision.padEnd(9)} not supported`);
      continue;
    }
    const ms = own(precision, time);
    const bytes = own(precision, ({ peakBytes }) => peakBytes);
    const outside = own(precision, (each) => each.outside);
    console.log(
      `  ${who.padEnd(9)}${precision.padEnd(9)}${ms.toFixed(1).padStart(9)} ms (${(ms / own("float32", time)).toFixed(2)} of float32)` +
        `${formatBytes(bytes).padStart(11)} (${(bytes / own("float32", (each) => each.peakBytes)).toFixed(3)})` +
        (Number.isNaN(outside) ? "" : `   outside of ops ${outside.toFixed(2)} ms`),
    );
  }
}

/** The same step in one precision; float64 trains parameters that are stored so. */
function halftone(config: TransformerConfig, batch: Batch, precision: Precision) {
  const model = transformerClassifier(config);
  const variables: Variable[] = parameterList(model.parameters).map(({ variable }) => variable);
  if (precision === "float64")
    for (const variable of variables) tf.tidy(() => variable.assign(to(variable as Tensor, "float64")));
  const optimizer = adamW(model.parameters);
  const scaler = new GradScaler({ enabled: precision === "float16" });
  let seed = 0;
  const forward = () =>
    crossEntropy(model.apply(model.parameters, batch, { training: true, seed: ++seed }), labelTensor(batch));
  const half = precision === "float16" || precision === "bfloat16" ? precision : undefined;
  const step = () =>
    tf.tidy(() => {
      const { value, gradients } = valueAndGradients(
        () => scaler.scale(half ? autocast(half, forward) : forward()),
        optimizer.variables,
      );
      scaler.step(optimizer, gradients);
      scaler.update();
      value.dataSync();
    });
  const run = (): Measured => {
    step();
    const times: number[] = [];
    const outside: number[] = [];
    const before = nativeMemory().live;
    resetPeak();
    for (let i = 0; i < STEPS; i++) {
      const began = performance.now();
      const inside = timeInOps(step);
      times.push(performance.now() - began);
      outside.push(times.at(-1)! - inside);
    }
    return { times, peakBytes: nativeMemory().peak - before, outside: median(outside) };
  };
  const stop = () => {
    optimizer.dispose();
    model.dispose();
  };
  return { run, stop };
}

/** Milliseconds that `fn` spends in TensorFlow. */
function timeInOps(fn: () => void): number {
  const { binding } = nativeBackend();
  const { executeOp, tensorDataSync } = binding;
  let inside = 0;
  const timed =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      const began = performance.now();
      try {
        return call(...args);
      } finally {
        inside += performance.now() - began;
      }
    };
  binding.executeOp = timed(executeOp);
  binding.tensorDataSync = timed(tensorDataSync);
  try {
    fn();
  } finally {
    Object.assign(binding, { executeOp, tensorDataSync });
  }
  return inside;
}

function startTorch(python: string, config: TransformerConfig, batch: Batch, rows: number, time: number) {
  const { tell, ask, stop } = reference(python, "amp_step.py");
  const { ids, labels } = batch;
  tell(JSON.stringify({ ...config, rows, time, threads, ids: [...ids], labels: [...labels!] }));
  const run = async (precision: Precision): Promise<Measured | undefined> => {
    const answer = (await ask(`${precision} ${STEPS}`)) as Partial<Measured>;
    return answer.times ? { ...(answer as Measured), outside: Number.NaN } : undefined;
  };
  return { run, stop };
}
