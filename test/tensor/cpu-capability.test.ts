import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ready, runtimeInfo } from "../../src/runtime/index.ts";
import { start } from "../runtime/fixture.ts";

await ready();
const hasKernels = runtimeInfo().kernels === "fused";
const files = ["./matrix-product", "./kernels", "../nn/attention-kernel"].map((file) =>
  fileURLToPath(new URL(`${file}.test.js`, import.meta.url)),
);

for (const capability of ["default", "avx2", "avx512"])
  test(`the kernels compute the same on a CPU that is no better than ${capability}`, {
    skip: !hasKernels,
  }, async () => {
    const env = { HALFTONE_CPU_CAPABILITY: capability, NODE_TEST_CONTEXT: undefined };
    const { status, stdout } = await start(["--test", "--test-reporter=tap", ...files], env).ended;
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^# pass [1-9]/m);
  });
