import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { hooks, ready, runtimeInfo, tf } from "../../src/runtime/index.ts";
import { eventHook, methodHook } from "../../src/runtime/tfjs/hook.ts";
import { patch, patchedSources } from "../../src/runtime/tfjs/patch.ts";
import { start } from "./fixture.ts";

/**
 * The first 12 digits of the SHA-256 of each patched function's source text in tfjs 4.22.0. Where one differs after an
 * upgrade, read what has changed in it, see whether the patch in src/runtime/tfjs still fits, and write the new digits here.
 */
const core = {
  "DataStorage.delete": "3e974a4c3f0b",
  "DataStorage.set": "081e143924fb",
  "Engine.addTapeNode": "7c7c89b05d34",
  "Engine.disposeTensor": "725f68de5192",
  "Engine.gradients": "d30ec202575d",
  "Engine.incRef": "0b43cca5d56d",
  "Engine.keep": "2839826d11fe",
  "Engine.makeTensor": "e7279268578d",
  "Engine.makeVariable": "51edf3b116e3",
  "Engine.readSync": "93ecab5890de",
  "Engine.runKernel": "5be855b3f276",
  "Engine.runKernelFunc": "532208d17981",
  "Engine.track": "19f67095e991",
  "Tensor.dispose": "1a27fd53c46c",
  "Variable.assign": "ca7fc57c7289",
  "Variable.dispose": "d8cf5098c7a8",
};
const fingerprints: Record<string, Record<string, string>> = {
  tensorflow: {
    ...core,
    "NodeJSKernelBackend.createOutputTensor": "86b84edb4149",
    "NodeJSKernelBackend.executeMultipleOutputs": "a242b18948ef",
    "NodeJSKernelBackend.executeSingleOutput": "d398fbb12aca",
    "NodeJSKernelBackend.move": "5d1a0643d256",
    "NodeJSKernelBackend.readSync": "7571a021d765",
  },
  wasm: core,
};

const fingerprintsOf = (sources: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(sources)
      .map(([name, source]) => [name, createHash("sha256").update(source).digest("hex").slice(0, 12)])
      .sort(),
  );

for (const backend of ["tensorflow", "wasm"]) {
  const skip = backend === "tensorflow" && runtimeInfo().backend !== "tensorflow";
  test(`Every function of tfjs that is patched is the one that the patch was written for (${backend})`, {
    skip,
  }, async () => {
    const module = (name: string) => JSON.stringify(new URL(`../../src/runtime/${name}.js`, import.meta.url).href);
    const code = `const { ready } = await import(${module("index")});
      await ready();
      const { patchedSources } = await import(${module("tfjs/patch")});
      process.stdout.write(JSON.stringify(patchedSources()));`;
    const { ended } = start(["--input-type=module", "-e", code], { HALFTONE_BACKEND: backend });
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 0, stderr);
    assert.deepEqual(fingerprintsOf(JSON.parse(stdout)), fingerprints[backend]);
  });
}

test("Subscribers are called in the order of their places, and each is undone on its own", () => {
  const hook = eventHook<"first" | "second", (calls: string[]) => void>(["first", "second"]);
  const calls = () => {
    const made: string[] = [];
    for (const each of hook.subscribers) each(made);
    return made;
  };
  const undoB = hook.subscribe("second", (made) => made.push("b"));
  const undoA = hook.subscribe("first", (made) => made.push("a"));
  const undoC = hook.subscribe("second", (made) => made.push("c"));
  assert.deepEqual(calls(), ["a", "b", "c"]);
  undoB();
  undoB();
  assert.deepEqual(calls(), ["a", "c"]);
  undoA();
  undoC();
  assert.deepEqual(calls(), []);
});

test("Functions around a method nest in the order of their places, the latest of one place outside", () => {
  const hook = methodHook<"outer" | "inner", (text: string) => string>("method", ["outer", "inner"]);
  hook.setInner((text) => text);
  const around = (name: string) => (next: (text: string) => string) => (text: string) => `${name}(${next(text)})`;
  const undoInner = hook.subscribe("inner", around("inner"));
  const undoOuter = hook.subscribe("outer", around("outer"));
  const undoLatest = hook.subscribe("inner", around("latest"));
  assert.equal(hook.call("x"), "outer(latest(inner(x)))");
  undoInner();
  assert.equal(hook.call("x"), "outer(latest(x))");
  undoOuter();
  undoLatest();
  assert.equal(hook.call("x"), "x");
});

test("Two that watch kept tensors stop in either order", async () => {
  await ready();
  for (const isFirstUndoneFirst of [true, false]) {
    const seen: string[] = [];
    const undo = [
      hooks.kept.subscribe("profile", () => seen.push("kept one")),
      hooks.kept.subscribe("profile", () => seen.push("kept two")),
    ];
    if (!isFirstUndoneFirst) undo.reverse();
    undo[0]!();
    tf.keep(tf.scalar(1)).dispose();
    undo[1]!();
    tf.keep(tf.scalar(1)).dispose();
    assert.deepEqual(seen, [isFirstUndoneFirst ? "kept two" : "kept one"]);
  }
});

test("A function of tfjs is patched once only", () => {
  const owner = { method: () => 1 };
  patch(owner, "Owner", "method", (method) => () => method() + 1);
  assert.equal(owner.method(), 2);
  assert.equal(patchedSources()["Owner.method"], "() => 1");
  assert.throws(() => patch(owner, "Owner", "method", (method) => method), /Owner\.method is patched already/);
});
