import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import module from "node:module";
import path from "node:path";
import { test } from "node:test";
import { openNotebook } from "../kernel/fixture.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { copyLibrary } from "./copy-library.ts";

const folder = temporaryFolder();
const [same, other] = ["same", "other"].map((name) => path.join(folder, name)) as [string, string];
copyLibrary(same);
copyLibrary(other, "9.9.9");

const library = new URL("../../src/index.js", import.meta.url).href;

/** What a script in `cwd` prints that has loaded this copy and then runs `code`. */
function print(cwd: string, code: string): string {
  const script = `import { createRequire } from "node:module";
import * as first from ${JSON.stringify(library)};
const require = createRequire(import.meta.url);
await first.ready();
${code}`;
  writeFileSync(path.join(cwd, "script.mjs"), script);
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--no-warnings", "script.mjs"], {
    cwd,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("a second copy of the library at the same version is the first one", () => {
  const code = `console.log(require("halftone") === first, require("halftone/nn").linear === first.linear,
  first.item(require("halftone").sum(first.ones([3]))))`;
  assert.equal(print(same, code), "true true 3\n");
});

test("import of a second copy gives the first one too, on Node 22.15 and later", {
  skip: "registerHooks" in module ? false : "this Node has no module.registerHooks",
}, () => {
  assert.equal(print(same, 'console.log((await import("halftone")).linear === first.linear)'), "true\n");
});

test("a second copy of another version is refused with both versions and folders, and the first one works", () => {
  const code = `await import("halftone").catch(({ message }) => console.log(message));
console.log(first.item(first.sum(first.ones([3]))))`;
  const [message, sum] = print(other, code).split("\n");
  assert.match(
    message!,
    /^halftone 9\.9\.9 in \S+other\/node_modules\/halftone\/ cannot be loaded beside halftone \S+ in \S+, because both change the same tfjs: install one version$/,
  );
  assert.equal(sum, "3");
});

const imports = ['import * as tf from "@tensorflow/tfjs";', 'import { ones, sum, item, tf as own } from "halftone";'];
for (const [first, second] of [imports, imports.toReversed()])
  test(`a notebook whose folder has another version uses that alone: ${first}`, async () => {
    const { run } = openNotebook({ cwd: other });
    await run(first!);
    await run(second!);
    assert.equal((await run("[own.add === tf.add, item(sum(tf.ones([3])))]")).text, "[ true, 3 ]");
    const copy = 'JSON.stringify((globalThis as any)[Symbol.for("halftone.copy")].version)';
    assert.equal((await run(copy)).text, `'"9.9.9"'`);
  });
