import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.ts";
import { openNotebook } from "./fixture.ts";

const folder = temporaryFolder();
function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

write({
  "package.json": `{"imports":{"#inner":"./inner.ts"}}`,
  "tsconfig.json": `{"compilerOptions":{"paths":{"~/*":["./lib/*"]}}}`,
  "node_modules/esm/package.json": `{"name":"esm","type":"module","exports":{".":"./a.js","./sub":"./b.js"}}`,
  "node_modules/esm/a.js": "export const a = 1; export default 'esm default'; export const live = { n: 0 };",
  "node_modules/esm/b.js": "export const b = 2;",
  "node_modules/cjs/index.js": "module.exports = Object.assign(() => 'called', { named: 'cjs named' });",
  "node_modules/both/package.json": `{"name":"both","exports":{"import":"./m.mjs","require":"./c.cjs"}}`,
  "node_modules/both/m.mjs": "export const how = 'import';",
  "node_modules/both/c.cjs": "exports.how = 'require';",
  "inner.ts": "export const inner: string = 'inner';",
  "lib/mapped.ts": "export const mapped = 'mapped';",
  "types.ts": "export interface Shape { a: number }; (globalThis as any).typesLoaded = true; export class Real {}",
  "effect.ts": "(globalThis as any).effect = ((globalThis as any).effect ?? 0) + 1;",
  "view.tsx": "/** @jsxImportSource esmjsx */\nexport const view = () => <p id='x'>hi</p>;",
  "node_modules/esmjsx/package.json": `{"name":"esmjsx","type":"module","exports":{"./jsx-runtime":"./j.js"}}`,
  "node_modules/esmjsx/j.js": "export const jsx = (type, props) => type + props.id; export const jsxs = jsx;",
  "kinds.ts": `
    export enum Mode { Off, On }
    export namespace Deep { export const x = 3 }
    export class Point { constructor(public x: number) {} }
    function twice(f: any, _: unknown) { return function (this: any) { return 2 * f.call(this) } }
    export class Decorated { @twice f() { return 4 } }
    export default function main() { return "main" }`,
  "plain.js": "export const plain = 'js';",
  "old.cjs": "exports.old = 'cjs'; exports.other = require('./older.cjs').older;",
  "older.cjs": "exports.older = 1;",
  "data.json": `{"rows":[1,2]}`,
  "boom.ts": "type Pad = string;\n\nexport function boom(): never {\n  throw new Error('in a file');\n}\n",
  "broken.ts": "export const a: number = ;\n",
  "dir/index.ts": "export const indexed = 'index';",
});

const { run } = openNotebook({ cwd: folder });

const matrix: [what: string, code: string, text: string][] = [
  ["a built-in by its name", `import { join } from "path"; join("a", "b")`, "'a/b'"],
  ["a built-in with node:", `import fs, { existsSync } from "node:fs"; fs.existsSync === existsSync`, "true"],
  ["default and names", `import d, { a } from "esm"; [d, a]`, "[ 'esm default', 1 ]"],
  ["a namespace", `import * as ns from "esm"; Object.keys(ns)`, "[ 'a', 'default', 'live' ]"],
  ["default and namespace", `import dd, * as nn from "esm"; [dd, nn.a]`, "[ 'esm default', 1 ]"],
  ["a renamed name", `import { a as first, default as other } from "esm"; [first, other]`, "[ 1, 'esm default' ]"],
  ["a name that is a string", `import { "a" as quoted } from "esm"; quoted`, "1"],
  ["a package's subpath", `import { b } from "esm/sub"; b`, "2"],
  ["CommonJS by default", `import call from "cjs"; call()`, "'called'"],
  ["a name of CommonJS that Node does not find", `import { named } from "cjs"; named`, "'cjs named'"],
  ["the import condition", `import { how } from "both"; how`, "'import'"],
  ["the require condition", `require("both").how`, "'require'"],
  ["package.json's own imports", `import { inner } from "#inner"; inner`, "'inner'"],
  ["tsconfig's paths", `import { mapped } from "~/mapped"; mapped`, "'mapped'"],
  ["TypeScript with its extension", `import { inner as i1 } from "./inner.ts"; i1`, "'inner'"],
  ["TypeScript without an extension", `import { inner as i2 } from "./inner"; i2`, "'inner'"],
  ["TypeScript as .js", `import { inner as i3 } from "./inner.js"; i3`, "'inner'"],
  ["a folder's index", `import { indexed } from "./dir"; indexed`, "'index'"],
  [
    "every TypeScript syntax",
    `import m, { Mode, Deep, Point, Decorated } from "./kinds.ts"; [m(), Mode.On, Deep.x, new Point(5).x, new Decorated().f()]`,
    "[ 'main', 1, 3, 5, 8 ]",
  ],
  ["TSX", `import { view } from "./view.tsx"; view()`, "'px'"],
  ["JavaScript", `import { plain } from "./plain.js"; plain`, "'js'"],
  ["local CommonJS", `import { old, other as o2 } from "./old.cjs"; [old, o2]`, "[ 'cjs', 1 ]"],
  ["JSON", `import data from "./data.json"; data.rows`, "[ 1, 2 ]"],
  ["JSON with its attribute", `import data2 from "./data.json" with { type: "json" }; data2.rows`, "[ 1, 2 ]"],
  ["a file: URL", `(await import(new URL("./plain.js", import.meta.url).href)).plain`, "'js'"],
  ["a data: URL", `(await import("data:text/javascript,export default 5")).default`, "5"],
  [
    "dynamically",
    `const { a: da } = await import("esm"); const name = "./inner"; [da, (await import(name)).inner]`,
    "[ 1, 'inner' ]",
  ],
  [
    "dynamically inside a function",
    `const lazy = async () => (await import("./plain.js")).plain; await lazy()`,
    "'js'",
  ],
  ["by require, TypeScript too", `[require("./old.cjs").old, require("./inner.ts").inner]`, "[ 'cjs', 'inner' ]"],
  ["by import-equals", `import eq = require("node:path"); eq.sep`, "'/'"],
  ["above its statement", `const s = sepLater; import { sep as sepLater } from "node:path"; s`, "'/'"],
  [
    "the same module twice, one instance",
    `import { live as l1 } from "esm"; l1.n++; import { live as l2 } from "esm"; l2.n`,
    "1",
  ],
  ["import.meta.resolve", `import.meta.resolve("esm/sub").endsWith("node_modules/esm/b.js")`, "true"],
  ["a package of the kernel's own", `import * as v from "valibot"; v.parse(v.string(), "x")`, "'x'"],
];

