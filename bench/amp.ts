/**
 * Time and peak activation memory of a training step by precision and length, beside PyTorch's autocast on the CPU with
 * as many threads, in turns; and what autocast itself costs.
 *
 *     npm run build && node dist/bench/amp.js [rounds] [lengths, as 64,128]
 *
 * Autocast's own cost is the JavaScript that it adds to a step: all time outside of TensorFlow's ops and of reading
 * results back, with the collection of garbage, less the same of the float32 step beside it; the median over turns of one
 * step each, once V8 has compiled everything. For float16 the GradScaler is in it. The casts that it adds are ops and are
 * counted apart. Both are given as shares of the half step.
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
import { nativeBackend, nativeMemory, resetPeak } from "../src/runtime/index.ts";
import { crossEntropy, parameterList } from "../src/tensor/index.ts";
import { median, reference, torchPython } from "./figures.ts";

const precisions = ["float32", "float16", "bfloat16", "float64"] as const;
type Precision = (typeof precisions)[number];

interface Measured {
  times: number[];
  peakBytes: number;
}

/** Milliseconds of one step. */
interface Cost {
  time: number;
  /** Outside of TensorFlow's ops. */
  outside: number;
  /** Within its op Cast, and how often that ran. */
  casting: number;
  casts: number;
}

const STEPS = 3;
/** Steps of each precision on a small batch, for V8 to compile what a step runs. */
const WARM_UP = 100;
/** Steps of each precision in which its own cost is taken. */
const TURNS = 25;
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
warmUp();

for (const setting of settings) {
  const { rows, time, ...sizes } = setting;
  const { config, batch } = task(setting);
  const torch = python ? startTorch(python, config, batch, rows, time) : undefined;
  const mine = new Map(precisions.map((precision) => [precision, [] as Measured[]]));
  const theirs = new Map(precisions.map((precision) => [precision, [] as Measured[]]));
  const runs = new Map(precisions.map((precision) => [precision, halftone(config, batch, precision)]));
  for (let round = 0; round < rounds; round++)
    for (const precision of precisions) {
      mine.get(precision)!.push(runs.get(precision)!.run());
      const other = await torch?.run(precision);
      if (other) theirs.get(precision)!.push(other);
    }
  torch?.stop();
  const costs = ownCosts(runs);
  for (const { stop } of runs.values()) stop();
  console.log(`\n${rows} x ${time} tokens, ${sizes.layers} layers of ${sizes.features}, dropout ${sizes.dropout}`);
  report("halftone", mine);
  if (python) report("PyTorch", theirs);
  for (const line of costs) console.log(line);
}

function task({ rows, time, ...sizes }: (typeof settings)[number]) {
  const config: TransformerConfig = { ...common, ...sizes, hidden: 4 * sizes.features, maxLength: time };
  const examples = listOps({ count: rows, seed: 1, minLength: time / 4, maxLength: time });
  const [batch] = fixedLengthBatches(examples, { batchSize: rows, maxLength: time });
  return { config, batch: batch! };
}

function warmUp(): void {
  const { config, batch } = task({ rows: 2, time: 16, features: 8, layers: 2, dropout: 0.1 });
  for (const precision of precisions) {
    const { step, stop } = halftone(config, batch, precision);
    for (let i = 0; i < WARM_UP; i++) step();
    stop();
  }
}

function ownCosts(runs: Map<Precision, { step(): void }>): string[] {
  const halves = ["float16", "bfloat16"] as const;
  const float32: Cost[] = [];
  const mine = new Map(halves.map((half) => [half, [] as Cost[]]));
  for (let turn = 0; turn < TURNS; turn++) {
    float32.push(costOf(runs.get("float32")!.step));
    for (const half of halves) mine.get(half)!.push(costOf(runs.get(half)!.step));
  }
  return halves.map((half) => {
    const costs = mine.get(half)!;
    const step = median(costs.map(({ time }) => time));
    const added = (key: keyof Cost) => median(costs.map((cost, turn) => cost[key] - float32[turn]![key]));
    const share = (ms: number) => `${ms.toFixed(1)} ms (${((100 * ms) / step).toFixed(1)}% of the step)`;
    return `  autocast ${half.padEnd(9)}adds ${share(added("outside"))} of its own, and ${added("casts")} casts of ${share(added("casting"))}`;
  });
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
    console.log(
      `  ${who.padEnd(9)}${precision.padEnd(9)}${ms.toFixed(1).padStart(9)} ms (${(ms / own("float32", time)).toFixed(2)} of float32)` +
        `${formatBytes(bytes).padStart(11)} (${(bytes / own("float32", (each) => each.peakBytes)).toFixed(3)})`,
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
    const before = nativeMemory().live;
    resetPeak();
    for (let i = 0; i < STEPS; i++) {
      const began = performance.now();
      step();
      times.push(performance.now() - began);
    }
    return { times, peakBytes: nativeMemory().peak - before };
  };
  const stop = () => {
    optimizer.dispose();
    model.dispose();
  };
  return { run, step, stop };
}

function costOf(step: () => void): Cost {
  const { binding } = nativeBackend();
  const { executeOp, tensorDataSync } = binding;
  let inside = 0;
  let casting = 0;
  let casts = 0;
  const timed = <R>(run: () => R, isCast = false): R => {
    const began = performance.now();
    try {
      return run();
    } finally {
      const took = performance.now() - began;
      inside += took;
      if (isCast) casting += took;
      if (isCast) casts++;
    }
  };
  binding.executeOp = (name, ...rest) => timed(() => executeOp(name, ...rest), name === "Cast");
  binding.tensorDataSync = (id) => timed(() => tensorDataSync(id));
  try {
    const began = performance.now();
    step();
    const time = performance.now() - began;
    return { time, outside: time - inside, casting, casts };
  } finally {
    Object.assign(binding, { executeOp, tensorDataSync });
  }
}

function startTorch(python: string, config: TransformerConfig, batch: Batch, rows: number, time: number) {
  const { tell, ask, stop } = reference(python, "amp_step.py");
  const { ids, labels } = batch;
  tell(JSON.stringify({ ...config, rows, time, threads, ids: [...ids], labels: [...labels!] }));
  const run = async (precision: Precision): Promise<Measured | undefined> => {
    const answer = (await ask(`${precision} ${STEPS}`)) as Partial<Measured>;
    return answer.times ? (answer as Measured) : undefined;
  };
  return { run, stop };
}
