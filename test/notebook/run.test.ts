import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { type CodeCell, formatNotebook, type Notebook, parseNotebook } from "../../src/notebook/nbformat.ts";
import type { RunRecord } from "../../src/notebook/record.ts";
import { type RunOptions, runNotebook } from "../../src/notebook/run.ts";
import type { WidgetState } from "../../src/notebook/widget-state.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { code, notebookJson, type RawCell } from "./cells.ts";
import { schemaFaults } from "./schema.ts";

async function run(cells: RawCell[], options: Partial<RunOptions> = {}) {
  const notebook = parseNotebook(notebookJson(cells), "n.ipynb");
  const result = await runNotebook(notebook, { name: "n.ipynb", folder: os.tmpdir(), ...options });
  assert.deepEqual(schemaFaults(formatNotebook(notebook)), []);
  return { notebook, result, cells: notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code") };
}

const texts = (cell: CodeCell) =>
  cell.outputs.map((output) =>
    output.output_type === "stream"
      ? `${output.name}: ${output.text}`
      : output.output_type === "error"
        ? `${output.ename}: ${output.evalue}`
        : (output.data as Record<string, unknown>)["text/plain"],
  );

const display = `const on = globalThis as unknown as Record<symbol, any>;
const display = on[Symbol.for("halftone.display")];`;

test("cells share one session, and counts, results and times are recorded", async () => {
  const { cells, result } = await run([code("const a = 20"), code(""), code("a + 1"), code("a?")]);
  assert.equal(result.status, "ok");
  assert.deepEqual(
    cells.map(({ execution_count }) => execution_count),
    [1, null, 2, 3],
  );
  // As with nbclient and ipykernel, help goes to a pager and not into the file.
  assert.deepEqual(cells[3]!.outputs, []);
  assert.deepEqual(texts(cells[2]!), ["21"]);
  const times = cells[0]!.metadata.execution as Record<string, string>;
  assert.ok(Date.parse(times["shell.execute_reply"]!) >= Date.parse(times["iopub.execute_input"]!));
});

test("adjacent pieces of one stream are one output, and a progress bar leaves its last state", async () => {
  const source = [
    'for (const i of [0, 1, 2]) process.stdout.write("\\rstep " + i);',
    'console.log("!\\nx\\by");',
    'console.error("e"); console.log("z")',
  ].join("\n");
  const { cells } = await run([code(source)]);
  assert.deepEqual(texts(cells[0]!), ["stdout: step 2!\ny\n", "stderr: e\n", "stdout: z\n"]);
});

test("an update reaches earlier displays, also in earlier cells", async () => {
  const { cells } = await run([
    code(display),
    code('display({ "text/plain": "old" }, { displayId: "bar" });'),
    code('display({ "text/plain": "new" }, { displayId: "bar", update: true });'),
  ]);
  assert.deepEqual(texts(cells[1]!), ["new"]);
  assert.deepEqual(texts(cells[2]!), []);
});

test("the run stops at the first error and keeps the executed cells", async () => {
  const { cells, result, notebook } = await run([code("1"), code('throw new TypeError("bad")'), code("3")]);
  assert.equal(result.status, "error");
  assert.equal(result.failed?.index, 1);
  assert.deepEqual(cells.map(texts), [["1"], ["TypeError: bad"], []]);
  assert.equal((notebook.metadata.halftone as { status: string }).status, "error");
});

test("errors may be allowed for a run or for a cell", async () => {
  const failing = [code('throw new Error("x")'), code("2")];
  const allowed = await run(failing, { allowErrors: true });
  assert.equal(allowed.result.status, "ok");
  assert.deepEqual(texts(allowed.cells[1]!), ["2"]);
  const tagged = await run([code('throw new Error("x")', "raises-exception"), code("2"), code("3", "skip-execution")]);
  assert.equal(tagged.result.status, "ok");
  assert.deepEqual(tagged.cells.map(texts), [["Error: x"], ["2"], []]);
});

test("a skipped cell keeps its outputs", async () => {
  // From nbclient: "if self.skip_cells_with_tag in cell.metadata.get("tags", []): ... return cell", outputs and count as they were.
  const outputs = [
    { output_type: "stream", name: "stdout", text: "an hour's work\n" },
    { output_type: "error", ename: "Error", evalue: "kept too", traceback: [] },
  ];
  const execution = { "iopub.status.busy": "2026-01-01T00:00:00Z" };
  const skipped = { ...code("throw 1", "skip-execution"), execution_count: 7, outputs };
  skipped.metadata.execution = execution;
  const { cells, result } = await run([skipped, { ...code("1"), execution_count: 9, outputs: [outputs[0]] }]);
  assert.equal(result.status, "ok");
  assert.deepEqual(texts(cells[0]!), ["stdout: an hour's work\n", "Error: kept too"]);
  assert.equal(cells[0]!.execution_count, 7);
  assert.deepEqual(cells[0]!.metadata.execution, execution);
  assert.deepEqual(texts(cells[1]!), ["1"]);
});

test("a cell that exceeds the timeout is stopped with an error", async () => {
  const { cells, result } = await run([code('console.log("begun"); while (true) {}'), code("2")], { timeout: 1 });
  assert.equal(result.status, "error");
  assert.deepEqual(texts(cells[0]!), ["stdout: begun\n", "CellTimeoutError: it ran longer than 1 s (--timeout)"]);
});

test("an interrupted run keeps the executed cells", async () => {
  const stop = new AbortController();
  const onCellStart: RunOptions["onCellStart"] = (_cell, index) => {
    if (index === 1) stop.abort();
  };
  const { cells, result } = await run([code("1"), code("while (true) {}"), code("3")], {
    signal: stop.signal,
    onCellStart,
  });
  assert.equal(result.status, "interrupted");
  assert.deepEqual(texts(cells[0]!), ["1"]);
  assert.deepEqual(texts(cells[2]!), []);
});

test("the environment, parameters and seeds are recorded", async () => {
  const { notebook } = await run([code("const seed = 1; const steps = 2;", "parameters"), code("steps")], {
    parameters: { steps: 9 },
  });
  const record = notebook.metadata.halftone as Record<string, unknown>;
  assert.equal(record.node, process.version);
  assert.equal(record.status, "ok");
  assert.equal(record.memory, os.totalmem());
  assert.deepEqual(record.parameters, { seed: 1, steps: 9 });
  assert.deepEqual(record.seeds, { seed: 1 });
  assert.ok(!("runtime" in record), "a notebook that did not load the library has no runtime");
});

test("imported packages and named files are recorded, also those of local imports", async () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "rows.csv"), "a,b\n1,2\n");
  writeFileSync(path.join(folder, "own.ts"), 'import "./deep.ts"; export const file: string = "rows.csv";');
  writeFileSync(path.join(folder, "deep.ts"), "export {};");
  mkdirSync(path.join(folder, "node_modules", "left"), { recursive: true });
  writeFileSync(path.join(folder, "node_modules", "left", "package.json"), '{"name": "left", "version": "3.2.1"}');
  writeFileSync(path.join(folder, "node_modules", "left", "index.js"), "module.exports = 1;");
  const cells = [
    code('import { file } from "./own.ts";\nimport fs from "node:fs"; const left = require("left");'),
    code('"valibot"'),
  ];
  const { notebook, result } = await run(cells, { folder });
  assert.equal(result.status, "ok", JSON.stringify(result.failed));
  const record = notebook.metadata.halftone as RunRecord;
  assert.deepEqual(record.packages, { left: "3.2.1" });
  assert.deepEqual(Object.keys(record.inputs), ["deep.ts", "own.ts", "rows.csv"]);
  // printf 'a,b\n1,2\n' | sha256sum
  assert.deepEqual(record.inputs["rows.csv"], {
    bytes: 8,
    sha256: "492d5ea496056f1a6a6592241032fab764c321596317930b4fa0e1e8bc3b7470",
  });
});

