import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  add,
  concat,
  div,
  item,
  mul,
  nativeMemory,
  randn,
  ready,
  reshape,
  runtimeInfo,
  storageOf,
  sub,
  sum,
  type Tensor,
  tensor,
  tf,
  to,
  transpose,
} from "../../src/index.ts";
import { nativeBackend } from "../../src/runtime/native/backend.ts";

await ready();
const isNative = runtimeInfo().backend === "tensorflow";
const skip = isNative ? false : "there is no TensorFlow";
const reshapes = () =>
  Object.entries({ T: 1, Tshape: 3 }).map(([name, value]) => ({
    name,
    type: nativeBackend().binding.TF_ATTR_TYPE,
    value,
  }));
const tensors = () => nativeBackend().binding.getNumOfTensors();

test("strings pass through ops that give strings, numbers and bools", { skip }, () => {
  const before = tensors();
  const long = "a text that is longer than the few bytes that TensorFlow keeps in place";
  tf.tidy(() => {
    const words = tf.tensor(["one", long, "ü", ""], [2, 2]);
    const joined = tf.concat([words, words], 0);
    assert.deepEqual(joined.arraySync(), [
      ["one", long],
      ["ü", ""],
      ["one", long],
      ["ü", ""],
    ]);
    const { binding } = nativeBackend();
    const types = Object.entries({ Tparams: binding.TF_STRING, Tindices: binding.TF_INT32, Taxis: binding.TF_INT32 });
    const gather = types.map(([name, value]) => ({ name, type: binding.TF_ATTR_TYPE, value }));
    const rows = [words, tf.tensor1d([1, 0], "int32"), tf.scalar(0, "int32")];
    assert.deepEqual(nativeBackend().executeSingleOutput("GatherV2", gather, rows).arraySync(), [
      ["ü", ""],
      ["one", long],
    ]);
    const attrs = [{ name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_STRING }];
    const same = nativeBackend().executeSingleOutput("Equal", attrs, [words, words]);
    assert.deepEqual(Array.from(same.dataSync()), [1, 1, 1, 1]);
    assert.deepEqual(words.arraySync(), [
      ["one", long],
      ["ü", ""],
    ]);
  });
  assert.equal(tensors(), before);
});

test("values are copied when an op first uses them", { skip }, () => {
  // An offset of 48 bytes is where TensorFlow would share the memory of an array.
  for (const offset of [0, 16, 48]) {
    const values = new Float32Array(new ArrayBuffer(256), offset, 4).fill(1);
    const x = tf.tensor1d(values);
    const sum = add(x, 1);
    values.fill(7);
    assert.deepEqual(Array.from(sum.dataSync()), [2, 2, 2, 2]);
    assert.deepEqual(Array.from(x.dataSync()), [1, 1, 1, 1]);
    tf.dispose([x, sum]);
  }
});

test("an op has the attributes of its own call", { skip }, () => {
  const x = tf.tensor2d([[-1, 2]]);
  for (let i = 1; i <= 2500; i++) {
    const y = tf.leakyRelu(x, i / 4096);
    assert.deepEqual(Array.from(y.dataSync()), [-i / 4096, 2]);
    y.dispose();
  }
  const attributes = [{ name: "keep_dims", type: nativeBackend().binding.TF_ATTR_BOOL, value: false }];
  const { TF_ATTR_TYPE } = nativeBackend().binding;
  attributes.push(...[3, 1].map((value, i) => ({ name: i === 0 ? "Tidx" : "T", type: TF_ATTR_TYPE, value }) as never));
  const axis = tf.tensor1d([0], "int32");
  const sum = () => nativeBackend().executeSingleOutput("Sum", attributes, [x, axis]);
  assert.deepEqual(sum().shape, [2]);
  attributes[0]!.value = true;
  assert.deepEqual(sum().shape, [1, 2]);
});

