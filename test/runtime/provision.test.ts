import assert from "node:assert/strict";
import { cpSync, linkSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { cacheWithDownloads, halftone, ownLibrary, script } from "./fixture.ts";

const works = "await ready(); console.log(runtimeInfo().backend, tf.add(1, 1).dataSync()[0], runtimeInfo().reason)";

test("a damaged library is rebuilt, a killed setup is resumed, and two concurrent setups build once", {
  skip: !ownLibrary() && "this machine has no native TensorFlow",
  timeout: 600_000,
}, async (t) => {
  const cache = cacheWithDownloads(t);
  const env = { HALFTONE_CACHE: cache };
  const key = path.basename(ownLibrary()!);
  copyWithBrokenBinding(ownLibrary()!, path.join(cache, "native", key));
  const damage = "tfjs_binding\\.node has 13 bytes instead of \\d+";

  const loaded = await script(works, env);
  assert.match(loaded.stdout, new RegExp(`^wasm 2 .*damaged: ${damage} \\(run \`halftone setup\`\\)`));
  const doctor = await halftone(["doctor"], env).ended;
  assert.match(doctor.stdout, new RegExp(`is damaged: ${damage}`));
  assert.equal(doctor.status, 1);

  const killed = halftone(["setup"], env);
  await killed.saw(new RegExp(`The cached library is damaged \\(${damage}\\); building it again[^]*25 %`));
  killed.child.kill("SIGKILL");
  await killed.ended;

  const first = halftone(["setup"], env);
  await first.saw(/Unpacking/);
  const second = halftone(["setup"], env);
  await second.saw(new RegExp(`Another setup is running \\(process ${first.child.pid}\\)`));
  const [built, waited] = await Promise.all([first.ended, second.ended]);
  assert.deepEqual([built.status, built.stderr, waited.status, waited.stderr], [0, "", 0, ""]);
  assert.doesNotMatch(built.stdout, /Downloading/, "the whole download was used again");
  assert.doesNotMatch(waited.stdout, /Unpacking|Compiling/);
  assert.deepEqual(readdirSync(path.join(cache, "native")), [key], "nothing unfinished is left");

  assert.deepEqual(await halftone(["setup"], env).ended, { status: 0, stdout: "", stderr: "" });
  assert.match((await script(works, env)).stdout, /^tensorflow 2 /);
  assert.equal((await halftone(["doctor"], env).ended).status, 0);
});

function copyWithBrokenBinding(from: string, to: string): void {
  mkdirSync(path.join(to, "tensorflow"), { recursive: true });
  for (const file of readdirSync(path.join(from, "tensorflow")))
    linkSync(path.join(from, "tensorflow", file), path.join(to, "tensorflow", file));
  cpSync(path.join(from, "manifest.json"), path.join(to, "manifest.json"));
  writeFileSync(path.join(to, "tfjs_binding.node"), "not a library");
}