test("onChange is called before the first cell and after each cell", async () => {
  const seen: number[] = [];
  let notebook: Notebook | undefined;
  const cells = [code("1"), code("2")];
  const parsed = parseNotebook(notebookJson(cells), "n.ipynb");
  notebook = parsed;
  const onChange = () =>
    seen.push(notebook!.cells.filter((cell) => cell.cell_type === "code" && cell.outputs.length > 0).length);
  await runNotebook(parsed, { name: "n.ipynb", folder: os.tmpdir(), onChange });
  assert.deepEqual(seen, [0, 1, 2, 2]);
});

test("a notebook of another language is refused", async () => {
  const python = notebookJson([code("1")], {
    kernelspec: { name: "python3", display_name: "Python", language: "python" },
  });
  await assert.rejects(runNotebook(parseNotebook(python, "p.ipynb"), { name: "p.ipynb", folder: "." }), {
    name: "UserError",
    message: 'p.ipynb is a python notebook (kernel "python3"); halftone runs TypeScript and JavaScript notebooks.',
  });
});

test("the state of widgets is saved in the metadata, also after an error, and an earlier one is replaced", async () => {
  const earlier = {
    "application/vnd.jupyter.widget-state+json": { version_major: 2, version_minor: 0, state: { gone: {} } },
  };
  const source = [
    'import { HBox, Image, IntSlider } from "halftone/widgets";',
    "const slider = new IntSlider({ value: 3 }); const closed = new IntSlider(); closed.close();",
    "const image = new Image({ value: new Uint8Array([1, 2]) }); image.value = new Uint8Array([3]);",
    "for (let value = 0; value <= 70; value++) slider.value = value;",
    "new HBox({ children: [slider, image] })",
  ];
  const json = notebookJson([code(source.join("\n")), code("throw new Error('end')")]);
  const notebook = parseNotebook(json, "n.ipynb");
  notebook.metadata.widgets = { ...earlier, "application/x.other": 1 };
  const result = await runNotebook(notebook, { name: "n.ipynb", folder: os.tmpdir() });
  assert.equal(result.status, "error");
  assert.deepEqual(schemaFaults(formatNotebook(notebook)), []);
  const { "application/x.other": other, ...kept } = notebook.metadata.widgets as Record<string, unknown>;
  assert.equal(other, 1);
  const document = kept["application/vnd.jupyter.widget-state+json"] as WidgetState;
  const models = Object.values(document.state);
  const named = (name: string) => models.filter(({ model_name }) => model_name === `${name}Model`);
  assert.equal(named("IntSlider").length, 1);
  const [slider] = named("IntSlider");
  assert.deepEqual(
    [slider!.model_module, slider!.model_module_version, slider!.state.value],
    ["@jupyter-widgets/controls", "2.0.0", 70],
  );
  assert.deepEqual(named("Image")[0]!.buffers, [{ encoding: "base64", path: ["value"], data: "Aw==" }]);
  const [shown] = (notebook.cells[0] as CodeCell).outputs;
  const view = (shown as { data: Record<string, { model_id: string }> }).data[
    "application/vnd.jupyter.widget-view+json"
  ]!;
  assert.equal(document.state[view.model_id]!.model_name, "HBoxModel");
  const plain = await run([code("1")]);
  assert.equal(plain.notebook.metadata.widgets, undefined);
});
