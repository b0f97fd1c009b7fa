import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Json } from "../../kernel/jupyter/messages.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { startKernel } from "./client.ts";

// A small heap, so that a cell runs out of it soon.
const kernel = await startKernel({ env: { NODE_OPTIONS: "--max-old-space-size=160" } });

test("kernel_info answers on shell and on control, with the features it has", async () => {
  for (const channel of ["shell", "control"] as const) {
    const info = await kernel.ask("kernel_info_request", {}, channel);
    assert.equal(info.protocol_version, "5.5");
    assert.deepEqual(info.supported_features, ["debugger", "kernel subshells"]);
    // runtimed's Rust crate jupyter-protocol (Zed, nteract) reads a text, or a dictionary with a version: `CodeMirrorMode`.
    assert.equal((info.language_info as Json).codemirror_mode, "typescript");
  }
});

test("a cell publishes busy, its input, its output in order, its result and idle, and then nothing", async () => {
  const cell = kernel.execute("console.log('a'); console.error('b'); await 0; 7");
  const [, input, stdout, stderr, result] = await cell.take(
    ...["busy", "execute_input", "stdout", "stderr", "execute_result", "idle"],
  );
  assert.equal(input?.content.execution_count, 1);
  assert.deepEqual([stdout?.content.text, stderr?.content.text], ["a\n", "b\n"]);
  assert.deepEqual(result?.content, { execution_count: 1, data: { "text/plain": "7" }, metadata: {} });
  const { content } = await cell.reply();
  assert.deepEqual(content, { status: "ok", execution_count: 1, payload: [], user_expressions: {} });
});

test("a silent cell publishes nothing and is not counted; one without history is not counted either", async () => {
  const before = (await kernel.execute("1;").done()).reply.execution_count;
  await kernel.execute("console.log('x'); 5", { silent: true }).done();
  await kernel.execute("2;", { store_history: false }).done();
  assert.equal((await kernel.execute("3;").done()).reply.execution_count, Number(before) + 1);
  const history = await kernel.ask("history_request", { hist_access_type: "tail", n: 2, output: false, raw: true });
  assert.deepEqual(
    (history.history as unknown[][]).map(([, , source]) => source),
    ["1;", "3;"],
  );
});

test("each user expression has its own result or error", async () => {
  const { reply } = await kernel.execute("let x = 20", { user_expressions: { sum: "x + 1", bad: "nowhere" } }).done();
  const values = reply.user_expressions as Record<string, Record<string, unknown>>;
  assert.deepEqual(values.sum, { status: "ok", data: { "text/plain": "21" }, metadata: {} });
  assert.equal(values.bad?.ename, "ReferenceError");
});

test("after an error waiting cells are skipped, and later ones run", async () => {
  const file = path.join(temporaryFolder(), "received");
  const wait = `while (!require("fs").existsSync(${JSON.stringify(file)})) await new Promise(setImmediate);`;
  const failing = kernel.execute(`${wait} throw new TypeError('no')`);
  const waiting = kernel.execute("'never'");
  await failing.starts();
  // An answer on the same channel: the kernel has received the waiting cell. The running one is shown as busy again.
  await kernel.ask("kernel_info_request");
  await failing.take("busy");
  writeFileSync(file, "");
  assert.equal((await failing.ends("error")).reply.ename, "TypeError");
  await waiting.take("busy", "idle");
  assert.equal((await waiting.reply()).content.ename, "Aborted");
  assert.equal(await kernel.value("'later'"), "'later'");
});

test("with stop_on_error off the waiting cells run", async () => {
  const failing = kernel.execute("await new Promise((go) => setTimeout(go, 50)); throw 1", { stop_on_error: false });
  assert.equal(await kernel.value("'still'"), "'still'");
  await failing.done("error");
});

test("output after an await goes to the cell that caused it, even when it is late", async () => {
  await kernel
    .execute("let write!: () => void; const written = new Promise<void>((done) => { write = done; });")
    .done();
  const first = kernel.execute("void written.then(() => console.log('late')); 0;");
  await first.done();
  const [own] = await kernel.run("write(); await written; console.log('own')", "stdout");
  assert.equal(own?.text, "own\n");
  await first.prints("late\n");
});

