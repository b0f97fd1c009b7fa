// Compares batched products of whole numbers with loops over plain arrays, exactly; a program of its own, because
// TensorFlow reads TF_ENABLE_ONEDNN_OPTS when it is loaded.

import { ready, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import { type AnyTensor, einsum, matmul, transpose, valueAndGrad } from "../../src/tensor/index.ts";
import { dice, flat, indices, type NdArray, size, toTensor } from "./naive.ts";

/** numpy.matmul: batch axes broadcast; each operand may be stored transposed. */
function product(a: NdArray, b: NdArray, transposeA: boolean, transposeB: boolean): NdArray {
  const { shape, terms } = multiply(a, b, transposeA, transposeB);
  const data = Array<number>(size(shape)).fill(0);
  for (const [to, p, q] of terms) data[to]! += a.data[p]! * b.data[q]!;
  return { shape, data };
}

/** Every product of two elements that is added up, as [place in the result, in a, in b]. */
function multiply(a: NdArray, b: NdArray, transposeA: boolean, transposeB: boolean) {
  const [s, t] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const rank = Math.max(s.length, t.length);
  const pad = (shape: number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const batch = pad(s).map((d, i) => (d === 1 ? pad(t)[i]! : d));
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const n = b.shape.at(transposeB ? -2 : -1)!;
  const shape = [...batch, m, n];
  const terms: [number, number, number][] = [];
  const at = (full: number[], outer: number[], i: number, j: number) =>
    (flat(full.slice(0, -2), outer) * full.at(-2)! + i) * full.at(-1)! + j;
  for (const outer of indices(batch))
    for (const [i, j, l] of indices([m, n, k]) as Generator<[number, number, number]>)
      terms.push([
        (flat(batch, outer) * m + i) * n + j,
        transposeA ? at(a.shape, outer, l, i) : at(a.shape, outer, i, l),
        transposeB ? at(b.shape, outer, j, l) : at(b.shape, outer, l, j),
      ]);
  return { shape, terms };
}

const swapped = (x: AnyTensor): AnyTensor => transpose(x, [...Array(x.rank - 2).keys(), x.rank - 1, x.rank - 2]);

function check(what: string, found: AnyTensor, { shape, data }: NdArray): void {
  const values = found.dataSync();
  const wrong = data.filter((value, i) => value !== values[i]).length;
  if (found.shape.join() !== shape.join() || wrong > 0)
    throw new Error(`${what}: ${wrong} of ${data.length} elements are wrong, shape [${found.shape}] for [${shape}]`);
}

await ready();
const { whole, pick, array } = dice(31);
const few = () => whole(-3, 3);
const letters = "abcd";
for (let round = 0; round < 150; round++) {
  const full = [pick([1, 2, 3, 0]), pick([1, 2, 3]), pick([1, 2, 5])];
  const batch = (rank: number) => full.slice(3 - rank).map((d) => pick([d, d, 1]));
  const [ranks, sizes] = [
    [whole(0, 3), whole(0, 3)],
    [pick([1, 3, 16, 0]), pick([1, 4, 16, 17, 0]), pick([1, 5, 16])],
  ] as const;
  const [m, k, n] = sizes;
  const [left, right] = [whole(0, 1) === 1, whole(0, 1) === 1];
  const a = array([...batch(ranks[0]), ...(left ? [k, m] : [m, k])], few);
  const b = array([...batch(ranks[1]), ...(right ? [n, k] : [k, n])], few);
  const expected = product(a, b, left, right);
  const what = `round ${round}: [${a.shape}]${left ? "ᵀ" : ""} by [${b.shape}]${right ? "ᵀ" : ""}`;
  tf.tidy(() => {
    for (const storage of ["float32", "float16", "bfloat16"] as const) {
      const [x, y] = [to(toTensor(a), storage), to(toTensor(b), storage)];
      check(`${what}, tf.matMul in ${storage}`, tf.matMul(x, y, left, right) as AnyTensor, expected);
      const ours = matmul(left ? swapped(x) : x, (right ? swapped(y) : y) as never) as AnyTensor;
      check(`${what}, matmul in ${storage}`, ours, expected);
      if (storageOf(ours) !== storage) throw new Error(`${what}: the product of ${storage} is ${storageOf(ours)}`);
    }
    if (a.shape.every((d, i) => i >= ranks[0] || d > 1) && b.shape.every((d, i) => i >= ranks[1] || d > 1)) {
      // einsum broadcasts no named axis, so that it gets a batch axis of one operand only.
      const names = (rank: number) => letters.slice(3 - rank, 3);
      const output = names(Math.max(...ranks));
      const pattern = `${names(ranks[0])}${left ? "ki" : "ik"},${names(ranks[1])}${right ? "jk" : "kj"}->${output}ij`;
      const call = einsum as unknown as (pattern: string, ...operands: AnyTensor[]) => AnyTensor;
      check(`${what}, ${pattern}`, call(pattern, toTensor(a), toTensor(b)), expected);
    }
    const weights = array(expected.shape, few);
    const slopes = [a, b].map((x) => ({ shape: x.shape, data: Array<number>(x.data.length).fill(0) }));
    for (const [to, p, q] of multiply(a, b, left, right).terms) {
      slopes[0]!.data[p]! += weights.data[to]! * b.data[q]!;
      slopes[1]!.data[q]! += weights.data[to]! * a.data[p]!;
    }
    const given = { a: toTensor(a), b: toTensor(b), w: toTensor(weights) };
    const summed = ({ a: x, b: y, w }: typeof given) => tf.sum(tf.mul(tf.matMul(x, y, left, right), w)) as AnyTensor;
    const { gradients } = valueAndGrad(summed as never)(given) as unknown as { gradients: typeof given };
    check(`${what}, gradient of the left`, gradients.a, slopes[0]!);
    check(`${what}, gradient of the right`, gradients.b, slopes[1]!);
    if (expected.data.length === 0) return;
    const [da, db] = tf.grads((x, y, w) => tf.sum(tf.mul(tf.matMul(x!, y!, left, right), w!)))(Object.values(given));
    check(`${what}, tf.grads of the left`, da as AnyTensor, slopes[0]!);
    check(`${what}, tf.grads of the right`, db as AnyTensor, slopes[1]!);
  });
}
console.log("right");
