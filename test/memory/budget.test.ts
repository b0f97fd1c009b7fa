import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import {
  freeUnreachable,
  memoryBudget,
  OutOfMemoryError,
  parseBytes,
  trackAllocations,
  withMemoryBudget,
} from "../../src/memory/index.ts";
import { nativeMemory, ready, tf } from "../../src/runtime/index.ts";

const { backend } = await ready();
const native = { skip: backend === "tensorflow" ? false : "WebAssembly knows no size before it has run" };
const MIB = 2 ** 20;

afterEach(() => {
  memoryBudget(Number.POSITIVE_INFINITY);
  trackAllocations(false);
});

/** A tensor of 1 MiB on the device, and nothing beside it. */
const one = () => tf.tidy(() => tf.ones([256, 1024]).add(0));

/** What a function throws, which must be an OutOfMemoryError. */
function refused(run: () => unknown): OutOfMemoryError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof OutOfMemoryError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

describe("memoryBudget", () => {
  test("parses decimal and binary units, and rejects other texts", () => {
    const cases: [string | number, number][] = [
      ["512 MB", 512_000_000],
      ["1.5 GiB", 1.5 * 2 ** 30],
      ["64KiB", 65536],
      ["3 kB", 3000],
      [1234, 1234],
    ];
    for (const [text, bytes] of cases) assert.equal(parseBytes(text), bytes);
    for (const bad of ["512", "512 mb", "MB", "-1 MB", "1e3 MB", "", 0, -5, Number.NaN])
      assert.throws(() => memoryBudget(bad), { name: "RangeError", message: /a memory budget must be .*got / });
    assert.equal(memoryBudget("10 MiB"), 10 * MIB);
    assert.equal(memoryBudget(), 10 * MIB);
    assert.equal(memoryBudget(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
  });

  test("throws at the op that would exceed it, with the tensors that hold memory", native, () => {
    freeUnreachable();
    const base = nativeMemory().live;
    const x = one();
    memoryBudget(base + 3 * MIB);
    const y = x.relu();
    const error = refused(() => [x.neg(), x.exp()]);
    assert.equal(error.asked, MIB);
    assert.equal(error.budget, base + 3 * MIB);
    assert.match(
      error.message,
      /^\w+ of \[256, 1024\] needs 1\.00 MiB, but \d\.\d+ MiB of the budget of 3\.\d+ MiB are in use by\n/,
    );
    assert.match(error.message, / {2}1\.00 MiB in 1 tensor of Relu/);
    assert.equal(error.holders.find(({ op }) => op === "Relu")?.bytes, MIB);
    assert.equal(x.isDisposed || y.isDisposed, false);
  });

  test("allows further ops after the error, once the failed step's tensors are unreachable", native, () => {
    freeUnreachable();
    const x = one();
    memoryBudget(nativeMemory().live + 4 * MIB);
    const greedy = () => Array.from({ length: 10 }, () => x.add(1));
    for (let attempt = 0; attempt < 3; attempt++) refused(greedy);
    assert.equal(x.add(1).add(1).dataSync()[0], 3);
  });

  test("collects garbage before it throws, so a naive loop runs in twice its live memory", native, () => {
    freeUnreachable();
    let x: Tensor = one().sub(1);
    memoryBudget(nativeMemory().live + 3 * MIB);
    for (let i = 0; i < 50; i++) x = x.add(1);
    assert.equal(x.dataSync()[0], 50);
  });

  test("throws at the same op every time", native, () => {
    const opsUntilRefusal = () => {
      const held: Tensor[] = [];
      refused(() => {
        for (;;) held.push(held.length % 2 ? held.at(-1)!.exp() : tf.range(0, 65536).square());
      });
      return held.length;
    };
    freeUnreachable();
    memoryBudget(nativeMemory().live + 2.1 * MIB);
    const counts = [0, 1, 2].map(() => {
      const count = opsUntilRefusal();
      freeUnreachable();
      return count;
    });
    // Of 8.4 times 256 KiB, eight are held; the ninth would need two more, its data and its result.
    assert.deepEqual(counts, [8, 8, 8]);
  });

  test("throws before a huge result is made and before data is uploaded", native, () => {
    const column = tf.ones([100_000, 1]).add(0);
    memoryBudget("64 MB");
    // 100,000 squared times 4 bytes.
    assert.equal(refused(() => column.matMul(column, false, true)).asked, 4e10);
    assert.equal(refused(() => column.add(column.transpose())).asked, 4e10);
    // The shape, two int32, and the value are uploaded for it.
    assert.equal(refused(() => tf.fill([1e6, 1e3], 1)).asked, 4e9 + 12);
    assert.equal(refused(() => column.tile([1, 1e5])).asked, 4e10 + 8);
    assert.equal(refused(() => tf.oneHot(tf.zeros([1e5], "int32"), 1e5)).asked >= 4e10, true);
    const data = tf.tensor1d(new Float32Array(20e6));
    assert.equal(refused(() => data.sum()).asked, 80e6);
  });

  test("frees a too large result whose size was not known before", native, () => {
    freeUnreachable();
    const x = tf.ones([1, 512, 512, 1]).add(0);
    const held = nativeMemory().live;
    memoryBudget(held + 2 * MIB);
    const error = refused(() => tf.image.resizeBilinear(x as never, [1024, 1024]));
    assert.equal(error.asked, 4 * MIB);
    freeUnreachable();
    assert.ok(nativeMemory().live <= held + 16);
  });

  test("reports the lines that made the held tensors, while allocations are tracked", native, () => {
    trackAllocations();
    const x = one();
    freeUnreachable();
    memoryBudget(nativeMemory().live + 1000);
    assert.match(refused(() => x.add(1)).message, /made at \S*budget\.test\.[tj]s:\d+:\d+/);
  });
});

describe("withMemoryBudget", () => {
  test("holds for its function only, within an outer budget, also for an async function", native, async () => {
    const x = one();
    freeUnreachable();
    const tight = nativeMemory().live + 1000;
    memoryBudget("1 GB");
    assert.throws(() => withMemoryBudget(tight, () => withMemoryBudget("2 GB", () => x.add(1))), OutOfMemoryError);
    assert.equal(x.add(1).dataSync()[0], 2);
    const late = withMemoryBudget(tight, async () => {
      await null;
      return x.add(1);
    });
    await assert.rejects(late, OutOfMemoryError);
    assert.equal(memoryBudget(), 1e9);
    assert.equal(
      withMemoryBudget("1 GB", () => 7),
      7,
    );
  });
});
