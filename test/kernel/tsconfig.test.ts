import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { SessionOptions } from "../../kernel/session/options.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook } from "./fixture.ts";

const types = { policy: "error", patience: 120_000 } as const;

/** A notebook in a folder with these files. */
function notebook(files: Record<string, string>, options: Partial<SessionOptions> = {}) {
  const folder = temporaryFolder();
  const write = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const { run } = openNotebook({ cwd: folder, types, ...options });
  const value = async (code: string) => {
    const { error, text } = await run(code);
    assert.equal(error, undefined, error?.traceback.join("\n"));
    return text;
  };
  return { run, value, write };
}

/** A tsconfig.json that extends one of a package, which holds these options. */
const fromPackage = (compilerOptions: object) => ({
  "tsconfig.json": '{ "extends": "shared-options/base.json" }',
  "node_modules/shared-options/package.json": '{ "name": "shared-options", "version": "1.0.0" }',
  "node_modules/shared-options/base.json": JSON.stringify({ compilerOptions }),
});

const factory = `const h = (type: string, props: object | null, ...children: unknown[]) => [type, props, ...children];
declare global { namespace JSX { interface IntrinsicElements { p: { id: string } } } }`;

test("jsx and jsxFactory of an extended package's tsconfig compile a cell and an imported file", async () => {
  const { value } = notebook({
    ...fromPackage({ jsx: "react", jsxFactory: "h" }),
    "view.tsx": `import { h } from "./h.ts";\nexport const view = <p id="file">2</p>;`,
    "h.ts": `export ${factory}`,
  });
  await value(`export ${factory}`);
  assert.equal(await value(`<p id="cell">1</p>`), "[ 'p', { id: 'cell' }, '1' ]");
  assert.equal(await value(`import { view } from "./view.tsx"; view`), "[ 'p', { id: 'file' }, '2' ]");
  assert.equal(await value(`require("./view.tsx").view`), "[ 'p', { id: 'file' }, '2' ]");
});

const decorated = `const calls: string[] = [];
function log(_target: object, key: string, _descriptor: PropertyDescriptor) { calls.push(key); }
class Logged { @log method() {} }`;

test("experimentalDecorators of an extended package's tsconfig decides in a cell and an imported file", async () => {
  const { value } = notebook({
    ...fromPackage({ experimentalDecorators: true }),
    "logged.ts": `${decorated}\nexport { calls, Logged };`,
  });
  assert.equal(await value(`${decorated}\ncalls`), "[ 'method' ]");
  assert.equal(await value(`import { calls as imported } from "./logged.ts"; imported`), "[ 'method' ]");
  assert.equal(await value(`require("./logged.ts").calls`), "[ 'method' ]");
});

const shadowing = `class Base { seen: string[] = []; set x(value: number) { this.seen.push("set " + value); } }
// @ts-ignore
class Derived extends Base { x = 1; later?: string }
const fields = () => [new Derived().seen, "later" in new Derived()];`;

for (const [options, expected] of [
  [{ useDefineForClassFields: false }, "[ [ 'set 1' ], false ]"],
  [{ target: "es2021" }, "[ [ 'set 1' ], false ]"],
  [{ useDefineForClassFields: true }, "[ [], true ]"],
  [{}, "[ [], true ]"],
] as const)
  test(`class fields follow an extended package's ${JSON.stringify(options)} in a cell and an imported file`, async () => {
    const { value } = notebook({ ...fromPackage(options), "fields.ts": `${shadowing}\nexport { fields };` });
    assert.equal(await value(`${shadowing}\nfields()`), expected);
    assert.equal(await value(`import { fields as imported } from "./fields.ts"; imported()`), expected);
    assert.equal(await value(`require("./fields.ts").fields()`), expected);
  });

test("fields without types are assigned too where the tsconfig says so", async () => {
  const { value } = notebook(fromPackage({ useDefineForClassFields: false, strict: false }));
  assert.equal(await value("class Plain { a; b = 1 }\nObject.keys(new Plain())"), "[ 'b' ]");
});

test("the notebook's own compiler options go before the tsconfig's when a cell is compiled", async () => {
  const { value } = notebook(fromPackage({ useDefineForClassFields: true }), {
    types: { ...types, compilerOptions: { useDefineForClassFields: false } },
  });
  assert.equal(await value(`${shadowing}\nfields()`), "[ [ 'set 1' ], false ]");
});

test("paths of an extended package's tsconfig start at that package, for the checker and the loader", async () => {
  const { value, run } = notebook({
    ...fromPackage({ paths: { "~/*": ["../../lib/*"] } }),
    "lib/side.ts": "export const side: number = 3;",
  });
  assert.equal(await value(`import { side } from "~/side"; side`), "3");
  const { error } = await run(`import { side } from "~/side"; const text: string = side;`);
  assert.match(error!.evalue, /^Type 'number' is not assignable to type 'string'/);
});

test("an edited tsconfig counts for the next cell, also one that the nearest extends", async () => {
  const { value, write } = notebook({ "tsconfig.json": '{ "extends": "./base.json" }', "base.json": "{}" });
  assert.equal(await value(`${shadowing}\nfields()`), "[ [], true ]");
  write("base.json", '{ "compilerOptions": { "useDefineForClassFields": false } }');
  assert.equal(await value(`${shadowing}\nfields()`), "[ [ 'set 1' ], false ]");
});

test("a tsconfig that extends a missing file is reported, and cells are compiled and checked with the defaults", async () => {
  const { run } = notebook({
    "tsconfig.json": '{ "extends": "missing/base.json", "compilerOptions": { "useDefineForClassFields": false } }',
  });
  const { outputs } = await run(`${shadowing}\nfields()`);
  const texts = outputs.map((output) => "data" in output && String(output.data["text/plain"]));
  assert.match(String(texts[0]), /tsconfig\.json could not be read \(File 'missing\/base\.json' not found\.\)/);
  assert.equal(texts[1], "[ [], true ]");
});
