import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";
import {
  float64,
  readFloat64,
  roundTo,
  type Storage,
  storageOf,
  tensorBytes,
  tensorFromBytes,
  to,
} from "../../src/storage/index.ts";

await ready();
const native = tf.getBackend() === "tensorflow";
const values = [0.1, -1 / 3, 65504, 70000, 3e-6, 1e-9, 2049];
const storages = ["float16", "bfloat16", "float32", "float64"] as const;

describe("storage types", { skip: !native && "needs the native runtime" }, () => {
  before(() => tf.tidy(() => to(tf.scalar(1), "float16")));

  for (const storage of storages) {
    test(`${storage}: numbers are rounded to the nearest when stored and read back as float32`, () => {
      const x = tf.tensor1d(values).to(storage);
      assert.equal(x.storage, storage);
      assert.equal(x.dtype, "float32");
      const expected = values.map((value) => Math.fround(roundTo(Math.fround(value), storage)));
      assert.deepEqual([...x.dataSync()], expected);
    });

    test(`${storage}: the memory is counted in its own bytes`, () => {
      const bytes = { float16: 2, bfloat16: 2, float32: 4, float64: 8 }[storage];
      const x = tf.zeros([1000]).add(0);
      const { live } = nativeMemory();
      // float32 itself is no cast but the same tensor.
      const y = storage === "float32" ? x.add(0) : to(x, storage);
      assert.equal(nativeMemory().live - live, 1000 * bytes);
      tf.dispose([x, y]);
    });

    test(`${storage}: slicing, joining, reshaping, variables and printing keep the storage type`, () => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]).to(storage);
      const cases = [x.slice([0, 1], [2, 1]), tf.concat([x, x]), x.reshape([4]), x.transpose(), tf.stack([x, x])];
      for (const y of [...cases, tf.variable(x), x.clone(), x.gather([1]), x.cast("float32"), tf.zerosLike(x)])
        assert.equal(storageOf(y), storage);
      assert.deepEqual([...x.slice([0, 1], [2, 1]).dataSync()], [2, 4]);
      assert.match(x.toString(), /\[1, 2\]/);
      assert.deepEqual([...x.cast("int32").dataSync()], [1, 2, 3, 4]);
      const variable = tf.variable(x);
      variable.assign(x.mul(2));
      assert.equal(storageOf(variable), storage);
    });

    test(`${storage}: a gradient has the storage type of its tensor and passes the cast`, () => {
      const x = tf.tensor1d([1, 2, 3]);
      const through = tf.grad((y: Tensor) => to(y, storage).square().sum())(x);
      assert.equal(storageOf(through), "float32");
      assert.deepEqual([...through.dataSync()], [2, 4, 6]);
      const direct = tf.grad((y: Tensor) => y.mul(tf.tensor1d([4, 5, 6])).sum())(to(x, storage));
      assert.equal(storageOf(direct), storage);
      assert.deepEqual([...direct.dataSync()], [4, 5, 6]);
    });

    test(`${storage}: its bytes give the same tensor again`, () => {
      for (const shape of [[7], [2, 3], [0], []]) {
        const size = shape.reduce((product, dimension) => product * dimension, 1);
        const x = tf.tensor(values.slice(0, size), shape).to(storage);
        const bytes = tensorBytes(x);
        assert.equal(bytes.length, size * { float16: 2, bfloat16: 2, float32: 4, float64: 8 }[storage]);
        const back = tensorFromBytes(bytes, shape, storage);
        assert.equal(storageOf(back), storage);
        assert.deepEqual([...back.dataSync()], [...x.dataSync()]);
        assert.deepEqual(tensorBytes(back), bytes);
      }
    });
  }

  test("the bytes are IEEE 754's, little-endian", () => {
    assert.deepEqual([...tensorBytes(tf.tensor1d([1, -2]).to("float16"))], [0x00, 0x3c, 0x00, 0xc0]);
    assert.deepEqual([...tensorBytes(tf.tensor1d([1, -2]).to("bfloat16"))], [0x80, 0x3f, 0x00, 0xc0]);
    assert.deepEqual([...tensorBytes(float64([1]))], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  });

  test("types promote as in PyTorch: to the wider one, two halves to float32, scalars to the tensor's type", () => {
    // torch.promote_types, and torch.result_type for the scalars.
    const expected: [Storage, Storage, Storage][] = [
      ["float16", "float16", "float16"],
      ["float16", "bfloat16", "float32"],
      ["float16", "float32", "float32"],
      ["bfloat16", "float32", "float32"],
      ["float32", "float64", "float64"],
      ["float16", "float64", "float64"],
    ];
    for (const [a, b, result] of expected) {
      const x = tf.ones([2]).to(a);
      const y = tf.ones([2]).to(b);
      assert.equal(storageOf(x.add(y)), result, `${a} + ${b}`);
      assert.equal(storageOf(y.mul(x)), result, `${b} * ${a}`);
      assert.equal(storageOf(x.mul(y.sum())), a, `${a} * scalar ${b}`);
      assert.equal(storageOf(tf.matMul(x.reshape([1, 2]), y.reshape([2, 1]))), result);
    }
    assert.equal(storageOf(tf.ones([2]).to("float16").mul(0.5)), "float16");
    assert.equal(storageOf(tf.scalar(1).to("float16").mul(0.5)), "float16");
    assert.equal(
      storageOf(
        tf
          .scalar(1)
          .to("float16")
          .mul(tf.ones([1]).sum()),
      ),
      "float32",
    );
  });

  test("a scalar that half precision cannot represent is not rounded before the op", () => {
    const x = tf.tensor1d([0.25]).to("float16");
    assert.deepEqual([...x.mul(131072).dataSync()], [32768]);
    assert.equal(storageOf(x.mul(131072)), "float16");
  });

  test("float64 is double arithmetic from end to end", () => {
    const x = float64([0.1, 0.2]);
    assert.deepEqual([...readFloat64(x)], [0.1, 0.2]);
    assert.deepEqual([...readFloat64(x.sum())], [0.1 + 0.2]);
    assert.deepEqual([...readFloat64(x.mul(0.1))], [0.1 * 0.1, 0.2 * 0.1]);
    assert.deepEqual([...readFloat64(x.add(1e-12).sub(x))], [0.1 + 1e-12 - 0.1, 0.2 + 1e-12 - 0.2]);
    const gradient = tf.grad((y: Tensor) => y.mul(y).mul(y).sum())(x);
    assert.equal(storageOf(gradient), "float64");
    // d(x^3) = x^2 + (x + x) x, as the two products' gradients are added.
    for (const [i, value] of readFloat64(gradient).entries()) {
      const v = [0.1, 0.2][i]!;
      assert.ok(Math.abs(value - 3 * v * v) <= 4 * Number.EPSILON * 3 * v * v);
    }
  });

  test("bfloat16 sums over many rows are accurate, forward and backward", () => {
    // 4096 ones added one by one in bfloat16 make 256.
    const bias = tf.zeros([2]).to("bfloat16");
    const sum = (b: Tensor) =>
      tf.add(tf.ones([4096, 2]).to("bfloat16"), b as ReturnType<typeof tf.zeros>).sum() as Tensor;
    assert.deepEqual([...tf.grad(sum)(bias).dataSync()], [4096, 4096]);
    assert.deepEqual([...tf.ones([4096, 2]).to("bfloat16").sum(0).dataSync()], [4096, 4096]);
  });

  test("an op without a kernel for the type runs in float32, keeps the storage type, and warns once", (t) => {
    const warn = t.mock.method(console, "warn", () => {});
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]).to("bfloat16");
    const run = () => tf.image.resizeBilinear(x as never, [4, 4]) as Tensor;
    const cumulative = () => tf.cumprod(tf.tensor1d([1, 2, 3]).to("bfloat16"));
    for (const each of [run, run, cumulative]) each();
    assert.equal(storageOf(cumulative()), "bfloat16");
    assert.deepEqual([...cumulative().dataSync()], [1, 2, 6]);
    const lines = warn.mock.calls.map((call) => String(call.arguments[0]));
    assert.equal(new Set(lines).size, lines.length);
    for (const line of lines) assert.match(line, /no bfloat16 kernel for \w+ on this device: it runs in float32/);
  });

  test("a value that cannot be stored is rejected by name", () => {
    assert.throws(() => to(tf.tensor1d([1]), "float8" as Storage), /"float16" or .*got "float8"/);
    assert.throws(() => to(tf.tensor1d(["a"]) as Tensor, "float16"), /a string tensor cannot be stored as float16/);
    const gone = tf.tensor1d([1, 2]);
    gone.dispose();
    assert.throws(() => to(gone, "float16"), /shape \[2\]\) has already been disposed/);
    assert.throws(() => float64([1, 2], [3]), /\[3\] needs 3 numbers, got 2/);
  });
});
