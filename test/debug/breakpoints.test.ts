import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { startDebugging } from "./client.ts";

const debug = await startDebugging();
const { kernel } = debug;
await debug.attach();

const loop = `let sum = 0;
for (let k = 1; k <= 10; k++) {
  sum += k;
}

// the end
sum`;

test("a condition is TypeScript, and the breakpoint stops only where it is true", async () => {
  await debug.breakpoints(loop, { line: 3, condition: "(k as number)! === 4" });
  const cell = await debug.stops(loop, "breakpoint");
  assert.equal(await debug.value("k"), "4");
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});

test("hit counts: a number, a comparison and every n-th time, counted from the cell's start", async () => {
  for (const [hitCondition, stops] of [
    ["3", ["3"]],
    [">= 9", ["9", "10"]],
    ["% 4", ["4", "8"]],
  ] as const) {
    await debug.breakpoints(loop, { line: 3, hitCondition });
    const cell = kernel.execute(loop);
    await cell.starts();
    for (const k of stops) {
      await debug.stopped(cell, "breakpoint");
      assert.equal(await debug.value("k"), k);
      await debug.goOn(cell);
    }
    await debug.ends(cell, "execute_result");
  }
});

test("a log point writes its message, with expressions in braces, and does not stop", async () => {
  const [point] = await debug.breakpoints(loop, {
    line: 3,
    condition: "k % 5 === 0",
    logMessage: "k = {k}, {nowhere}",
  });
  assert.equal(point!.verified, true);
  const cell = kernel.execute(loop);
  await cell.starts();
  for (const k of [5, 10]) {
    const { output, line } = await debug.event(cell, "output");
    assert.deepEqual([output, line], [`k = ${k}, <ReferenceError: nowhere is not defined>\n`, 3]);
  }
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(loop);
});

test("a breakpoint on a blank line or a comment moves to the next code", async () => {
  const [blank, comment] = await debug.breakpoints(loop, 5, 6);
  assert.deepEqual([blank!.line, comment!.line], [7, 7]);
  const cell = await debug.stops(loop, "breakpoint");
  assert.equal(await debug.where(), "cell:7");
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(loop);
});

test("a column chooses the statement of a line", async () => {
  const line = "let p = 1; let q = 2; p + q";
  const [first, second] = await debug.breakpoints(line, { line: 1, column: 12 }, { line: 1, column: 23 });
  assert.deepEqual([first!.column, second!.column], [12, 23]);
  const cell = await debug.stops(line, "breakpoint");
  assert.equal((await debug.frames())[0]!.column, 20);
  await debug.goOn(cell);
  await debug.stopped(cell, "breakpoint");
  assert.equal((await debug.frames())[0]!.column, 23);
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(line);
});

test("a breakpoint that can stop nowhere says why in a sentence", async () => {
  const unknown = await debug.dump("let nobody = 1;");
  const never = path.join(path.dirname(unknown), "12345.ts");
  const problem = async (file: string, point: number | { line: number }) => {
    const [given] = await debug.breakpointsAt(file, point as number);
    assert.equal(given!.verified, false);
    return given!.message;
  };
  const dumped = await debug.dump(loop);
  assert.equal(await problem(dumped, 40), "Line 40 is beyond the end: the cell has 7 lines.");
  assert.equal(await problem(dumped, 0), "There is no line 0: lines count from 1.");
  assert.equal(await problem(never, 1), "The kernel does not know this cell: run it, or send it by dumpCell.");
  assert.equal(await problem("/nowhere/file.ts", 1), "The file cannot be read, so no line of it can be stopped at.");
  assert.equal(
    await problem(await debug.dump("// nothing\n"), 1),
    "There is no code to stop at on line 1 or after it.",
  );
  assert.equal(
    await problem(await debug.dump("let = 1"), 1),
    "The cell has a syntax error, so no line of it can be stopped at.",
  );
  assert.match(
    (await problem(dumped, { line: 3, condition: "k ==" } as never))!,
    /^The expression has a syntax error: /,
  );
  assert.equal(
    await problem(dumped, { line: 3, hitCondition: "often" } as never),
    'The hit count must be a number, such as 5, >= 5 or % 5, got "often".',
  );
  for (const file of [dumped, never, "/nowhere/file.ts"]) await debug.breakpointsAt(file);
});

