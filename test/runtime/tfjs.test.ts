import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hooks, ready, runtimeInfo, tf } from "../../src/runtime/index.ts";
import { eventHook, methodHook } from "../../src/runtime/tfjs/hook.ts";
import { patch, patchedSources } from "../../src/runtime/tfjs/patch.ts";
import { start } from "./fixture.ts";

/**
 * By name, the first 12 digits of the SHA-256 of the source text of each function of tfjs that is replaced. Where one differs
 * after an upgrade of tfjs, read what has changed in the function, see whether what replaces it still fits, and then write
 * the new digits into the file.
 */
const fingerprints = JSON.parse(
  readFileSync(new URL("../../../test/runtime/fixtures/tfjs-4.22.0.json", import.meta.url), "utf8"),
) as Record<"core" | "tensorflow" | "wasm", Record<string, string>>;

const fingerprintsOf = (sources: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(sources)
      .map(([name, source]) => [name, createHash("sha256").update(source).digest("hex").slice(0, 12)])
      .sort(),
  );

for (const backend of ["tensorflow", "wasm"] as const) {
  const skip = backend === "tensorflow" && runtimeInfo().backend !== "tensorflow";
  test(`Every replaced function of tfjs is the one that the replacement was written for (${backend})`, {
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
    assert.deepEqual(fingerprintsOf(JSON.parse(stdout)), { ...fingerprints.core, ...fingerprints[backend] });
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
