import assert from "node:assert/strict";
import { test } from "node:test";
import { startKernel } from "./client.ts";

// A small heap, so that a cell runs out of it soon.
const kernel = await startKernel({ env: { NODE_OPTIONS: "--max-old-space-size=160" } });

test("kernel_info answers on shell and on control, with the features it has", async () => {
  for (const channel of ["shell", "control"] as const) {
    const info = await kernel.ask("kernel_info_request", {}, channel);
    assert.equal(info.protocol_version, "5.5");
    assert.deepEqual(info.supported_features, ["kernel subshells"]);
  }
});

test("a cell publishes busy, its input, its output in order, its result and idle, and then nothing", async () => {
  const { published, reply } = await kernel.execute("console.log('a'); console.error('b'); await 0; 7").done;
  const types = published.map(({ header, content }) => content.execution_state ?? content.name ?? header.msg_type);
  assert.deepEqual(types, ["busy", "execute_input", "stdout", "stderr", "execute_result", "idle"]);
  assert.equal(reply.content.status, "ok");
  assert.equal(reply.content.execution_count, 1);
});

test("a silent cell publishes nothing and is not counted; one without history is not counted either", async () => {
  const before = (await kernel.execute("1").reply).content.execution_count;
  const { published } = await kernel.execute("console.log('x'); 5", { silent: true }).done;
  assert.deepEqual(
    published.map(({ content }) => content.execution_state),
    ["busy", "idle"],
  );
  await kernel.execute("2", { store_history: false }).done;
  assert.equal((await kernel.execute("3").reply).content.execution_count, Number(before) + 1);
  const history = await kernel.ask("history_request", { hist_access_type: "tail", n: 2, output: false, raw: true });
  assert.deepEqual(
    (history.history as unknown[][]).map(([, , source]) => source),
    ["1", "3"],
  );
});

test("user expressions answer each for itself", async () => {
  const { content } = await kernel.execute("let x = 20", { user_expressions: { sum: "x + 1", bad: "nowhere" } }).reply;
  const values = content.user_expressions as Record<string, Record<string, unknown>>;
  assert.deepEqual(values.sum, { status: "ok", data: { "text/plain": "21" }, metadata: {} });
  assert.equal(values.bad?.ename, "ReferenceError");
});

test("after an error the cells that wait are refused, those that come later run", async () => {
  const failing = kernel.execute("await new Promise((go) => setTimeout(go, 100)); throw new TypeError('no')");
  const waiting = kernel.execute("'never'");
  assert.equal((await failing.reply).content.ename, "TypeError");
  assert.equal((await waiting.reply).content.ename, "Aborted");
  assert.equal((await kernel.execute("'later'").reply).content.status, "ok");
});

test("with stop_on_error off the waiting cells run", async () => {
  kernel.execute("await new Promise((go) => setTimeout(go, 50)); throw 1", { stop_on_error: false });
  assert.equal((await kernel.execute("'still'").reply).content.status, "ok");
});

test("output after an await belongs to the cell that caused it, also when it is late", async () => {
  const first = kernel.execute("setTimeout(() => console.log('late'), 150); 0");
  await first.done;
  const { stdout } = await kernel.execute("await new Promise((go) => setTimeout(go, 300)); console.log('own')").done;
  assert.equal(stdout, "own\n");
  const late = await kernel.until(
    () => kernel.published.find(({ content }) => content.text === "late\n"),
    "the late output",
  );
  assert.equal(late.parent.msg_id, first.id);
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
  await kernel.execute(`let touched = 0; const box: any = JSON.parse('{ "shelf": { "book": 1 } }');
Object.defineProperty(box, "lid", { get() { touched++; return { hinge: 1 } } });`).done;
  assert.deepEqual((await kernel.ask("complete_request", { code: "box.shelf.", cursor_pos: 10 })).matches, ["book"]);
  assert.deepEqual((await kernel.ask("complete_request", { code: "box.lid.", cursor_pos: 8 })).matches, []);
  assert.deepEqual((await kernel.execute("touched").done).content("execute_result")?.data, { "text/plain": "0" });
});

test("input asks the client and hands over what was typed; a password is marked as one", async () => {
  const cell = kernel.execute("await input('Name? ') + await input('Word? ', { password: true })", {
    allow_stdin: true,
  });
  const first = await kernel.until(() => kernel.asked[0], "the first question");
  assert.deepEqual(first.content, { prompt: "Name? ", password: false });
  assert.equal(first.parent.msg_id, cell.id);
  kernel.answer(first, "Ada 😀");
  const second = await kernel.until(() => kernel.asked[1], "the second question");
  assert.deepEqual(second.content, { prompt: "Word? ", password: true });
  kernel.answer(second, "!");
  assert.deepEqual((await cell.done).content("execute_result")?.data, { "text/plain": "'Ada 😀!'" });
});

test("input is an error where the client allows none", async () => {
  assert.match(String((await kernel.execute("await input('?')").reply).content.evalue), /front end/);
});

