import assert from "node:assert/strict";
import { before, test } from "node:test";
import { autocast } from "../../src/amp/index.ts";
import { withBias } from "../../src/nn/ops/add-bias.ts";
import { addWithDropout } from "../../src/nn/ops/add-with-dropout.ts";
import { philoxWords } from "../../src/random/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { hasKernels } from "../../src/runtime/native/kernels/index.ts";
import { roundTo, storageOf, to } from "../../src/storage/index.ts";
import { activated } from "../../src/tensor/activated.ts";
import { exactGelu, siluCurve, tanhGelu } from "../../src/tensor/curves.ts";
import { seededDropout } from "../../src/tensor/dropout.ts";
import * as h from "../../src/tensor/index.ts";
import { assertClose, tidily } from "./naive.ts";

before(ready);

const seed = [-5, 70_000] as const;

/** Word i decides by its upper half about element i, and by its lower half about element i + size / 2. */
function isKept(size: number, rate: number): boolean[] {
  const half = Math.ceil(size / 2);
  const words = philoxWords(half, seed);
  const dropped = Math.round(rate * 65536) - 32768;
  return Array.from({ length: size }, (_, i) => {
    const word = i < half ? words[i]! >> 16 : (words[i - half]! << 16) >> 16;
    return word >= dropped;
  });
}

for (const size of [1, 2, 33, 256, 511, 513, 16_385, 40_000])
  test(`dropout of ${size} elements keeps what Philox decides, forward and backward, in every storage`, () =>
    tidily(() => {
      const rate = 0.3;
      const expected = isKept(size, rate).map((kept) => (kept ? 2 / (1 - rate) : 0));
      for (const storage of ["float32", "bfloat16", "float16"] as const) {
        const x = to(tf.fill([size], 2), storage) as h.AnyTensor;
        const value = seededDropout(x, { rate, seed });
        assert.equal(storageOf(value), storage);
        const tolerance = storage === "float32" ? 1e-6 : 2 ** -7;
        assertClose(value, { shape: [size], data: expected }, tolerance);
        const slope = h.grad((v: h.AnyTensor) => h.sum(h.mul(seededDropout(v, { rate, seed }), 2)))(x);
        assertClose(slope, { shape: [size], data: expected }, tolerance);
      }
    }));

test("dropout added to a residual is in the residual's storage where that is the wider one", () =>
  tidily(() => {
    const expected = isKept(600, 0.5).map((kept) => (kept ? 5 : 1));
    const x = tf.fill([600], 2);
    const residual = tf.ones([600]);
    for (const [of, by] of [
      ["float32", "float32"],
      ["float32", "bfloat16"],
      ["bfloat16", "bfloat16"],
      ["bfloat16", "float32"],
    ] as const) {
      const value = addWithDropout(to(residual, of), to(x, by), { rate: 0.5, seed });
      assert.equal(storageOf(value), of === by ? of : "float32");
      assertClose(value as h.AnyTensor, { shape: [600], data: expected }, 1e-6);
    }
  }));

for (const storage of ["bfloat16", "float16"] as const)
  test(`a float32 bias beside ${storage} is added before the result is rounded, and its gradient is summed in float32 too`, (t) =>
    tidily(() => {
      if (!hasKernels()) return t.skip("the kernels are not set up");
      const [rows, width] = [3001, 300];
      const x = to(h.randn([rows, width], { from: 1 }), storage) as h.AnyTensor;
      const bias = h.randn([width], { from: 2 }) as h.AnyTensor;
      const numbers = bias.dataSync();
      const expected = Array.from(x.dataSync(), (value, i) =>
        roundTo(Math.fround(value + numbers[i % width]!), storage),
      );
      const value = autocast(storage, () => withBias(x, bias));
      assert.equal(storageOf(value), storage);
      assertClose(value, { shape: [rows, width], data: expected }, 0);
      const ones = (b: h.AnyTensor) => h.sum(autocast(storage, () => withBias(x, b)) as h.AnyTensor);
      assertClose(h.grad(ones)(bias), { shape: [width], data: Array(width).fill(roundTo(rows, storage)) }, 0);
    }));

