// One training run of a model of one's own, the same in every process: what the checkpoint tests interrupt and take up.
import { createHash } from "node:crypto";
import {
  adamW,
  add,
  arrayBatches,
  dropout,
  generator,
  matmul,
  mean,
  mul,
  noGrad,
  type ParametersOf,
  parameterList,
  parameters,
  randn,
  ready,
  sub,
  type Tensor,
  tanh,
  tf,
  train,
} from "../../src/index.ts";
import type { ApplyOptions } from "../../src/nn/index.ts";
import { dropoutSeed } from "../../src/nn/layer.ts";

interface Statistics {
  mean: Tensor<[8], "float32">;
  steps: Tensor<[1], "int32">;
}
interface Input {
  x: Tensor<[number, 4], "float32">;
}

/** A perceptron that subtracts the running mean of its hidden layer, with dropout. Its statistics are not trainable. */
function centred() {
  const rng = generator(1);
  const trained = parameters({ first: randn([4, 8], { from: rng }), second: randn([8, 3], { from: rng }) });
  const statistics = {
    mean: tf.variable(tf.zeros([8]), false),
    steps: tf.variable(tf.zeros([1], "int32"), false),
  } as unknown as ParametersOf<Statistics>;
  const own = { ...trained, statistics };
  const apply = (p: typeof own, { x }: Input, { training = false, ...options }: ApplyOptions = {}) => {
    const hidden = tanh(matmul(x, p.first));
    const centre = training ? mean(hidden, 0) : p.statistics.mean;
    if (training) {
      noGrad(() => {
        p.statistics.mean.assign(add(mul(p.statistics.mean, 0.9), mul(centre, 0.1)));
        p.statistics.steps.assign(tf.add(p.statistics.steps, tf.tensor1d([1], "int32")));
      });
    }
    const centred = sub(hidden, centre);
    return matmul(training ? dropout(centred, 0.2, { from: dropoutSeed(options)[0] }) : centred, p.second);
  };
  return { parameters: own, apply };
}

const data = () => ({
  x: randn([20, 4], { from: 5 }),
  labels: Array.from({ length: 20 }, (_, i) => i % 3),
});

export interface OwnRunOptions {
  path?: string;
  onStep?: (step: number) => void;
  signal?: AbortSignal;
  /** The batches of an array or of a function, instead of those of `arrayBatches`. */
  of?: "array" | "function";
  seed?: number;
}

export async function run({ path, onStep, signal, of, seed = 5 }: OwnRunOptions) {
  await ready();
  const model = centred();
  const optimizer = adamW(model.parameters, { learningRate: 0.02 });
  const planned = arrayBatches(data(), { batchSize: 6, seed: 4 });
  const lists = [planned.epoch(0), planned.epoch(1)].map((epoch) => [...epoch]);
  const batches = { array: lists[0]!, function: (epoch: number) => lists[epoch % 2]! };
  const history = await train({
    model,
    optimizer,
    batches: of ? batches[of] : planned,
    steps: 20,
    accumulate: 3,
    seed,
    validation: planned,
    evaluateEvery: 5,
    progress: false,
    onStep: ({ step }) => onStep?.(step),
    ...(signal ? { signal } : {}),
    ...(path ? { checkpoint: { path, every: 2 } } : {}),
  });
  const hash = createHash("sha256");
  for (const { variable } of parameterList(model.parameters)) hash.update(variable.dataSync() as Float32Array);
  for (const { values } of optimizer.stateDict().groups) for (const own of Object.values(values)) hash.update(own);
  return { history, model, bits: hash.digest("hex") };
}

// As a process: trains with a checkpoint every second step, says each step, and waits to be killed after the one asked for.
const [path, pauseAfter] = process.argv.slice(2);
if (path && process.argv[1]?.endsWith("own-runs.js")) {
  await run({
    path,
    onStep: (step) => {
      process.stdout.write(`${step}\n`);
      if (step === Number(pauseAfter)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  });
}
