import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { displaySymbol } from "../../src/display/index.ts";
import { leaks, trackAllocations } from "../../src/memory/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";

const { backend } = await ready();
const native = { skip: backend === "tensorflow" ? false : "names TensorFlow's ops" };

afterEach(() => {
  trackAllocations(false);
});

describe("leaks", () => {
  test("lists live tensors by the line that made them, with op, shape, type, bytes and age", native, () => {
    assert.equal(trackAllocations(), true);
    const held = tf.ones([3, 5]).greater(0);
    const { tensors } = leaks();
    const found = tensors.find(({ op }) => op === "Greater");
    assert.match(found?.site ?? "", /leaks\.test\.[tj]s:\d+:\d+$/);
    assert.deepEqual([found?.shape, found?.type, found?.bytes], [[3, 5], "bool", 15]);
    assert.ok(found?.age !== undefined && found.age >= 0);
    held.dispose();
    assert.equal(
      leaks().tensors.some(({ op }) => op === "Greater"),
      false,
    );
  });

  test("does not list unreachable tensors", native, async () => {
    (() => {
      tf.ones([7]).acosh();
    })();
    await new Promise(setImmediate);
    assert.equal(
      leaks().tensors.some(({ op }) => op === "Acosh"),
      false,
    );
  });

  test("labels parameters", native, () => {
    const w = tf.variable(tf.ones([4, 4]).add(1));
    const late = tf.variable(tf.ones([5, 5]));
    late.add(1);
    const causes = leaks().tensors.filter(({ cause }) => cause === "parameters");
    assert.deepEqual(
      causes.map(({ shape }) => shape),
      [
        [5, 5],
        [4, 4],
      ],
    );
    w.dispose();
    late.dispose();
  });

  test("is displayed as a table with equal tensors in one row", native, () => {
    trackAllocations();
    const held = [0, 1, 2].map((i) => tf.ones([256]).add(i));
    const bundle = leaks()[displaySymbol]() as Record<string, string>;
    assert.match(bundle["text/plain"]!, /leaks\.test\.[tj]s:\d+:\d+ +Add +\[256\] +float32 +3 +3\.00 KiB/);
    assert.match(bundle["text/html"]!, /<table/);
    for (const x of held) x.dispose();
  });

  test("explains how to track lines when they are not tracked", () => {
    const held = tf.ones([2]).add(1);
    const bundle = leaks()[displaySymbol]() as Record<string, string>;
    assert.match(bundle["text/plain"]!, /call trackAllocations\(\)/);
    held.dispose();
  });
});