for (const curve of [exactGelu, tanhGelu, siluCurve])
  test(`${curve.name} with dropout equals the two in turn, with its gradient and the gradient of that`, () =>
    tidily(() => {
      const x = h.randn([7, 33], { from: 1 }) as h.AnyTensor;
      const drop = { rate: 0.2, seed };
      const fused = (v: h.AnyTensor) => activated("test", v, curve, drop);
      const apart = (v: h.AnyTensor) => seededDropout(activated("test", v, curve), drop);
      const total = (f: typeof fused) => (v: h.AnyTensor) => h.sum(h.square(f(v)));
      const twice = (f: typeof fused) => h.grad((v: h.AnyTensor) => h.sum(h.square(h.grad(total(f))(v))));
      for (const [one, other] of [
        [fused(x), apart(x)],
        [h.grad(total(fused))(x), h.grad(total(apart))(x)],
        [twice(fused)(x), twice(apart)(x)],
      ])
        assertClose(one!, { shape: [7, 33], data: [...other!.dataSync()] }, 1e-5);
      // Rows of a Jacobian: the backward pass runs inside of vmap.
      const rows = h.jacobian((v: h.AnyTensor) => fused(v))(h.reshape(x, [231]) as never) as h.AnyTensor;
      const slopes = h.grad((v: h.AnyTensor) => h.sum(fused(v)))(h.reshape(x, [231]) as h.AnyTensor);
      assertClose(h.sum(rows, 0) as h.AnyTensor, { shape: [231], data: [...slopes.dataSync()] }, 1e-5);
    }));

for (const [name, f] of [
  ["layerNorm", (x, scale, offset) => h.layerNorm(x, scale, offset)],
  ["layerNorm without weights", (x) => h.layerNorm(x)],
  ["rmsNorm", (x, scale) => h.rmsNorm(x, scale)],
] as [string, (...given: [h.AnyTensor, h.AnyTensor, h.AnyTensor]) => h.AnyTensor][])
  for (const width of [1, 7, 64, 3000])
    test(`${name} of ${width} halves equals that of float32 rounded once, and so do its gradients`, () =>
      tidily(() => {
        const from = h.generator(1);
        for (const storage of ["bfloat16", "float16"] as const) {
          const half = (shape: number[]) => to(h.randn(shape, { from }) as h.AnyTensor, storage);
          const given: [h.AnyTensor, h.AnyTensor, h.AnyTensor] = [half([5, 3, width]), half([width]), half([width])];
          const whole = given.map((each) => to(each, "float32")) as typeof given;
          const slope = half([5, 3, width]);
          const value = f(...given);
          assert.equal(storageOf(value), storage);
          assert.deepEqual(value.dataSync(), to(f(...whole), storage).dataSync());
          const total = (...all: typeof given) => h.sum(h.mul(to(f(...all), "float32"), slope));
          const gradients = h.grad((all: typeof given) => total(...all))(given);
          const expected = h.grad((all: typeof given) => total(...all))(whole);
          gradients.forEach((gradient, i) => {
            assert.deepEqual(gradient.dataSync(), to(expected[i]!, storage).dataSync());
          });
          // Under autocast the result is float32, and weights in float32 keep their own type.
          autocast(storage, () => {
            const mixed = f(given[0], whole[1], whole[2]);
            assert.equal(storageOf(mixed), "float32");
            assert.deepEqual(mixed.dataSync(), f(...whole).dataSync());
          });
          const twice = (all: typeof given) =>
            h.grad((x: h.AnyTensor) => h.sum(h.square(h.grad((v: h.AnyTensor) => total(v, all[1], all[2]))(x))))(
              all[0],
            );
          assert.equal(storageOf(twice(given)), storage);
        }
      }));

test("every activation is right at its ends and for NaN", () =>
  tidily(() => {
    const x = tf.tensor1d([
      Number.NEGATIVE_INFINITY,
      -100,
      0,
      100,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]) as h.AnyTensor;
    for (const f of [
      (v: h.AnyTensor) => h.gelu(v),
      (v: h.AnyTensor) => h.gelu(v, "tanh"),
      (v: h.AnyTensor) => h.silu(v),
    ]) {
      const [, low, zero, high, top, nan] = f(x).dataSync();
      assert.deepEqual([Math.abs(low!), zero, high, top, nan], [0, 0, 100, Number.POSITIVE_INFINITY, Number.NaN]);
    }
  }));

test("every thread of a kernel treats subnormal numbers alike", () =>
  tidily(() => {
    // The sigmoid of -88 is subnormal. Which thread computes a part is decided anew each time.
    const x = tf.fill([2 ** 20], -88) as h.AnyTensor;
    for (let time = 0; time < 50; time++) assert.equal(new Set(h.silu(x).dataSync()).size, 1);
  }));