for (const [what, code, text] of matrix) {
  test(`a cell imports ${what}`, async () => {
    const ran = await run(code);
    assert.equal(ran.error, undefined, ran.error?.traceback.join("\n"));
    assert.equal(ran.text, text);
  });
}

test("a module imported only for types is not loaded until a later cell uses it as a value", async () => {
  await run(
    `import { Real, Shape } from "./types"; import type { Shape as S2 } from "./types"; let r: Real; let s: Shape | S2`,
  );
  assert.equal((await run("(globalThis as any).typesLoaded")).text, undefined);
  assert.equal((await run("typeof new Real()")).text, "'object'");
  assert.equal((await run("(globalThis as any).typesLoaded")).text, "true");
});

test("an import without names runs its module", async () => {
  await run(`import "./effect.ts"`);
  assert.equal((await run("(globalThis as any).effect")).text, "1");
});

test("an unused interface may be imported together with values", async () => {
  assert.equal((await run(`import { Shape as Unused, Real as Used } from "./types"; typeof Used`)).text, "'function'");
});

test("a name that a module lacks is an error where it is used", async () => {
  const { error } = await run(`import { nope } from "esm"; nope`);
  assert.equal(error?.evalue, "The module 'esm' does not provide an export named 'nope'");
  assert.equal((await run(`import { nopeLater } from "esm"`)).error, undefined);
  assert.match((await run("nopeLater()")).error!.evalue, /'esm' does not provide an export named 'nopeLater'/);
});

test("an edited file, and what imports it, is loaded again at the next import", async () => {
  write({
    "edit/leaf.ts": "export const leaf = 1;",
    "edit/tree.ts": `export { leaf } from "./leaf.js"; export const kept = {};`,
  });
  assert.equal((await run(`import * as before from "./edit/tree"; before.leaf`)).text, "1");
  assert.equal((await run(`import * as again from "./edit/tree"; again.kept === before.kept`)).text, "true");
  write({ "edit/leaf.ts": "export const leaf = 2;" });
  assert.equal(
    (await run(`import * as after from "./edit/tree"; [after.leaf, after.kept === before.kept]`)).text,
    "[ 2, false ]",
  );
});

test("an edited file is loaded again by require", async () => {
  write({ "edit/a.cjs": "exports.a = require('./b.cjs').b;", "edit/b.cjs": "exports.b = 1;" });
  assert.equal((await run(`require("./edit/a.cjs").a`)).text, "1");
  write({ "edit/b.cjs": "exports.b = 222;" });
  assert.equal((await run(`require("./edit/a.cjs").a`)).text, "222");
});

test("a missing package is named, with the line that installs it", async () => {
  const { error } = await run(`\nimport x from "no-such-package/sub"`);
  assert.equal(error?.ename, "ModuleNotFoundError");
  assert.match(error!.evalue, /'no-such-package\/sub'.*; install it in a cell: %install no-such-package$/);
  assert.ok(error!.evalue.includes(folder));
  assert.match(error!.traceback.join("\n"), /at cell \[\d+\]:2:1/);
});

test("a missing file is named", async () => {
  const { error } = await run(`import "./no-such-file.ts"`);
  assert.match(error!.evalue, /Cannot find the file '\.\/no-such-file\.ts'/);
});

test("a syntax error in a file names the file's line and column", async () => {
  const { error } = await run(`import "./broken.ts"`);
  assert.equal(error?.ename, "SyntaxError");
  assert.ok(error!.evalue.includes(`${path.join(folder, "broken.ts")}:1:26`), error!.evalue);
});

test("an error thrown in a file shows the file's own line, and the cell's", async () => {
  const { error } = await run(`import { boom } from "./boom"\nboom()`);
  const trace = error!.traceback.join("\n");
  assert.ok(trace.includes(`at boom (${path.join(folder, "boom.ts")}:4:9)`), trace);
  assert.match(trace, /at cell \[\d+\]:2:1/);
  assert.match(trace, /> 4 \| {3}throw new Error/);
});
