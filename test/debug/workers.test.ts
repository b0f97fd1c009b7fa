/** Worker threads that a cell starts are not debugged: they run beside a stop, and nothing waits for them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { startDebugging } from "./client.ts";

const debug = await startDebugging();
const { kernel } = debug;
await debug.attach();

const file = path.join(kernel.folder, "worker.mjs");
writeFileSync(
  file,
  `import { parentPort, workerData } from "node:worker_threads";
parentPort.on("message", (wanted) => {
  debugger;
  parentPort.postMessage(wanted);
  if (wanted === "exit") {
    Atomics.store(workerData, 0, 1);
    Atomics.notify(workerData, 0);
    process.exit(3);
  }
  if (wanted === "loop") for (;;) {}
});
`,
);
const start = `import { Worker } from "node:worker_threads";
let flag = new Int32Array(new SharedArrayBuffer(4));
let worker = new Worker(${JSON.stringify(file)}, { workerData: flag });
const heard = () => new Promise<string>((hear) => worker.once("message", hear));`;
await kernel.run(start);

test("breakpoints and debugger statements in a worker stop nothing, and the program has one thread", async () => {
  await debug.breakpointsAt(file, 4);
  assert.equal(await kernel.value("let answer = heard(); worker.postMessage('hello'); await answer"), "'hello'");
  const { threads } = await debug.body<DebugProtocol.ThreadsResponse["body"]>("threads");
  assert.deepEqual(threads, [{ id: 1, name: "notebook" }]);
  await debug.breakpointsAt(file);
});

test("a worker that ends while the program is stopped says so when that goes on", async () => {
  const cell = await debug.stops(
    "let ended = new Promise((end) => worker.once('exit', end));\nworker.postMessage('exit');\ndebugger;\nawait ended",
    "breakpoint",
  );
  assert.match(await debug.value("Atomics.wait(flag, 0, 0)"), /ok|not-equal/);
  await debug.goOn(cell);
  const [result] = await debug.ends(cell, "execute_result");
  assert.deepEqual(result!.data, { "text/plain": "3" });
});

test("pause stops the program, not a worker in a loop, at its next callback; Stop ends the cell", async () => {
  const waits = `worker = new Worker(${JSON.stringify(file)});
answer = heard();
worker.postMessage("loop");
console.log(await answer);
let ticks = 0;
setInterval(() => { ticks++; }, 20);
await new Promise(() => {});`;
  const cell = kernel.execute(waits);
  await cell.starts();
  await cell.prints("loop\n");
  await debug.body("pause", { threadId: 1 });
  await debug.stopped(cell, "pause");
  await debug.goOn(cell);
  assert.equal((await kernel.ask("interrupt_request", {}, "control")).status, "ok");
  const [error] = await debug.ends(cell, "error");
  assert.equal(error!.ename, "KeyboardInterrupt");
  assert.equal(await kernel.value("await worker.terminate()"), "1");
});

test("what a worker throws reaches the cell, and is no exception of the program's at which it stops", async () => {
  await debug.body("setExceptionBreakpoints", { filters: ["all"] });
  const code = `worker = new Worker("throw new RangeError('in the worker')", { eval: true });
(await new Promise<Error>((fail) => worker.once("error", fail))).message`;
  assert.equal(await kernel.value(code), "'in the worker'");
  await debug.body("setExceptionBreakpoints", { filters: [] });
});

test("the debugger detaches and attaches, and the process ends, while a worker is in a loop", async () => {
  const loops = `worker = new Worker(${JSON.stringify(file)}); answer = heard(); worker.postMessage("loop"); await answer`;
  assert.equal(await kernel.value(loops), "'loop'");
  await debug.body("disconnect");
  await debug.body("attach");
  const [error] = await kernel.run("process.exit(0)", "error");
  assert.equal(error!.ename, "ProcessExit");
  const cell = await debug.stops("debugger;\n'next'", "breakpoint");
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});
