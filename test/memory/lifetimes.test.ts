import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { freeUnreachable, resetPeak } from "../../src/memory/index.ts";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";

const { backend, reason } = await ready();
const skip = reason.includes("freed only between") ? "the collector is not set up" : false;
const collected = { skip };
const native = { skip: backend === "tensorflow" ? skip : "the native runtime uploads late" };

/** Runs `make`, then collects. */
function afterwards<T>(make: () => T): T {
  const made = make();
  freeUnreachable();
  return made;
}

/** What is held once nothing of the past lies on the stack. */
async function counts() {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    freeUnreachable();
  }
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  const { live, tensors } = nativeMemory();
  return { numTensors, numBytes, numDataBuffers, live, tensors };
}

function train(steps: number): number {
  const x = tf.randomNormal([32, 16], 0, 1, "float32", 1);
  const y = tf.randomNormal([32, 1], 0, 1, "float32", 2);
  let w: Tensor = tf.zeros([16, 1]);
  let most = 0;
  for (let step = 0; step < steps; step++) {
    const error = x.matMul(w).sub(y);
    w = w.sub(
      x
        .transpose()
        .matMul(error)
        .mul(0.01 / 32),
    );
    if (step % 100 === 0) most = Math.max(most, nativeMemory().live);
  }
  assert.ok(Number.isFinite(w.sum().dataSync()[0]));
  return most;
}

test("native memory is constant over 10,000 naive training steps", collected, async () => {
  const before = await counts();
  const most = train(10_000);
  // A step makes [32,1] twice, [16,32], [16,1] three times and a scalar: 2.5 KB, so 25 MB in all if none were freed.
  assert.ok(most < 15e6, `held ${most} bytes`);
  assert.deepEqual(await counts(), before);
});

test("a synchronous loop over 8 MB tensors holds at most a dozen unused tensors", collected, () => {
  const x = tf.ones([2048, 1024]);
  let most = 0;
  for (let step = 0; step < 300; step++) {
    x.add(1).relu();
    most = Math.max(most, nativeMemory().live);
  }
  assert.ok(most <= 24 * 8 * 2 ** 20, `held ${most / 2 ** 20} MB`);
  x.dispose();
});

test("a loop over large tensors does not grow the process, however they are freed", native, () => {
  const x = tf.ones([2048, 1024]);
  const step = () => tf.tidy(() => x.add(1).relu().mean()).dispose();
  for (let i = 0; i < 50; i++) step();
  // What the tests before have left.
  freeUnreachable();
  const before = nativeMemory();
  resetPeak();
  for (let i = 0; i < 400; i++) step();
  const after = nativeMemory();
  assert.equal(after.live, before.live);
  assert.equal(after.tensors, before.tensors);
  // x + 1 and its relu, 8 MiB each, beside x; the mean is a scalar.
  assert.ok(after.peak - before.live <= 2 * 8 * 2 ** 20 + 1024, `${after.peak - before.live} bytes above the loop`);
  x.dispose();
});

test("tf.memory() is the same whether tensors were disposed or collected", collected, async () => {
  const before = await counts();
  afterwards(() => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    x.clone();
    x.matMul(tf.ones([3, 4]))
      .greater(0)
      .cast("int32");
    if (backend === "tensorflow") tf.complex([1, 2], [3, 4]);
    tf.tensor(["a", "bc"]).clone();
    tf.tensor1d([1, 2, 3]);
  });
  assert.deepEqual(await counts(), before);
});