test("completion and inspection count code points, as the protocol does", async () => {
  const code = "'😀😀'; Math.ma";
  const cursor_pos = [...code].length;
  const { matches, cursor_start, cursor_end } = await kernel.ask("complete_request", { code, cursor_pos });
  assert.deepEqual({ matches, cursor_start, cursor_end }, { matches: ["max"], cursor_start: 11, cursor_end: 13 });
  const found = await kernel.ask("inspect_request", { code: "'😀'; Math.max", cursor_pos: 13, detail_level: 0 });
  assert.match((found.data as Record<string, string>)["text/plain"]!, /Math\.max|function max/);
});

test("completion looks at live values where types say nothing, and runs nothing that could change one", async () => {
  await kernel.run(`let touched = 0; const box: any = JSON.parse('{ "shelf": { "book": 1 } }');
Object.defineProperty(box, "lid", { get() { touched++; return { hinge: 1 } } });`);
  assert.deepEqual((await kernel.ask("complete_request", { code: "box.shelf.", cursor_pos: 10 })).matches, ["book"]);
  assert.deepEqual((await kernel.ask("complete_request", { code: "box.lid.", cursor_pos: 8 })).matches, []);
  assert.equal(await kernel.value("touched"), "0");
});

test("input returns the client's answer, and a password request is marked", async () => {
  const cell = kernel.execute("await input('Name? ') + await input('Word? ', { password: true })", {
    allow_stdin: true,
  });
  const first = await cell.question();
  assert.deepEqual(first.content, { prompt: "Name? ", password: false });
  kernel.answer(first, "Ada 😀");
  const second = await cell.question();
  assert.deepEqual(second.content, { prompt: "Word? ", password: true });
  kernel.answer(second, "!");
  const [result] = (await cell.done("execute_result")).contents;
  assert.deepEqual(result?.data, { "text/plain": "'Ada 😀!'" });
});

test("input is an error where the client allows none", async () => {
  const [error] = await kernel.run("await input('?')", "error");
  assert.match(String(error?.evalue), /front end/);
});

test("an interrupt ends a cell that waits for input", async () => {
  const cell = kernel.execute("await input('?')", { allow_stdin: true });
  await cell.question();
  await kernel.ask("interrupt_request", {}, "control");
  await cell.starts();
  // Told again when the interrupt was answered, as front ends show the state that they heard last.
  await cell.take("busy");
  assert.equal((await cell.ends("error")).reply.ename, "KeyboardInterrupt");
});

test("an answer to an interrupted input request is ignored", async () => {
  const stopped = kernel.execute("await input('first?')", { allow_stdin: true });
  const late = await stopped.question();
  await kernel.ask("interrupt_request", {}, "control");
  await stopped.starts();
  await stopped.take("busy");
  assert.equal((await stopped.ends("error")).reply.ename, "KeyboardInterrupt");
  const cell = kernel.execute("await input('second?')", { allow_stdin: true });
  const question = await cell.question();
  kernel.answer(late, "too late");
  kernel.answer(question, "in time");
  const [result] = (await cell.done("execute_result")).contents;
  assert.deepEqual(result?.data, { "text/plain": "'in time'" });
});

test("an answer without a parent, as jupyter_client sends it, is for the last input request", async () => {
  const cell = kernel.execute("await input('?')", { allow_stdin: true });
  const question = await cell.question();
  kernel.answer({ ...question, header: {} as typeof question.header }, "jupyter_client");
  const [result] = (await cell.done("execute_result")).contents;
  assert.deepEqual(result?.data, { "text/plain": "'jupyter_client'" });
});

