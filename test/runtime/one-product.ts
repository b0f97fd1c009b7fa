// As a process: computes one long matrix product, and says when it ended, whether it is right, and how many signals came.
import { writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { ready, tf } from "../../src/runtime/index.ts";

await ready();
let signals = 0;
process.on("SIGWINCH", () => signals++);
const size = 3000;
const x = tf.ones([size, size]);
x.dataSync();
writeSync(1, "begun\n");
const product = tf.matMul(x, x).dataSync();
const endedAt = Date.now();
// The event loop reads a signal in one of its next turns.
for (let turn = 0; turn < 100 && signals === 0; turn++) await setImmediate();
let wrong = 0;
for (const sum of product) if (sum !== size) wrong++;
writeSync(1, `${JSON.stringify({ wrong, endedAt, signals })}\n`);