test("tensors referenced by a variable, a closure, an array or a clone are not freed", collected, () => {
  const clone = afterwards(() => tf.tensor1d([1, 2]).add(1).clone());
  const closure = afterwards(() => {
    const hidden = tf.scalar(2).mul(3);
    return () => hidden.dataSync()[0];
  });
  const list = afterwards(() => [0, 1, 2].map((i) => tf.scalar(i).add(10)));
  const variable = afterwards(() => tf.variable(tf.scalar(4).mul(2)));
  afterwards(() => variable.assign(tf.scalar(5).mul(2)));
  for (let i = 0; i < 100; i++) tf.ones([64]).add(i);
  freeUnreachable();
  assert.deepEqual([...clone.dataSync()], [2, 3]);
  assert.equal(closure(), 6);
  assert.deepEqual(
    list.map((t) => t.dataSync()[0]),
    [10, 11, 12],
  );
  assert.equal(variable.dataSync()[0], 10);
});

test("disposing before collection, twice, or one of two clones is safe", collected, async () => {
  const before = await counts();
  afterwards(() => {
    const x = tf.tensor1d([1, 2, 3]).add(0);
    const y = x.clone();
    x.dispose();
    x.dispose();
    freeUnreachable();
    assert.deepEqual([...y.dataSync()], [1, 2, 3]);
    y.dispose();
  });
  assert.deepEqual(await counts(), before);
});

test("tf.keep protects a tensor from tidy, and the tensor is freed when it is unreachable", collected, async () => {
  const before = await counts();
  afterwards(() => {
    let kept: Tensor | undefined;
    tf.tidy(() => {
      kept = tf.keep(tf.scalar(1).add(1));
    });
    assert.equal(kept?.dataSync()[0], 2);
  });
  assert.deepEqual(await counts(), before);
});

test("replacing a model frees the old one's variables", collected, async () => {
  const before = await counts();
  function model(): void {
    const w = tf.variable(tf.zeros([64, 64]));
    const optimizer = tf.train.adam(0.1);
    optimizer.minimize(() => w.sub(1).square().mean());
    optimizer.minimize(() => w.sub(1).square().mean());
    assert.ok(Math.abs(w.dataSync()[0]! - 0.2) < 1e-3);
  }
  for (let run = 0; run < 20; run++) afterwards(model);
  assert.deepEqual(await counts(), before);
});

test("variables are found by name and listed while they are reachable", collected, () => {
  const registered = tf.engine().registeredVariables as Record<string, Variable>;
  const w = tf.variable(tf.scalar(3), true, "lifetimes/w");
  afterwards(() => {
    tf.variable(tf.scalar(4), true, "lifetimes/gone");
  });
  assert.equal(registered["lifetimes/w"], w);
  assert.ok(Object.keys(registered).includes("lifetimes/w"));
  assert.equal(registered["lifetimes/gone"], undefined);
  assert.throws(() => tf.variable(tf.scalar(5), true, "lifetimes/w"), /already registered/);
  const { grads } = tf.variableGrads(() => w.square().asScalar());
  assert.equal(grads["lifetimes/w"]?.dataSync()[0], 6);
  w.dispose();
  assert.equal(registered["lifetimes/w"], undefined);
});

test("a tensor that is being read is not freed before its data arrives", collected, async () => {
  const data = afterwards(() => tf.tensor1d([1, 2, 3]).mul(2).data());
  freeUnreachable();
  assert.deepEqual([...(await data)], [2, 4, 6]);
});

test("data is uploaded when an op first uses it, and freed", native, async () => {
  const before = await counts();
  afterwards(() => {
    const late = afterwards(() => tf.tensor1d([1, 2, 3]));
    assert.equal(nativeMemory().live, before.live);
    assert.deepEqual([...late.add(1).dataSync()], [2, 3, 4]);
  });
  assert.deepEqual(await counts(), before);
});

test("unreachable tensors are freed when the program is idle", collected, async () => {
  const before = await counts();
  (() => {
    tf.ones([1024, 1024]).add(1);
  })();
  assert.ok(nativeMemory().live > before.live);
  const deadline = Date.now() + 10_000;
  while (nativeMemory().live > before.live && Date.now() < deadline) await new Promise((next) => setTimeout(next, 20));
  assert.equal(nativeMemory().live, before.live);
});
