import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../temporary-folder.ts";

const halftone = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const nodeTypes = dirname(dirname(createRequire(import.meta.url).resolve("@types/node/package.json")));

function node(args: string[], cwd: string): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

type Source = string | { source: string; tags: string[] };

function notebookIn(folder: string, name: string, sources: Source[], metadata: object = {}): string {
  const cells = sources.map((each, index) => ({
    cell_type: "code",
    id: `cell-${index}`,
    metadata: typeof each === "string" ? {} : { tags: each.tags },
    source: typeof each === "string" ? each : each.source,
    outputs: [],
    execution_count: null,
  }));
  writeFileSync(join(folder, name), JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
  return name;
}

test("check reports type and syntax errors as a compiler does, and runs nothing", async () => {
  const folder = temporaryFolder();
  const file = notebookIn(folder, "bad.ipynb", [
    "const n: number = 'x'\nlet y = [1]",
    "y.push('a'); (await import('node:fs')).writeFileSync('ran', '')",
    "const ((",
    "%types\n!ls\nz",
    "y?",
    "#| echo: false\n?y.push",
    { source: "y.nothing", tags: ["raises-exception"] },
    { source: "y.nowhere", tags: ["skip-execution"] },
  ]);
  const { status, stdout, stderr } = await node([halftone, "check", file], folder);
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    "bad.ipynb:cell[1]:1:7: error TS2322: Type 'string' is not assignable to type 'number'.",
    "bad.ipynb:cell[2]:1:8: error TS2345: Argument of type 'string' is not assignable to parameter of type 'number'.",
    "bad.ipynb:cell[3]:1:7: error: Unexpected token",
    "bad.ipynb:cell[4]:3:1: error TS2304: Cannot find name 'z'.",
  ]);
  assert.match(stderr, /^4 errors in 1 notebook$/m);
  assert.equal(status, 1);
  assert.ok(!existsSync(join(folder, "ran")));
});

test("check --order adds the cells whose outputs Restart and Run All would not give", async () => {
  const folder = temporaryFolder();
  const file = notebookIn(folder, "order.ipynb", ["const x = Math.max(1)", "x"]);
  const notebook = JSON.parse(readFileSync(join(folder, file), "utf8"));
  for (const [index, count] of [2, 1].entries()) notebook.cells[index].execution_count = count;
  writeFileSync(join(folder, file), JSON.stringify(notebook));
  const { status, stdout } = await node([halftone, "check", "--order", file], folder);
  assert.equal(stdout, "order.ipynb:cell[2]: order: it ran as [1], before cell 1, run as [2], which sets x\n");
  assert.equal(status, 1);
  assert.equal((await node([halftone, "check", file], folder)).status, 0);
});

test("check reports success, and follows the notebook's metadata", async () => {
  const folder = temporaryFolder();
  const good = notebookIn(folder, "good.ipynb", ["const a = [1].length", "a.toFixed()"]);
  const lax = { halftone: { types: { policy: "warn", compilerOptions: { strict: false } } } };
  const warned = notebookIn(folder, "warned.ipynb", ["function f(x) { return x; }\nconst s: string = 1"], lax);
  const { status, stdout, stderr } = await node([halftone, "check", good, warned], folder);
  assert.equal(stdout, "warned.ipynb:cell[1]:2:7: warning TS2322: Type 'number' is not assignable to type 'string'.\n");
  assert.match(stderr, /no type errors in 2 notebooks/);
  assert.equal(status, 0);
  const odd = notebookIn(folder, "odd.ipynb", ["1"], { halftone: { types: "loud" } });
  const refused = await node([halftone, "check", odd], folder);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /^[^\n]*metadata\.halftone\.types must be error, warn, off[^\n]*\n$/);
});

test("an exported notebook is a module that tsc accepts, with a distinct name for each declaration", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "data.ts"), "export const side = 3;\n");
  const file = notebookIn(folder, "story.ipynb", [
    "import { join } from 'node:path'; import { side } from './data.ts'\nconst a = side; const o = { a };\nexport function f(x: number) { return x + a }",
    "%env\nconst a = 'text'; const p = { a, q: (a: number) => a }; class C { a = a }",
    "import { join } from 'node:path'\ninterface I { a: typeof a }\nlet mode: 'fast' | 'slow' = 'fast'",
    "interface I { b: C }\nif (mode === 'slow') console.log(a.length)\nexport default class D { i?: I }\nfunction f(s: string) { return join(s) }",
    "const t = await Promise.resolve(f(a)); a.toUpperCase(); type T = typeof t",
    "for (const i of [progress(10)]) i",
    "// what is it\na?",
  ]);
  const { status, stdout } = await node([halftone, "export", file], folder);
  assert.equal(stdout, "story.ts\n");
  assert.equal(status, 0);
  const text = readFileSync(join(folder, "story.ts"), "utf8");
  assert.match(text, /const a_1 = side; const o = \{ a: a_1 \};\nfunction f_1\(x: number\) \{ return x \+ a_1 \}/);
  assert.match(text, /\/\/ %env\nconst a = 'text'; const p = \{ a, q: \(a: number\) => a \}; class C \{ a = a \}/);
  assert.match(text, /\/\/ what is it\n\/\/ a\?\n/);
  assert.equal(text.match(/import \{ join \}/g)?.length, 1);
  assert.equal(text.match(/@ts-expect-error TS2367/g)?.length, 1);
  assert.match(text, /^export \{ join, side, a, o, f, p, C, mode, D, t \};\nexport type \{ I, T \};\n$/m);
  const compilerOptions = { strict: true, noEmit: true, module: "preserve", target: "esnext", types: ["node"] };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, allowImportingTsExtensions: true, typeRoots: [nodeTypes] },
      files: ["story.ts"],
    }),
  );
  assert.deepEqual(await node([tsc, "-p", "."], folder), { status: 0, stdout: "", stderr: "" });
});

test("a notebook with a syntax error is not exported, and the error is reported", async () => {
  const folder = temporaryFolder();
  const file = notebookIn(folder, "half.ipynb", ["const a = 1", "const (("]);
  const { status, stderr } = await node([halftone, "export", file], folder);
  assert.equal(status, 1);
  assert.match(stderr, /cell 2 has a syntax error at 1:7/);
});

test("install --types writes the policy into the kernelspec", async () => {
  const folder = temporaryFolder();
  const { status } = await node([halftone, "install", "--prefix", folder, "--types", "warn"], folder);
  assert.equal(status, 0);
  const spec = JSON.parse(readFileSync(join(folder, "share", "jupyter", "kernels", "halftone", "kernel.json"), "utf8"));
  assert.equal(spec.env.HALFTONE_TYPES, "warn");
  const refused = await node([halftone, "install", "--prefix", folder, "--types", "loud"], folder);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /Invalid --types "loud" \(expected error, warn or off\)/);
});
