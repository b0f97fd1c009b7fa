import assert from "node:assert/strict";
import { test } from "node:test";
import { openNotebook } from "./fixture.ts";

const { run, session } = openNotebook();

/** The last line of the traceback that names a place, as `line:column`. */
async function placeOf(code: string): Promise<string> {
  const { error } = await run(code);
  assert.ok(error, `no error from ${code}`);
  const label = `cell [${session.executionCount}]:`;
  const frame = error.traceback.find((line) => line.startsWith("    at ") && line.includes(label));
  assert.ok(frame, error.traceback.join("\n"));
  return frame.slice(frame.indexOf(label) + label.length).replace(/\)$/, "");
}

/** What is marked with a dollar sign is where V8 sees the error; columns count from 1. */
const places: [what: string, marked: string][] = [
  ["in plain JavaScript", "let a = 1;\n  $null.f()"],
  ["after types", "const x: number = 1; type T = { a: string };\nfunction f(a: T): void {}\n   throw $new Error('x')"],
  ["after an import", "import path from 'node:path';\npath.join('a');\n\n throw $new Error('x')"],
  ["after an await", "await null;\nconst y = 2;\n  throw $new Error('x')"],
  ["after hoisted functions", "g();\nfunction g() {}\nfunction h() {}\n throw $new Error('x')"],
  ["after an enum and a namespace", "enum E { A,\n B }\nnamespace N {\n export const a = 1 }\n  throw $new Error('x')"],
  ["after JSX-free generics", "const id = <T>(x: T) => x;\nid<number>(1);\nthrow $new Error('x')"],
  ["under using", "using u = { [Symbol.dispose]() {} };\n\n  throw $new Error('x')"],
  ["after decorators", "function d(f: any, _: any) {}\nclass C { @d m() {} }\nthrow $new Error('x')"],
  ["after option lines", "#| label: a\n//| echo: b\nthrow $new Error('x')"],
  ["on a line with an emoji", "const s = '\u{1F600}'; throw $new Error('x')"],
  [
    "after a namespace of two parts",
    "namespace P { export const a = 1 }\nnamespace P { export const b = a }\n throw $new Error('x')",
  ],
  ["in the last expression", "1;\n  $undefinedName"],
  ["in a rejected promise", "const later = async () => { await null;\n throw $new Error('x') };\nlater()"],
];

for (const [what, marked] of places) {
  test(`an error ${what} has the cell's own line and column`, async () => {
    const [before] = marked.split("$") as [string];
    const line = before.split("\n").length;
    const column = before.length - (before.lastIndexOf("\n") + 1) + 1;
    // V8 points a call of a property at the property.
    const shift = marked.includes("$null.f") ? "null.".length : 0;
    assert.equal(await placeOf(marked.replace("$", "")), `${line}:${column + shift}`);
  });
}

test("only user frames are shown, each with its cell", async () => {
  await run("function inner(): never {\n  throw new TypeError('deep') }");
  const innerCell = session.executionCount;
  await run("const outer = () => [1].map(() => inner())");
  const outerCell = session.executionCount;
  const { error } = await run("\nouter()");
  const frames = error!.traceback.filter((line) => line.startsWith("    at "));
  assert.deepEqual(frames, [
    `    at inner (cell [${innerCell}]:2:9)`,
    `    at cell [${outerCell}]:1:35`,
    `    at outer (cell [${outerCell}]:1:25)`,
    `    at cell [${session.executionCount}]:2:1`,
  ]);
});

test("the line of the error is shown with a caret", async () => {
  const { error } = await run("const one = 1\nconst two = one.nothing.more\nconst three = 3");
  const text = error!.traceback.join("\n");
  assert.ok(
    text.includes(
      "  1 | const one = 1\n> 2 | const two = one.nothing.more\n    |                         ^\n  3 | const three = 3",
    ),
    text,
  );
});

test("error.stack and console.error show the cell's lines and no host frames", async () => {
  const { stdout, stderr } = await run("\ntry { null!.x } catch (e) { console.log(e.stack); console.error(e) }");
  const cell = `cell [${session.executionCount}]:2:13`;
  assert.equal(stdout, `TypeError: Cannot read properties of null (reading 'x')\n    at ${cell}\n`);
  assert.equal(stderr, stdout);
});

test("causes are shown, and so are the errors of an AggregateError", async () => {
  const { error } = await run(
    `throw new Error("outer", { cause: new AggregateError([new RangeError("first"), "second"], "many") })`,
  );
  const text = error!.traceback.join("\n");
  assert.match(text, /^Error: outer/);
  assert.match(text, /Caused by:\n {2}AggregateError: many/);
  assert.match(text, /Error 1 of 2:\n {4}RangeError: first/);
  assert.match(text, /Error 2 of 2:\n {4}Thrown value that is not an Error: 'second'/);
});

