import assert from "node:assert/strict";
import { test } from "node:test";
import { Session } from "../../kernel/session/session.ts";
import { openNotebook, type Ran, runIn, untyped } from "./fixture.ts";

/** Each replaces something that a kernel could lean on. */
const attacks: string[] = [
  "let process = 1, console = 2, require = 3, fetch = 4, Buffer = 5, setTimeout = 6, queueMicrotask = 7",
  "const Promise = null, Error = null, JSON = null, Map = null, Object = null, Symbol = null, Array = null",
  "(globalThis as any).console = null",
  "(globalThis as any).JSON = undefined",
  "(globalThis as any).Promise = class {}",
  "(globalThis as any).Error = null",
  "(globalThis as any).Error = class Mine {}",
  "(globalThis as any).Symbol = undefined",
  "delete (globalThis as any).process; delete (globalThis as any).Buffer; delete (globalThis as any).setTimeout",
  "for (const name of Object.getOwnPropertyNames(globalThis)) try { delete (globalThis as any)[name] } catch {}",
  "Array.prototype.push = () => { throw 1 }; Array.prototype.map = Array.prototype.join = Array.prototype.slice = null!",
  "Array.prototype[Symbol.iterator] = null!",
  "Object.keys = Object.defineProperty = Object.assign = Object.entries = Object.freeze = null!",
  "Object.prototype.toString = Object.prototype.hasOwnProperty = null!",
  "Function.prototype.bind = null!",
  "String.prototype.slice = String.prototype.split = String.prototype.indexOf = String.prototype.startsWith = null!",
  "RegExp.prototype.exec = RegExp.prototype.test = null!; String.prototype.replace = null!",
  "Map.prototype.get = Map.prototype.set = Map.prototype.delete = Map.prototype.forEach = null!",
  "WeakMap.prototype.get = WeakMap.prototype.set = Set.prototype.add = null!",
  "Promise.prototype.then = Promise.prototype.catch = Promise.prototype.finally = null!; Promise.resolve = null!",
  "JSON.stringify = JSON.parse = () => { throw 1 }",
  "Math.max = Math.min = null!; Number.isInteger = null!; Reflect.apply = Reflect.ownKeys = null!",
  "Buffer.from = Buffer.concat = Buffer.byteLength = Buffer.allocUnsafe = null!",
  "performance.now = Date.now = null!; Atomics.load = Atomics.store = Atomics.add = Atomics.wait = null!",
  "process.on = process.exit = process.nextTick = process.hrtime = null!",
  "process.removeAllListeners()",
  "process.removeAllListeners('uncaughtException'); process.removeAllListeners('unhandledRejection')",
  "Error.prepareStackTrace = () => { throw 1 }",
  "Error.prepareStackTrace = () => 5 as any; Error.stackTraceLimit = 0",
  "Object.freeze(Object.prototype); Object.freeze(Array.prototype)",
  "require('util').inspect = null; require('fs').writeSync = null; require('module')._load = null",
  "require('events').prototype.emit = function () { return false }",
  "for (const name of Reflect.ownKeys(require('net').Socket.prototype)) require('net').Socket.prototype[name] = null",
  "delete (globalThis as any).globalThis",
  "Object.freeze(Error)",
  "Object.defineProperty(Error, 'stackTraceLimit', { get() { throw 1 }, set() { throw 1 } })",
  "Object.prototype.toJSON = Array.prototype.toJSON = () => { throw 1 }",
  "Object.prototype.toJSON = () => ({})",
  "Object.assign(Object.prototype, { exceptionDetails: {}, method: 'x', text: 'y' })",
];

