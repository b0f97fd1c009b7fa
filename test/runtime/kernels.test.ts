import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import {
  abs,
  item,
  max,
  probe,
  randn,
  runtimeInfo,
  scaledDotProductAttention,
  setKernels,
  sub,
} from "../../src/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { halftone, ownLibrary, script } from "./fixture.ts";

const library = ownLibrary();
const skip = runtimeInfo().device === "gpu" || !library ? "the kernels are for TensorFlow on the CPU" : false;
const says = "await ready(); console.log(runtimeInfo().kernels, runtimeInfo().reason, tf.add(1, 1).dataSync()[0]);";

test("HALFTONE_KERNELS chooses the kernels, and runtimeInfo says which are used", { skip }, async () => {
  const fused = await script(says, { HALFTONE_KERNELS: "fused" });
  assert.match(fused.stdout, /^fused TensorFlow on the CPU, because there is no NVIDIA GPU 2\n$/);
  const separate = await script(says, { HALFTONE_KERNELS: "separate" });
  assert.match(separate.stdout, /^separate .*; separate kernels, because HALFTONE_KERNELS=separate asks for them 2\n$/);
  const unknown = await script(says, { HALFTONE_KERNELS: "fast" });
  assert.match(unknown.stderr, /HALFTONE_KERNELS must be "fused" or "separate", got "fast"/);
});

test("setKernels chooses the kernels of a running program, with equal results", { skip }, () => {
  const q = randn([2, 2, 128, 8], { from: 1 });
  const attended = () => probe(() => scaledDotProductAttention(q, q, q));
  const fused = attended();
  try {
    assert.equal(setKernels("separate"), false);
    assert.equal(runtimeInfo().kernels, "separate");
    const separate = attended();
    assert.ok(item(max(abs(sub(fused.value, separate.value)))) < 1e-5);
    assert.ok(separate.peak - separate.before > 4 * (fused.peak - fused.before), "only the separate ops keep scores");
  } finally {
    assert.equal(setKernels("fused"), true);
  }
  assert.equal(runtimeInfo().kernels, "fused");
  assert.throws(
    () => setKernels("fast" as "fused"),
    /^RangeError: setKernels takes "fused" or "separate", got "fast"$/,
  );
});

test("without the compiled kernels TensorFlow's own ops are used, and doctor says how to get them", {
  skip,
}, async () => {
  const cache = temporaryFolder();
  mkdirSync(path.join(cache, "native"));
  symlinkSync(library!, path.join(cache, "native", path.basename(library!)));
  const env = { HALFTONE_CACHE: cache };
  const { stdout } = await script(says, env);
  assert.match(
    stdout,
    /^separate .*; separate kernels, because the kernels are not set up \(run `halftone setup`\).* 2\n$/,
  );
  const doctor = await halftone(["doctor"], env).ended;
  assert.match(doctor.stdout, /backend +tensorflow .*, separate kernels/);
  assert.equal(doctor.status, 0);
  const failing = await halftone(["setup"], { ...env, CXX: "/bin/true" }).ended;
  assert.match(failing.stdout, /Training will be slower: \/bin\/true could not compile the kernels/);
  assert.equal(failing.status, 0);
  const built = await halftone(["setup"], env).ended;
  assert.doesNotMatch(built.stdout, /slower/);
  assert.match((await script(says, env)).stdout, /^fused /);
});
