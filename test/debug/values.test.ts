import assert from "node:assert/strict";
import { test } from "node:test";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { startDebugging, type Variable } from "./client.ts";

const debug = await startDebugging();
const { kernel } = debug;
await debug.attach();

const code = `import { figure, tensor } from "halftone";
class Point {
  #secret = 7;
  x = 1;
  get norm(): number { return Math.abs(this.x); }
  get endless(): number { while (true) {} }
}
const long = Array.from({ length: 25_000 }, (_, index) => index);
const matrix = tensor([[1, 2, 3], [4, 5, 6]]);
const bars = figure({ data: [{ type: "bar", x: ["a"], y: [1] }], layout: { title: { text: "Hi" } } });
Object.assign(globalThis, { onGlobal: 5 });
function work(point: Point, items: number[]): number {
  const map = new Map<string, unknown>([["k", 1]]);
  const big = 10n, nothing = null, text = "a\\nb", failure = new RangeError("too far");
  const outer = 1;
  let count = 0;
  for (const item of items) {
    const outer = 2;
    count += item * outer;
  }
  return count + outer + map.size + Number(big) + text.length + (nothing ?? 0) + failure.message.length;
}
work(new Point(), [1, 2, 3])`;

/** At the breakpoint in the loop; the cell ends afterwards. */
async function stopped(look: () => Promise<void>): Promise<void> {
  await debug.breakpoints(code, 19);
  const cell = await debug.stops(code, "breakpoint");
  await debug.breakpoints(code);
  await look();
  await debug.goOn(cell);
  await debug.ends(cell, "execute_result");
}

const named = (variables: Variable[], name: string) => variables.find((each) => each.name === name)?.value;
const children = (variable: Variable | undefined, page: object = {}) =>
  debug.variables(variable!.variablesReference, page);

test("values are shown in words, tensors and figures as what they are", async () => {
  await stopped(async () => {
    const local = await debug.scope("Local");
    const words = ["map", "big", "nothing", "text", "failure", "point"].map((name) => local.get(name)!.value);
    assert.deepEqual(words, [
      'Map(1) {"k" => 1}',
      "10n",
      "null",
      '"a\\nb"',
      "RangeError: too far",
      "Point {#secret: 7, x: 1}",
    ]);
    const cells = await debug.scope("Cells");
    assert.match(cells.get("matrix")!.value, /^Tensor float32 \[2, 3\].*\[\[1, 2, 3\], \[4, 5, 6\]\]$/);
    assert.deepEqual([cells.get("bars")!.type, cells.get("bars")!.value], ["Figure", "Figure bar: Hi"]);
    const contents = await children(cells.get("matrix"));
    assert.deepEqual(
      contents.slice(0, 3).map(({ name, value }) => [name, value]),
      [
        ["shape", "Array(2) [2, 3]"],
        ["dtype", '"float32"'],
        ["values", "Float32Array(6) [1, 2, 3, 4, 5, 6]"],
      ],
    );
  });
});

test("a data frame of danfojs is shown by its size, with its columns and values, and rendered as a table", async () => {
  const frames = `import { DataFrame, Series } from "danfojs-node";
const frame = new DataFrame({ a: [1, 2, 3], b: ["x", "y", "z"] });
const series = new Series([1.5, 2.5]);
debugger;`;
  const cell = await debug.stops(frames, "breakpoint");
  const cells = await debug.scope("Cells");
  assert.deepEqual([cells.get("frame")!.type, cells.get("frame")!.value], ["DataFrame", "DataFrame 3 × 2"]);
  assert.equal(cells.get("series")!.value, "Series 2 × 1");
  const [columns, values] = await children(cells.get("frame"));
  assert.deepEqual([columns!.value, named(await children(values), "1")], ['Array(2) ["a", "b"]', 'Array(2) [2, "y"]']);
  const rich = await debug.body<{ data: Record<string, unknown> }>("richInspectVariables", { variableName: "frame" });
  assert.match(String(rich.data["text/html"]), /<td>2<\/td><td>y<\/td>/);
  await debug.goOn(cell);
  await debug.ends(cell);
});

test("the scopes are the function's, the cells' and the global one, without the kernel's names", async () => {
  await stopped(async () => {
    assert.deepEqual(
      (await debug.scopes()).map(({ name }) => name),
      ["Local", "Cells", "Global"],
    );
    assert.deepEqual([...(await debug.scope("Global")).keys()], ["onGlobal"]);
    const cells = [...(await debug.scope("Cells")).keys()];
    assert.deepEqual(
      cells.filter((name) => /halftone_|^_/.test(name)),
      [],
    );
    assert.equal((await debug.scope("Local")).get("outer")!.value, "2");
  });
});

test("a long array comes in ranges, and a client that asks for a page gets it", async () => {
  await stopped(async () => {
    const long = (await debug.scope("Cells")).get("long");
    assert.equal(long!.indexedVariables, 25_000);
    const ranges = await children(long);
    assert.deepEqual(
      ranges.map(({ name }) => name),
      ["[0 … 9999]", "[10000 … 19999]", "[20000 … 24999]"],
    );
    const inner = await children(ranges[2]);
    assert.equal(inner.length, 50);
    assert.deepEqual((await children(inner[49])).map(({ value }) => value).slice(-2), ["24998", "24999"]);
    const page = await children(long, { filter: "indexed", start: 7, count: 2 });
    assert.deepEqual(
      page.map(({ name, value }) => [name, value]),
      [
        ["7", "7"],
        ["8", "8"],
      ],
    );
  });
});

