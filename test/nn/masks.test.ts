import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Scalar, Tensor2D } from "@tensorflow/tfjs-node-gpu";
import { type Batch, fixedPad } from "../../src/batching/index.ts";
import { attention, labelTensor, meanPool, transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { seededDropout } from "../../src/tensor/dropout.ts";
import { countParameters, crossEntropy, parameterList } from "../../src/tensor/index.ts";
import { valueAndGradients } from "../../src/train/index.ts";
import { assertClose } from "./reference.ts";

await ready();

const config = { vocabularySize: 12, classes: 5, maxLength: 24, features: 16, heads: 4, layers: 2, dropout: 0 };
const sequences = [[1, 2, 3, 4, 5, 6, 7], [8, 9], [10]];
const model = transformerClassifier({ ...config, seed: 5 });
const logits = (batch: Batch) => model.apply(model.parameters, batch);
const values = (tensor: Tensor2D) => ({ shape: tensor.shape, values: [...tensor.dataSync()] });

/** Two sequences in one row, the third in another. */
function packed(): Batch {
  const batch = fixedPad([[...sequences[0]!, ...sequences[1]!], sequences[2]!], { maxLength: 11 });
  batch.positions.set([0, 1, 2, 3, 4, 5, 6, 0, 1]);
  batch.segments.set([1, 1, 1, 1, 1, 1, 1, 2, 2]);
  return {
    ...batch,
    segmentsPerRow: 2,
    lengths: Int32Array.of(7, 2, 1),
    indices: Int32Array.of(0, 1, 2),
  };
}

describe("a sequence's logits equal those of the sequence alone", () => {
  const alone = tf.concat(sequences.map((sequence) => logits(fixedPad([sequence], { maxLength: sequence.length }))));

  test("with padding after it", () => {
    assertClose(logits(fixedPad(sequences, { maxLength: 20 })), values(alone as Tensor2D), 1e-5, "logits");
  });

  test("with padding before it", () => {
    const left = fixedPad(sequences, { maxLength: 20, side: "left" });
    assertClose(logits(left), values(alone as Tensor2D), 1e-5, "logits");
  });

  test("packed into a row with another", () => {
    assertClose(logits(packed()), values(alone as Tensor2D), 1e-5, "logits");
  });
});

test("gradients do not depend on padding, and the padding's embedding has a gradient of exactly 0", () => {
  const parameters = parameterList(model.parameters);
  const gradientsOf = (batch: Batch) => {
    batch.labels = Float32Array.of(1, 0, 4);
    const loss = () => crossEntropy(logits(batch), labelTensor(batch));
    return valueAndGradients(
      loss,
      parameters.map(({ variable }) => variable),
    ).gradients;
  };
  const tight = gradientsOf(fixedPad(sequences, { maxLength: 7 }));
  for (const [name, batch] of Object.entries({ wide: fixedPad(sequences, { maxLength: 24 }), packed: packed() })) {
    const gradients = gradientsOf(batch);
    parameters.forEach(({ name: path }, i) => {
      assertClose(gradients[i]!, values(tight[i] as Tensor2D), 1e-5, `${name}: ${path}`);
    });
    const row = tf.slice(gradients[0]!, [0, 0], [1, 16]).dataSync();
    assert.ok(
      row.every((value) => value === 0),
      `${name}: the padding token has a gradient`,
    );
  }
});

describe("dropout", () => {
  const ones = tf.ones([100, 101]);
  const shareDropped = (x: Tensor2D) => x.dataSync().filter((value) => value === 0).length / x.size;

  test("drops the requested share and preserves the mean", () => {
    const y = seededDropout(ones as Tensor2D, { rate: 0.3, seed: [1, 2] });
    assert.ok(Math.abs(shareDropped(y) - 0.3) < 0.02);
    assert.ok(Math.abs(tf.mean(y).dataSync()[0]! - 1) < 0.03);
    assert.ok(y.dataSync().every((value) => value === 0 || Math.abs(value - 1 / 0.7) < 1e-6));
  });

  test("drops the same values for the same seed and other values for another", () => {
    const drop = (seed: [number, number]) => [...seededDropout(ones as Tensor2D, { rate: 0.5, seed }).dataSync()];
    assert.deepEqual(drop([1, 2]), drop([1, 2]));
    assert.notDeepEqual(drop([1, 2]), drop([1, 3]));
  });

  test("drops the same values on every backend", async () => {
    const chosen = tf.getBackend();
    const sizes = [[5], [4, 4], [3, 5, 7]];
    const rates = [0.1, 0.5, 0.9];
    const all = () =>
      sizes.flatMap((size) =>
        rates.flatMap((rate) =>
          [...seededDropout(tf.ones(size), { rate, seed: [-3, 2 ** 31 - 1] }).dataSync()].map((value) => value === 0),
        ),
      );
    const here = all();
    // "cpu" is tfjs' own JavaScript backend: it takes the portable path that WebAssembly takes.
    await tf.setBackend("cpu");
    try {
      assert.deepEqual(all(), here);
    } finally {
      await tf.setBackend(chosen);
    }
  });

  test("is applied in training only, and not at a rate of 0", () => {
    const dropping = transformerClassifier({ ...config, dropout: 0.5, seed: 5 });
    const batch = fixedPad(sequences, { maxLength: 7 });
    const plain = values(logits(batch));
    assertClose(dropping.apply(dropping.parameters, batch), plain, 1e-6, "logits");
    const trained = dropping.apply(dropping.parameters, batch, { training: true, seed: 1 });
    assert.notDeepEqual(values(trained), plain);
  });
});

test("attention's gradient with dropout equals finite differences", () => {
  const [rows, time, heads, features] = [2, 3, 2, 4];
  const start = tf.randomNormal([rows * time, 3 * features], 0, 1, "float32", 1) as Tensor2D;
  const weights = tf.randomNormal([rows * time, features], 0, 1, "float32", 2);
  const options = { rows, time, heads, dropout: { rate: 0.4, seed: [3, 4] as const } };
  const value = (x: Tensor2D) => tf.sum(tf.mul(attention(x, options), weights)) as Scalar;
  const variable = tf.variable(start);
  const gradient = valueAndGradients(() => value(variable as unknown as Tensor2D), [variable]).gradients[0]!.dataSync();
  const h = 1e-2;
  for (let i = 0; i < start.size; i++) {
    const nudge = tf.oneHot(tf.scalar(i, "int32"), start.size).mul(h).reshape(start.shape) as Tensor2D;
    const slope = (value(tf.add(start, nudge)).dataSync()[0]! - value(tf.sub(start, nudge)).dataSync()[0]!) / (2 * h);
    assert.ok(Math.abs(slope - gradient[i]!) < 5e-3, `input ${i}: slope ${slope}, gradient ${gradient[i]}`);
  }
});

describe("transformerClassifier", () => {
  test("has the number of parameters of its sizes", () => {
    // By hand: embedding 12*16; a layer: two norms 64, projection 816, output 272, up 1088, down 1040; norm 32, classes 85.
    assert.equal(countParameters(model.parameters), 192 + 2 * (64 + 816 + 272 + 1088 + 1040) + 32 + 85);
  });

  test("reports the invalid size", () => {
    assert.throws(() => transformerClassifier({ ...config, layers: 0 }), /layers must be a positive integer, got 0/);
    assert.throws(() => transformerClassifier({ ...config, heads: 3 }), /got 16 features and 3 heads/);
    assert.throws(
      () => transformerClassifier({ ...config, dropout: 1 }),
      /transformerClassifier: the dropout rate must be at least 0 and below 1, got 1/,
    );
    assert.throws(
      () => logits(fixedPad(sequences, { maxLength: 25 })),
      /25 tokens long, but the model's maxLength is 24/,
    );
    assert.throws(() => logits(fixedPad([[99]], { maxLength: 2 })), /99 is not in \[0, 12\)/);
  });
});

test("meanPool gives each sequence's mean over its own tokens, and its gradient", () => {
  // Two rows of three tokens; the first row holds two sequences, the second one and padding.
  const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99, 99], [6, 2]);
  const weights = tf.tensor3d([0.5, 0.5, 0, 0, 0, 1, 0.5, 0.5, 0, 0, 0, 0], [2, 2, 3]);
  const { value, grad } = tf.valueAndGrad((x: Tensor2D) => meanPool(x, weights).sum())(x) as never as Record<
    string,
    Tensor2D
  >;
  // NumPy: [[1, 2], [3, 4]].mean(0), [5, 6], [[7, 8], [9, 10]].mean(0), and nothing.
  assert.deepEqual(meanPool(x, weights).arraySync(), [
    [2, 3],
    [5, 6],
    [8, 9],
    [0, 0],
  ]);
  assert.equal(value!.dataSync()[0], 33);
  assert.deepEqual(grad!.arraySync(), [
    [0.5, 0.5],
    [0.5, 0.5],
    [1, 1],
    [0.5, 0.5],
    [0.5, 0.5],
    [0, 0],
  ]);
});
