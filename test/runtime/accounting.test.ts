import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { collectAll } from "../../src/runtime/gc.ts";
import {
  interceptOps,
  nativeMemory,
  type OpInterceptor,
  ready,
  resetPeak,
  runtimeInfo,
  tf,
} from "../../src/runtime/index.ts";

await ready();
const native = runtimeInfo().backend === "tensorflow";
const matMul = native ? "BatchMatMulV2" : "BatchMatMul";

beforeEach(async () => {
  tf.disposeVariables();
  // What an earlier test has left would be freed while the next one counts.
  collectAll();
  await setImmediate();
  resetPeak();
});

/** What `work` adds to the bytes and tensors that are held. */
function added(work: () => void): { live: number; tensors: number; peak: number } {
  const before = nativeMemory();
  work();
  const after = nativeMemory();
  return { live: after.live - before.live, tensors: after.tensors - before.tensors, peak: after.peak - before.live };
}

test("a product of [2, 3] and [3, 4] holds 2 * 4 floats of 4 bytes, its inputs 6 and 12 floats", () => {
  const a = tf.ones([2, 3]);
  const b = tf.ones([3, 4]);
  const product = added(() => tf.matMul(a, b));
  const again = added(() => tf.matMul(a, b));
  assert.equal(product.live, native ? 32 + 24 + 48 : 32, "natively, data is handed over at its first use");
  assert.deepEqual(again, { live: 32, tensors: 1, peak: 32 });
});

test("disposed memory is not live, and the peak includes it until it is reset", () => {
  const a = tf.ones([10, 10]);
  a.square().dispose();
  const before = nativeMemory().live;
  resetPeak();
  tf.tidy(() => a.square().square().square());
  assert.equal(nativeMemory().peak - before, 3 * 400, "three squares of 100 floats lived at once");
  resetPeak();
  assert.equal(nativeMemory().peak, nativeMemory().live);
  assert.deepEqual(
    added(() => tf.tidy(() => void a.square())),
    { live: 0, tensors: 0, peak: 400 },
  );
});

test("views of the same data count once, and are freed with the last of them", {
  skip: !native && "WebAssembly copies more than that",
}, () => {
  const a = tf.ones([4, 4]).square();
  const views: Tensor[] = [];
  const shared = added(() =>
    views.push(a.reshape([2, 8]), a.expandDims(), a.clone(), tf.variable(a), a.cast("float32")),
  );
  assert.deepEqual([shared.live, shared.tensors], [0, 0]);
  assert.equal(added(() => a.dispose()).live, 0);
  assert.equal(added(() => tf.dispose(views)).live, -64);
});

test("each type is counted by its own size", () => {
  const a = tf.ones([5]).add(1);
  assert.equal(added(() => a.greater(1)).live, 5, "bool: one byte");
  assert.equal(added(() => a.toInt()).live, 20, "int32: four");
  if (native) assert.equal(added(() => tf.complex(a, a)).live, 40, "complex64: eight");
});

test("memory is reported by op", () => {
  const a = tf.ones([8, 8]).add(0);
  const calls = () => nativeMemory().byOp[matMul] ?? { calls: 0, live: 0, peak: 0 };
  const before = calls();
  const first = tf.matMul(a, a);
  const second = tf.matMul(first, a);
  first.dispose();
  const after = calls();
  assert.deepEqual([after.calls - before.calls, after.live - before.live], [2, 256]);
  assert.equal(after.peak - before.live, 512);
  second.dispose();
  assert.equal(calls().live, before.live);
});

test("a training step frees all that it allocates", () => {
  const weights = tf.variable(tf.ones([16, 16]));
  const optimizer = tf.train.adam(0.01);
  const step = () => void optimizer.minimize(() => tf.matMul(weights, weights).square().mean());
  step();
  assert.deepEqual({ ...added(step), peak: 0 }, { live: 0, tensors: 0, peak: 0 });
});

test("an op interceptor sees every op, may change its inputs, and is removed completely", {
  skip: !native && "WebAssembly has no native ops",
}, () => {
  const a = tf.tensor1d([1, 2, 3]);
  const b = tf.tensor1d([10, 20, 30]);
  const seen: string[] = [];
  const watch: OpInterceptor = (op, next) => {
    seen.push(`${op.name} of ${op.inputs.map((input) => `[${input.shape}]`).join(" and ")}`);
    return next(op);
  };
  const swap: OpInterceptor = (op, next) => next(op.name === "Sub" ? { ...op, inputs: [...op.inputs].reverse() } : op);
  const takeOffSwap = interceptOps(swap);
  const takeOffWatch = interceptOps(watch);
  assert.deepEqual([...b.sub(a).dataSync()], [-9, -18, -27]);
  takeOffSwap();
  assert.deepEqual([...b.sub(a).dataSync()], [9, 18, 27]);
  takeOffWatch();
  b.sub(a);
  assert.deepEqual(seen, ["Sub of [3] and [3]", "Sub of [3] and [3]"]);
});
