import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { attentionMask, type Batch, dynamicPad, namedTensors, pack } from "../../src/batching/index.ts";
import { ready } from "../../src/runtime/index.ts";

await ready();

/** The mask of each row of a batch as text: a line for each query, x where it may attend. */
function drawn(mask: ReturnType<typeof attentionMask>): string[][] {
  const [rows, , queries, keys] = mask.shape;
  const values = mask.dataSync();
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: queries }, (_, query) => {
      const from = (row * queries + query) * keys;
      return Array.from(values.subarray(from, from + keys), (may) => (may ? "x" : ".")).join("");
    }),
  );
}

describe("attentionMask", () => {
  const pairs = [
    { source: [1, 2, 3], target: [4, 5] },
    { source: [6], target: [7, 8, 9] },
    { source: [1, 1], target: [2] },
  ];

  test("hides padding", () => {
    const { source, target } = dynamicPad(pairs, { side: { target: "left" } });
    const mask = attentionMask(source);
    assert.deepEqual([mask.shape, mask.dtype], [[3, 1, 1, 3], "bool"]);
    assert.deepEqual(drawn(mask), [["xxx"], ["x.."], ["xx."]]);
    assert.deepEqual(drawn(attentionMask(target)), [[".xx"], ["xxx"], ["..x"]]);
    // A decoder's tokens may attend to the source's tokens, whatever their own padding.
    assert.deepEqual(drawn(attentionMask(target, { keys: source })), [["xxx"], ["x.."], ["xx."]]);
  });

  test("hides later tokens where it is causal", () => {
    const { source, target } = dynamicPad(pairs, { side: { target: "left" } });
    assert.deepEqual(drawn(attentionMask(source, { causal: true })), [
      ["x..", "xx.", "xxx"],
      ["x..", "...", "..."],
      ["x..", "xx.", "..."],
    ]);
    assert.deepEqual(drawn(attentionMask(target, { causal: true }))[0], ["...", ".x.", ".xx"]);
  });

  test("hides the other sequences of a packed row, also of the other name", () => {
    const { source, target } = pack(pairs, { maxLength: 6, algorithm: "first-fit" });
    assert.deepEqual([...source.segments], [1, 1, 1, 2, 3, 3]);
    assert.deepEqual([...target.segments], [1, 1, 2, 2, 2, 3]);
    assert.deepEqual(drawn(attentionMask(source)), [["xxx...", "xxx...", "xxx...", "...x..", "....xx", "....xx"]]);
    assert.deepEqual(drawn(attentionMask(target, { causal: true })), [
      ["x.....", "xx....", "..x...", "..xx..", "..xxx.", ".....x"],
    ]);
    assert.deepEqual(drawn(attentionMask(target, { keys: source })), [
      ["xxx...", "xxx...", "...x..", "...x..", "...x..", "....xx"],
    ]);
  });

  test("rejects keys of other rows, and a causal mask between different sequences", () => {
    const { source, target } = dynamicPad(pairs);
    assert.throws(
      () => attentionMask(source, { keys: dynamicPad([[1]]) }),
      /^RangeError: attentionMask: the keys have 1 rows, but the batch has 3$/,
    );
    assert.throws(
      () => attentionMask(target, { keys: source, causal: true }),
      /^TypeError: attentionMask: a causal mask is of one sequence; leave out `keys`, or `causal`$/,
    );
  });
});

test("namedTensors gives tensors for each name, with features, token labels and type ids", () => {
  const batch = dynamicPad([
    { heard: { features: [1, 2, 3, 4], length: 2 }, said: { tokens: [1], tokenLabels: [2], typeIds: [1] } },
    { heard: { features: [5, 6], length: 1 }, said: { tokens: [3, 4], tokenLabels: [5, 6], typeIds: [0, 1] } },
  ]);
  const { heard, said } = namedTensors(batch);
  assert.deepEqual(
    [heard.features.shape, [...heard.features.dataSync()]],
    [
      [2, 2, 2],
      [1, 2, 3, 4, 5, 6, 0, 0],
    ],
  );
  assert.deepEqual([...said.tokenLabels.dataSync()], [2, -100, 5, 6]);
  assert.deepEqual([...said.typeIds.dataSync()], [1, 0, 0, 1]);
  assert.deepEqual([...said.mask.dataSync()], [1, 0, 1, 1]);
  assert.throws(
    () => namedTensors({ indices: Int32Array.of(0) } as unknown as Batch),
    /^TypeError: namedTensors: the batch has no sequences$/,
  );
});
