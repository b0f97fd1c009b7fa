import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast } from "../../src/amp/index.ts";
import { scaledDotProductAttention } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { storageOf } from "../../src/storage/index.ts";
import { named, randn, type Tensor as Typed } from "../../src/tensor/index.ts";
import { valueAndGradients } from "../../src/train/index.ts";
import { assertClose, type ReferenceArray, reference, tensorOf } from "./reference.ts";

interface Case {
  name: string;
  inputs: ReferenceArray[];
  mask: (ReferenceArray & { bool: boolean }) | null;
  isCausal: boolean;
  scale: number | null;
  output: ReferenceArray;
  outputGradient: ReferenceArray;
  inputGradients: ReferenceArray[];
}

const { cases } = reference<{ cases: Case[] }>("attention");
const op = scaledDotProductAttention as (q: Tensor, k: Tensor, v: Tensor, options?: object) => Tensor;

await ready();
const chosen = tf.getBackend();

for (const backend of new Set([chosen, "cpu"]))
  describe(`scaledDotProductAttention on ${backend} equals PyTorch's, with its gradients:`, () => {
    before(() => tf.setBackend(backend));
    after(() => tf.setBackend(chosen));
    for (const { name, mask, isCausal, scale, ...expected } of cases)
      test(name, () => {
        const inputs = expected.inputs.map((input) => tf.variable(tensorOf(input))) as Variable[];
        const given = mask && (mask.bool ? tf.cast(tensorOf(mask), "bool") : tf.variable(tensorOf(mask)));
        const options = { isCausal, ...(given && { mask: given }), ...(scale !== null && { scale }) };
        const [q, k, v] = inputs as unknown as [Tensor, Tensor, Tensor];
        assertClose(op(q, k, v, options), expected.output, 1e-6, "output");
        const weights = tensorOf(expected.outputGradient);
        const wanted = mask && !mask.bool ? [...inputs, given as Variable] : inputs;
        const loss = () => tf.sum(tf.mul(op(q, k, v, options), weights)) as Scalar;
        const { gradients } = valueAndGradients(loss, wanted);
        expected.inputGradients.forEach((gradient, i) => {
          assertClose(gradients[i]!, gradient, 1e-5, `gradient ${i}`);
        });
      });
  });

test("the gradient of the gradient equals finite differences", () => {
  const [q, k, v] = [1, 2, 3].map((from) => randn([1, 2, 3, 2], { from })) as [Tensor, Tensor, Tensor];
  const inner = (x: Tensor) => tf.grad((y: Tensor) => op(y, k, v, { isCausal: true }).square().sum())(x);
  const outer = tf
    .grad((x: Tensor) => inner(x).square().sum())(q)
    .dataSync();
  const value = (x: Tensor) => inner(x).square().sum().dataSync()[0]!;
  for (let i = 0; i < q.size; i++) {
    const nudge = tf.oneHot(tf.scalar(i, "int32"), q.size).mul(1e-2).reshape(q.shape);
    const slope = (value(q.add(nudge)) - value(q.sub(nudge))) / 2e-2;
    assert.ok(Math.abs(slope - outer[i]!) < 2e-2, `input ${i}: slope ${slope}, gradient ${outer[i]}`);
  }
});

test("with dropout and grouped heads the gradients equal finite differences", () => {
  const [q, k, v] = [
    [1, 4, 3, 2],
    [1, 2, 5, 2],
    [1, 2, 5, 3],
  ].map((shape, from) => randn(shape, { from })) as Tensor[];
  const weights = randn([1, 4, 3, 3], { from: 9 });
  const value = (...inputs: Tensor[]) =>
    tf.sum(
      tf.mul(op(inputs[0]!, inputs[1]!, inputs[2]!, { dropout: 0.4, from: 5, isCausal: true }), weights),
    ) as Scalar;
  const inputs = [q!, k!, v!];
  const slopes = tf.grads(value)(inputs);
  for (const [n, input] of inputs.entries())
    for (let i = 0; i < input.size; i++) {
      const nudge = tf.oneHot(tf.scalar(i, "int32"), input.size).mul(1e-2).reshape(input.shape);
      const at = (moved: Tensor) => value(...inputs.with(n, moved)).dataSync()[0]!;
      const slope = (at(input.add(nudge)) - at(input.sub(nudge))) / 2e-2;
      const gradient = slopes[n]!.dataSync()[i]!;
      assert.ok(Math.abs(slope - gradient) < 5e-3, `input ${n}[${i}]: slope ${slope}, gradient ${gradient}`);
    }
});