test("Stop ends a cell that waits for input", async () => {
  const asked = kernel.asked.length;
  const cell = kernel.execute("await input('?')", { allow_stdin: true });
  await kernel.until(() => kernel.asked[asked], "the question");
  await kernel.ask("interrupt_request", {}, "control");
  assert.equal((await cell.reply).content.ename, "KeyboardInterrupt");
});

for (const [what, code] of [
  ["a busy loop", "while (true) {}"],
  ["a loop of awaits", "while (true) await null"],
  ["an await that never settles", "await new Promise(() => {})"],
  ["Atomics.wait", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)"],
] as const) {
  test(`Stop ends ${what}, and variables survive`, async () => {
    await kernel.execute("let survivor = 41").done;
    const cell = kernel.execute(`console.log('on'); ${code}`);
    await kernel.until(
      () => kernel.published.find(({ parent, header }) => parent.msg_id === cell.id && header.msg_type === "stream"),
      "the cell runs",
    );
    assert.equal((await kernel.ask("interrupt_request", {}, "control")).status, "ok");
    assert.equal((await cell.reply).content.ename, "KeyboardInterrupt");
    const after = await kernel.execute("survivor + 1").done;
    assert.deepEqual(after.content("execute_result")?.data, { "text/plain": "42" });
  });
}

test("while a cell loops, control, heartbeat, history and is_complete answer", async () => {
  const cell = kernel.execute("while (true) {}");
  await kernel.until(() => kernel.published.some(({ parent }) => parent.msg_id === cell.id), "the cell runs");
  assert.equal(await kernel.beat(), "ping");
  assert.equal((await kernel.ask("is_complete_request", { code: "f(" })).status, "incomplete");
  assert.equal((await kernel.ask("history_request", { hist_access_type: "tail", n: 1 })).status, "ok");
  const state = kernel.published.filter(({ header }) => header.msg_type === "status").at(-1);
  assert.equal(state?.content.execution_state, "busy");
  await kernel.ask("interrupt_request", {}, "control");
  await cell.done;
});

test("a signal interrupts as the message does", async () => {
  const cell = kernel.execute("await new Promise(() => {})");
  await kernel.until(() => kernel.published.some(({ parent }) => parent.msg_id === cell.id), "the cell runs");
  kernel.kernel.kill("SIGINT");
  assert.equal((await cell.reply).content.ename, "KeyboardInterrupt");
});

test("a subshell answers while a cell of the main shell awaits", async () => {
  const { subshell_id } = await kernel.ask("create_subshell_request", {}, "control");
  assert.deepEqual((await kernel.ask("list_subshell_request", {}, "control")).subshell_id, [subshell_id]);
  await kernel.execute("let go = () => {}").done;
  const main = kernel.execute("await new Promise<void>((resolve) => { go = resolve }); 'main'");
  await kernel.until(() => kernel.published.some(({ parent }) => parent.msg_id === main.id), "the cell runs");
  await kernel.execute("go()", {}, String(subshell_id)).done;
  assert.deepEqual((await main.done).content("execute_result")?.data, { "text/plain": "'main'" });
  await kernel.ask("delete_subshell_request", { subshell_id }, "control");
  assert.deepEqual((await kernel.ask("list_subshell_request", {}, "control")).subshell_id, []);
  assert.equal((await kernel.execute("1", {}, String(subshell_id)).reply).content.ename, "UnknownSubshell");
});

test("100,000 lines arrive complete and in order, in far fewer messages", async () => {
  const { stdout, published } = await kernel.execute("for (let i = 0; i < 100_000; i++) console.log(i)").done;
  assert.equal(stdout, Array.from({ length: 100_000 }, (_, index) => `${index}\n`).join(""));
  assert.ok(published.length < 2000, `${published.length} messages`);
});

test("displays keep their place among stdout, and updates name their display", async () => {
  const code = `const show = Reflect.get(globalThis, Symbol.for("halftone.display"));
console.log("1"); show({ "text/plain": "d" }, { displayId: "here" }); console.log("2");
show({ "text/plain": "e" }, { displayId: "here", update: true }); console.clear();`;
  const { published } = await kernel.execute(code).done;
  const types = published.slice(2, -1).map(({ header }) => header.msg_type);
  assert.deepEqual(types, ["stream", "display_data", "stream", "update_display_data", "clear_output"]);
  assert.deepEqual(published[3]?.content.transient, { display_id: "here" });
});

test("usage tells CPU, memory and the host's figures", async () => {
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
  test(`a cell that ends the host by ${what} says so, and the kernel goes on`, async () => {
    const { content } = await kernel.execute(code).reply;
    assert.equal(content.status, "error");
    assert.match(`${content.ename} ${content.evalue} ${(content.traceback as string[]).join("\n")}`, found);
    assert.equal((await kernel.execute("1").reply).content.status, "ok");
  });
}

test("shutdown answers, tells every client, and ends the process", async () => {
  const { content } = await kernel.request("shutdown_request", { restart: false }, { channel: "control" }).reply;
  assert.deepEqual(content, { status: "ok", restart: false });
  await kernel.until(
    () => kernel.published.some(({ header }) => header.msg_type === "shutdown_reply"),
    "the broadcast",
  );
  assert.equal(await kernel.exited, 0);
});
