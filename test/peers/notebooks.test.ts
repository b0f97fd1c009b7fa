import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { jupyter, peers } from "./jupyter.ts";

const { run, notebook, folder } = await jupyter();

interface Cell {
  source: string;
  execution_count: number | null;
  metadata: { tags?: string[] };
  outputs: { output_type: string; text?: string[] | string; data?: Record<string, unknown>; ename?: string }[];
}
interface Read {
  cells: Cell[];
  metadata: { language_info: Record<string, unknown> };
}
const read = (name: string): Read => JSON.parse(readFileSync(path.join(folder, name), "utf8")) as Read;
/** nbformat stores text as a list of lines. */
const textOf = (text: unknown): string => (Array.isArray(text) ? text.join("") : String(text));
const resultOf = (cell: Cell | undefined): string => {
  const result = cell?.outputs.find(({ output_type }) => output_type === "execute_result");
  return textOf(result?.data?.["text/plain"]);
};

const analysis = notebook("analysis.ipynb", [
  "//| label: setup\nconst values: number[] = [3, 1, 2];\nconsole.log('sorted', values.toSorted((a, b) => a - b))",
  { source: "const scale: number = 1; // how much\nconst names: string[] = [];", tags: ["parameters"] },
  "const sum = values.reduce((a, b) => a + b) * scale; sum",
  "%%html\n<b class='shown'>bold</b>",
]);

test("nbclient executes a notebook and records its language", async () => {
  const { status, stderr } = await run("jupyter", ["execute", analysis, "--output", "executed"]);
  assert.equal(status, 0, stderr);
  const { cells, metadata } = read("executed.ipynb");
  assert.deepEqual(
    cells.map(({ execution_count }) => execution_count),
    [1, 2, 3, 4],
  );
  assert.equal(textOf(cells[0]?.outputs[0]?.text), "sorted [ 1, 2, 3 ]\n");
  assert.equal(resultOf(cells[2]), "6");
  assert.deepEqual(textOf(cells[3]?.outputs[0]?.data?.["text/html"]), "<b class='shown'>bold</b>");
  assert.equal(metadata.language_info.file_extension, ".ts");
});

test("nbclient stops a cell that takes too long, and the notebook has the error", async () => {
  const slow = notebook("slow.ipynb", ["while (true) {}"]);
  const { status, stderr } = await run("jupyter", ["execute", slow, "--timeout", "2"]);
  assert.notEqual(status, 0);
  assert.match(stderr, /CellTimeoutError|timed out/);
  const failing = notebook("failing.ipynb", ["throw new RangeError('too far')", "1"]);
  assert.match((await run("jupyter", ["execute", failing])).stderr, /RangeError: too far/);
});

test("a lone surrogate in an error, an output or a display gives a notebook that Python can write", async () => {
  const half = `console.log("\\ud83d"); ({ [Symbol.for("Jupyter.display")]: () => ({ "text/plain": "\\udc00" }) })`;
  const broken = notebook("broken.ipynb", [half, `throw new Error("\\ud83d and \\\\ud83d")`]);
  const nbconvert = ["nbconvert", "--execute", "--allow-errors", "--to", "notebook", broken, "--output", "whole.ipynb"];
  const { status, stderr } = await run("jupyter", nbconvert);
  assert.equal(status, 0, stderr);
  const { cells } = read("whole.ipynb");
  assert.equal(textOf(cells[0]?.outputs[0]?.text), "\ufffd\n");
  assert.equal(resultOf(cells[0]), "\ufffd");
  assert.match(JSON.stringify(cells[1]?.outputs), /"evalue":"\ufffd and \\\\ud83d"/);
});

test("papermill passes parameters of every type, without configuration", async () => {
  const parameters =
    "scale: 2.5\nnames: [a, \"b'\\\"\"]\ndeep: {flag: true, none: null, big: 12345678901}\nnote: 'é \\ `x`'\n";
  const code = notebook("report.ipynb", [
    { source: "const scale: number = 1; // how much\nconst names: string[] = [];", tags: ["parameters"] },
    "declare const deep: unknown, note: string, extra: number;\nconsole.log(JSON.stringify([scale, names, deep, note, extra]))",
  ]);
  writeFileSync(path.join(folder, "parameters.yml"), parameters);
  const { status, stderr } = await run("papermill", [code, "out.ipynb", "-f", "parameters.yml", "-p", "extra", "7"]);
  assert.equal(status, 0, stderr);
  const { cells } = read("out.ipynb");
  assert.deepEqual(cells[1]?.metadata.tags, ["injected-parameters"]);
  const expected = [2.5, ["a", "b'\""], { flag: true, none: null, big: 12345678901 }, "é \\ `x`", 7];
  assert.deepEqual(JSON.parse(textOf(cells[2]?.outputs[0]?.text)), expected);
});

