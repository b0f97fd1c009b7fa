import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Dependencies, type SavedCell } from "../../kernel/check/order/dependencies.ts";
import { readReferences } from "../../kernel/check/order/references.ts";
import { openNotebook, type Ran } from "../kernel/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** Runs cells in turn, each given as its name and code, and lists the stale ones with their reasons. */
function staleAfter(runs: [name: string, code: string][], saved: SavedCell[] = []): string[] {
  const dependencies = new Dependencies();
  for (const [name, code] of runs) dependencies.begin({ key: name, label: name, source: code, code });
  return dependencies
    .stale({ cells: saved, at: Number.POSITIVE_INFINITY })
    .map(({ label, reasons }) => `${label}: ${reasons.join("; ")}`);
}

const data: [string, string] = ["data", "const data = load()"];
const mean: [string, string] = ["mean", "const mean = sum(data)"];
const shown: [string, string] = ["shown", "mean"];

test("a cell that reads what another sets is stale once that runs again, and so are those that depend on it", () => {
  assert.deepEqual(staleAfter([data, mean, shown]), []);
  assert.deepEqual(staleAfter([data, mean, shown, data]), [
    "mean: data has set data since",
    "shown: mean, which sets mean, is stale",
  ]);
  assert.deepEqual(staleAfter([data, mean, shown, data, mean]), ["shown: mean has set mean since"]);
  assert.deepEqual(staleAfter([data, mean, shown, data, mean, shown]), []);
  // In the order in which they have to run, whichever ran last.
  assert.deepEqual(
    staleAfter([data, mean, shown, mean, data]).map((each) => each.split(":")[0]),
    ["mean", "shown"],
  );
});

test("a cell below that sets a name again leaves the cells above as they are", () => {
  assert.deepEqual(staleAfter([data, mean, ["below", "data = []"]]), []);
  assert.deepEqual(staleAfter([data, mean, ["below", "data = []"], ["above", "data"], data]), [
    "mean: data has set data since",
    "above: data has set data since",
  ]);
});

test("assignments, members and methods that change a value in place set the name", () => {
  const list: [string, string] = ["list", "const xs = load(), o = load()"];
  for (const change of ["xs.push(1)", "xs[0] = 2", "o.a.b++", "delete o.a", "ys.forEach((y) => { xs.push(y) })"]) {
    const root = change.includes("xs") ? "xs" : "o";
    assert.deepEqual(staleAfter([list, ["change", change], ["read", root], ["change", change]]), [
      `read: change has set ${root} since`,
    ]);
  }
  assert.deepEqual([...readReferences("function later() { count++ }").writes], ["later"]);
});

test("functions, literals and imports of packages that run again unchanged make nothing stale", () => {
  const constant = "import { randn } from 'halftone'; function f(x) { return x }; const g = () => 1; const rate = 0.1";
  const cell: [string, string] = ["constant", constant];
  const user: [string, string] = ["user", "f(g(rate, randn))"];
  assert.deepEqual(staleAfter([cell, user, cell]), []);
  assert.deepEqual(staleAfter([cell, user, ["constant", constant.replace("0.1", "0.2")]]), [
    "user: constant has set rate since",
  ]);
  // The function is the same, but what it reads is not.
  const scale: [string, string] = ["scale", "const k = load()"];
  const f: [string, string] = ["f", "function scaled(x) { return k * x }"];
  const use: [string, string] = ["use", "scaled(1)"];
  assert.deepEqual(staleAfter([scale, f, use, scale, f]), ["use: f has set scaled since"]);
});

test("a name that a function, a block or a class has for itself is not another cell's", () => {
  const reads = (code: string) => [...readReferences(code).reads].sort().join(" ");
  assert.equal(reads("xs.map((x, { y }) => x + y + z)"), "xs z");
  assert.equal(reads("for (const i of xs) { let t = i; t + u }"), "u xs");
  assert.equal(reads("try { a } catch (e) { e } function f(n) { var m = n; return m + f(k) }"), "a k");
  assert.equal(reads("class A { b = c; d() { return this.e } } new A()"), "c");
  assert.equal(reads("({ p: q, r, [s]: 1 }); t.u; type V = typeof w; let x: Y = z as A"), "q r s t z");
  assert.equal(reads("if (a) { var b = 1 } b; switch (c) { case d: let e = 1; e }"), "a c d");
});

