import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../kernel/jupyter/messages.ts";
import { runtimeInfo } from "../../src/runtime/index.ts";
import { type Client, startKernel } from "./client.ts";

/** The WebAssembly backend's calls are native too, but it has no such long one. */
const skip = runtimeInfo().backend !== "tensorflow";

/** Runs a cell that says "on" just before its native work, stops it there, and gives what came of it. */
async function stopped(kernel: Client, code: string): Promise<Json> {
  const cell = kernel.execute(code);
  await cell.starts();
  await cell.prints("on\n");
  await kernel.ask("interrupt_request", {}, "control");
  // Told again when the interrupt was answered.
  await cell.take("busy");
  const { reply, contents } = await cell.ends("error");
  assert.equal(reply.ename, "KeyboardInterrupt", JSON.stringify(reply));
  return contents[0]!;
}

const setUp = "import * as tf from '@tensorflow/tfjs'; const a = tf.ones([1500, 1500]); a.sum().arraySync()";

test("Stop ends a loop of TensorFlow calls at the next one, and tensors survive", { skip }, async () => {
  const kernel = await startKernel();
  assert.equal(await kernel.value(setUp), "2250000");
  const error = await stopped(
    kernel,
    "for (let i = 0; ; i++) { tf.matMul(a, a).dispose(); if (i === 1) console.log('on') }",
  );
  assert.match(String((error.traceback as string[]).join("\n")), /variables are kept/);
  assert.equal(await kernel.value("a.sum().arraySync()"), "2250000");
});

test("one TensorFlow call that does not return is ended with its process, which is reported, and the next cell runs", {
  skip,
}, async () => {
  const kernel = await startKernel();
  assert.equal(await kernel.value(setUp), "2250000");
  // No two of the 400,000 boxes overlap, so each is compared with all that were kept: minutes, in one call.
  const error = await stopped(
    kernel,
    `const n = 400_000;
     const corner = tf.range(0, n).mul(2).expandDims(1);
     const boxes = tf.concat([corner, corner, corner.add(1), corner.add(1)], 1);
     const scores = tf.ones([n]);
     console.log('on');
     tf.image.nonMaxSuppression(boxes as any, scores as any, n).arraySync()`,
  );
  const said = (error.traceback as string[]).join("\n");
  assert.match(said, /did not stop within 5 s .* so its process was ended\n.*native call.*\nAll variables are lost/s);
  await kernel.run("a", "error");
  assert.equal(await kernel.value(setUp), "2250000");
});
