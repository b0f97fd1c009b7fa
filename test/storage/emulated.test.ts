import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Scalar, Tensor, Tensor2D, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast, GradScaler } from "../../src/amp/index.ts";
import { fixedLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import {
  float64,
  halfPrecision,
  roundTo,
  storageOf,
  tensorBytes,
  tensorFromBytes,
  to,
} from "../../src/storage/index.ts";
import { adamW, train, valueAndGradients } from "../../src/train/index.ts";

await ready();
const chosen = tf.getBackend();
// "cpu" is tfjs' own JavaScript backend, which emulates as WebAssembly does.
const backend = chosen === "wasm" ? "wasm" : "cpu";

describe(`half precision where TensorFlow does not run (${backend})`, () => {
  before(() => tf.setBackend(backend));
  after(() => tf.setBackend(chosen));

  test("is reported as emulated", () => {
    const { emulated, reason, savesTime, timeRatio } = halfPrecision();
    assert.equal(emulated, true);
    assert.equal(savesTime, false);
    assert.equal(timeRatio, undefined);
    assert.match(reason, /rounded to float16 or bfloat16 and stored as float32.*saves neither memory nor time/);
  });

  for (const storage of ["float16", "bfloat16"] as const) {
    test(`${storage}: numbers and results are rounded to the format`, () => {
      const values = [0.1, -1 / 3, 65504, 70000, 3e-6, 2049];
      const x = to(tf.tensor1d(values), storage);
      assert.equal(storageOf(x), storage);
      assert.deepEqual(
        [...x.dataSync()],
        values.map((value) => Math.fround(roundTo(Math.fround(value), storage))),
      );
      const y = tf.mul(x, 3);
      assert.equal(storageOf(y), storage);
      const exact = [...x.dataSync()].map((value) => Math.fround(roundTo(value * 3, storage)));
      assert.deepEqual([...y.dataSync()], exact);
      assert.equal(storageOf(x.reshape([2, 3])), storage);
      assert.equal(storageOf(tf.add(x, tf.ones([6]))), "float32");
      assert.deepEqual([...tensorFromBytes(tensorBytes(x), [6], storage).dataSync()], [...x.dataSync()]);
    });
  }

  test("autocast follows the same lists, and a gradient has the storage type of its tensor", () => {
    const x = tf.randomNormal([4, 8], 0, 1, "float32", 1) as Tensor2D;
    const weight = tf.variable(tf.randomNormal([8, 3], 0, 1, "float32", 2)) as Variable;
    const product = autocast("float16", () => tf.matMul(x, weight as unknown as Tensor2D));
    assert.equal(storageOf(product), "float16");
    for (const value of product.dataSync()) assert.equal(value, roundTo(value, "float16"));
    assert.equal(storageOf(autocast("float16", () => tf.exp(product))), "float32");
    const { gradients } = valueAndGradients(
      () => tf.sum(autocast("bfloat16", () => tf.matMul(x, weight as unknown as Tensor2D))) as Scalar,
      [weight],
    );
    assert.equal(storageOf(gradients[0]!), "float32");
    for (const value of gradients[0]!.dataSync()) assert.equal(value, Math.fround(roundTo(value, "bfloat16")));
    assert.equal(storageOf(tf.grad((v: Tensor) => tf.sum(v))(product)), "float16");
  });

  test("float64 is float32", () => {
    assert.deepEqual([...float64([0.1]).dataSync()], [Math.fround(0.1)]);
  });

  test("a Transformer trains", async () => {
    const sizes = {
      vocabularySize: listOpsVocabulary.size,
      classes: 10,
      maxLength: 12,
      features: 8,
      heads: 2,
      layers: 1,
    };
    const model = transformerClassifier({ ...sizes, dropout: 0, seed: 1 });
    const batches = fixedLengthBatches(listOps({ count: 8, seed: 1, maxLength: 12 }), { batchSize: 8, maxLength: 12 });
    const optimizer = adamW(model.parameters, { learningRate: 1e-2 });
    const amp = { autocast: "float16", scaler: new GradScaler() } as const;
    const { steps } = await train({ model, batches, optimizer, ...amp, steps: 12, progress: false });
    assert.ok(steps.at(-1)!.loss < 0.9 * steps[0]!.loss);
  });
});
