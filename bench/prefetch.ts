/**
 * What making a batch costs in a training step, and what of it a worker thread takes away.
 *
 *     npm run build && node dist/bench/prefetch.js [rounds]
 */
import {
  adamW,
  type Batches,
  fixedLengthBatches,
  packedBatches,
  prefetch,
  random,
  ready,
  type StepRecord,
  train,
  transformerClassifier,
} from "../src/index.ts";
import { median } from "./figures.ts";

const rounds = Number(process.argv[2] ?? 3);
const STEPS = 12;
const rng = random(1);
const examples = Array.from({ length: 2000 }, () => ({
  tokens: Int32Array.from({ length: rng.integer(8, 257) }, () => rng.integer(1, 100)),
  label: rng.integer(0, 4),
}));
const kinds: Record<string, Batches> = {
  "32 x 256, fixed": fixedLengthBatches(examples, { batchSize: 32, maxLength: 256, seed: 1 }),
  "16 x 256, packed": packedBatches(examples, { batchSize: 16, maxLength: 256, seed: 1 }),
};

await ready();
for (const [name, batches] of Object.entries(kinds)) {
  using ahead = prefetch(batches);
  const here: StepRecord[] = [];
  const there: StepRecord[] = [];
  await run(batches, 3);
  for (let round = 0; round < rounds; round++) {
    here.push(...(await run(batches, STEPS)));
    there.push(...(await run(ahead, STEPS)));
  }
  for (const [where, steps] of Object.entries({ "this thread": here, "a worker": there })) {
    const data = median(steps.map(({ times }) => times.data));
    const step = median(steps.map(({ milliseconds }) => milliseconds));
    console.log(
      `${name.padEnd(18)} made in ${where.padEnd(12)} ${data.toFixed(2)} ms of ${step.toFixed(1)} ms a step (${((100 * data) / step).toFixed(2)}%)`,
    );
  }
}

/** The smallest model that is worth training: any other makes the batch's share smaller. */
async function run(batches: Batches, steps: number): Promise<StepRecord[]> {
  const sizes = { vocabularySize: 100, classes: 4, maxLength: 256, features: 32, heads: 2, layers: 1 };
  const model = transformerClassifier(sizes);
  const optimizer = adamW(model.parameters);
  const history = await train({ model, optimizer, batches, steps, progress: false });
  optimizer.dispose();
  model.dispose();
  return history.steps.slice(2);
}
