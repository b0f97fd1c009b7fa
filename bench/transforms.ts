// Per-example gradients of a small MLP and of a Transformer block: one vmapped backward pass beside a loop over the examples and
// one gradient of the whole batch. bench/reference/transforms_time.py times torch.func on the same models.
// Run: node dist/bench/transforms.js
import {
  add,
  at,
  crossEntropy,
  disposeTree,
  div,
  gelu,
  generator,
  grad,
  layerNorm,
  matmul,
  mean,
  mul,
  perExampleGrad,
  randint,
  randn,
  ready,
  relu,
  runtimeInfo,
  softmax,
  swapAxes,
  type Tensor,
  tf,
} from "../src/index.ts";

type Matrix = Tensor<number[], "float32">;
type Weights = Record<string, Matrix>;

await ready();
const rng = generator(1);
const weight = (...shape: number[]) => mul(randn(shape, { from: rng }), 1 / Math.sqrt(shape[0]!)) as Matrix;

const features = 128;
const mlpWeights: Weights = { first: weight(features, 256), second: weight(256, 256), third: weight(256, 10) };
const mlp = (p: Weights, x: Matrix, label: Matrix) => {
  const hidden = relu(matmul(relu(matmul(x, p.first!)), p.second!));
  return crossEntropy(matmul(hidden, p.third!), label);
};

const [time, width] = [32, 64];
const blockWeights: Weights = {
  q: weight(width, width),
  k: weight(width, width),
  v: weight(width, width),
  out: weight(width, width),
  up: weight(width, 4 * width),
  down: weight(4 * width, width),
  head: weight(width, 10),
};
const block = (p: Weights, tokens: Matrix, label: Matrix) => {
  const x = layerNorm(tokens);
  const scores = div(matmul(matmul(x, p.q!), swapAxes(matmul(x, p.k!), -1, -2)), Math.sqrt(width));
  const attended = matmul(matmul(softmax(scores), matmul(x, p.v!)), p.out!);
  const y = add(tokens, attended);
  const z = add(y, matmul(gelu(matmul(layerNorm(y), p.up!)), p.down!));
  return crossEntropy(matmul(mean(z, -2), p.head!), label);
};

function milliseconds(f: () => unknown): number {
  const once = () => {
    const found = f();
    tf.tidy(() => disposeTree(found));
  };
  for (let i = 0; i < 3; i++) once();
  const times = Array.from({ length: 15 }, () => {
    const start = performance.now();
    once();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return times[7]!;
}

function compare(name: string, loss: typeof mlp, weights: Weights, x: Matrix, labels: Matrix): void {
  const size = x.shape[0]!;
  const batched = milliseconds(() => perExampleGrad(loss as never)(weights as never, x as never, labels as never));
  const whole = milliseconds(() => grad((p: Weights) => loss(p, x, labels) as never)(weights));
  const looped = milliseconds(() =>
    Array.from({ length: size }, (_, i) =>
      tf.tidy(
        () => grad((p: Weights) => loss(p, at(x, i) as Matrix, at(labels, i) as Matrix) as never)(weights) as never,
      ),
    ),
  );
  const text = (value: number) => value.toFixed(1).padStart(8);
  console.log(
    `${name.padEnd(20)}${text(batched)}${text(looped)}${text(whole)}${(looped / batched).toFixed(1).padStart(12)}${(batched / whole).toFixed(1).padStart(16)}`,
  );
}

const labelsOf = (size: number) => randint(0, 10, [size], { from: rng }) as unknown as Matrix;
console.log(`${runtimeInfo().backend}, batch of 64; medians in ms`);
console.log("                    batched    loop   whole  loop/batched  batched/whole");
compare("MLP", mlp, mlpWeights, randn([64, features], { from: rng }) as Matrix, labelsOf(64));
compare("Transformer block", block, blockWeights, randn([64, time, width], { from: rng }) as Matrix, labelsOf(64));