test("a getter runs when it is asked for, and one that does not end is stopped", async () => {
  await stopped(async () => {
    const point = await children((await debug.scope("Local")).get("point"));
    const norm = point.find(({ name }) => name === "norm")!;
    assert.deepEqual([norm.value, norm.presentationHint], ["(…)", { lazy: true }]);
    assert.equal(named(await children(norm), "norm"), "1");
    const { variablesReference } = point.find(({ name }) => name === "endless")!;
    const refusal = await debug.refusal("variables", { variablesReference });
    assert.equal(refusal, "The expression did not end within 2 s, so it was stopped.");
    assert.equal(await debug.value("count"), "0");
  });
});

test("variables, fields and names of cells can be set", async () => {
  await stopped(async () => {
    const [local, cells] = await debug.scopes();
    const set = (variablesReference: number, name: string, value: string) => ({ variablesReference, name, value });
    const result = await debug.body<{ value: string }>(
      "setVariable",
      set(local!.variablesReference, "count", "40 + 2 as number"),
    );
    assert.equal(result.value, "42");
    assert.equal((await debug.scope("Local")).get("count")!.value, "42");
    const point = (await debug.scope("Local")).get("point")!;
    await debug.body("setVariable", set(point.variablesReference, "x", "-3"));
    assert.equal(await debug.value("point.norm"), "3");
    await debug.body("setVariable", set(cells!.variablesReference, "long", "[1]"));
    assert.equal((await debug.scope("Cells")).get("long")!.value, "Array(1) [1]");
    assert.match(await debug.refusal("setVariable", set(local!.variablesReference, "count", "1 +")), /syntax error/);
  });
});

test("expressions are TypeScript; what cannot be evaluated is refused in a sentence, and the program stays stopped", async () => {
  await stopped(async () => {
    const [frame] = await debug.frames();
    const refusal = (expression: string, context = "repl") =>
      debug.refusal("evaluate", { expression, frameId: frame!.id, context });
    assert.equal(await debug.value("(point as Point).x! + items.length"), "4");
    assert.match(await refusal("1 +"), /^The expression has a syntax error: /);
    assert.equal(await refusal("nowhere"), "ReferenceError: nowhere is not defined");
    assert.equal(await refusal("(() => { throw new Error('no'); })()"), "Error: no");
    assert.equal(await refusal(""), "The expression is empty.");
    assert.equal(await refusal("while (true) {}"), "The expression did not end within 2 s, so it was stopped.");
    assert.equal(await refusal("count = 9", "hover"), "The expression may change something, so it was not evaluated.");
    assert.equal(await debug.value("count"), "0");
    assert.equal(
      await debug.refusal("evaluate", { expression: "1", frameId: 99 }),
      "There is no such frame: the program has gone on since.",
    );
  });
});

test("richInspectVariables renders a value as a cell does, and copyToGlobals gives it a name for cells", async () => {
  await stopped(async () => {
    const [frame] = await debug.frames();
    const rich = (variableName: string, frameId?: number) =>
      debug.body<{ data: Record<string, unknown> }>("richInspectVariables", { variableName, frameId });
    assert.match(String((await rich("matrix", frame!.id)).data["text/html"]), /float32 \[2, 3\]/);
    assert.ok((await rich("bars")).data["application/vnd.plotly.v1+json"]);
    assert.deepEqual((await rich("items", frame!.id)).data, { "text/plain": "[ 1, 2, 3 ]" });
    const copy = { srcVariableName: "items", dstVariableName: "copied", srcFrameId: frame!.id };
    await debug.body("copyToGlobals", copy);
    assert.equal((await debug.scope("Global")).get("copied")!.value, "Array(3) [1, 2, 3]");
    assert.match(await debug.refusal("copyToGlobals", { ...copy, dstVariableName: "no name" }), /cannot be the name/);
  });
  assert.equal(await kernel.value("copied.length"), "3");
});

test("inspectVariables lists the cells' variables without a stop, also while a cell runs", async () => {
  const list = async () => (await debug.body<{ variables: Variable[] }>("inspectVariables")).variables;
  const variables = await list();
  assert.match(named(variables, "matrix")!, /^Tensor float32/);
  assert.equal(named(variables, "onGlobal"), "5");
  const long = variables.find(({ name }) => name === "long")!;
  assert.deepEqual(
    (await children(long, { filter: "indexed", count: 2 })).map(({ value }) => value),
    ["0", "1"],
  );
  const cell = kernel.execute("let turning: boolean = true;\nconsole.log(0);\nwhile (turning) {}\n'over'");
  await cell.starts();
  // Its input is published before it runs: an assignment that came first would make a global that its own `let` hides.
  await cell.prints("0\n");
  const { result } = await debug.body<DebugProtocol.EvaluateResponse["body"]>("evaluate", { expression: "6 * 7" });
  assert.equal(result, "42");
  await debug.body("evaluate", { expression: "turning = false" });
  await debug.ends(cell, "execute_result");
});

test("references of a stop end with it", async () => {
  let reference = 0;
  await stopped(async () => {
    reference = (await debug.scopes())[0]!.variablesReference;
  });
  assert.equal(await debug.refusal("variables", { variablesReference: reference }), "The program is not stopped.");
  await stopped(async () => {
    assert.match(await debug.refusal("variables", { variablesReference: reference }), /is no longer available/);
  });
});