test("a cell that no longer sets a name, was edited or failed its check is named as the reason", () => {
  assert.deepEqual(staleAfter([data, mean, ["data", "const other = 1"]]), ["mean: data no longer sets data"]);
  const edited = [data, ["mean", "const mean = 0"], shown].map((each) => ({ key: each[0]!, source: each[1]! }));
  assert.deepEqual(staleAfter([data, mean, shown], edited), [
    "mean: it was edited after it ran",
    "shown: mean, which sets mean, is stale",
  ]);
});

const textsOf = (ran: Ran) =>
  ran.outputs.flatMap((output) => ("data" in output ? [`${output.type}: ${output.data["text/plain"]}`] : []));

test("a run names the stale cells that have shown something, once, and corrects that later", async () => {
  const { run } = openNotebook();
  const cell = (key: string, code: string) => run(code, { cellKey: key });
  await cell("a", "let a = Math.max(1)");
  assert.deepEqual(textsOf(await cell("b", "const b = a + 1")), []);
  assert.deepEqual(textsOf(await cell("c", "b * 10")), ["result: 20"]);
  const notice = "stale: cell [3] (%stale says why, %run stale runs it)";
  assert.deepEqual(textsOf(await cell("a", "let a = Math.max(2)")), [`display: ${notice}`]);
  assert.deepEqual(textsOf(await cell("d", "1 + 1")), ["result: 2"]);
  assert.match(
    textsOf(await run("%stale"))[0] ?? "",
    /^display: cell \[2\] {2}const b = a \+ 1\n {4}cell \[4\] has set a since\n/,
  );
  assert.deepEqual(textsOf(await run("%run stale")), [
    "display: cell [2]: const b = a + 1",
    "display: cell [3]: b * 10",
    "result: 30",
    "update: ",
  ]);
  assert.deepEqual(textsOf(await run("%stale")), ["display: no cell is stale"]);
  assert.match(textsOf(await run("%stale off"))[0] ?? "", /^display: %stale is off/);
  assert.deepEqual(textsOf(await cell("a", "let a = Math.max(3)")), []);
});

test("%run stale stops at the first cell that fails, and %stale and %run are the only line of a cell", async () => {
  const { run } = openNotebook();
  const cell = (key: string, code: string) => run(code, { cellKey: key });
  await cell("a", "let n = Math.max(1)");
  await cell("b", "if (n > 1) throw new Error('too large'); const m = n");
  assert.equal((await cell("c", "m")).text, "1");
  await cell("a", "let n = Math.max(2)").then((ran) => ran.outputs);
  const rerun = await run("%run stale");
  assert.equal(rerun.error?.evalue, "too large");
  assert.match(rerun.error?.traceback.join("\n") ?? "", /at cell \[2\]:1:1/);
  assert.equal(textsOf(rerun).length, 1);
  assert.match(
    (await run("%run notes.ts")).error?.evalue ?? "",
    /%run runs stale cells: %run stale, got %run notes\.ts/,
  );
  assert.match((await run("1;\n%stale")).error?.evalue ?? "", /%stale must be the only line of its cell/);
});

test("%run stale runs the text of the saved notebook, where Jupyter Server names its file", async () => {
  const file = path.join(temporaryFolder(), "n.ipynb");
  const { run } = openNotebook({ env: { ...process.env, JPY_SESSION_NAME: file } });
  await run("const k = Math.max(2)", { cellKey: "first" });
  assert.equal((await run("k * 2", { cellKey: "second" })).text, "4");
  const cells = [
    { cell_type: "code", id: "first", source: ["const k = ", "Math.max(5)"] },
    { cell_type: "code", id: "second", source: "k * 2" },
  ];
  writeFileSync(file, JSON.stringify({ cells }));
  assert.deepEqual(textsOf(await run("%run stale")), [
    "display: cell [1]: const k = Math.max(5)",
    "display: cell [2]: k * 2",
    "result: 10",
  ]);
  // The file is older than what ran since: JupyterLab saves every two minutes.
  await run("const k = Math.max(7)", { cellKey: "first" }).then((ran) => ran.outputs);
  assert.deepEqual(textsOf(await run("%run stale")).slice(0, 2), ["display: cell [2]: k * 2", "result: 14"]);
});

test("%stale shows code with backticks and bars in its table", async () => {
  const { run } = openNotebook();
  await run("let a = Math.max(1)", { cellKey: "a" });
  await run("const text = `a is ` + a || 2", { cellKey: "b" });
  await run("let a = Math.max(2)", { cellKey: "a" });
  const [shown] = (await run("%stale")).outputs as { data: Record<string, string> }[];
  assert.match(shown!.data["text/markdown"]!, /^\| cell \[2\] \| `` const text = `a is ` \+ a \\\|\\\| 2 `` \|/m);
});
