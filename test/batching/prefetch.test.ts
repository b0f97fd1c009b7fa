import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import {
  type Batch,
  batchesFrom,
  dynamicLengthBatches,
  packedBatches,
  plan,
  prefetch,
  uniformLengthBatches,
} from "../../src/batching/index.ts";
import { random } from "../../src/data/index.ts";

const rng = random(1);
const examples = Array.from({ length: 90 }, (_, label) => ({
  tokens: Array.from({ length: rng.integer(1, 31) }, () => rng.integer(1, 10)),
  label,
}));

describe("prefetch", () => {
  test("gives the same batches as without it, from any position", () => {
    for (const batches of [
      uniformLengthBatches(examples, { batchSize: 8, seed: 1, maxLength: 20, truncate: "start", side: "left" }),
      packedBatches(examples, { batchSize: 3, seed: 1, maxLength: 30, paddingValue: 7 }),
      dynamicLengthBatches(
        examples.map(({ tokens }) => tokens),
        { batchSize: 7 },
      ),
    ]) {
      using ahead = prefetch(batches, { ahead: 3 });
      assert.deepEqual([...ahead], [...batches]);
      assert.deepEqual([...ahead.epoch(2, 4)], [...batches.epoch(2, 4)]);
    }
  });

  test("can be stopped in the middle of an epoch and started again", () => {
    const batches = uniformLengthBatches(examples, { batchSize: 8, seed: 1 });
    using ahead = prefetch(batches);
    for (let time = 0; time < 3; time++) {
      const seen: Batch[] = [];
      for (const batch of ahead.epoch(time)) if (seen.push(batch) === 2) break;
      assert.deepEqual(seen, [...batches.epoch(time)].slice(0, 2));
    }
  });

  test("throws an error of the worker", () => {
    const wrong = plan("wrong", [2, 2], {}, () => [{ time: -1, rows: [[0], [1]] }]);
    using ahead = prefetch(
      batchesFrom(
        [
          [1, 2],
          [3, 4],
        ],
        wrong,
      ),
    );
    assert.throws(() => [...ahead], /Invalid typed array length: -2/);
  });

  test("ends when disposed, and does not keep the process alive", () => {
    const ahead = prefetch(uniformLengthBatches(examples, { batchSize: 8 }));
    ahead[Symbol.dispose]();
    assert.throws(() => [...ahead], /have been disposed\. Call prefetch again/);
    assert.throws(() => prefetch(uniformLengthBatches(examples, { batchSize: 8 }), { ahead: 0 }), /ahead must be/);
    const library = new URL("../../src/batching/index.js", import.meta.url).href;
    const script = `const { prefetch, uniformLengthBatches } = await import(${JSON.stringify(library)});
      console.log([...prefetch(uniformLengthBatches([[1, 2], [3]], { batchSize: 1 }))].length);`;
    const child = spawnSync(process.execPath, ["--input-type=module", "--eval", script], { timeout: 60_000 });
    assert.deepEqual([child.status, child.stdout.toString()], [0, "2\n"]);
  });
});
