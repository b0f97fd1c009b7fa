// One training run, the same in every process: what the checkpoint tests interrupt and take up.
import { createHash } from "node:crypto";
import { uniformLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { transformerClassifier } from "../../src/nn/index.ts";
import { ready } from "../../src/runtime/index.ts";
import { parameterList } from "../../src/tensor/index.ts";
import { adamW, type TrainOptions, train, warmUp } from "../../src/train/index.ts";

const examples = listOps({ count: 60, seed: 1, maxLength: 30 });
const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: 30, features: 32, heads: 4, layers: 2 };

/** 20 steps over several epochs with dropout, warm-up, decay, accumulation and evaluations. */
export async function run(options: Partial<TrainOptions>) {
  await ready();
  const model = transformerClassifier({ ...sizes, seed: 1 });
  const optimizer = adamW(model.parameters, { clipNorm: 1 });
  const history = await train({
    model,
    optimizer,
    batches: uniformLengthBatches(examples, { batchSize: 8, seed: 4 }),
    steps: 20,
    accumulate: 2,
    seed: 5,
    learningRate: warmUp({ peak: 2e-3, warmUp: 4, total: 20 }),
    validation: [...uniformLengthBatches(examples.slice(0, 20), { batchSize: 20 })],
    evaluateEvery: 6,
    progress: false,
    ...options,
  });
  const hash = createHash("sha256");
  for (const { variable } of parameterList(model.parameters)) hash.update(variable.dataSync());
  for (const { values } of optimizer.stateDict().groups)
    for (const moments of Object.values(values)) hash.update(moments);
  optimizer.dispose();
  model.dispose();
  return { history, bits: hash.digest("hex") };
}

// As a process: trains with a checkpoint every second step, says each step, and waits to be killed after the one asked for.
const [path, pauseAfter] = process.argv.slice(2);
if (path && process.argv[1]?.endsWith("runs.js")) {
  await run({
    checkpoint: { path, every: 2 },
    onStep: ({ step }) => {
      process.stdout.write(`${step}\n`);
      if (step === Number(pauseAfter)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  });
}
