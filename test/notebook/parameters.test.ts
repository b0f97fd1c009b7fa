import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parseNotebook } from "../../src/notebook/nbformat.ts";
import {
  givenParameters,
  injectParameters,
  type Parameters,
  parametersFor,
  parameterValues,
} from "../../src/notebook/parameters.ts";
import { temporaryFolder } from "../temporary-folder.ts";
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

test("given parameters are injected in a tagged cell after the parameters cell, with the same declarations", () => {
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

test("the effective values are the literal defaults and the given parameters", () => {
  const computed = code("const seed = 1_000;\nconst when = Date.now();\nconst name = 'x';", "parameters");
  assert.deepEqual(parameterValues(injected({ name: "y" }, computed)), { seed: 1000, name: "y" });
});

test("an unknown parameter is refused with the closest and all known names", () => {
  assert.throws(() => injected({ step: 1 }, defaults), {
    name: "UserError",
    message: 'n.ipynb has no parameter "step". Did you mean "steps"? It has: steps, rate, mode, sizes.',
  });
  assert.throws(() => injected({ temperature: 1 }, defaults), /no parameter "temperature"\. It has: steps/);
  assert.throws(() => injected({ steps: 1 }, code("const steps = 1")), /no code cell has the tag "parameters"/);
});

test("values are read as numbers, true, false, null, JSON or text", () => {
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

test("numbers are read as papermill's command line reads them", () => {
  // papermill 2.7.0: repr(papermill.cli._resolve_type(text)) for each of these.
  const numbers: [text: string, value: unknown][] = [
    ["-0", 0],
    ["+5", 5],
    ["007", 7],
    [" 7 ", 7],
    ["1_000", 1000],
    ["1e-3", 0.001],
    ["1E5", 100000],
    [".5", 0.5],
    ["5.", 5],
    ["-.5e+2", -50],
    ["1_0.2_5", 10.25],
    ["inf", Infinity],
    ["-inf", -Infinity],
    ["+Infinity", Infinity],
    ["iNfInItY", Infinity],
    ["nan", NaN],
    ["-nan", NaN],
    ["NaN", NaN],
    ["1e400", Infinity],
    ["-1e400", -Infinity],
    ["1e-400", 0],
    ["9007199254740991", 9007199254740991],
    ["1e22", 1e22],
    ["True", true],
    ["None", null],
  ];
  const texts = ["1__0", "0x10", "1e", "e5", "1.2.3", "infinite", "in f", "", "12a"];
  for (const [text, value] of [...numbers, ...texts.map((each): [string, unknown] => [each, each])])
    assert.deepEqual(givenParameters({ parameter: [`x=${text}`] }), { x: value }, text);
});

test("numbers that JSON lacks reach the cell, the record and a later run", () => {
  const notebook = injected({ steps: Infinity, rate: Number.NaN, sizes: [-Infinity, -0, { a: Infinity }] }, defaults);
  assert.equal(
    notebook.cells[1]!.source,
    '// Parameters\nlet steps = Infinity;\nconst rate: number = NaN;\nconst sizes = [-Infinity,-0,{"a":Infinity}];',
  );
  const values = parameterValues(notebook);
  assert.deepEqual(
    JSON.parse(JSON.stringify(values)),
    JSON.parse(
      JSON.stringify({
        steps: { number: "Infinity" },
        mode: "a",
        rate: { number: "NaN" },
        sizes: [{ number: "-Infinity" }, 0, { a: { number: "Infinity" } }],
      }),
    ),
  );
  const text = parameterValues(injected({ steps: "Infinity" }, defaults)).steps;
  assert.equal(text, "Infinity");
});

test("an integer that a number cannot hold exactly is refused everywhere", () => {
  // 2^53 and 2^53 + 1 are one number.
  for (const text of ["9007199254740992", "-9007199254740993", "12_345_678_901_234_567_890", "10000000000000000000000"])
    assert.throws(
      () => givenParameters({ parameter: [`id=${text}`] }),
      /-p id=.*beyond 2\^53\); pass it as text with -r id=/,
    );
  assert.throws(
    () => givenParameters({ parameter: ['x={"a": [9007199254740993]}'] }),
    /the integer 9007199254740993 exactly/,
  );
  const file = path.join(temporaryFolder(), "p.json");
  writeFileSync(file, '{"a": "9007199254740993", "b": 1e300, "c": {"d": [1, 9007199254740993]}}');
  assert.throws(
    () => givenParameters({ parametersFile: file }),
    /-f .*p\.json: .*9007199254740993.*write it as text, "9007199254740993"\.$/,
  );
  writeFileSync(file, '{"a": "9007199254740993 NaN", "b": [NaN, -Infinity, 1e400], "c": 9007199254740991}');
  assert.deepEqual(givenParameters({ parametersFile: file }), {
    a: "9007199254740993 NaN",
    b: [NaN, -Infinity, Infinity],
    c: 9007199254740991,
  });
});

test("invalid JSON and arguments without = are refused", () => {
  assert.throws(() => givenParameters({ parameter: ["x=[1,"] }), /not valid JSON/);
  assert.throws(() => givenParameters({ parameter: ["x"] }), /write it as -p name=value/);
});

test("each of several notebooks takes the parameters that it declares", () => {
  const two = [load(defaults), load(code("const steps = 1; const depth = 2;", "parameters"))];
  const inputs = two.map((notebook, at) => ({ input: `${at}.ipynb`, notebook }));
  assert.deepEqual(parametersFor(inputs, { steps: 3, depth: 4 }), [{ steps: 3 }, { steps: 3, depth: 4 }]);
  assert.throws(() => parametersFor(inputs, { width: 1 }), /no parameter "width"/);
});
