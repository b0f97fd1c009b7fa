import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { jupyter, peers } from "./jupyter.ts";

test("jupyter_kernel_test passes with every sample filled and nothing skipped", async () => {
  const { run } = await jupyter();
  const { status, stderr } = await run("python", [path.join(peers, "conformance.py")]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /Ran 13 tests/);
  assert.doesNotMatch(stderr, /skipped/);
});