test("breakpoints stop in an imported TypeScript file, before and after it was loaded", async () => {
  const file = path.join(kernel.folder, "shapes.ts");
  const text = `export interface Box { side: number }

export function area(box: Box): number {
  const { side } = box;
  return side * side;
}
`;
  writeFileSync(file, text);
  const [point] = await debug.breakpointsAt(file, 1);
  assert.deepEqual([point!.verified, point!.line], [true, 4]);
  const cell = await debug.stops(`import { area } from "./shapes.ts";\narea({ side: 3 })`, "breakpoint");
  assert.equal(await debug.where(), "area:4 < cell:2");
  const [frame] = await debug.frames();
  assert.equal(frame!.source!.path, file);
  const { content } = await debug.body<{ content: string }>("source", { source: { path: file }, sourceReference: 0 });
  assert.equal(content, text);
  const { modules } = await debug.body<{ modules: { path: string }[] }>("modules");
  assert.deepEqual(
    modules.map((each) => each.path),
    [file],
  );
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await debug.breakpointsAt(file, 5);
  const again = await debug.stops("area({ side: 4 })", "breakpoint");
  assert.equal(await debug.where(), "area:5 < cell:1");
  await debug.breakpointsAt(file);
  await debug.goOn(again);
  await debug.ends(again, "execute_result");
  writeFileSync(file, `// A line more\n// and another\n${text}`);
  const [moved] = await debug.breakpointsAt(file, 6);
  assert.deepEqual([moved!.verified, moved!.line], [true, 6]);
  const edited = await debug.stops(`import { area } from "./shapes.ts";\narea({ side: 5 })`, "breakpoint");
  assert.equal(await debug.where(), "area:6 < cell:2");
  await debug.breakpointsAt(file);
  await debug.goOn(edited);
  await debug.ends(edited, "execute_result");
});

test("the lines of a cell with magics, types and decorators are those that were typed", async () => {
  const mixed = `!true
type Named = { name: string };
enum Color { Red, Green }
const seen: Named[] = [];
function logged<T extends (...args: never[]) => unknown>(value: T, _: ClassMethodDecoratorContext): T {
  return value;
}
class Person {
  name: string = "x";

  @logged
  greet(): string {
    const text = \`hi \${this.name}\`;
    return text;
  }
}
new Person().greet()`;
  const [point] = await debug.breakpoints(mixed, 13);
  assert.equal(point!.line, 13);
  const cell = await debug.stops(mixed, "breakpoint");
  assert.match(await debug.where(), /^greet:13 < cell:17$/);
  assert.match((await debug.scope("Local")).get("this")!.value, /^Person \{name: "x"\}/);
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});

test("several breakpoints at one place each count, log and stop", async () => {
  const code = `let odd = 0;
for (let k = 1; k <= 6; k++) {

  odd += k % 2;
}
odd`;
  const ids = await debug.breakpoints(
    code,
    { line: 4, logMessage: "k is {k}" },
    { line: 3, hitCondition: "5" },
    { line: 4, condition: "k === 2" },
  );
  assert.deepEqual(
    ids.map(({ line }) => line),
    [4, 4, 4],
  );
  const cell = kernel.execute(code);
  await cell.starts();
  const said: unknown[] = [];
  const logs = async (count: number) => {
    for (let at = 0; at < count; at++) said.push((await debug.event(cell, "output")).output);
  };
  await logs(2);
  await debug.stopped(cell, "breakpoint");
  assert.equal(await debug.value("k"), "2");
  await debug.goOn(cell);
  await logs(3);
  await debug.stopped(cell, "breakpoint");
  assert.equal(await debug.value("k"), "5");
  await debug.breakpoints(code, { line: 4, logMessage: "k is {k}" });
  await debug.goOn(cell);
  await logs(1);
  await debug.ends(cell, "execute_result");
  assert.deepEqual(
    said,
    [1, 2, 3, 4, 5, 6].map((k) => `k is ${k}\n`),
  );
  await debug.breakpoints(code);
});

test("a condition that throws stops nothing, and says so once", async () => {
  await debug.breakpoints(loop, { line: 3, condition: "k.nowhere.near > 1" }, { line: 3, condition: "k === 9" });
  const cell = kernel.execute(loop);
  await cell.starts();
  const { output, line } = await debug.event(cell, "output");
  assert.match(
    String(output),
    /^The condition threw TypeError: Cannot read properties of undefined .*, so it stops nothing\.\n$/,
  );
  assert.equal(line, 3);
  await debug.stopped(cell, "breakpoint");
  assert.equal(await debug.value("k"), "9");
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(loop);
});
