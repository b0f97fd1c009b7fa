import assert from "node:assert/strict";
import { test } from "node:test";
import { autocast } from "../../src/amp/index.ts";
import { isNative, nativeBackend, ready, tf } from "../../src/runtime/index.ts";
import { halfPrecision } from "../../src/storage/index.ts";
import { chooseHalf } from "../../src/storage/info.ts";

await ready();
const native = { skip: !isNative() && "TensorFlow does not run here" };

test("bfloat16 is chosen, for time and memory, where its products are several times as fast (a CPU with AMX)", () => {
  assert.deepEqual(chooseHalf({ float32: 4, float16: 8, bfloat16: 1 }, "this CPU"), {
    ...{ emulated: false, type: "bfloat16", timeRatio: 0.25, savesTime: true },
    reason:
      "bfloat16 saves memory on this CPU, and time in matrix products: one takes 0.25 times as long as in float32, in float16 2.00 times",
  });
});

test("bfloat16 is chosen where both types are as fast, because it needs no loss scaling (a GPU)", () => {
  const { type, savesTime } = chooseHalf({ float32: 10, float16: 1.95, bfloat16: 2 }, "NVIDIA H200");
  assert.deepEqual({ type, savesTime }, { type: "bfloat16", savesTime: true });
});

test("float16 is chosen, for memory alone, where only bfloat16 is slower than float32 (a CPU without AMX)", () => {
  const { reason, ...found } = chooseHalf({ float32: 4, float16: 3.8, bfloat16: 6.4 }, "this CPU");
  assert.deepEqual(found, { emulated: false, type: "float16", timeRatio: 0.95, savesTime: false });
  assert.match(
    reason,
    /^float16 saves memory on this CPU, but no time in matrix products: .* 0\.95 times .* in bfloat16 1\.60 times$/,
  );
});

test("a type without products on the device is not chosen", () => {
  const { type, reason } = chooseHalf({ float32: 4, float16: 2, bfloat16: Infinity }, "this GPU");
  assert.equal(type, "float16");
  assert.match(reason, /saves memory on this GPU, and time in matrix products: .*, none in bfloat16$/);
});

test("the measurement runs once, also inside of autocast, and leaves no tensor", native, () => {
  const { binding } = nativeBackend();
  const { executeOp } = binding;
  const before = tf.memory().numTensors;
  const first = autocast("float16", () => halfPrecision());
  let ops = 0;
  binding.executeOp = (...call) => {
    ops++;
    return executeOp.apply(binding, call);
  };
  try {
    assert.deepEqual(halfPrecision(), first);
  } finally {
    binding.executeOp = executeOp;
  }
  assert.equal(ops, 0);
  assert.equal(tf.memory().numTensors, before);
  assert.ok(first.timeRatio! > 0 && Number.isFinite(first.timeRatio));
});
