import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import {
  adam,
  adamW,
  constantRate,
  cosineRate,
  grad,
  inverseSqrtRate,
  load,
  matmul,
  mean,
  type Optimizer,
  randn,
  ready,
  type Schedule,
  save,
  sgd,
  square,
  stepRate,
  sub,
  tf,
  unflatten,
} from "../../src/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { assertClose, type NdArray, toTensor } from "../tensor/naive.ts";

const scratch = temporaryFolder();
before(ready);

/** What bench/reference/tensor.py wrote from PyTorch. */
interface Reference {
  start: NdArray[];
  gradients: NdArray[][];
  rates: number[];
  norm: number;
  clipped: NdArray[];
  schedules: { step: number[]; cosine: number[] };
  [kind: string]: unknown;
}
const reference = JSON.parse(
  readFileSync(new URL("../../../test/tensor/fixtures/reference/optimizers.json", import.meta.url), "utf8"),
) as Reference;

const variables = (): Variable[] => reference.start.map((x) => tf.variable(toTensor(x)));

const kinds: Record<string, (p: Variable[]) => Optimizer> = {
  sgd: (p) => sgd(p),
  momentum: (p) => sgd(p, { momentum: 0.9, weightDecay: 0.01 }),
  dampened: (p) => sgd(p, { momentum: 0.9, dampening: 0.5 }),
  nesterov: (p) => sgd(p, { momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  adam: (p) => adam(p, { weightDecay: 0.1 }),
  adamW: (p) => adamW(p, { weightDecay: 0.1, betas: [0.8, 0.99], epsilon: 1e-6 }),
};

for (const [kind, make] of Object.entries(kinds))
  test(`${kind} takes the same steps as PyTorch`, () => {
    const parameters = variables();
    const optimizer = make(parameters);
    for (const [i, gradients] of reference.gradients.entries())
      optimizer.step(
        gradients.map((g) => toTensor(g)),
        reference.rates[i],
      );
    for (const [i, expected] of (reference[kind] as NdArray[]).entries())
      assertClose(parameters[i] as never, expected, 1e-6, `parameter ${i}`);
  });

test("clipping by norm and by value equals PyTorch's, and gives the norm before clipping", () => {
  const parameters = variables();
  const byNorm = sgd(parameters, { learningRate: 1, clipNorm: 1 });
  const norm = byNorm.step(reference.gradients[0]!.map((g) => toTensor(g)));
  assert.ok(Math.abs(norm!.dataSync()[0]! - reference.norm) < 1e-5);
  const moved = parameters.map((p, i) => tf.sub(toTensor(reference.start[i]!), p));
  for (const [i, expected] of reference.clipped.entries()) assertClose(moved[i] as never, expected, 1e-5);
  const one = [tf.variable(tf.zeros([3]))];
  sgd(one, { learningRate: 1, clipValue: 0.5 }).step([tf.tensor1d([-2, 0.25, 3])]);
  assert.deepEqual([...one[0]!.dataSync()], [0.5, -0.25, -0.5]);
});

test("an optimizer restored from its state gives the same bits", () => {
  for (const [kind, make] of Object.entries(kinds)) {
    const run = (optimizer: Optimizer, from: number, to: number) => {
      for (let i = from; i < to; i++)
        optimizer.step(
          reference.gradients[i]!.map((g) => toTensor(g)),
          reference.rates[i],
        );
    };
    const straight = variables();
    const whole = make(straight);
    run(whole, 0, 5);

    const first = variables();
    const before = make(first);
    run(before, 0, 2);
    const file = path.join(scratch, `${kind}.safetensors`);
    save(file, { parameters: first });
    const resumed = (unflatten(load(file)) as { parameters: Variable[] }).parameters.map((p) => tf.variable(p));
    const after = make(resumed);
    after.loadStateDict(structuredClone(before.stateDict()));
    run(after, 2, 5);
    for (const [i, p] of straight.entries()) assert.deepEqual(resumed[i]!.dataSync(), p.dataSync(), kind);
  }
});

test("loadStateDict rejects the state of another model", () => {
  const state = adamW([tf.variable(tf.zeros([4]))]).stateDict();
  assert.throws(() => adamW(variables()).loadStateDict(state), /Optimizer state mismatch: the state has nothing for 1/);
  assert.throws(
    () => adamW([tf.variable(tf.zeros([5]))]).loadStateDict(state),
    /Optimizer state mismatch: first has 4 elements in the state and 5 in the optimizer/,
  );
  assert.throws(() => sgd(variables(), { nesterov: true }), /nesterov needs momentum and no dampening, got 0 and 0/);
  assert.throws(() => sgd(variables(), { clipNorm: -1 }), /clipNorm must be 0 or more, got -1/);
});

test("a tree of gradients updates a tree of parameters", () => {
  const parameters = { w: tf.variable(randn([2, 1], { from: 1 }) as never) as never as Variable };
  const x = randn([32, 2], { from: 2 });
  const y = matmul(x, tf.tensor2d([[3], [-2]]));
  const optimizer = adamW(parameters, { learningRate: 0.1, weightDecay: 0 });
  const gradient = grad((p: typeof parameters) => mean(square(sub(matmul(x, p.w), y as never))));
  for (let i = 0; i < 200; i++) optimizer.step(gradient(parameters));
  assertClose(parameters.w as never, { shape: [2, 1], data: [3, -2] }, 1e-2);
});

test("schedules give PyTorch's rates and those of their papers", () => {
  const rates = (schedule: Schedule, n: number) => Array.from({ length: n }, (_, i) => schedule(i));
  const near = (found: number[], expected: number[]) => {
    for (const [i, rate] of expected.entries())
      assert.ok(Math.abs(found[i]! - rate) < 1e-9, `step ${i}: ${found[i]}, expected ${rate}`);
  };
  near(rates(stepRate(1, 3, 0.5), 12), reference.schedules.step);
  near(rates(cosineRate(1, 10, 0.1), 11), reference.schedules.cosine);
  near(rates(inverseSqrtRate(0.1, 4), 5), [0.025, 0.05, 0.075, 0.1, 0.1 * Math.sqrt(4 / 5)]);
  near(rates(constantRate(0.3), 2), [0.3, 0.3]);
});
