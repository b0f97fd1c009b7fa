import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { add, concat, ready, runtimeInfo, tensor, tf } from "../../src/index.ts";
import { nativeBackend } from "../../src/runtime/native/backend.ts";

await ready();
const isNative = runtimeInfo().backend === "tensorflow";
const skip = isNative ? false : "there is no TensorFlow";
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
