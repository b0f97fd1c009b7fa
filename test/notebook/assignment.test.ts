import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import MarkdownIt from "markdown-it";
import { studentVersion } from "../../src/notebook/assignment.ts";
import { type Cell, parseNotebook } from "../../src/notebook/nbformat.ts";
import { code, markdown, notebookJson, type RawCell } from "./cells.ts";

type Part = { grade?: boolean; solution?: boolean; locked?: boolean; task?: boolean; points?: number };

function part(grade_id: string, cell: RawCell, more: Part): RawCell {
  const nbgrader = { grade: false, solution: false, locked: false, task: false, schema_version: 3, grade_id, ...more };
  return { ...cell, metadata: { nbgrader } };
}
const student = (...cells: RawCell[]): Cell[] =>
  studentVersion(parseNotebook(notebookJson(cells), "a.ipynb"), "a.ipynb").cells;

// nbgrader's own versions are compared in test/peers/nbgrader.test.ts.

test("a solution region becomes an indented stub; a solution cell without a region becomes a stub as a whole", () => {
  const region = "f(() => {\n  // BEGIN SOLUTION\n  return 1;\n  // END SOLUTION\n});";
  const [first, second, third] = student(
    part("a", code(region), { solution: true }),
    part("b", code("const b = 2;"), { solution: true }),
    part("c", markdown("because"), { solution: true, grade: true, points: 2 }),
  );
  assert.equal(first!.source, 'f(() => {\n  // YOUR CODE HERE\n  throw new Error("not implemented");\n});');
  assert.equal(second!.source, '// YOUR CODE HERE\nthrow new Error("not implemented");');
  assert.equal(third!.source, "YOUR ANSWER HERE");
});

test("hidden tests and outputs are removed, and the checksum covers the rest", () => {
  const test = { ...code("1;\n// BEGIN HIDDEN TESTS\n2;\n// END HIDDEN TESTS\n3"), execution_count: 4 };
  const [cell] = student(part("t", test, { grade: true, points: 1.5 }));
  assert.equal(cell!.source, "1;\n3");
  assert.equal(cell!.cell_type === "code" && cell!.execution_count, null);
  assert.deepEqual([cell!.metadata.deletable, cell!.metadata.editable], [false, false]);
  // Source, type, grade, solution, locked, id and points, as nbgrader/utils.py strings them together.
  const expected = createHash("md5").update("1;\n3codeTrueFalseTruet1.5").digest("hex");
  assert.equal((cell!.metadata.nbgrader as { checksum: string }).checksum, expected);
});

test("the course's mark schemes are lists, a point each, that add up to the task's points", () => {
  const sources = fileURLToPath(new URL("../../../notebooks/assignments/source/", import.meta.url));
  for (const name of readdirSync(sources)) {
    const { cells } = parseNotebook(readFileSync(path.join(sources, name, `${name}.ipynb`), "utf8"), name);
    const tasks = cells.filter(({ metadata }) => (metadata.nbgrader as Part | undefined)?.task);
    assert.equal(tasks.length, 1, name);
    const html = new MarkdownIt({ html: true }).render(tasks[0]!.source);
    const points = [...html.matchAll(/<li>(\d+) points?: /g)].map(([, value]) => Number(value));
    const sum = points.reduce((total, each) => total + each, 0);
    assert.equal(sum, (tasks[0]!.metadata.nbgrader as Part).points, name);
  }
});

const solved = "// BEGIN SOLUTION\n1\n// END SOLUTION";
const hidden = "// BEGIN HIDDEN TESTS\n1\n// END HIDDEN TESTS";
const refusals: [string, RawCell[], RegExp][] = [
  ["no part of nbgrader", [code("1")], /a\.ipynb is not an assignment: no cell has nbgrader metadata/],
  [
    "a loose solution",
    [part("a", code(solved), { grade: true, points: 1 })],
    /outside a solution cell, in the cell that begins/,
  ],
  ["loose hidden tests", [part("a", code(hidden), { locked: true })], /hidden tests are outside a test cell/],
  ["an open region", [part("a", code("// BEGIN SOLUTION"), { solution: true })], /BEGIN SOLUTION has no END SOLUTION/],
  ["one id twice", [1, 2].map(() => part("a", code("1"), { solution: true })), /grade_id "a" is used twice/],
  ["a test without points", [part("a", code("1"), { grade: true })], /"a" has no points/],
  [
    "text that is only graded",
    [part("a", markdown("1"), { grade: true, points: 1 })],
    /graded and a solution, or neither/,
  ],
];
for (const [what, cells, message] of refusals) {
  test(`${what} is refused`, () => {
    assert.throws(() => student(...cells), { name: "UserError", message });
  });
}
