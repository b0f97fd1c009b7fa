// Calls whose types, ranks and sizes some kernels of the WebAssembly backend do not compute, with NumPy's answers. Run as a
// program it prints what they give on the backend in use.
import { fileURLToPath } from "node:url";
import * as h from "../../src/index.ts";

const { tf } = h;
const bools = (values: number[], shape = [values.length]) => h.tensor(values, { dtype: "bool", shape }) as h.AnyTensor;
const many = Array.from({ length: 501 }, (_, i) => Number(i % 3 === 0));
const seven = [1, 2, 1, 3, 1, 1, 2];
const ramp = Float32Array.from({ length: 12 }, (_, i) => i - 5);
const deep = () => h.tensor(ramp, { shape: seven }) as h.AnyTensor;
const row = () => h.tensor([2, -1]) as h.AnyTensor;
const each = (f: (x: number, y: number) => number) => [...ramp].map((x, i) => f(x, i % 2 === 0 ? 2 : -1));

const loose = h as unknown as Record<string, (...args: unknown[]) => h.AnyTensor>;
const twelve = Array.from({ length: 12 }, (_, i) => i);
/** [3, 1, 1, 1, 1, 1] and [1, 2, 1, 1, 1, 2] with an axis of 1 between any two of more. */
const alternating = () =>
  [h.reshape(h.tensor([0, 4, 8]), [3, 1, 1, 1, 1, 1]), h.reshape(h.tensor([0, 1, 2, 3]), [1, 2, 1, 1, 1, 2])] as const;
const alternatingBatches = () => h.reshape(h.tensor([0, 1, 2, 3]), [1, 2, 1, 1, 1, 2, 1, 1]) as h.AnyTensor;
const none = Array.from({ length: 6 }, () => [0, 0] as const);
const labels = (...values: number[]) => h.tensor(values, { dtype: "int32" }) as h.AnyTensor;
const withNaN = () =>
  h.tensor([
    [Number.NaN, 1],
    [1, 2],
  ]) as h.AnyTensor;

