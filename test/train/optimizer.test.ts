import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Rank, Variable } from "@tensorflow/tfjs-node-gpu";
import { ready, tf } from "../../src/runtime/index.ts";
import { adamW, warmUp } from "../../src/train/index.ts";
import { assertClose, type ReferenceArray, reference, tensorOf } from "../nn/reference.ts";

interface AdamWReference {
  options: { lr: number; betas: [number, number]; eps: number; weight_decay: number };
  clip: number;
  start: ReferenceArray[];
  steps: { gradients: ReferenceArray[]; norm: number; clipped: ReferenceArray[]; parameters: ReferenceArray[] }[];
}

const expected = reference<AdamWReference>("adamw");

await ready();

describe("adamW", () => {
  const { lr, betas, eps, weight_decay } = expected.options;

  test("takes the same steps as PyTorch, with the same clipping", () => {
    const variables = expected.start.map((start) => tf.variable(tensorOf(start))) as Variable[];
    const options = { learningRate: lr, betas, epsilon: eps, weightDecay: weight_decay, clipNorm: expected.clip };
    const optimizer = adamW(variables, options);
    expected.steps.forEach(({ gradients, norm, parameters }, step) => {
      const found = optimizer.step(gradients.map(tensorOf))!.dataSync()[0]!;
      assert.ok(Math.abs(found - norm) <= 1e-5 * norm, `norm of step ${step}: ${found} is not ${norm}`);
      variables.forEach((variable, i) => {
        assertClose(variable, parameters[i]!, 2e-6, `parameter ${i} after step ${step}`);
      });
    });
  });

  test("without clipping uses the gradients as they are given", () => {
    const variables = expected.start.map((start) => tf.variable(tensorOf(start))) as Variable[];
    const optimizer = adamW(
      { first: variables[0], rest: [variables[1]] },
      { betas, epsilon: eps, weightDecay: weight_decay },
    );
    for (const { clipped } of expected.steps) assert.equal(optimizer.step(clipped.map(tensorOf), lr), undefined);
    variables.forEach((variable, i) => {
      assertClose(variable, expected.steps.at(-1)!.parameters[i]!, 2e-6, `parameter ${i}`);
    });
  });

  test("rejects another number or size of gradients, and negative options", () => {
    const variable = tf.variable(tf.zeros([2]));
    assert.throws(() => adamW([variable]).step([]), /Gradient count mismatch: there are 1 parameters and 0 gradients/);
    const vector = tf.zeros<Rank.R1>([3]);
    assert.throws(
      () => adamW([variable]).step.flat!(vector),
      /Gradient size mismatch: the parameters have 2 elements, the gradients 3/,
    );
    assert.throws(() => adamW([variable], { weightDecay: -1 }), /weightDecay must be 0 or more, got -1/);
  });

  test("rejects the gradients of another model, with the first difference, and a loss with its gradients", () => {
    const variables = { first: [tf.variable(tf.zeros([2, 3]))], last: tf.variable(tf.zeros([3])) };
    const optimizer = adamW(variables);
    assert.throws(
      () => optimizer.step({ first: [tf.ones([2, 3])], head: tf.ones([4]) }),
      /^RangeError: These are gradients of other parameters .*: there is none for `last` \[3\], but one for `head` \[4\]\.$/,
    );
    assert.throws(
      () => optimizer.step({ first: [tf.ones([2, 4])], last: tf.ones([3]) }),
      /^RangeError: Gradient size mismatch: `first\.0` is \[2, 3\], its gradient \[2, 4\]: these are gradients of other parameters/,
    );
    assert.throws(
      () => optimizer.step({ first: [tf.ones([2, 3])] }),
      /^RangeError: Gradient count mismatch: there are 2 parameters and 1 gradients, none for last\.$/,
    );
    assert.throws(
      () => optimizer.step({ value: tf.scalar(1), gradients: { first: [tf.ones([2, 3])], last: tf.ones([3]) } }),
      /^TypeError: step takes the gradients alone: pass `\.gradients`/,
    );
    assert.deepEqual([...variables.last.dataSync()], [0, 0, 0]);
  });
});

describe("warmUp", () => {
  test("rises linearly to the peak and stays there", () => {
    const rate = warmUp({ peak: 1, warmUp: 4 });
    assert.deepEqual([0, 1, 2, 3, 4, 100].map(rate), [0.25, 0.5, 0.75, 1, 1, 1]);
  });

  test("decays to 0 linearly or along a cosine", () => {
    const linear = warmUp({ peak: 2, warmUp: 0, total: 4 });
    assert.deepEqual([0, 1, 2, 3, 4, 5].map(linear), [2, 1.5, 1, 0.5, 0, 0]);
    const cosine = warmUp({ peak: 2, warmUp: 0, total: 4, decay: "cosine" });
    assert.deepEqual(
      [0, 2, 4].map((step) => Number(cosine(step).toFixed(6))),
      [2, 1, 0],
    );
    assert.throws(() => warmUp({ peak: 1, warmUp: 5, total: 5 }), /more than the 5 steps/);
  });
});
