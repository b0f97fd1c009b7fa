import assert from "node:assert/strict";
import { test } from "node:test";
import { namedTensors, pack } from "../../src/batching/index.ts";
import { ready } from "../../src/runtime/index.ts";
import { namesOf } from "../../src/tensor/index.ts";

await ready();

test("namedTensors gives a batch's arrays as tensors with named axes", () => {
  const batch = pack([[1, 2, 3], [4], [5, 6]], { maxLength: 4 });
  const tensors = namedTensors(batch);
  for (const name of ["ids", "mask", "positions", "segments"] as const) {
    assert.deepEqual(
      [tensors[name].shape, namesOf(tensors[name]), tensors[name].dtype],
      [[2, 4], ["batch", "time"], "int32"],
    );
    assert.deepEqual([...tensors[name].dataSync()], [...batch[name]]);
  }
  assert.deepEqual([...tensors.lengths.dataSync()], [3, 2, 1]);
  assert.deepEqual(namesOf(tensors.lengths), ["sequence"]);
});
