import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scalar, Variable } from "@tensorflow/tfjs-node-gpu";
import { autocast } from "../../src/amp/index.ts";
import { fixedLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { probe } from "../../src/memory/index.ts";
import { labelTensor, transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { type AnyTensor, crossEntropy, freeze, grad, parameterList, unfreeze } from "../../src/tensor/index.ts";
import { adamW, train, valueAndGradients } from "../../src/train/index.ts";

const { backend } = await ready();
const native = { skip: backend === "tensorflow" ? false : "WebAssembly has no half types" };

const examples = listOps({ count: 32, seed: 1, maxLength: 24 });
const batches = fixedLengthBatches(examples, { batchSize: 16, maxLength: 24, seed: 1 });
const [batch] = [...batches];
const sizes = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: 24, features: 32, heads: 4, layers: 3 };

/** Paths of a model's frozen parameters. */
const frozenOf = (parameters: object) =>
  parameterList(parameters)
    .filter(({ variable }) => !variable.trainable)
    .map(({ name }) => name);

function gradientsOf(model: ReturnType<typeof transformerClassifier>, variables: readonly Variable[]) {
  const loss = () => {
    const logits = model.apply(model.parameters, batch!, { training: true, seed: 3 });
    return crossEntropy(logits as unknown as AnyTensor, labelTensor(batch!) as unknown as AnyTensor) as never as Scalar;
  };
  return valueAndGradients(loss, variables);
}

describe("freeze", () => {
  test("takes a part of the tree, one key as *, any keys as **, and regular expressions", () => {
    const { parameters } = transformerClassifier({ ...sizes, layers: 2 });
    const all = parameterList(parameters).map(({ name }) => name);
    assert.deepEqual(
      freeze(parameters, "layers.1"),
      all.filter((name) => name.startsWith("layers.1.")),
    );
    assert.deepEqual(frozenOf(parameters), freeze(parameters, ["layers.1"]));
    assert.deepEqual(unfreeze(parameters), all);
    assert.deepEqual(frozenOf(parameters), []);
    assert.deepEqual(freeze(parameters, "layers.*.up"), [
      ...["layers.0.up.weight", "layers.0.up.bias", "layers.1.up.weight", "layers.1.up.bias"],
    ]);
    unfreeze(parameters);
    assert.deepEqual(
      freeze(parameters, "**.bias"),
      all.filter((name) => name.endsWith(".bias")),
    );
    unfreeze(parameters);
    assert.deepEqual(
      freeze(parameters, ["tokens", /Norm/]),
      all.filter((name) => name === "tokens" || name.includes("Norm")),
    );
    unfreeze(parameters);
    assert.deepEqual(freeze(parameters, "*"), all);
    assert.deepEqual(freeze(parameters), all);
  });

  test("refuses a pattern that matches nothing, with the nearest paths, and freezes nothing", () => {
    const { parameters } = transformerClassifier(sizes);
    assert.throws(() => freeze(parameters, ["tokens", "layer.0.projection"]), {
      name: "RangeError",
      message: /^freeze: "layer\.0\.projection" matches none of the \d+ paths; the nearest are layers\.0\.projection, /,
    });
    assert.throws(() => unfreeze(parameters, /classifer/), { message: /nearest are classifier, / });
    assert.throws(() => freeze(parameters, ""), { name: "TypeError" });
    assert.deepEqual(frozenOf(parameters), []);
  });

  test("leaves frozen parameters as they are, and holds no optimizer state for them", async () => {
    const model = transformerClassifier(sizes);
    freeze(model.parameters);
    unfreeze(model.parameters, ["classifier", "norm"]);
    const before = parameterList(model.parameters).map(({ name, variable }) => ({ name, values: variable.dataSync() }));
    const optimizer = adamW(model.parameters);
    // The classifier's 32 * 10 weights and 10 biases, and the norm's scale and offset, twice.
    assert.equal(optimizer.bytes, 4 * 2 * (32 * 10 + 10 + 64));
    await train({ model, optimizer, batches, steps: 3, progress: false });
    const values = new Map(parameterList(model.parameters).map(({ name, variable }) => [name, variable.dataSync()]));
    const changed = before.filter(({ name, values: old }) => old.some((value, i) => value !== values.get(name)![i]));
    assert.deepEqual(
      changed.map(({ name }) => name),
      ["norm.scale", "norm.offset", "classifier.weight", "classifier.bias"],
    );
  });

  test("is refused by train after the optimizer was made", async () => {
    const model = transformerClassifier(sizes);
    const optimizer = adamW(model.parameters);
    freeze(model.parameters, "tokens");
    await assert.rejects(train({ model, optimizer, batches, steps: 1, progress: false }), {
      name: "TypeError",
      message: "train: tokens is frozen, but the optimizer updates it: make the optimizer after `freeze`",
    });
  });

  test("gives the same gradients, bit for bit, of the parameters that are trained", () => {
    const model = transformerClassifier(sizes);
    const all = parameterList(model.parameters);
    const whole = gradientsOf(
      model,
      all.map(({ variable }) => variable),
    );
    for (const pattern of [/./, /^layers\.1\.(projection|up)/, /attentionOutput\.weight/, "tokens"]) {
      const kept = new Set(freeze(model.parameters, pattern));
      const part = gradientsOf(
        model,
        all.filter(({ name }) => kept.has(name)).map(({ variable }) => variable),
      );
      assert.deepEqual(part.value.dataSync(), whole.value.dataSync());
      all
        .flatMap(({ name }, i) => (kept.has(name) ? [whole.gradients[i]!] : []))
        .forEach((gradient, i) => {
          assert.deepEqual(part.gradients[i]!.dataSync(), gradient.dataSync(), String(pattern));
        });
    }
  });

  test("keeps nothing for the backward pass below the first trainable parameter", () => {
    const model = transformerClassifier(sizes);
    const saved = (variables: readonly Variable[]) =>
      probe(() => tf.dispose(gradientsOf(model, variables).gradients)).byCause.activations.most;
    const all = saved(parameterList(model.parameters).map(({ variable }) => variable));
    const tokens = 16 * 24;
    const rows = (width: number) => tokens * width * 4;
    // The classifier's input alone, `[16, 32]`, and what the loss saves of logits `[16, 10]`.
    const head = saved(parameterList(model.parameters.classifier).map(({ variable }) => variable));
    assert.ok(head <= 4 * 16 * (32 + 2 * 10), `${head}`);
    const last = saved(parameterList(model.parameters.layers[2]!).map(({ variable }) => variable));
    assert.ok(last < all / 2, `${last} of ${all}`);
    // Of frozen linear maps no input is kept: in each layer two normalised rows and the attention's result.
    const scales = saved([model.parameters.layers[0]!.attentionNorm.scale as unknown as Variable]);
    assert.ok(all - scales >= 3 * 2 * rows(32), `${scales} of ${all}`);
  });
});

describe("freeze under autocast", () => {
  test("keeps no half copies of the frozen layers' inputs", native, () => {
    const model = transformerClassifier(sizes);
    const peak = (variables: readonly Variable[]) =>
      probe(() => autocast("bfloat16", () => tf.dispose(gradientsOf(model, variables).gradients))).byType.bfloat16!
        .most;
    const all = peak(parameterList(model.parameters).map(({ variable }) => variable));
    const head = peak(parameterList(model.parameters.classifier).map(({ variable }) => variable));
    assert.ok(head < all / 2, `${head} of ${all}`);
  });
});

describe("gradients of a part", () => {
  test("are those of the function's own argument, not of what was computed from it before", () => {
    const x = tf.tensor1d([3]);
    // d/dx of the gradient by y of y * x^2, where x^2 was computed outside: 2x.
    const outer = grad((a: AnyTensor) => {
      const squared = tf.square(a);
      return tf.sum(
        grad((y: AnyTensor) => tf.sum(tf.mul(y, squared)) as never)(tf.ones([1]) as never) as never,
      ) as never;
    });
    assert.deepEqual([...(outer(x as never) as unknown as typeof x).dataSync()], [6]);
  });
});
