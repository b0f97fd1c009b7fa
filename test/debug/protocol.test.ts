/** The acceptance list is the names of ark's tests (posit-dev/ark, crates/ark/tests/integration/dap_notebook.rs). */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { startDebugging } from "./client.ts";

interface DebugInfo {
  isStarted: boolean;
  hashMethod: string;
  hashSeed: number;
  tmpFilePrefix: string;
  tmpFileSuffix: string;
  breakpoints: { source: string; breakpoints: { line: number }[] }[];
  stoppedThreads: number[];
}

const debug = await startDebugging();
const { kernel } = debug;
const info = () => debug.body<DebugInfo>("debugInfo");

const code = `interface Item { n: number }
function double(item: Item): number {
  const twice = item.n * 2;
  return twice;
}
let total = 0;
for (const n of [1, 2, 3]) {
  total += double({ n });
}
total`;

test("kernel_info and the kernelspec say that there is a debugger", async () => {
  const reply = await kernel.ask("kernel_info_request");
  assert.equal(reply.debugger, true);
  assert.ok((reply.supported_features as string[]).includes("debugger"));
});

test("debugInfo answers before a debugger is attached, with JupyterLab's hash", async () => {
  const { isStarted, hashMethod, hashSeed, tmpFileSuffix, tmpFilePrefix, breakpoints, stoppedThreads } = await info();
  assert.deepEqual([isStarted, hashMethod, hashSeed, tmpFileSuffix], [false, "Murmur2", 0, ".ts"]);
  assert.match(tmpFilePrefix, /halftone-debug-/);
  assert.deepEqual([breakpoints, stoppedThreads], [[], []]);
});

test("dumpCell writes the cell to a file whose path depends on its text alone", async () => {
  const dumped = await debug.dump(code);
  const { tmpFilePrefix, tmpFileSuffix } = await info();
  assert.ok(dumped.startsWith(tmpFilePrefix) && dumped.endsWith(tmpFileSuffix), dumped);
  assert.equal(readFileSync(dumped, "utf8"), code);
  assert.equal(await debug.dump(code), dumped);
  assert.notEqual(await debug.dump(`${code} `), dumped);
});

test("breakpoints may be set, replaced and cleared before a debugger is attached, and debugInfo reports them", async () => {
  const set = await debug.breakpoints(code, 3, { line: 8, condition: "n === 2" });
  assert.deepEqual(
    set.map(({ line, verified }) => [line, verified]),
    [
      [3, true],
      [8, true],
    ],
  );
  const source = await debug.dump(code);
  assert.deepEqual((await info()).breakpoints, [
    { source, breakpoints: [{ line: 3 }, { line: 8, condition: "n === 2" }] },
  ]);
  assert.equal((await debug.breakpoints(code, 4)).length, 1);
  assert.deepEqual(await debug.breakpoints(code), []);
  assert.deepEqual((await info()).breakpoints, []);
});

test("debugInfo gives a breakpoint's path back as it was sent", async () => {
  const dumped = await debug.dump(code);
  const sent = `${path.dirname(dumped)}/../${path.basename(path.dirname(dumped))}/${path.basename(dumped)}`;
  await debug.breakpointsAt(sent, 3);
  assert.deepEqual((await info()).breakpoints, [{ source: sent, breakpoints: [{ line: 3 }] }]);
  await debug.breakpointsAt(sent);
});

test("breakpoints and debugger statements stop nothing while no debugger is attached", async () => {
  await debug.breakpoints(code, 3);
  assert.equal(await kernel.value(code), "12");
  assert.equal(await kernel.value("debugger; 5"), "5");
  await debug.breakpoints(code);
});

test("configurationDone is answered, and a request of an unknown kind is refused in a sentence", async () => {
  await debug.body("configurationDone");
  assert.equal(await debug.refusal("flyAway"), 'This debugger has no request "flyAway".');
});

test("attach is refused before initialize, and what needs a debugger before attach", async () => {
  assert.equal(await debug.refusal("attach"), "attach came before initialize: send that first.");
  for (const command of ["continue", "next", "threads", "inspectVariables"])
    assert.equal(await debug.refusal(command), "No debugger is attached: send initialize and attach first.");
});

