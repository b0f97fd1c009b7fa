import assert from "node:assert/strict";
import { test } from "node:test";
import { startDebugging } from "./client.ts";

const debug = await startDebugging();
const { kernel } = debug;
await debug.attach();
await kernel.run("function risky(x: number) {\n  if (x > 1) throw new RangeError('bad ' + x);\n}");

const stopAt = (...filters: string[]) => debug.body("setExceptionBreakpoints", { filters });

/** A cell that fails and stops once at its exception; gives the stack there. */
async function stack(code: string, ...kinds: string[]): Promise<string> {
  const cell = await debug.stops(code, "exception");
  const where = await debug.where();
  await debug.goOn(cell);
  await debug.ends(cell, ...kinds);
  return where;
}

test("without a filter no exception stops", async () => {
  await kernel.run("risky(5)", "error");
});

test("an uncaught exception stops where it is thrown, with its name, message and stack", async () => {
  await stopAt("uncaught");
  const cell = await debug.stops("try { risky(5); } catch {}\nrisky(7)", "exception");
  assert.equal(await debug.where(), "risky:2 < cell:2");
  const info = await debug.body<{ exceptionId: string; description: string; breakMode: string; details: object }>(
    "exceptionInfo",
    { threadId: 1 },
  );
  assert.deepEqual(
    [info.exceptionId, info.description, info.breakMode],
    ["RangeError", "RangeError: bad 7", "unhandled"],
  );
  await debug.goOn(cell);
  await debug.ends(cell, "error");
});

test("a try around an await in a caller catches", async () => {
  const code = `async function later(x: number) {
  await 0;
  risky(x);
}
try { await later(8); } catch {}
await later(9);`;
  assert.match(await stack(code, "error"), /^risky:2 < later:3 < async cell:6/);
});

test("an exception in the library, in Node or in V8 stops at the person's call", async () => {
  assert.equal(await stack("JSON.parse('{')", "error"), "cell:1");
  assert.equal(await stack("process.getBuiltinModule('node:fs').readFileSync('/nowhere')", "error"), "cell:1");
  const code = "import { ones } from 'halftone';\nones([1, 2]).reshape([3] as never);";
  assert.equal(await stack(code, "error"), "cell:2");
});

test("what a package catches itself does not stop, also while all exceptions do", async () => {
  await stopAt("all");
  await kernel.run("process.getBuiltinModule('node:fs').existsSync('/nowhere');");
  assert.equal(await stack("try { risky(5); } catch {}"), "risky:2 < cell:1");
});

test("exceptionInfo is refused at another stop, and so is an unknown filter", async () => {
  await stopAt();
  const cell = await debug.stops("debugger;", "breakpoint");
  assert.equal(await debug.refusal("exceptionInfo", { threadId: 1 }), "The program is not stopped at an exception.");
  await debug.goOn(cell);
  await debug.ends(cell);
  assert.equal(
    await debug.refusal("setExceptionBreakpoints", { filters: ["some"] }),
    'There is no exception filter "some": use all or uncaught.',
  );
});

test("a rejection that .catch(), .then() with two functions or Promise.allSettled() handles is caught", async () => {
  await stopAt("uncaught");
  const fails = "async function fails(x: number) {\n  if (x > 0) await 0;\n  throw new Error('gone ' + x);\n}\n";
  for (const code of [
    "await fails(1).catch(() => 1);",
    "await fails(0).catch(() => 1);",
    "await fails(1).finally(() => {}).catch(() => 1);",
    "await fails(1).then(() => {}, () => 1);",
    "await Promise.allSettled([fails(1), fails(0)]);",
    "await Promise.reject(new Error('no')).catch(() => 1);",
    "await Promise.resolve(1).then(() => { throw new Error('then'); }).catch(() => 1);",
    "async function outer() { await fails(1); }\nawait outer().catch(() => 1);",
  ])
    await kernel.run(`${fails}${code}`);
  for (const code of [
    "await fails(1).finally(() => {});",
    "await fails(1).then(() => {});",
    "risky(2 as never).catch(() => 1);",
  ])
    await stack(fails + code, "error");
  await stopAt();
});

test("what is thrown that is no error is described by its value", async () => {
  await stopAt("uncaught");
  const cell = await debug.stops("throw { code: 7 };", "exception");
  const { description } = await debug.body<{ description: string }>("exceptionInfo", { threadId: 1 });
  assert.equal(description, "{code: 7}");
  await debug.goOn(cell);
  await debug.ends(cell, "error");
  await stopAt();
});
