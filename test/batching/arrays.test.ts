import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { arrayBatches, paddingStatistics, planStatistics } from "../../src/batching/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { type Tensor, tensor } from "../../src/tensor/index.ts";

await ready();

const count = 7;
/** Image i is four times the number i. */
const pixels = Uint8Array.from({ length: 4 * count }, (_, at) => Math.floor(at / 4));
const images = { data: pixels, shape: [count, 2, 2, 1] } as const;
const labels = Array.from({ length: count }, (_, i) => 10 * i);

describe("arrayBatches", () => {
  test("gives tensors by the names of the data, of the examples in `indices`", () => {
    const weights = tensor(
      Float32Array.from(labels, (label) => label / 100),
      { shape: [count, 1] },
    );
    const flags = labels.map((label) => [label > 30]);
    const batches = arrayBatches({ images, labels, weights, flags }, { batchSize: 3, seed: 4 });
    const seen: number[] = [];
    for (const batch of batches) {
      const indices = [...batch.indices];
      const { images, labels, weights, flags } = batch;
      const typed: [Tensor<[number, 2, 2, 1], "int32">, Tensor<[number], "float32">] = [images, labels];
      assert.deepEqual(typed[0].shape, [indices.length, 2, 2, 1]);
      assert.equal(images.dtype, "int32");
      assert.deepEqual(
        [...images.dataSync()],
        indices.flatMap((i) => [i, i, i, i]),
      );
      assert.deepEqual([labels.shape, [...labels.dataSync()]], [[indices.length], indices.map((i) => 10 * i)]);
      assert.deepEqual([...weights.dataSync()], [...Float32Array.from(indices, (i) => i / 10)]);
      const bools: Tensor<[number, 1], "bool"> = flags;
      assert.deepEqual([bools.dtype, [...bools.dataSync()]], ["bool", indices.map((i) => (i > 3 ? 1 : 0))]);
      seen.push(...indices);
      batch[Symbol.dispose]();
    }
    assert.deepEqual([batches.count, seen.toSorted()], [3, [0, 1, 2, 3, 4, 5, 6]]);
    assert.notDeepEqual(seen, seen.toSorted());
  });

  test("has every example once an epoch, in another order each epoch, and resumes within one", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer(),
      (examples, batchSize, seed) => {
        const batches = arrayBatches({ x: new Float32Array(examples) }, { batchSize, seed });
        const epoch = (index: number, from = 0) => [...batches.epoch(index, from)].map(({ indices }) => [...indices]);
        for (const index of [0, 1]) {
          assert.deepEqual(
            epoch(index)
              .flat()
              .toSorted((a, b) => a - b),
            Array.from({ length: examples }, (_, i) => i),
          );
          assert.deepEqual(epoch(index, 1), epoch(index).slice(1));
          assert.deepEqual(
            epoch(index).map(({ length }) => length),
            batches.plan.epoch(index).map(({ rows }) => rows.length),
          );
        }
        if (examples > 20) assert.notDeepEqual(epoch(0), epoch(1));
      },
    );
    fc.assert(property, { numRuns: 50 });
    const kept = arrayBatches({ x: new Int32Array(5) }, { batchSize: 2, dropLast: true });
    assert.deepEqual(
      [...kept].map(({ indices }) => [...indices]),
      [
        [0, 1],
        [2, 3],
      ],
    );
  });

  test("makes a tensor once, and again after a tidy has freed it", () => {
    const [batch] = arrayBatches({ labels }, { batchSize: 2 });
    const outside = batch!.labels;
    assert.equal(batch!.labels, outside);
    tf.tidy(() => assert.equal(batch!.labels, outside));
    assert.equal(outside.isDisposed, false);
    batch![Symbol.dispose]();
    assert.equal(outside.isDisposed, true);
    const before = tf.memory().numTensors;
    const sum = tf.tidy(() => tf.sum(batch!.labels).dataSync()[0]);
    assert.deepEqual([sum, tf.memory().numTensors], [10, before]);
    assert.deepEqual([...batch!.labels.dataSync()], [0, 10]);
  });

  test("has no padding", () => {
    const batches = arrayBatches({ images, labels }, { batchSize: 3 });
    assert.equal(planStatistics(batches.plan).paddingShare, 0);
    const { slots, useful, sequences, shapes } = paddingStatistics(batches);
    assert.deepEqual([slots, useful, sequences, shapes], [7, 7, 7, 2]);
  });

  test("rejects data that does not fit, by name", () => {
    const of = (data: Parameters<typeof arrayBatches>[0]) => () => arrayBatches(data, { batchSize: 2 });
    assert.throws(of({ images, labels: [1, 2] }), /arrayBatches: labels has 2 examples, but images has 7/);
    assert.throws(of({}), /arrayBatches: expected at least one array, got none/);
    assert.throws(of({ x: [] }), /arrayBatches: expected at least one example, but x is empty/);
    assert.throws(of({ x: tensor(1) }), /arrayBatches: x must have an axis of examples, got a scalar/);
    assert.throws(of({ indices: [1] }), /arrayBatches: data cannot be named indices/);
    assert.throws(of({ x: ["a"] }), /arrayBatches: x: tensor: a value must be a number or a boolean, got string/);
    assert.throws(
      of({ x: { data: pixels, shape: [count, 3] } }),
      /arrayBatches: x has 28 values, but its shape is \[7, 3\]/,
    );
    assert.throws(
      // @ts-expect-error a text is no data
      of({ x: "text" }),
      /arrayBatches: x must be a tensor, nested arrays, a typed array or \{ data, shape \}/,
    );
    assert.throws(
      () => arrayBatches({ labels }, { batchSize: 8, dropLast: true }),
      /dropLast leaves no batch of 7 examples/,
    );
  });
});
