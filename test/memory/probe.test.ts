import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { displaySymbol } from "../../src/display/index.ts";
import { formatBytes, memoryProbe, resetPeak, sampleMemory } from "../../src/memory/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";

await ready();

describe("memoryProbe", () => {
  test("counts live tensors and keeps the peak", () => {
    resetPeak();
    const before = memoryProbe();
    const held = tf.tidy(() => {
      const large = tf.ones([256, 1024]).add(1);
      large.square();
      return tf.keep(tf.sum(large));
    });
    const after = memoryProbe();
    assert.ok(after.nativeLive - before.nativeLive < 1024);
    // ones, its sum with 1, and the square: three of 1 MiB, two at once at least.
    assert.ok(after.nativePeak - before.nativeLive >= 2 * 2 ** 20, `${after.nativePeak - before.nativeLive}`);
    assert.equal(after.tensors, before.tensors + 1);
    held.dispose();
  });

  test("is displayed with units", () => {
    const bundle = memoryProbe()[displaySymbol]() as Record<string, string>;
    assert.match(bundle["text/plain"]!, /process \(RSS\) +\d+ MiB/);
    assert.match(bundle["text/html"]!, /^<table/);
  });
});

test("sampleMemory probes until it is disposed", async () => {
  const sampler = sampleMemory({ every: 1 });
  const { samples } = sampler;
  const deadline = performance.now() + 5000;
  while (samples.length < 4 && performance.now() < deadline) await new Promise(setImmediate);
  assert.ok(samples.length >= 4);
  assert.ok(samples.every(({ at }, i) => i === 0 || at >= samples[i - 1]!.at));
  sampler[Symbol.dispose]();
  const { length } = samples;
  const later = performance.now() + 20;
  while (performance.now() < later) await new Promise(setImmediate);
  assert.equal(samples.length, length);
  assert.throws(() => sampleMemory({ every: 0 }), /every must be a positive number of milliseconds, got 0/);
});

test("formatBytes gives three digits and a binary unit", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [1.5 * 2 ** 20, "1.50 MiB"],
    [47.84 * 2 ** 20, "47.8 MiB"],
    [600 * 2 ** 20, "600 MiB"],
    [-3 * 2 ** 30, "-3.00 GiB"],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
});
