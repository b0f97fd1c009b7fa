import assert from "node:assert/strict";
import { test } from "node:test";
import { runtimeInfo } from "../../src/runtime/index.ts";
import { startKernel } from "./client.ts";

/** The WebAssembly backend's calls are native too, but it has no such long one. */
const skip = runtimeInfo().backend !== "tensorflow";

/** Runs a cell that says "on" just before its native work, stops it there, and gives what came of it. */
async function stopped(kernel: Awaited<ReturnType<typeof startKernel>>, code: string) {
  const cell = kernel.execute(code);
  await kernel.until(
    () => kernel.published.find(({ parent, header }) => parent.msg_id === cell.id && header.msg_type === "stream"),
    "the cell is on its way",
  );
  await kernel.ask("interrupt_request", {}, "control");
  return cell.done;
}

const setUp = "import * as tf from '@tensorflow/tfjs'; const a = tf.ones([1500, 1500]); a.sum().arraySync()";

test("Stop ends a loop of TensorFlow calls at the next one, and tensors survive", { skip }, async () => {
  const kernel = await startKernel();
  await kernel.execute(setUp).done;
  const ran = await stopped(
    kernel,
    "for (let i = 0; ; i++) { tf.matMul(a, a).dispose(); if (i === 1) console.log('on') }",
  );
  assert.equal(ran.reply.content.ename, "KeyboardInterrupt", JSON.stringify(ran.reply.content));
  assert.match(String((ran.reply.content.traceback as string[]).join("\n")), /variables are kept/);
  const after = await kernel.execute("a.sum().arraySync()").done;
  assert.deepEqual(after.content("execute_result")?.data, { "text/plain": "2250000" });
});

test("one TensorFlow call that does not return is ended with its process, which is said, and the next cell runs", {
  skip,
}, async () => {
  const kernel = await startKernel();
  await kernel.execute(setUp).done;
  // No two of the 400,000 boxes overlap, so each is compared with all that were kept: minutes, in one call.
  const ran = await stopped(
    kernel,
    `const n = 400_000;
     const corner = tf.range(0, n).mul(2).expandDims(1);
     const boxes = tf.concat([corner, corner, corner.add(1), corner.add(1)], 1);
     const scores = tf.ones([n]);
     console.log('on');
     tf.image.nonMaxSuppression(boxes as any, scores as any, n).arraySync()`,
  );
  assert.equal(ran.reply.content.ename, "KeyboardInterrupt");
  const said = (ran.content("error")!.traceback as string[]).join("\n");
  assert.match(said, /did not stop within 5 s .* so its process was ended\n.*native call.*\nAll variables are lost/s);
  assert.equal((await kernel.execute("a").reply).content.status, "error");
  const after = await kernel.execute(setUp).done;
  assert.deepEqual(after.content("execute_result")?.data, { "text/plain": "2250000" });
});
