import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dynamicPad, fixedPad, pack } from "../../src/batching/index.ts";

const sequences = [
  { features: [1, 2, 3, 4, 5, 6], length: 3, label: 0.5 },
  { features: [7, 8], length: 1, label: 1.5 },
];

describe("sequences of real numbers", () => {
  test("are laid out as tokens are, with zeros on padding", () => {
    assert.deepEqual([...dynamicPad(sequences).features!], [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]);
    assert.deepEqual([...dynamicPad(sequences, { side: "left" }).features!], [1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 7, 8]);
    assert.deepEqual([...pack(sequences, { maxLength: 4 }).features!], [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(dynamicPad([[1, 2]]).features, undefined);
  });

  test("are truncated at the same end as tokens", () => {
    assert.deepEqual([...fixedPad(sequences, { maxLength: 2 }).features!], [1, 2, 3, 4, 7, 8, 0, 0]);
    assert.deepEqual([...fixedPad(sequences, { maxLength: 2, truncate: "start" }).features!], [3, 4, 5, 6, 7, 8, 0, 0]);
  });

  test("must all have the same width and finite values", () => {
    const with1 = (features: number[], length: number) => [sequences[0]!, { features, length, label: 1 }];
    assert.throws(() => dynamicPad(with1([1], 1)), /sequence 1 has 1 features per step, but sequence 0 has 2/);
    assert.throws(() => dynamicPad(with1([1, Number.NaN], 1)), /sequence 1 has the feature NaN at step 0/);
    assert.throws(() => dynamicPad([{ features: [1, 2, 3], length: 2 }]), /sequence 0 has 3 features for 2 steps/);
  });
});