for (const [what, code] of [
  ["a busy loop", "while (true) {}"],
  ["a loop of awaits", "while (true) await null"],
  ["an await that never settles", "await new Promise(() => {})"],
  ["Atomics.wait", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"],
] as const) {
  test(`Stop ends ${what}, and variables survive`, async () => {
    await kernel.run("let survivor = 41");
    const cell = kernel.execute(`console.log('on'); ${code}`);
    await cell.starts();
    await cell.prints("on\n");
    assert.equal((await kernel.ask("interrupt_request", {}, "control")).status, "ok");
    await cell.take("busy");
    assert.equal((await cell.ends("error")).reply.ename, "KeyboardInterrupt");
    assert.equal(await kernel.value("survivor + 1"), "42");
  });
}

test("while a cell loops, control, heartbeat, history and is_complete answer", async () => {
  const cell = kernel.execute("while (true) {}");
  await cell.starts();
  assert.equal(await kernel.beat(), "ping");
  assert.equal((await kernel.ask("is_complete_request", { code: "f(" })).status, "incomplete");
  assert.equal((await kernel.ask("history_request", { hist_access_type: "tail", n: 1 })).status, "ok");
  await kernel.ask("interrupt_request", {}, "control");
  // After each of the three, the client hears that the cell still runs.
  await cell.take("busy", "busy", "busy");
  assert.equal((await cell.ends("error")).reply.ename, "KeyboardInterrupt");
});

test("a signal interrupts as the message does", async () => {
  const cell = kernel.execute("await new Promise(() => {})");
  await cell.starts();
  kernel.kernel.kill("SIGINT");
  assert.equal((await cell.ends("error")).reply.ename, "KeyboardInterrupt");
});

test("a subshell answers while a cell of the main shell awaits", async () => {
  const { subshell_id } = await kernel.ask("create_subshell_request", {}, "control");
  assert.deepEqual((await kernel.ask("list_subshell_request", {}, "control")).subshell_id, [subshell_id]);
  await kernel.run("let go = () => {}");
  const main = kernel.execute("await new Promise<void>((resolve) => { go = resolve }); 'main'");
  await main.starts();
  await kernel.execute("go()", {}, String(subshell_id)).done();
  const [result] = (await main.ends("execute_result")).contents;
  assert.deepEqual(result?.data, { "text/plain": "'main'" });
  await kernel.ask("delete_subshell_request", { subshell_id }, "control");
  assert.deepEqual((await kernel.ask("list_subshell_request", {}, "control")).subshell_id, []);
  const refused = kernel.execute("1", {}, String(subshell_id));
  await refused.take("busy", "idle");
  assert.equal((await refused.reply()).content.ename, "UnknownSubshell");
  await kernel.logged(/no such subshell/);
});

test("100,000 lines arrive complete and in order, in far fewer messages", async () => {
  const cell = kernel.execute("for (let i = 0; i < 100_000; i++) console.log(i)");
  await cell.starts();
  const [stdout] = await cell.take("stdout");
  await cell.ends();
  assert.equal(stdout?.content.text, Array.from({ length: 100_000 }, (_, index) => `${index}\n`).join(""));
  assert.ok(cell.published.count < 2000, `${cell.published.count} messages`);
});

test("displays keep their place among stdout, and updates name their display", async () => {
  const code = `const show = Reflect.get(globalThis, Symbol.for("halftone.display"));
console.log("1"); show({ "text/plain": "d" }, { displayId: "here" }); console.log("2");
show({ "text/plain": "e" }, { displayId: "here", update: true }); console.clear();`;
  const said = await kernel.run(code, "stdout", "display_data", "stdout", "update_display_data", "clear_output");
  assert.deepEqual(said[1]?.transient, { display_id: "here" });
  assert.deepEqual(said[3]?.transient, { display_id: "here" });
});

test("usage_request reports CPU, memory and the host's figures", async () => {
  await kernel.ask("usage_request", {}, "control");
  const usage = await kernel.ask("usage_request", {}, "control");
  assert.ok(Number(usage.kernel_memory) > 30e6, `${usage.kernel_memory}`);
  assert.ok(Number(usage.kernel_cpu) >= 0 && Number(usage.cpu_count) > 0);
  assert.equal(usage.native_tensors, null);
  assert.ok(Number((usage.host_virtual_memory as { total: number }).total) > 1e8);
});

for (const [what, code, found] of [
  ["process.exit", "process.exit(3)", /process\.exit\(3\)|code 3|status 3/],
  ["running out of heap", "const hoard = []; while (true) hoard.push(new Array(1e6).fill(0))", /memory|heap/i],
  [
    "a segmentation fault",
    "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})",
    /SIGSEGV|segmentation/i,
  ],
] as const) {
  test(`a cell that ends the host by ${what} is reported, and the kernel continues`, async () => {
    const [error] = await kernel.run(code, "error");
    assert.match(`${error?.ename} ${error?.evalue} ${error?.traceback}`, found);
    assert.equal(await kernel.value("1"), "1");
  });
}

test("shutdown is answered, announced to every client, and ends the process", async () => {
  const request = kernel.request("shutdown_request", { restart: false }, { channel: "control" });
  const { reply, contents } = await request.done("shutdown_reply");
  assert.deepEqual(reply, { status: "ok", restart: false });
  assert.deepEqual(contents, [reply]);
  assert.equal(await kernel.exited, 0);
});