for (const attack of attacks) {
  test(`a cell runs, prints, shows, fails and is interrupted after: ${attack.slice(0, 70)}`, async () => {
    await using session = Session.start({ cwd: process.cwd(), ...untyped });
    // As JupyterLab sends them: with the cell's own name, whose widgets close when it runs again.
    const run = (code: string, options = {}) => runIn(session, code, { cellKey: code, ...options });
    await run("let kept = 'kept'; const print = console.log, wait = setTimeout, Settled = Promise");
    const attacked = await run(`${attack};`);
    const value = await run("kept");
    assert.equal(value.outcome.status, "ok", value.error?.traceback.join("\n"));
    assert.equal(value.text, "'kept'");
    assert.equal((await run("print('out')")).stdout, "out\n");
    assert.equal((await run("await new Settled((go) => wait(go, 1, 'waited'))")).text, "'waited'");
    const failed = await run("\n  null!.x");
    assert.equal(failed.outcome.status, "error");
    assert.equal(failed.error?.ename, "TypeError");
    const abort = new AbortController();
    const stopped = await run("print('on'); while (true) {}", { signal: abort.signal, onOutput: () => abort.abort() });
    assert.equal(stopped.stdout, "on\n");
    assert.equal(stopped.error?.ename, "KeyboardInterrupt");
    assert.equal((await run("kept")).text, "'kept'");
    await assert.rejects(session.call("nothing", {}), /the host has no method nothing/);
    // What Node itself no longer can do is an error of the cell that took it away.
    for (const each of attacked.outputs) assert.equal(each.type, "error", JSON.stringify(each));
  });
}

const widgetAttacks = [
  "delete (globalThis as any).globalThis",
  "(globalThis as any).console = { log() { throw 1 } }",
  "Array.prototype[Symbol.iterator] = Map.prototype[Symbol.iterator] = null!",
  "Map.prototype.get = Map.prototype.set = Map.prototype.delete = () => { throw 1 }",
  "Object.entries = Object.keys = () => { throw 1 }; Object.prototype.toJSON = () => { throw 1 }",
  "slider.close = slider.flush = () => { throw 1 }",
];
for (const attack of widgetAttacks)
  test(`cells with a widget, a metric and a timer end after: ${attack.slice(0, 70)}`, async () => {
    await using session = Session.start({ cwd: process.cwd(), ...untyped });
    const cells: Ran[] = [];
    const run = async (code: string) => cells[cells.push(await runIn(session, code, { cellKey: code })) - 1]!;
    const libraries = 'import { IntSlider } from "halftone/widgets"; import { metric } from "halftone/display";';
    const slider = `${libraries} var slider: any = new IntSlider({ value: 1 }); slider.value = 2;`;
    assert.equal((await run(slider)).outcome.status, "ok");
    await run(`slider.value = 3; metric("loss", 1); metric("loss", 2); ${attack};`);
    for (const code of [slider, 'metric("loss", 3);', "%%time\n1;"]) await run(code);
    assert.equal((await run("1 + 1")).text, "2");
    // What the library still can say is left open.
    for (const cell of cells) cell.unnamed();
  });

test("breaking Function.prototype.apply, which Node itself needs, may end the host but not the session", async () => {
  const { run } = openNotebook();
  const attacked = await run("Function.prototype.apply = Function.prototype.call = null!;");
  const cells = [attacked, await run("setTimeout(() => {}, 1); 1 + 1"), await run("1 + 1")];
  // Either the host ended in one of the cells, which its error says, or in none. Every other cell ran.
  const ended = cells.filter(({ outcome }) => outcome.status === "error");
  assert.ok(ended.length <= 1, JSON.stringify(ended));
  for (const { error } of ended) assert.equal(error?.ename, "ProcessExit");
  for (const { text } of cells.slice(1).filter((cell) => !ended.includes(cell))) assert.equal(text, "2");
  assert.equal((await run("1 + 1")).text, "2");
  // Node's own words about its end.
  for (const { outputs } of cells) for (const { type } of outputs) assert.match(type, /^(error|stream|result)$/);
});

test("the host's functions cannot be replaced and are not listed", async () => {
  const { run } = openNotebook();
  const { text } = await run(`Object.keys(globalThis).filter((name) => /halftone/i.test(name)).length`);
  assert.equal(text, "0");
  const hidden = `Object.getOwnPropertyNames(globalThis).find((name) => name.startsWith("__halftone_"))!`;
  await run(
    `try { (globalThis as any)[${hidden}] = null } catch {} try { (globalThis as any)[${hidden}].value = null } catch {}`,
  );
  assert.equal((await run("1 + 1")).text, "2");
});

test("a user's listener for uncaught errors works beside the kernel's", async () => {
  const { run } = openNotebook();
  const cell = await run(
    `process.on("uncaughtException", () => console.log("mine")); setTimeout(() => { throw new Error("x") }, 1);`,
  );
  assert.equal((await cell.next("error")).evalue, "x");
  await cell.prints("mine\n");
});
