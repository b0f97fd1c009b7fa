import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOrder } from "../../kernel/check/order/notebook-order.ts";

/** Cells as their execution count and code. */
function problemsIn(...cells: [count: number | null, source: string][]): string[] {
  const notebook = cells.map(([execution_count, source]) => ({
    cell_type: "code",
    source,
    execution_count,
    metadata: {},
  }));
  return checkOrder({ cells: notebook }).problems.map(({ cell, message }) => `${cell}: ${message}`);
}

test("cells that ran in order have no problems", () => {
  assert.deepEqual(problemsIn([1, "let x = f()"], [2, "x += 1"], [3, "x"]), []);
  assert.deepEqual(problemsIn([4, "let x = f()"], [7, "x"]), []);
});

test("a cell that ran before what it reads was set again is out of order", () => {
  assert.deepEqual(problemsIn([3, "let x = f()"], [2, "x"]), [
    "2: it ran as [2], before cell 1, run as [3], which sets x",
  ]);
  assert.deepEqual(problemsIn([3, "import { x } from 'package'"], [2, "x"]), []);
});

test("a cell that read what a later or an overwritten cell had set is out of order", () => {
  assert.deepEqual(problemsIn([1, "let x = f()"], [3, "x"], [2, "x = 5"]), [
    "2: it read x as cell 3, run as [2] set it; in order it reads that of cell 1, run as [1]",
  ]);
  assert.deepEqual(problemsIn([2, "let x = f()"], [1, "x = g()"], [3, "x"]), [
    "3: it read x as cell 1, run as [2] set it; in order it reads that of cell 2, run as [1]",
  ]);
});

test("a name that only a later cell sets, and a cell that has not run, are out of order", () => {
  assert.deepEqual(problemsIn([2, "x"], [1, "let x = 1"]), [
    "1: it reads x, which only cell 2, run as [1] after it sets",
  ]);
  assert.deepEqual(problemsIn([1, "let x = 1"], [null, "x"]), ["2: it has not run"]);
});

test("what a function reads counts where it is called, through other functions too", () => {
  assert.deepEqual(problemsIn([1, "function f() { return g() }"], [2, "function g() {}"], [3, "f()"]), []);
  assert.deepEqual(problemsIn([2, "class A { m() { return k } }"], [1, "const k = 1"], [3, "new A().m()"]), []);
  const functions = "const g = () => k; const h = () => g()";
  assert.deepEqual(problemsIn([1, "let k = f()"], [2, functions], [4, "k = 2"], [3, "h()"]), [
    "4: it ran as [3], before cell 3, run as [4], which sets k",
  ]);
  assert.deepEqual(problemsIn([2, "function f() { return k } f()"], [1, "let k = 1"]), [
    "1: it reads k, which only cell 2, run as [1] after it sets",
  ]);
});

test("cells that ran in the order of the notebook have no problems, whatever they read", () => {
  for (const reads of ["typeof k", "try { k } catch {}", "setTimeout(() => k)"])
    assert.deepEqual(problemsIn([1, reads], [2, "const k = 1"]), []);
});

test("a note counts the runs that are not in the notebook", () => {
  const cell = { cell_type: "code", source: "1", metadata: {}, execution_count: 4 };
  assert.match(checkOrder({ cells: [cell] }).note ?? "", /^3 of 4 runs are not in the notebook/);
  assert.equal(checkOrder({ cells: [{ ...cell, execution_count: 1 }] }).note, undefined);
  const notRun = checkOrder({ cells: [{ ...cell, execution_count: null }] });
  assert.deepEqual(notRun, { problems: [], note: "no cell has run" });
});
