import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scalar } from "@tensorflow/tfjs-node-gpu";
import { fixedLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { displaySymbol } from "../../src/display/index.ts";
import { freeUnreachable, probe, profileScope } from "../../src/memory/index.ts";
import { predictTransformerMemory, transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import { valueAndGrad } from "../../src/tensor/index.ts";
import { adamW, train } from "../../src/train/index.ts";

const { backend } = await ready();
const native = { skip: backend === "tensorflow" ? false : "names TensorFlow's ops" };

describe("probe", () => {
  test("counts bytes by op, storage type and layer", native, () => {
    const a = tf.tensor1d([1, 2, 3]);
    const { value, peak, before, retained, byOp, byType, byLayer } = probe(() => {
      const product = profileScope("outer", () =>
        profileScope("inner", () => tf.outerProduct(a, tf.tensor1d([1, 2, 3, 4]))),
      );
      const small = profileScope("outer", () => product.less(5));
      product.dispose();
      return small;
    });
    // [3, 4] float32 is 48 bytes, the same as bool 12; the inputs are 12 and 16.
    assert.deepEqual([byOp.Less?.calls, byOp.Less?.most, byOp.Less?.retained], [1, 12, 12]);
    assert.equal(byType.bool?.most, 12);
    assert.equal(byLayer.outer?.retained, 12);
    assert.ok(byLayer["outer/inner"]!.most >= 48 && byLayer["outer/inner"]!.calls >= 1);
    assert.ok(peak - before >= 12 + 16 + 48, `${peak - before}`);
    // `a` is on the device now, and the result is held.
    assert.equal(retained, 12 + 12);
    assert.equal(value.dataSync()[3], 1);
  });

  test(
    "counts 24 + 48 bytes for the inputs and 32 for the result of a matrix product of [2, 3] and [3, 4]",
    native,
    () => {
      const { retained, byOp } = probe(() => {
        const [a, b] = [tf.ones([2, 3]), tf.ones([3, 4])];
        const c = a.matMul(b);
        return { a, b, c };
      });
      assert.equal(retained, 24 + 48 + 32);
      const product = Object.entries(byOp).find(([name]) => name.includes("MatMul"))?.[1];
      assert.deepEqual([product?.calls, product?.most, product?.retained], [1, 32, 32]);
    },
  );

  test("measures an async function and its layers", native, async () => {
    const turn = () => new Promise(setImmediate);
    const { byLayer, retained, milliseconds } = await probe(async () => {
      const one = profileScope("one", async () => {
        await turn();
        return tf.ones([10]).add(1);
      });
      const two = profileScope("two", async () => {
        await turn();
        return tf.ones([20]).add(1);
      });
      return Promise.all([one, two]);
    });
    // The result of each; the ones and the 1 that it was added to are garbage.
    assert.deepEqual([byLayer.one?.retained, byLayer.two?.retained, retained], [40, 80, 120]);
    assert.ok(milliseconds > 0);
  });

  test("distinguishes parameters, gradients, optimizer state, activations and attention scores", native, () => {
    const w = tf.variable(tf.ones([8, 8]).add(0));
    const x = tf.ones([2, 4, 8, 8]).add(0);
    const optimizer = tf.train.adam(0.1);
    const { byCause } = probe(() => {
      const loss = () => {
        const scores = tf.softmax(x.mul(w));
        return scores.mul(scores).sum() as Scalar;
      };
      optimizer.minimize(loss, false, [w]);
    });
    assert.equal(byCause["optimizer state"].retained, 2 * 8 * 8 * 4);
    assert.ok(byCause.gradients.most >= 8 * 8 * 4);
    assert.equal(byCause.gradients.retained, 0);
    // The weights [2, 4, 8, 8] are 2048 bytes, and what goes in, beside their squares and gradients.
    assert.ok(byCause["attention scores"].most >= 2 * 2048);
    assert.ok(byCause.parameters.most >= 8 * 8 * 4);
    w.dispose();
  });

  test("recognises the gradients of valueAndGrad", native, () => {
    const w = tf.ones([16]).add(0);
    const { byCause } = probe(() => valueAndGrad((p: typeof w) => p.square().sum() as never)(w));
    assert.equal(byCause.gradients.retained, 64);
  });

  test("attributes the backward pass to the layer of the forward pass", native, () => {
    const x = tf.ones([4]).add(0);
    const run = () => tf.grad((p) => profileScope("cube", () => p.pow(3)).sum())(x);
    const forward = probe(() => profileScope("cube", () => x.pow(3))).byLayer.cube!.calls;
    assert.ok(probe(run).byLayer.cube!.calls > forward);
  });

  test("of a Transformer's step agrees with the formula", native, async () => {
    const [rows, time] = [16, 32];
    const sizes = {
      vocabularySize: listOpsVocabulary.size,
      classes: 10,
      maxLength: time,
      features: 64,
      heads: 4,
      layers: 2,
    };
    const examples = listOps({ count: 32, seed: 1, maxLength: time });
    const batches = fixedLengthBatches(examples, { batchSize: rows, maxLength: time, seed: 1 });
    const model = transformerClassifier({ ...sizes, dropout: 0 });
    const optimizer = adamW(model.parameters);
    const once = { model, optimizer, batches, steps: 1, progress: false };
    await train(once);
    const predicted = predictTransformerMemory({ ...sizes, dropout: 0 }, { rows, time });
    const measured = await probe(() => train(once), { predicted });
    const { byCause, peak, retained } = measured;
    assert.equal(byCause.parameters.atPeak, predicted.parameters);
    assert.equal(byCause["optimizer state"].atPeak, predicted.optimizer);
    assert.ok(byCause.gradients.most >= predicted.gradients);
    const within = (what: string, bytes: number, formula: number, share: number) =>
      assert.ok(Math.abs(bytes / formula - 1) < share, `${what}: ${bytes} measured, ${formula} predicted`);
    within("activations", byCause.activations.most, predicted.activations, 0.1);
    within("peak", peak, predicted.total, 0.15);
    assert.equal(retained, 0);
    assert.ok(measured.byLayer["layers.1/attention"]!.milliseconds > 0);
    model.dispose();
    optimizer.dispose();
  });

  test("is displayed as tables, with the prediction beside the measurement, and figures", native, async () => {
    const predicted = predictTransformerMemory(
      { vocabularySize: 10, classes: 2, maxLength: 4, features: 4, heads: 1, layers: 1 },
      { rows: 1, time: 4 },
    );
    const made = probe(() => tf.ones([256, 1024]).add(1), { predicted });
    const bundle = (await made[displaySymbol]()) as Record<string, string>;
    assert.match(bundle["text/plain"]!, /tensors, peak +\d/);
    assert.match(bundle["text/plain"]!, /^parameters .*\d/m);
    assert.match(bundle["text/plain"]!, /predicted/);
    assert.equal(bundle["text/html"]!.match(/<table/g)?.length, 5);
    const [tree] = made.treemapFigure().data as unknown as { type: string; ids: string[]; values: number[] }[];
    assert.equal(tree?.type, "treemap");
    assert.equal(tree?.values[tree.ids.indexOf("all")], made.peak);
    assert.equal(made.timelineFigure().data.length, 7);
  });

  test("does not change gradients in half precision", native, () => {
    const x = to(tf.tensor1d([1, 2]), "float16");
    const gradientStorage = () =>
      storageOf(valueAndGrad((half: typeof x) => tf.sum(to(half, "float32")))(x).gradients as typeof x);
    probe(() => probe(gradientStorage));
    assert.equal(gradientStorage(), "float16");
  });

  test("ends when its function throws, and rethrows the error", async () => {
    assert.throws(() => probe(() => assert.fail("sync")), /sync/);
    await assert.rejects(
      probe(async () => {
        throw new Error("async");
      }),
      /async/,
    );
    freeUnreachable();
    assert.equal(
      profileScope("free", () => 7),
      7,
    );
  });
});
