import assert from "node:assert/strict";
import { test } from "node:test";
import { analyzeCell } from "../../kernel/check/program/cell-analysis.ts";
import { Program } from "../../kernel/check/program/program.ts";
import { parseCell } from "../../kernel/compile/parse.ts";

/** All that the language server takes for a list of imports: with another list it builds its program anew. */
function importsIn(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import\()\s*"([^"]+)"/g)].map(([, specifier]) => specifier!);
}

function run(history: Program, code: string): void {
  const { text, body } = parseCell(code);
  history.succeed(history.begin(text, analyzeCell(body), false));
}

test("a cell that declares and uses names changes one file of the program, and no list of imports", () => {
  const history = new Program();
  run(history, "const a0 = [1]; let total = 0; class Box0<T> { value!: T }");
  let before = new Map(history.files());
  let pages = before.size;
  for (let cell = 1; cell <= 500; cell++) {
    const uses = `a${cell - 1}.length + a${Math.floor(cell / 2)}.length`;
    run(history, `const a${cell} = [${uses}]; class Box${cell} extends Box${cell - 1}<string> {}; total += ${cell};`);
    const after = new Map(history.files());
    const changed = [...after].filter(([module, text]) => before.get(module) !== text);
    if (after.size > pages) {
      // Now and then the pages are full. One more of them is one more file in the history's list.
      assert.equal(after.size, pages + 1);
      assert.equal(changed.length, 2);
      pages = after.size;
    } else {
      assert.equal(changed.length, 1, `cell ${cell}`);
      const [[module, text]] = changed as [[string, string]];
      assert.deepEqual(importsIn(text), importsIn(before.get(module)!), `cell ${cell}`);
    }
    before = after;
  }
  assert.ok(pages < 40, `${pages} files for 500 cells`);
});

test("the size of a cell's file does not grow with the notebook", () => {
  const history = new Program();
  const sizes: number[] = [];
  for (let cell = 0; cell < 500; cell++) {
    run(
      history,
      `const a${cell} = [${cell}, 2].map((v) => v + 1);\nfunction f${cell}(x: number) { return a${cell}[0]! + x; }`,
    );
    if (cell % 100 === 99) sizes.push(Math.max(...[...history.files()].map(([, text]) => text.length)));
  }
  assert.ok(sizes.at(-1)! <= 10_000, `the largest file has ${sizes.at(-1)} characters`);
  const { text } = history.current("a500", analyzeCell(parseCell("a500").body));
  assert.ok(text.length < 300, text);
});
