import assert from "node:assert/strict";
import { test } from "node:test";
import type { Exchange } from "../jupyter/exchange.ts";
import { startDebugging } from "./client.ts";

const debug = await startDebugging();
const { kernel } = debug;
await debug.attach();

const code = `function double(n: number): number {
  const twice = n * 2;
  return twice;
}
let total = 0;
total += double(1);
const { a } = { a: total };
class Made {}
a`;

/** The stacks at a stop and after each of these steps. */
async function walk(cell: Exchange, ...steps: ("next" | "stepIn" | "stepOut")[]): Promise<string[]> {
  const places = [await debug.where()];
  for (const step of steps) places.push(await debug.step(cell, step));
  return places;
}

test("next goes from statement to statement of a cell, and from its last one to the cell's end", async () => {
  await debug.breakpoints(code, 5);
  const cell = await debug.stops(code, "breakpoint");
  const places = await walk(cell, "next", "next", "next", "next");
  assert.deepEqual(places, ["cell:5", "cell:6", "cell:7", "cell:8", "cell:9"]);
  await debug.moves(cell, "next");
  await debug.ends(cell, "execute_result");
});

test("stepIn enters a function, stepOut returns to the statement after the call", async () => {
  const cell = await debug.stops(code, "breakpoint");
  assert.deepEqual(await walk(cell, "next", "stepIn", "next", "stepOut"), [
    "cell:5",
    "cell:6",
    "double:2 < cell:6",
    "double:3 < cell:6",
    "cell:7",
  ]);
  await debug.moves(cell, "stepOut");
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(code);
});

test("next over an await stops after it, in the same function, with the frames that wait for it", async () => {
  const waits = `import { setTimeout as sleep } from "node:timers/promises";
async function later(x: number) {
  await sleep(5);
  const y = x + 1;
  return y;
}
const z = await later(1);
z + 1`;
  await debug.breakpoints(waits, 3);
  const cell = await debug.stops(waits, "breakpoint");
  assert.equal(await debug.where(), "later:3 < cell:7");
  assert.equal(await debug.step(cell, "next"), "later:4 < async cell:7");
  assert.equal((await debug.scope("Local")).get("x")!.value, "1");
  const [, waiting] = await debug.frames();
  assert.deepEqual((await debug.body<{ scopes: object[] }>("scopes", { frameId: waiting!.id })).scopes, []);
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});

test("stepIn passes over the library and Node, into a function that they call", async () => {
  const passes = `import { tensor } from "halftone";
const square = (n: number) => n * n;
const values = [1, 2].map(square);
const sum = tensor(values).sum();
sum.dataSync()[0]`;
  await debug.breakpoints(passes, 3);
  const cell = await debug.stops(passes, "breakpoint");
  assert.equal(await debug.step(cell, "stepIn"), "square:2 < cell:3");
  assert.equal(await debug.step(cell, "stepOut"), "cell:4");
  let place = "";
  for (let steps = 0; place !== "cell:5" && steps < 10; steps++) {
    place = await debug.step(cell, "stepIn");
    assert.match(place, /^cell:[345]$|^square:2 < cell:3$/);
  }
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
  await debug.breakpoints(passes);
});

test("pause stops an endless loop, a changed variable ends it", async () => {
  const cell = kernel.execute(
    "let going: boolean = true;\nlet turns = 0; console.log(turns);\nwhile (going) {\n  turns++;\n}\n'over'",
  );
  await cell.starts();
  await cell.prints("0\n");
  await debug.body("pause", { threadId: 1 });
  await debug.stopped(cell, "pause");
  assert.match(await debug.where(), /^cell:[234]$/);
  assert.equal(await debug.value("going = false"), "false");
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});

test("a pause is not lost while conditions of breakpoints are evaluated all the time", async () => {
  const busy = "let round = 0; console.log(round);\nwhile (round >= 0) {\n  round++;\n}";
  await debug.breakpoints(busy, { line: 3, hitCondition: "1000000000" });
  const cell = kernel.execute(busy);
  await cell.starts();
  await cell.prints("0\n");
  await debug.body("pause", { threadId: 1 });
  await debug.stopped(cell, "pause");
  await debug.value("round = -2");
  await debug.breakpoints(busy);
  await debug.goOn(cell);
  await debug.ends(cell);
});

test("a debugger statement stops while a debugger is attached", async () => {
  const cell = await debug.stops("const here = 1;\ndebugger;\nhere", "breakpoint");
  assert.equal(await debug.where(), "cell:2");
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});

test("stepOut of an async generator stops where its caller goes on", async () => {
  const generates = `import { setTimeout as sleep } from "node:timers/promises";
async function* numbers() {
  yield 1;
  await sleep(1);
  yield 2;
}
let sum = 0;
for await (const n of numbers()) {
  sum += n;
}
sum`;
  await debug.breakpoints(generates, 3, 5);
  const cell = await debug.stops(generates, "breakpoint");
  assert.equal(await debug.where(), "numbers:3 < cell:8");
  assert.match(await debug.step(cell, "stepOut"), /^cell:[89]$/);
  await debug.goOn(cell);
  await debug.stopped(cell, "breakpoint");
  assert.match(await debug.where(), /^numbers:5 < async /);
  assert.match(await debug.step(cell, "stepOut"), /^cell:[89]$/);
  assert.equal(await debug.value("sum"), "1");
  await debug.breakpoints(generates);
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
});

test("pause stops in a timer's callback while a cell waits", async () => {
  const waits = `let ticks = 0; console.log(ticks);
await new Promise<void>((go) => {
  const timer = setInterval(() => {
    ticks++;
    if (ticks < 0) { clearInterval(timer); go(); }
  }, 50);
});`;
  const cell = kernel.execute(waits);
  await cell.starts();
  await cell.prints("0\n");
  await debug.body("pause", { threadId: 1 });
  await debug.stopped(cell, "pause");
  assert.match(await debug.where(), /^\(anonymous\):4 < /);
  await debug.value("ticks = -5");
  await debug.goOn(cell);
  await debug.ends(cell);
});

test("a pause that is asked for while nothing runs stops at the next cell's start, once", async () => {
  for (const code of ["const first = 1;\nfirst + 1", "function second() {}\nsecond();"]) {
    await debug.body("pause", { threadId: 1 });
    await debug.body("pause", { threadId: 1 });
    const cell = await debug.stops(code, "pause");
    assert.match(await debug.where(), /^cell:[12]$/);
    await debug.goOn(cell);
    await debug.ends(cell, ...(code.startsWith("const") ? ["execute_result"] : []));
    await kernel.run("const free = 1;");
  }
});
