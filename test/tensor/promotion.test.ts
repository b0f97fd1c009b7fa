import assert from "node:assert/strict";
import { test } from "node:test";
import * as h from "../../src/index.ts";

await h.ready();

// torch.result_type(torch.ones(2, dtype=torch.int32), torch.ones(2, dtype=torch.float16)) and so on.
for (const storage of ["float16", "bfloat16", "float64"] as const)
  test(`whole numbers and bools beside ${storage} give ${storage}`, () => {
    const whole = h.tensor([5, 3], { dtype: "int32" });
    const mask = h.tensor([true, false]);
    const floats = h.to(h.tensor([1, 2]), storage);
    for (const [name, result] of Object.entries({
      add: h.add(whole, floats),
      mul: h.mul(floats, mask),
      div: h.div(whole, floats),
      maximum: h.maximum(mask, floats),
      floorDiv: h.floorDiv(whole, floats),
      atan2: h.atan2(floats, whole),
      where: h.where(mask, whole, floats),
      matmul: h.matmul(whole, floats),
      einsum: h.einsum("i,i->", floats, whole),
    }))
      assert.equal(h.storageOf(result), storage, name);
  });

test("where keeps the storage of a tensor beside a number or a scalar", () => {
  const mask = h.tensor([true, false]);
  for (const storage of ["float16", "bfloat16", "float64"] as const) {
    const floats = h.to(h.tensor([1, 2]), storage);
    assert.equal(h.storageOf(h.where(mask, floats, 0)), storage);
    assert.equal(h.storageOf(h.where(mask, Number.NEGATIVE_INFINITY, floats)), storage);
    assert.equal(h.storageOf(h.where(mask, h.tensor(0.5), floats)), storage);
  }
  assert.deepEqual(h.toArray(h.where(mask, h.tensor([1, Number.NaN]), 0)), [1, 0]);
});