test("initialize says what the debugger can do, and attach starts it", async () => {
  await debug.attach();
  assert.equal((await info()).isStarted, true);
  const { threads } = await debug.body<{ threads: object[] }>("threads");
  assert.deepEqual(threads, [{ id: 1, name: "notebook" }]);
});

test("a breakpoint stops a cell before it has run: stack, scopes, variables, then it goes on", async () => {
  const [point] = await debug.breakpoints(code, { line: 3, condition: "item.n === 2" });
  const cell = kernel.execute(code);
  await cell.starts();
  const stop = await debug.stopped(cell, "breakpoint");
  assert.deepEqual(stop.hitBreakpointIds, [point!.id]);
  assert.deepEqual((await info()).stoppedThreads, [1]);
  const frames = await debug.frames();
  assert.deepEqual(
    frames.map(({ name, line, source }) => [name.replace(/\d+/, "N"), line, source?.path]),
    [
      ["double", 3, await debug.dump(code)],
      ["cell [N]", 8, await debug.dump(code)],
    ],
  );
  const local = await debug.scope("Local");
  assert.deepEqual([...local.keys()], ["item", "twice"]);
  assert.deepEqual([local.get("item")!.value, local.get("item")!.type], ["{n: 2}", "Object"]);
  assert.equal((await debug.scope("Cells")).get("total")!.value, "2");
  await debug.goOn(cell);
  const [result] = await debug.ends(cell, "execute_result");
  assert.deepEqual(result!.data, { "text/plain": "12" });
});

test("a breakpoint is kept when the cell runs again, and its result is what it is without one", async () => {
  const cell = await debug.stops(code, "breakpoint");
  await debug.goOn(cell);
  const [result] = await debug.ends(cell, "execute_result");
  assert.deepEqual(result!.data, { "text/plain": "12" });
  await debug.breakpoints(code);
});

test("a variable whose declaration has not run is undefined, and hides that of an outer block", async () => {
  const hiding =
    "function pick(n: number) {\n  const x = n;\n  {\n    const x = n + 1;\n    return x;\n  }\n}\npick(1)";
  await debug.breakpoints(hiding, 4);
  const cell = await debug.stops(hiding, "breakpoint");
  const shown = await debug.scope("Local");
  assert.deepEqual(
    Array.from(shown, ([name, { value }]) => [name, value]),
    [
      ["x", "undefined"],
      ["n", "1"],
    ],
  );
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(hiding);
});

test("a breakpoint at the top level stops, and a cell without a value still shows none", async () => {
  const quiet = "let a = 1;\nlet b = a + 1;\nb;";
  await debug.breakpoints(quiet, 2);
  const cell = await debug.stops(quiet, "breakpoint");
  assert.equal(await debug.where(), "cell:2");
  await debug.goOn(cell);
  await debug.ends(cell);
  await debug.breakpoints(quiet);
});

test("a breakpoint set after the cell has run stops in the functions that it made", async () => {
  const made = "function later(x: number) {\n  const y = x + 1;\n  return y;\n}";
  await kernel.run(made);
  await debug.breakpoints(made, 2);
  const cell = await debug.stops("later(4)", "breakpoint");
  assert.match(await debug.where(), /^later:2 < cell:1$/);
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(made);
});

test("disconnect lets stopped code go on and keeps the breakpoints, which attach sets again", async () => {
  await debug.breakpoints(code, 3);
  const cell = await debug.stops(code, "breakpoint");
  await debug.body("disconnect", { restart: false, terminateDebuggee: false });
  await debug.event(cell, "continued");
  await debug.ends(cell, "execute_result");
  assert.match(await debug.refusal("stackTrace", { threadId: 1 }), /^No debugger is attached/);
  assert.equal(await kernel.value(code), "12");
  const { isStarted, breakpoints } = await info();
  assert.deepEqual([isStarted, breakpoints.length], [false, 1]);
  await debug.attach();
  const again = await debug.stops(code, "breakpoint");
  await debug.breakpoints(code);
  await debug.goOn(again);
  await debug.ends(again, "execute_result");
});

test("the files of cells go with the kernel", async () => {
  const { tmpFilePrefix } = await info();
  const reply = await kernel.request("shutdown_request", { restart: false }, { channel: "control" });
  await reply.done("shutdown_reply");
  await kernel.exited;
  assert.equal(existsSync(tmpFilePrefix), false);
});
