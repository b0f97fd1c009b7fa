import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { formatNotebook, parseNotebook, readNotebook, writeNotebook } from "../../src/notebook/nbformat.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { code, markdown, notebookJson } from "./cells.ts";
import { pythonWithNbformat } from "./python.ts";
import { schemaFaults } from "./schema.ts";

const gallery = new URL("../../../test/notebook/fixtures/gallery.ipynb", import.meta.url).pathname;

test("a notebook of nbformat 4.0 becomes a valid one of 4.5, its cells with ids", () => {
  const old = JSON.stringify({
    nbformat: 4,
    nbformat_minor: 0,
    metadata: { orig_nbformat: 3, custom: { kept: true } },
    cells: [code("1"), markdown("text"), { cell_type: "raw", metadata: {}, source: ["a\n", "b"] }],
  });
  const notebook = parseNotebook(old, "old.ipynb");
  const written = formatNotebook(notebook);
  assert.deepEqual(schemaFaults(written), []);
  assert.equal(notebook.nbformat_minor, 5);
  assert.equal(new Set(notebook.cells.map(({ id }) => id)).size, 3);
  assert.equal(notebook.cells[2]!.source, "a\nb");
  assert.deepEqual(notebook.metadata.custom, { kept: true });
  assert.ok(!written.includes("orig_nbformat"));
});

test("the schema check can fail", () => {
  assert.notDeepEqual(schemaFaults(notebookJson([{ ...code("1"), outputs: [{ output_type: "stream" }] }])), []);
});

test("half a surrogate pair is written as U+FFFD, which Python can write again", () => {
  const halves = { ...code("'\ud83d'"), outputs: [{ output_type: "stream", name: "stdout", text: "\udc00\\ud83d" }] };
  const [cell] = parseNotebook(formatNotebook(parseNotebook(notebookJson([halves]), "x.ipynb")), "x.ipynb").cells;
  assert.equal(cell?.source, "'\ufffd'");
  assert.match(JSON.stringify(cell), /"text":"\ufffd\\\\ud83d"/);
});

test("duplicate and malformed ids are replaced, others are kept", () => {
  const cells = [
    { ...code("1"), id: "same" },
    { ...code("2"), id: "same" },
    { ...code("3"), id: "not valid!" },
  ];
  const [first, second, third] = parseNotebook(notebookJson(cells), "x.ipynb").cells.map(({ id }) => id);
  assert.equal(first, "same");
  assert.notEqual(second, "same");
  assert.match(third!, /^[a-zA-Z0-9-_]{1,64}$/);
});

test("a notebook is written byte for byte as Jupyter's own writer does", (context) => {
  const found = pythonWithNbformat();
  if ("lacking" in found) return context.skip(found.lacking);
  const folder = temporaryFolder();
  const notebook = readNotebook(gallery);
  notebook.metadata["10"] = { z: [], a: {}, é: '\u2028 \u0001 "\\ \u007f' };
  notebook.metadata["9"] = null;
  notebook.cells[0]!.source += "\r\nnext\u2028line\u0085and\fmore\n";
  const ours = path.join(folder, "ours.ipynb");
  const theirs = path.join(folder, "theirs.ipynb");
  writeNotebook(ours, notebook);
  const script = `
import nbformat, sys
notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
nbformat.write(notebook, sys.argv[2])`;
  execFileSync(found.python, ["-W", "error", "-c", script, ours, theirs]);
  assert.equal(readFileSync(ours, "utf8"), readFileSync(theirs, "utf8"));
});

const refused: [what: string, json: string, message: RegExp][] = [
  ["nbformat 3", '{"nbformat": 3, "worksheets": []}', /old nbformat 3.*jupyter nbconvert --to notebook/],
  ["nbformat 5", '{"nbformat": 5}', /nbformat 5, newer/],
  ["an empty file", "", /is empty/],
  ["a missing comma", '{\n "a": 1\n "b": 2}', /not valid JSON at line 3, column 2/],
  ["an unquoted word", '{"cells": [\n  1,\n  oops]}', /line 3, column 3/],
  ["a file cut off", '{"cells": [', /line 1, column 12/],
  ["something after the end", "{} {}", /line 1, column 4/],
  ["a bad escape", '{"a":\n"\\x"}', /line 2, column 1/],
  ["a cell without a source", notebookJson([{ cell_type: "code", metadata: {} } as never]), /cells\[0\]\.source/],
  ["a list", "[]", /not a notebook/],
  ["a list as metadata", notebookJson([], [] as never), /metadata should be an object, but is a list/],
  [
    "an unknown kind of cell",
    notebookJson([{ cell_type: "x" } as never]),
    /cell_type should be "code", "markdown" or "raw"/,
  ],
];

for (const [what, json, message] of refused) {
  test(`${what} is refused with the reason`, () => {
    assert.throws(() => parseNotebook(json, "bad.ipynb"), { name: "UserError", message });
  });
}

test("missing files and files of another type are refused", () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "notes.txt"), "{}");
  assert.throws(() => readNotebook(path.join(folder, "notes.txt")), /must end in \.ipynb/);
  assert.throws(() => readNotebook(path.join(folder, "none.ipynb")), /no notebook at/);
});