test("int32 masks count as conditions, and names of axes stay", () => {
  const q = named(randn([1, 1, 2, 4], { from: 1 }), ["batch", "heads", "time", 4]);
  const mask = tf.tensor2d([1, 0, 1, 0], [2, 2], "int32");
  const v = randn([1, 1, 2, 4], { from: 2 });
  const y = scaledDotProductAttention(q, q, v, { mask });
  assert.deepEqual([...y.dataSync()].slice(0, 4), [...v.dataSync()].slice(0, 4));
  const before = tf.memory().numTensors;
  tf.tidy(() => void scaledDotProductAttention(q, q, v, { mask }));
  assert.equal(tf.memory().numTensors, before);
});

test("runs in the half type as a whole under autocast, and its dropout follows the seed", () => {
  const q: Typed<[2, 2, 8, 4]> = randn([2, 2, 8, 4], { from: 1 });
  const half = autocast("bfloat16", () => op(q, q, q, { isCausal: true }));
  assert.equal(storageOf(half), "bfloat16");
  const full = op(q, q, q, { isCausal: true });
  assert.ok(tf.max(tf.abs(tf.sub(half, full))).dataSync()[0]! < 0.05);
  const drop = (from: number) => [...op(q, q, q, { dropout: 0.5, from }).dataSync()];
  assert.deepEqual(drop(1), drop(1));
  assert.notDeepEqual(drop(1), drop(2));
});

test("shapes that do not fit are refused in one sentence", () => {
  const x = (shape: number[]) => tf.zeros(shape);
  const call = (q: number[], k: number[], v: number[], mask?: number[]) => () =>
    op(x(q), x(k), x(v), mask ? { mask: x(mask) } : {});
  const expected =
    "scaledDotProductAttention: expected [batch, heads, queries, features], [batch, heads, keys, features] and [batch, heads, keys, width], got ";
  for (const [q, k, v, shapes] of [
    [[2, 4], [2, 4], [2, 4], "[2, 4], [2, 4] and [2, 4]"],
    [[1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3, 4], "[1, 2, 3, 4], [1, 2, 3, 5] and [1, 2, 3, 4]"],
    [[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 2, 4], "[1, 2, 3, 4], [1, 2, 3, 4] and [1, 2, 2, 4]"],
  ] as [number[], number[], number[], string][])
    assert.throws(call(q, k, v), { name: "ShapeError", message: expected + shapes });
  assert.throws(call([1, 3, 2, 4], [1, 2, 2, 4], [1, 2, 2, 4]), {
    name: "ShapeError",
    message: "scaledDotProductAttention: the 3 heads of the queries are not a multiple of the 2 heads of the keys",
  });
  assert.throws(call([2, 2, 3, 4], [2, 2, 5, 4], [2, 2, 5, 4], [3, 4]), {
    name: "ShapeError",
    message: "scaledDotProductAttention: the mask [3, 4] does not broadcast to the scores [2, 2, 3, 5]",
  });
  const q = randn([1, 2, 3, 4]);
  // @ts-expect-error scaledDotProductAttention: [1, 2, 3, 4] and [1, 2, 3, 5] do not fit: 4 is not 5
  assert.throws(() => scaledDotProductAttention(q, randn([1, 2, 3, 5]), q));
});
