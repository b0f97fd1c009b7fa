import assert from "node:assert/strict";
import { test } from "node:test";
import { openNotebook } from "./fixture.ts";

const { run } = openNotebook();

/** A declaration of `name`, and what `String(name)` is afterwards. */
const kinds: Record<string, (name: string) => string> = {
  const: (name) => `const ${name} = { toString: () => "const" }`,
  let: (name) => `let ${name}: unknown = { toString: () => "let" }`,
  var: (name) => `var ${name} = { toString: () => "var" }`,
  function: (name) => `function ${name}() {} ${name}.toString = () => "function"`,
  class: (name) => `class ${name} { static toString() { return "class" } }`,
  enum: (name) => `enum ${name} { A } (${name} as any).toString = () => "enum"`,
  namespace: (name) => `namespace ${name} { export const toString = () => "namespace" }`,
  import: (name) => `import ${name} from "node:path"; (${name} as any).toString = () => "import"`,
  destructuring: (name) => `const { [0]: ${name} } = [{ toString: () => "destructuring" }]`,
  "awaited const": (name) => `await null; const ${name} = { toString: () => "awaited const" }`,
  "awaited class": (name) => `await null; class ${name} { static toString() { return "awaited class" } }`,
  using: (name) => `using ${name} = { [Symbol.dispose]() {}, toString: () => "using" }`,
};

for (const [first, declareFirst] of Object.entries(kinds)) {
  test(`after ${first}, a name can be declared again as anything`, async () => {
    for (const [second, declareSecond] of Object.entries(kinds)) {
      const name = `x_${first}_${second}`.replace(/\W/g, "_");
      for (const [kind, declare] of [
        [first, declareFirst],
        [second, declareSecond],
      ] as const) {
        const { error } = await run(`${declare(name)};`);
        assert.equal(error, undefined, `${first} then ${second}: ${error?.traceback.join("\n")}`);
        assert.equal((await run(`String(${name})`)).text, `'${kind}'`, `${first} then ${second}`);
      }
    }
  });
}

test("a function of an earlier cell sees the latest declaration of a variable", async () => {
  await run("const factor = 2; function scaled(x: number) { return x * factor }");
  await run("const factor = 10");
  assert.equal((await run("scaled(4)")).text, "40");
});

test("a cell that failed half-way can be run again", async () => {
  const { error } = await run("const half = 1; const other = (() => { throw new Error('no') })()");
  assert.equal(error?.evalue, "no");
  assert.equal((await run("const half = 2; const other = 3; [half, other]")).text, "[ 2, 3 ]");
});

test("an enum and a namespace start empty when their cell runs again", async () => {
  await run("namespace Again { export const a = 1 } enum Once { A }");
  assert.equal(
    (await run("namespace Again { export const b = 2 } enum Once { B } [Object.keys(Again), Once.A]")).text,
    "[ [ 'b' ], undefined ]",
  );
});
