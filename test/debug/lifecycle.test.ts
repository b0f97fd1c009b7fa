/** What ends a stop: Stop, the host's end. And what goes on meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../kernel/jupyter/messages.ts";
import { startDebugging } from "./client.ts";

const debug = await startDebugging();
const { kernel } = debug;
await debug.attach();

const code = `let step = 0;
function held() {
  try {
    step = 1;
    step = 2;
  } finally {
    step += 10;
  }
}
held();
step`;
await debug.breakpoints(code, 5, 7);

test("Stop at a breakpoint ends the cell there as KeyboardInterrupt, and the breakpoints stay", async () => {
  const cell = await debug.stops(code, "breakpoint");
  assert.equal((await kernel.ask("interrupt_request", {}, "control")).status, "ok");
  await debug.event(cell, "continued");
  const [error] = await debug.ends(cell, "error");
  assert.equal(error!.ename, "KeyboardInterrupt");
  assert.deepEqual((await debug.body<{ stoppedThreads: number[] }>("debugInfo")).stoppedThreads, []);
  const again = await debug.stops(code, "breakpoint");
  await debug.breakpoints(code, 5);
  await debug.goOn(again);
  await debug.ends(again, "execute_result");
});

test("Stop during a step ends the cell as KeyboardInterrupt, and the variables stay", { timeout: 60_000 }, async () => {
  const client = await startDebugging();
  await client.attach();
  const { kernel } = client;
  const first = kernel.execute("const kept = 7;\nkept");
  await first.reply();
  for (let round = 0; round < 9; round++) {
    const cell = kernel.execute("let sum = 0;\ndebugger;\nfor (;;) {\n  sum += 1;\n}");
    await cell.starts();
    // That the stop of the cell before has ended may be told late.
    for (let event: unknown; event !== "stopped"; ) {
      await cell.several("busy");
      event = (await cell.take("debug_event"))[0]!.content.event;
      assert.match(String(event), /^(stopped|continued)$/);
    }
    const step = client.ask(["next", "stepIn", "continue"][round % 3]!, { threadId: 1 });
    const stop = kernel.ask("interrupt_request", {}, "control");
    await Promise.all([step, stop]);
    await cell.published.until("idle");
    const { content } = await cell.reply();
    assert.deepEqual([content.status, content.ename], ["error", "KeyboardInterrupt"]);
  }
  kernel.forget();
  assert.equal(await kernel.value("kept"), "7");
});

test("while the program is stopped, completion answers, and a cell of another subshell waits and says so", async () => {
  const subshell = String((await kernel.ask("create_subshell_request", {}, "control")).subshell_id);
  const cell = await debug.stops(code, "breakpoint");
  const completion = await kernel.ask("complete_request", { code: "Math.ma", cursor_pos: 7 });
  assert.equal(completion.status, "ok");
  const other = kernel.execute("1 + 1", {}, subshell);
  await other.starts();
  await other.prints(
    `The debugger has stopped in ${(await debug.frames())[1]!.name}: this cell runs when that has gone on.\n`,
    "stderr",
  );
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await other.several("busy");
  await other.take("execute_result", "idle");
  await other.reply();
  await kernel.ask("delete_subshell_request", { subshell_id: subshell }, "control");
});

test("what a cell prints before it stops comes before the stop", async () => {
  for (let turn = 0; turn < 10; turn++) {
    const cell = kernel.execute(`console.log("before ${turn}");\ndebugger;`);
    await cell.starts();
    await cell.prints(`before ${turn}\n`);
    await debug.stopped(cell, "breakpoint");
    await debug.goOn(cell);
    await debug.ends(cell);
  }
});

test("the end of the host ends the stop, and the debugger is attached to the next host", async () => {
  const cell = await debug.stops(code, "breakpoint");
  const pid = Number(await debug.value("process.pid"));
  process.kill(pid, "SIGKILL");
  const [error] = await debug.ends(cell, "error", "debug_event");
  assert.match(String(error!.ename), /OutOfMemory|Crash/);
  const again = await debug.stops(code, "breakpoint");
  assert.equal(await debug.where(), "held:5 < cell:10");
  await debug.goOn(again);
  await debug.ends(again, "execute_result");
});

test("%reset starts another host, whose cells stop at the breakpoints", async () => {
  await kernel.run("%reset");
  const cell = await debug.stops(code, "breakpoint");
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});

test("requests with wrong arguments are refused in a sentence", async () => {
  const cases: [command: string, given: Json, sentence: RegExp][] = [
    ["setBreakpoints", {}, /^setBreakpoints: source is missing\.$/],
    ["setBreakpoints", { source: {} }, /^setBreakpoints: source.path is missing\.$/],
    [
      "setBreakpoints",
      { source: { path: "/x" }, breakpoints: [{ line: "one" }] },
      /^setBreakpoints: breakpoints\.0\.line must be number, got "one"\.$/,
    ],
    ["scopes", { frameId: 1 }, /^The program is not stopped\.$/],
    ["variables", { variablesReference: 1e9 }, /^The program is not stopped\.$/],
    ["dumpCell", {}, /^dumpCell: code is missing\.$/],
    ["evaluate", {}, /^evaluate: expression is missing\.$/],
    ["source", { source: { path: "/nowhere" } }, /^There is no source "\/nowhere"\.$/],
    ["next", { threadId: 1 }, /^The program is not stopped\.$/],
    ["stackTrace", { threadId: 1 }, /^The program is not stopped\.$/],
  ];
  for (const [command, given, sentence] of cases) assert.match(await debug.refusal(command, given), sentence);
  const reply = await kernel.ask("debug_request", { nothing: true }, "control");
  assert.deepEqual([reply.success, reply.message], [false, "A debug request needs a command, which is text."]);
});