export const cases: Record<string, [() => h.AnyTensor, ArrayLike<number>]> = {
  "flip of bools": [() => h.flip(bools(many)) as h.AnyTensor, many.toReversed()],
  "tf.reverse of bools": [() => tf.reverse(bools([1, 0, 0, 1, 1, 0], [2, 3]), 1), [0, 0, 1, 0, 1, 1]],
  "flip of int32": [() => h.flip(h.arange(4)) as h.AnyTensor, [3, 2, 1, 0]],
  "asType to bool": [() => h.asType(h.tensor([-1, 2, 0, 0.5, Number.NaN]), "bool") as h.AnyTensor, [1, 1, 0, 1, 1]],
  "asType of int32 to bool": [() => h.asType(h.sub(h.arange(4), 2), "bool") as h.AnyTensor, [1, 1, 0, 1]],
  "tf.cast to bool": [() => tf.cast(tf.tensor1d([256, 0, -1]), "bool"), [1, 0, 1]],
  "where of bools": [() => h.where(bools([1, 0, 1]), bools([1, 1, 0]), bools([0, 0, 0])) as h.AnyTensor, [1, 0, 0]],
  "tf.where of bools": [() => tf.where(bools(many), bools(many), bools(many.map(() => 0))), many],
  "a padded bool": [() => h.pad(bools([1, 0]), [[1, 2]], 1) as h.AnyTensor, [1, 1, 0, 1, 1]],
  "sum of bools": [() => h.sum(bools(many)) as h.AnyTensor, [167]],
  "cumsum of bools": [() => h.cumsum(bools([1, 0, 1, 1])) as h.AnyTensor, [1, 1, 2, 3]],
  "sort of bools": [() => h.sort(bools([1, 0, 1, 0])).values as h.AnyTensor, [0, 0, 1, 1]],
  "topK of bools": [() => h.topK(bools([1, 0, 1, 0]), 3).values as h.AnyTensor, [1, 1, 0]],
  "clip between equal bounds": [() => h.clip(h.tensor([-1, 7]), 2, 2) as h.AnyTensor, [2, 2]],
  "sin of a large number": [() => h.sin(h.tensor([1e6, 0.1])) as h.AnyTensor, [-0.3499935, 0.09983342]],
  "seven axes added": [() => h.add(deep(), row() as never) as h.AnyTensor, each((x, y) => x + y)],
  "seven axes subtracted": [() => h.sub(deep(), row() as never) as h.AnyTensor, each((x, y) => x - y)],
  "seven axes multiplied": [() => h.mul(deep(), row() as never) as h.AnyTensor, each((x, y) => x * y)],
  "seven axes divided": [() => h.div(deep(), row() as never) as h.AnyTensor, each((x, y) => x / y)],
  "tf.squaredDifference of seven axes": [() => tf.squaredDifference(deep(), row()), each((x, y) => (x - y) ** 2)],
  "seven axes padded": [
    () => h.pad(deep(), [...seven.slice(1).map(() => [0, 0] as const), [1, 0]], 9) as h.AnyTensor,
    [9, -5, -4, 9, -3, -2, 9, -1, 0, 9, 1, 2, 9, 3, 4, 9, 5, 6],
  ],
  "seven axes reversed": [() => h.flip(deep()) as h.AnyTensor, [...ramp].reverse()],
  "the mean of a million numbers": [() => h.mean(tf.fill([1_000_000], 0.1)), [0.1]],
  "long sums of rows": [() => h.mul(h.sum(tf.fill([2, 1000, 200], 0.1), [1, 2]), 1e-5) as h.AnyTensor, [0.2, 0.2]],
  "log1p near 0": [() => h.mul(h.log1p(h.tensor([1e-10, -1e-10])), 1e10) as h.AnyTensor, [1, -1]],
  "six axes that alternate, added": [() => loose.add!(...alternating()), twelve.map((_, i) => 4 * (i >> 2) + (i & 3))],
  "their gradient": [
    () => h.grad((x: h.AnyTensor) => h.sum(loose.mul!(x, alternating()[1])))(alternating()[0]),
    [6, 6, 6],
  ],
  "a product of eight axes, and its gradient": [
    () => {
      const [a, b] = [h.reshape(h.tensor([1, 2, 3]), [3, 1, 1, 1, 1, 1, 1, 1]), alternatingBatches()];
      const value = h.reshape(loose.matmul!(a, b), [12]);
      const gradient = h.reshape(h.grad((x: h.AnyTensor) => h.sum(loose.matmul!(x, b)))(a), [3]);
      return h.concat([value, gradient]) as h.AnyTensor;
    },
    [0, 1, 2, 3, 0, 2, 4, 6, 0, 3, 6, 9, 6, 6, 6],
  ],
  "argMax of eight axes": [() => h.argMax(h.tensor(ramp, { shape: [...seven, 1] }), 3) as h.AnyTensor, [2, 2, 2, 2]],
  "eight axes padded": [
    () => h.reshape(h.pad(h.ones([2, 1, 1, 1, 1, 1, 1, 2]), [[1, 0], ...none, [0, 1]], 9), [9]) as h.AnyTensor,
    [9, 9, 9, 1, 1, 9, 1, 1, 9],
  ],
  "crossEntropy of -Infinity": [
    () => h.crossEntropy(h.tensor([[0, Number.NEGATIVE_INFINITY]]), labels(0)) as h.AnyTensor,
    [0],
  ],
  "crossEntropy beside an ignored NaN": [() => h.crossEntropy(withNaN(), labels(-100, 0)), [1.3132616]],
  "that with smoothed labels": [() => h.crossEntropy(withNaN(), labels(-100, 0), { labelSmoothing: 0.1 }), [1.2632616]],
  "the maximum of nothing beside something": [() => h.max(h.zeros([0, 2]), 1) as h.AnyTensor, []],
  "the bytes of a clone, and its values once the other is disposed": [
    () => {
      const x = h.exp(h.zeros([1000]));
      const { live } = h.nativeMemory();
      const copy = h.clone(x);
      const taken = h.nativeMemory().live - live;
      x.dispose();
      return h.tensor([taken, h.item(h.sum(copy))]) as h.AnyTensor;
    },
    [0, 1000],
  ],
  "a float64 number read again": [() => h.tensor(h.readFloat64(h.to(h.tensor([0.5, -2]), "float64"))), [0.5, -2]],
};

/** What each gives, and whether tensors beside it in memory are still what they were. */
export function results(): Record<string, number[]> {
  const beside = Array.from({ length: 16 }, (_, i) => h.full([64], i) as h.AnyTensor);
  for (const x of beside) h.neg(x).dispose();
  const found = Object.fromEntries(Object.entries(cases).map(([name, [run]]) => [name, Array.from(run().dataSync())]));
  return { ...found, beside: beside.map((x) => (x.dataSync() as Float32Array).reduce((sum, value) => sum + value)) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await h.ready();
  process.stdout.write(JSON.stringify(results()));
}