const thrown: [code: string, evalue: string][] = [
  ["'text'", "'text'"],
  ["{ a: 1 }", "{ a: 1 }"],
  ["undefined", "undefined"],
  ["null", "null"],
  ["NaN", "NaN"],
  ["-0", "-0"],
  ["5n", "5n"],
  ["Symbol('s')", "Symbol(s)"],
  ["function named() {}", "[Function: named]"],
];
for (const [code, evalue] of thrown) {
  test(`throwing ${code} is shown as its value`, async () => {
    assert.equal((await run(`throw ${code}`)).error?.evalue, evalue);
    assert.equal((await run(`await null; throw ${code}`)).error?.evalue, evalue);
  });
}

test("an error whose properties throw is still shown", async () => {
  const { error } = await run(`throw Object.defineProperty(new Error("x"), "message", { get() { throw 1 } })`);
  assert.equal(error?.ename, "Error");
  const { error: second } = await run(`throw new Proxy({}, { get() { throw 1 } })`);
  assert.equal(second?.ename, "Thrown");
});

test("a thrown proxy whose traps throw is shown, and none of them is called", async () => {
  const throwing = "{ get() { throw 1 }, getPrototypeOf() { throw 2 }, ownKeys() { throw 3 } }";
  for (const what of [`new Proxy(new Error("p"), ${throwing})`, `new Proxy(() => {}, ${throwing})`]) {
    assert.equal((await run(`throw ${what}`)).error?.ename, "Thrown");
    assert.equal((await run(`await null; throw ${what}`)).error?.ename, "Thrown");
  }
  assert.equal((await run(`throw Object.setPrototypeOf({}, new Proxy({}, ${throwing}))`)).error?.ename, "Thrown");
});

test("a stack that names a device instead of a file is shown without its lines", async () => {
  const { error } = await run(`throw Object.assign(new Error("s"), { stack: "    at bar (/dev/zero:1:1)" })`);
  assert.deepEqual(error?.traceback, ["Error: s", "    at bar (/dev/zero:1:1)"]);
});

test("a very long error name or message is truncated", async () => {
  const { error } = await run(`throw Object.assign(new Error("m".repeat(3e5)), { name: "N".repeat(2e5) })`);
  assert.ok(error!.ename.length < 51_000);
  assert.match(error!.evalue, /\.\.\. 250000 more characters$/);
  assert.ok(error!.traceback.join("\n").length < 110_000);
});

test("an error's own class gives its name", async () => {
  const { error } = await run(
    `class ShapeError extends Error { override name = "ShapeError" } throw new ShapeError("2 is not 3")`,
  );
  assert.deepEqual([error?.ename, error?.evalue], ["ShapeError", "2 is not 3"]);
});

test("endless recursion is an error, and the session continues", async () => {
  const { error } = await run("function again(): number { return again() + 1 } again()");
  assert.equal(error?.ename, "RangeError");
  assert.match(error!.traceback.join("\n"), /at again \(cell \[\d+\]:1:35\)/);
  assert.equal((await run("1 + 1")).text, "2");
});

const late: [what: string, code: string][] = [
  ["a timer", "setTimeout(() => { throw new Error('late') }, 5)"],
  ["a rejected promise that nothing awaits", "void Promise.reject(new Error('late'))"],
  [
    "an async function that nothing awaits",
    "void (async () => { await new Promise((go) => setTimeout(go, 5)); throw new Error('late') })()",
  ],
  ["a microtask", "queueMicrotask(() => { throw new Error('late') })"],
  [
    "an event",
    "const emitter = new (require('events'))(); emitter.on('x', () => { throw new Error('late') }); setImmediate(() => emitter.emit('x'))",
  ],
];
for (const [what, code] of late) {
  test(`an error in ${what} is shown in the cell that started it, and the host continues`, async () => {
    const started = await run(`const marker = 1; ${code};`);
    const label = `cell [${session.executionCount}]`;
    await run("2;");
    const error = await started.next("error");
    assert.equal(error.evalue, "late");
    assert.ok(error.traceback.join("\n").includes(label), error.traceback.join("\n"));
    assert.equal((await run("marker")).text, "1");
  });
}

test("an error about a name without a value names the cell that declares it but did not finish", async () => {
  assert.equal((await run("throw new Error('early'); const after = 1; class Later {}")).error?.evalue, "early");
  const label = `cell [${session.executionCount}]`;
  const hintIn = async (code: string) => (await run(code)).error?.traceback[1];
  assert.equal(await hintIn("after"), `  ${label} declares it but did not finish`);
  assert.equal(await hintIn("const read = () => after;\nread()"), `  ${label} declares it but did not finish`);
  assert.equal(await hintIn("new Later()"), `  ${label} declares it but did not finish`);
  assert.equal((await run("await Promise.reject(new Error('early')); class Awaited {}")).error?.evalue, "early");
  assert.equal(await hintIn("new Awaited()"), `  cell [${session.executionCount - 1}] declares it but did not finish`);
  await run("const after = 2; class Later {}");
  assert.equal((await run("new Later(); after")).text, "2");
  assert.equal(await hintIn("throw new ReferenceError('after is not defined')"), "");
});
