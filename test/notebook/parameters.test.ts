import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNotebook } from "../../src/notebook/nbformat.ts";
import {
  givenParameters,
  injectParameters,
  type Parameters,
  parametersFor,
  parameterValues,
} from "../../src/notebook/parameters.ts";
import { code, markdown, notebookJson, type RawCell } from "./cells.ts";

const defaults = code(
  'let steps = 200;\nconst rate: number = 1e-3, mode: "a" | "b" = "a";\nconst sizes = [1, 2];',
  "parameters",
);
const load = (...cells: RawCell[]) => parseNotebook(notebookJson(cells), "n.ipynb");

function injected(given: Parameters, ...cells: RawCell[]) {
  const notebook = load(...cells);
  injectParameters(notebook, given, "n.ipynb");
  return notebook;
}

test("given parameters stand in a tagged cell after the parameters cell, declared as they were", () => {
  const notebook = injected({ steps: 5, mode: "b", sizes: [3] }, markdown("text"), defaults, code("steps"));
  assert.deepEqual(
    notebook.cells.map(({ metadata }) => metadata.tags),
    [undefined, ["parameters"], ["injected-parameters"], undefined],
  );
  assert.equal(
    notebook.cells[2]!.source,
    '// Parameters\nlet steps = 5;\nconst mode: "a" | "b" = "b";\nconst sizes = [3];',
  );
});

test("a second run replaces the injected cell", () => {
  const earlier = code("// Parameters\nlet steps = 1;", "injected-parameters");
  const notebook = injected({ steps: 7 }, defaults, earlier, code("steps"));
  assert.equal(notebook.cells.length, 3);
  assert.equal(notebook.cells[1]!.source, "// Parameters\nlet steps = 7;");
});

test("the values in force are the literal defaults and what was given", () => {
  const computed = code("const seed = 1_000;\nconst when = Date.now();\nconst name = 'x';", "parameters");
  assert.deepEqual(parameterValues(injected({ name: "y" }, computed)), { seed: 1000, name: "y" });
});

test("an unknown parameter is refused with those there are and the closest", () => {
  assert.throws(() => injected({ step: 1 }, defaults), {
    name: "NotebookProblem",
    message: 'n.ipynb has no parameter "step". Did you mean "steps"? It has: steps, rate, mode, sizes.',
  });
  assert.throws(() => injected({ temperature: 1 }, defaults), /no parameter "temperature"\. It has: steps/);
  assert.throws(() => injected({ steps: 1 }, code("const steps = 1")), /no code cell has the tag "parameters"/);
});

test("values are read as a person means them", () => {
  const words = [
    "a=1",
    "b=-2.5e-3",
    "c=true",
    "d=False",
    "e=None",
    "f=text, plain",
    'g={"x": [1]}',
    'h="1"',
    "i=",
    "j=1=2",
    "k=0x10",
  ];
  assert.deepEqual(givenParameters({ parameter: words, raw: ["l=1"] }), {
    a: 1,
    b: -0.0025,
    c: true,
    d: false,
    e: null,
    f: "text, plain",
    g: { x: [1] },
    h: "1",
    i: "",
    j: "1=2",
    k: "0x10",
    l: "1",
  });
});

test("a value that would be changed on the way is refused", () => {
  assert.throws(() => givenParameters({ parameter: ["id=12345678901234567890"] }), /exactly; pass it as text with -r/);
  assert.throws(() => givenParameters({ parameter: ["x=[1,"] }), /not valid JSON/);
  assert.throws(() => givenParameters({ parameter: ["x"] }), /write it as -p name=value/);
});

test("several notebooks each take the parameters they have", () => {
  const two = [load(defaults), load(code("const steps = 1; const depth = 2;", "parameters"))];
  const inputs = two.map((notebook, at) => ({ input: `${at}.ipynb`, notebook }));
  assert.deepEqual(parametersFor(inputs, { steps: 3, depth: 4 }), [{ steps: 3 }, { steps: 3, depth: 4 }]);
  assert.throws(() => parametersFor(inputs, { width: 1 }), /no parameter "width"/);
});
