import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withDrawing } from "../../bench/stack.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

test("docs/architecture.md draws the imports as they are", () => {
  const page = read("docs/architecture.md");
  assert.equal(page, withDrawing(page), "run `node dist/bench/stack.js` and commit docs/architecture.md");
});

for (const page of [
  "README.md",
  "CONTRIBUTING.md",
  "docs/architecture.md",
  "docs/comparison.md",
  "docs/features.md",
  "docs/usage.md",
]) {
  test(`each file and folder that ${page} names exists`, () => {
    const text = read(page);
    const linked = Array.from(text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g), ([, target]) =>
      path.join(path.dirname(page), target!),
    );
    const named = Array.from(
      text.matchAll(/`((?:src|kernel|test|bench|docs|notebooks)\/[\w./-]*)`/g),
      ([, file]) => file!,
    );
    const missing = [...linked, ...named].filter((file) => !existsSync(path.join(root, file)));
    assert.deepEqual(missing, []);
  });
}