test("papermill's NaN and infinities reach the cell, and an integer that would be rounded is an error", async () => {
  const code = notebook("numbers.ipynb", [
    { source: "let rate = 1, loss = 1, best = 1;", tags: ["parameters"] },
    "console.log(rate, loss, best, typeof rate)",
  ]);
  const given = ["-p", "rate", "inf", "-p", "loss", "nan", "-p", "best", "-1e400"];
  const { status, stderr } = await run("papermill", [code, "numbers-out.ipynb", ...given]);
  assert.equal(status, 0, stderr);
  // papermill's record of its parameters is Python's JSON, which has names for these numbers.
  const written = readFileSync(path.join(folder, "numbers-out.ipynb"), "utf8").replace(
    /: (-?Infinity|NaN)(?=,?$)/gm,
    ": null",
  );
  const { cells } = JSON.parse(written) as Read;
  assert.equal(textOf(cells[2]?.outputs[0]?.text), "Infinity NaN -Infinity number\n");
  const large = await run("papermill", [code, "large.ipynb", "-p", "rate", "9007199254740993"]);
  assert.notEqual(large.status, 0);
  assert.match(large.stderr, /cannot hold the integer 9007199254740993 exactly/);
});

test("papermill lists a TypeScript notebook's parameters with their types and comments", async () => {
  const { stdout } = await run("papermill", ["--help-notebook", analysis]);
  assert.match(stdout, /scale: number \(default 1\)\s+how much/);
  assert.match(stdout, /names: string\[\] \(default \[\]\)/);
});

test("nbconvert executes to HTML, with highlighted source and its outputs", async () => {
  const { status, stderr } = await run("jupyter", [
    "nbconvert",
    "--to",
    "html",
    "--execute",
    analysis,
    "--output",
    "page",
  ]);
  assert.equal(status, 0, stderr);
  const html = readFileSync(path.join(folder, "page.html"), "utf8");
  assert.match(html, /<b class="shown">bold<\/b>/);
  assert.match(html, /<span class="k[a-z]*">const<\/span>/);
  assert.match(html, />6<|<pre>6/);
});

test("nbconvert exports the code as a .ts file", async () => {
  await run("jupyter", ["nbconvert", "--to", "script", analysis, "--output", "code"]);
  assert.match(readFileSync(path.join(folder, "code.ts"), "utf8"), /const values: number\[\] = \[3, 1, 2\];/);
});

test("nbval reproduces an executed notebook's outputs and detects one that differs", async () => {
  const again = await run("python", ["-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "executed.ipynb"]);
  assert.match(again.stdout, /4 passed/, again.stdout);
  const changed = readFileSync(path.join(folder, "executed.ipynb"), "utf8").replace("sorted [ 1, 2, 3 ]", "sorted []");
  writeFileSync(path.join(folder, "changed.ipynb"), changed);
  const { stdout } = await run("python", ["-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "changed.ipynb"]);
  assert.match(stdout, /1 failed, 3 passed/);
});

test("jupytext writes a notebook as TypeScript and reads it back the same", async () => {
  const { status, stderr } = await run("jupytext", ["--to", "ts:percent", analysis, "--test-strict"]);
  assert.equal(status, 0, stderr);
  await run("jupytext", ["--to", "ts:percent", analysis, "-o", "paired.ts"]);
  assert.match(readFileSync(path.join(folder, "paired.ts"), "utf8"), /^\/\/ %%/m);
  await run("jupytext", ["--to", "ipynb", "paired.ts", "-o", "back.ipynb"]);
  const sources = (name: string) => read(name).cells.map(({ source }) => textOf(source));
  assert.deepEqual(sources("back.ipynb"), sources("analysis.ipynb"));
});

test("jupyter console takes several lines, completes, asks for input and stops a loop", async () => {
  const { status, stdout, stderr } = await run("python", [path.join(peers, "console.py")]);
  assert.equal(status, 0, `${stdout}\n${stderr}`);
});
