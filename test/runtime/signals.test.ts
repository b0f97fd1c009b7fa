import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("stress: thousands of signals during matrix products leave every product right", {
  skip: process.platform === "win32",
  timeout: 120_000,
}, async () => {
  const program = fileURLToPath(new URL("./multiplying.js", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const output = textOf(child.stdout);
  await once(child.stdout, "data");
  const moment = new Int32Array(new SharedArrayBuffer(4));
  // oneDNN's product puts its stack pointer into the heap: before signals were held back, a few hundred ended the process.
  for (let sent = 0; sent < 5000; sent++) {
    child.kill("SIGWINCH");
    Atomics.wait(moment, 0, 0, 0.3);
  }
  child.stdin.end();
  const [code, signal] = await once(child, "close");
  assert.deepEqual({ output: output(), code, signal }, { output: "begun\n0 wrong\n", code: 0, signal: null });
});

test("a signal that arrives while a matrix product is computed is handled after it, and the product is right", {
  skip: process.platform === "win32",
  timeout: 120_000,
}, async () => {
  const program = fileURLToPath(new URL("./one-product.js", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const output = textOf(child.stdout);
  // The program writes this from the op's side of the call: it computes the product now.
  await once(child.stdout, "data");
  child.kill("SIGWINCH");
  const sentAt = Date.now();
  const [code, signal] = await once(child, "close");
  const [begun, report] = output().trim().split("\n");
  assert.deepEqual({ begun, code, signal }, { begun: "begun", code: 0, signal: null });
  const { wrong, endedAt, signals } = JSON.parse(report!) as Record<string, number>;
  assert.deepEqual({ wrong, signals }, { wrong: 0, signals: 1 });
  assert.ok(sentAt < endedAt!, "the product had ended before the signal was sent: make it larger");
});

function textOf(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return () => text;
}
