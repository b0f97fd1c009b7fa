/**
 * What half precision learns: ListOps classification under autocast beside float32, and the adding problem's regression
 * with every number stored in half, over 5 seeds, with 95% confidence intervals (Student's t).
 *
 *     npm run build && node dist/bench/amp-learning.js [classification|regression]
 */
import type { Rank, Scalar, Tensor, Tensor2D, Variable } from "@tensorflow/tfjs-node-gpu";
import {
  adamW,
  addingProblem,
  fixedLengthBatches,
  GradScaler,
  type HalfType,
  listOps,
  listOpsVocabulary,
  ready,
  type Storage,
  tf,
  to,
  train,
  transformerClassifier,
  valueAndGradients,
} from "../src/index.ts";

await ready();
const SEEDS = [1, 2, 3, 4, 5];
/** Student's t at 97.5% with four degrees of freedom. */
const T = 2.776;

const asked = process.argv[2];
if (asked !== "regression") {
  console.log("ListOps up to 16 tokens, 150 steps of 64; validation accuracy");
  for (const half of [undefined, "float16", "bfloat16"] as const)
    report(half ? `${half} autocast` : "float32", await Promise.all(SEEDS.map((seed) => classification(half, seed))));
}
if (asked !== "classification") {
  console.log("\nadding problem's read-out, 10 values, all numbers stored in one type; root mean square error");
  for (const storage of ["float64", "float32", "float16", "bfloat16"] as const)
    report(
      storage,
      SEEDS.map((seed) => regression(storage, seed)),
    );
}

async function classification(half: HalfType | undefined, seed: number): Promise<number> {
  const maxLength = 16;
  const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength, features: 32, heads: 4, layers: 1 };
  const model = transformerClassifier({ ...sizes, dropout: 0, seed });
  const optimizer = adamW(model.parameters, { learningRate: 3e-3, clipNorm: 1 });
  const batches = (count: number, from: number) =>
    fixedLengthBatches(listOps({ count, seed: from, maxLength }), { batchSize: 64, maxLength, seed });
  const amp = half ? { autocast: half, scaler: new GradScaler() } : {};
  const validation = [...batches(512, 100 + seed)];
  const options = { model, optimizer, batches: batches(2048, seed), validation, steps: 150, progress: false };
  const { evaluations } = await train({ ...options, ...amp });
  optimizer.dispose();
  model.dispose();
  return evaluations.at(-1)!.accuracy;
}

/**
 * The read-out alone: from each value times its marker to their sum, by least squares with momentum. Exactly solvable, so
 * what is left is the error of the arithmetic and not of the learning.
 */
function regression(storage: Storage, seed: number): number {
  const [count, length] = [256, 10];
  const inputs = new Float32Array(count * length);
  const targets = new Float32Array(count);
  addingProblem({ count, seed, minLength: length, maxLength: length }).forEach(({ features, label }, row) => {
    for (let t = 0; t < length; t++) inputs[row * length + t] = features[2 * t]! * features[2 * t + 1]!;
    targets[row] = label;
  });
  const stored = (values: Float32Array, shape: [number, number]) =>
    tf.tidy(() => tf.variable(to(tf.tensor2d(values, shape), storage))) as unknown as Variable<Rank.R2>;
  const x = stored(inputs, [count, length]);
  const y = stored(targets, [count, 1]);
  const weight = stored(new Float32Array(length), [length, 1]);
  const speed = stored(new Float32Array(length), [length, 1]);
  const error = () => tf.sub(tf.matMul(x, weight), y);
  for (let step = 0; step < 600; step++)
    tf.tidy(() => {
      const { gradients } = valueAndGradients(() => tf.mean(tf.square(error())) as Scalar, [weight]);
      speed.assign(tf.add(tf.mul(speed, 0.9), gradients[0]!) as Tensor2D);
      weight.assign(tf.sub(weight, tf.mul(speed, 0.2)) as Tensor2D);
    });
  const squares = tf.tidy(() => tf.mean(tf.square(to(error() as Tensor, "float32"))).dataSync()[0]!);
  tf.dispose([x, y, weight, speed]);
  return Math.sqrt(squares);
}

function report(name: string, values: number[]): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = T * Math.sqrt(variance / values.length);
  console.log(`  ${name.padEnd(18)} ${mean.toPrecision(4)} ± ${half.toPrecision(2)}`);
}
