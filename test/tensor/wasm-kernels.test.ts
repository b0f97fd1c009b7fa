import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ready } from "../../src/index.ts";
import { cases, results } from "./wasm-kernels.ts";

before(ready);

function check(found: Record<string, number[]>): void {
  for (const [name, [, right]] of Object.entries(cases)) {
    assert.equal(found[name]?.length, right.length, name);
    for (const [i, value] of Array.from(right).entries())
      assert.ok(
        Math.abs(found[name]![i]! - value) <= 1e-6,
        `${name}: element ${i} is ${found[name]![i]}, not ${value}`,
      );
  }
  assert.deepEqual(
    found.beside,
    Array.from({ length: 16 }, (_, i) => 64 * i),
  );
}

test("dtypes, ranks and sizes that a WebAssembly kernel does not support give NumPy's result", () => {
  const script = fileURLToPath(new URL("./wasm-kernels.js", import.meta.url));
  const env = { ...process.env, HALFTONE_BACKEND: "wasm" };
  const { stdout, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" });
  assert.equal(stderr, "");
  check(JSON.parse(stdout) as Record<string, number[]>);
});

test("the same calls give the same results on the backend in use", () => check(results()));