test("an op of more inputs or outputs than usual", { skip }, () => {
  const parts = Array.from({ length: 3000 }, (_, i) => tensor([i]));
  const joined = concat(parts, 0);
  assert.deepEqual(Array.from(joined.dataSync()), [...parts.keys()]);
  const split = tf.split(joined, 3000);
  assert.deepEqual(Array.from(split[2999]!.dataSync()), [2999]);
});

test("an op of a few numbers has the bits of the same op of many", { skip }, () => {
  // Beyond 8192 numbers TensorFlow computes.
  const repeats = 2048;
  const special = [0, -0, 1e-40, -1e-40, 1e-20, 3.4e38, Number.POSITIVE_INFINITY, 1 / 3];
  const random = randn([56], { from: 1 }).dataSync();
  const left = [...special, ...special.toReversed(), ...random.slice(0, 48)];
  const right = [...special.map((_, i) => special[(i + 3) % 8]!), ...special, ...random.slice(8, 56)];
  const bits = (x: { dataSync(): ArrayLike<number> }) => new Uint32Array(Float32Array.from(x.dataSync()).buffer);
  for (const op of [add, sub, mul, div])
    tf.tidy(() => {
      const [a, b] = [tf.tensor2d(left, [8, 8]), tf.tensor2d(right, [8, 8])];
      const row = tf.slice(b, [2, 0], [1, 8]).reshape([8]);
      const first = tf.scalar(left[20]!);
      for (const [x, y, shape] of [
        [a, b, [8, 8]],
        [a, row, [8, 8]],
        [row, a, [8, 8]],
        [a, first, [8, 8]],
        [first, a, [8, 8]],
        [first, first, []],
        [tf.ones([1, 1]), first, [1, 1]],
        [a.reshape([8, 1, 8]), b, [8, 8, 8]],
      ] as const) {
        const small = op(x as never, y as never) as Tensor<number[]>;
        assert.deepEqual(small.shape, shape);
        const whole = [x, y].map((part) => tf.tile(tf.broadcastTo(part, [...shape]).flatten(), [repeats * 8]));
        const many = op(whole[0] as never, whole[1] as never) as Tensor<number[]>;
        assert.deepEqual(bits(small), bits(many).slice(0, small.size));
      }
    });
  tf.tidy(() => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const view = tf.reshape(x, [-1, 2]);
    assert.deepEqual(
      [view.shape, tf.reshape(tf.scalar(7), [1, 1]).shape],
      [
        [3, 2],
        [1, 1],
      ],
    );
    x.dispose();
    assert.deepEqual(view.arraySync(), [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    assert.throws(
      () => nativeBackend().executeSingleOutput("Reshape", reshapes(), [view, tf.tensor1d([4, 2], "int32")]),
      /Reshape|reshape/,
    );
    assert.throws(
      () => nativeBackend().executeSingleOutput("Reshape", reshapes(), [view, tf.tensor1d([-1, 4], "int32")]),
      /Reshape|reshape/,
    );
  });
});

test("a small transpose is that of a large one, in every type", { skip }, () => {
  tf.tidy(() => {
    for (const axes of [
      [1, 0, 2],
      [2, 0, 1],
      [0, 2, 1],
      [2, 1, 0],
    ]) {
      const numbers = tf.range(0, 210).reshape([5, 6, 7]);
      const at = numbers.arraySync() as number[][][];
      const shape = axes.map((axis) => [5, 6, 7][axis]!);
      const wanted = Array.from({ length: 210 }, (_, i) => {
        const place = [Math.floor(i / (shape[1]! * shape[2]!)), Math.floor(i / shape[2]!) % shape[1]!, i % shape[2]!];
        const [a, b, c] = [0, 1, 2].map((axis) => place[axes.indexOf(axis)]!);
        return at[a!]![b!]![c!]!;
      });
      for (const storage of ["float32", "float16", "bfloat16", "float64"] as const) {
        const turned = tf.transpose(to(numbers, storage), axes);
        assert.deepEqual([storageOf(turned), turned.shape, [...turned.dataSync()]], [storage, shape, wanted]);
      }
      for (const dtype of ["int32", "bool"] as const) {
        const turned = tf.transpose(numbers.cast(dtype), axes);
        assert.deepEqual([...turned.dataSync()], dtype === "bool" ? wanted.map((value) => +(value > 0)) : wanted);
      }
    }
  });
});

test("constants are neither counted nor found as leaks, and stay with the values that they have", { skip }, () => {
  const x = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  const run = (i: number) =>
    tf.tidy(() => {
      const y = reshape(transpose(div(add(x, i), 0.5 + i)), [4]);
      return [sum(y, 0).dataSync()[0]!, item(div(tensor([1]), i === 0 ? -0 : i))];
    });
  run(0);
  const counts = () => {
    const { numTensors, numDataBuffers, numBytes } = tf.memory();
    return [numTensors, numDataBuffers, numBytes, nativeMemory().tensors, nativeMemory().live];
  };
  const before = counts();
  // More than are kept.
  for (let i = 1; i <= 5000; i++) run(i);
  assert.deepEqual(counts(), before);
  for (const i of [0, 1, 4999]) {
    const [total, quotient] = run(i);
    assert.ok(Math.abs(total! / ((10 + 4 * i) / (0.5 + i)) - 1) < 1e-6);
    assert.equal(quotient, i === 0 ? Number.NEGATIVE_INFINITY : Math.fround(1 / i));
  }
  assert.deepEqual(counts(), before);
});

test("freed and unknown tensors are refused by their number", { skip }, () => {
  const { binding } = nativeBackend();
  const id = binding.createTensor([2], binding.TF_FLOAT, Float32Array.of(1, 2));
  binding.deleteTensor(id);
  const attrs = [{ name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
  for (const wrong of [id, -1, 2 ** 28, undefined])
    assert.throws(() => binding.executeOp("Square", attrs, [wrong as number], 1), /Tensor ID not referenced/);
  assert.throws(() => binding.tensorDataSync(id), /not referenced/);
  assert.throws(() => binding.createTensor([3], binding.TF_FLOAT, Float32Array.of(1)), /Shape does not match/);
});

test("a failed op leaves the next ones whole", { skip }, () => {
  const x = add(tf.ones([2, 3]), 0);
  const { binding } = nativeBackend();
  const attrs = [{ name: "T", type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
  // The axis is a constant, which stays.
  tf.sum(x, 1).dispose();
  const before = tensors();
  for (let i = 0; i < 3; i++) {
    assert.throws(() => nativeBackend().executeSingleOutput("NoSuchOp", [], [x]), /NoSuchOp/);
    assert.throws(() => nativeBackend().executeSingleOutput("MatMul", attrs, [x, x]), /Matrix size-incompatible/);
    assert.throws(() => nativeBackend().executeSingleOutput("Square", [], [x, x]), /Square/);
  }
  tf.tidy(() => assert.deepEqual(Array.from(tf.sum(x, 1).dataSync()), [3, 3]));
  assert.equal(tensors(), before);
});

test("a thread has tensors of its own and ends while they exist", { skip }, async () => {
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    import(workerData).then(async ({ ready, tensor, add }) => {
      await ready();
      const kept = add(tensor([1, 2]), tensor([3, 4]));
      parentPort.postMessage(Array.from(kept.dataSync()));
    });`;
  const url = new URL("../../src/index.js", import.meta.url).href;
  const worker = new Worker(code, { eval: true, workerData: url });
  const [values, status] = await new Promise<[number[], number]>((resolve, reject) => {
    let found: number[] = [];
    worker.on("message", (message: number[]) => {
      found = message;
    });
    worker.on("error", reject);
    worker.on("exit", (code) => resolve([found, code]));
  });
  assert.deepEqual([values, status], [[4, 6], 0]);
});
