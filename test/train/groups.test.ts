import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { freeUnreachable } from "../../src/memory/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { leaves, parameterList } from "../../src/tensor/index.ts";
import {
  adafactor,
  adamW,
  clipGradNorm,
  clipGradValue,
  constantRate,
  type Optimizer,
  sgd,
  valueAndGradients,
} from "../../src/train/index.ts";
import { assertClose } from "../nn/reference.ts";
import { expected, gradientTrees, startParameters } from "./reference.ts";

before(ready);

type Parameters = ReturnType<typeof startParameters>;

/** The reference's three groups, the second by a pattern and the third by a part of the tree. */
const groups = ({ head }: Parameters) => [
  { match: /bias/, weightDecay: 0 },
  { parameters: head.weight, learningRate: 3e-2 },
];

const makers: Record<string, (parameters: Parameters) => Optimizer> = {
  groups: (p) => adamW(p, { learningRate: 1e-2, weightDecay: 0.1, clipNorm: 0.5, groups: groups(p) }),
  groupsAdafactor: (p) => adafactor(p, { weightDecay: 0.1, clipNorm: 0.5, groups: groups(p) }),
  groupsSgd: (p) => sgd(p, { learningRate: 1e-2, weightDecay: 0.1, momentum: 0.9, clipNorm: 0.5, groups: groups(p) }),
};

function assertParameters(parameters: object, name: string): void {
  for (const { path, tensor } of leaves(parameters))
    assertClose(tensor, expected.optimizers[name]!.parameters[path]!, 1e-6, `${name}: ${path}`);
}

describe("groups of parameters", () => {
  for (const [name, make] of Object.entries(makers))
    test(`have their own rates and decay under one clip norm, as in PyTorch (${name})`, () => {
      const parameters = startParameters();
      const optimizer = make(parameters);
      for (const [step, gradients] of gradientTrees().entries()) {
        const norm = optimizer.step(gradients)!.dataSync()[0]!;
        const wanted = expected.optimizers[name]!.norms![step]!;
        assert.ok(Math.abs(norm - wanted) < 1e-6 * wanted, `norm of step ${step}: ${norm} is not ${wanted}`);
      }
      assertParameters(parameters, name);
    });

  test("take a list of gradients, or one vector of them, in the order of the variables", () => {
    const list = startParameters();
    const byList = makers.groups!(list);
    const vector = startParameters();
    const byVector = makers.groups!(vector);
    for (const tree of gradientTrees()) {
      const gradients = leaves(tree).map(({ tensor }) => tensor) as Tensor[];
      byVector.step.flat!(tf.concat1d(gradients.map((gradient) => tf.reshape(gradient, [-1]) as never)));
      byList.step(gradients);
    }
    assertParameters(list, "groups");
    assertParameters(vector, "groups");
  });

  test("keep the ratio of their rates to the optimizer's under a schedule", () => {
    const parameters = startParameters();
    const optimizer = makers.groups!(parameters);
    const rate = (step: number) => 1e-2 * (1 - 0.9 * Math.min(1, step / 8));
    for (const [step, gradients] of gradientTrees().entries()) optimizer.step(gradients, rate(step));
    assertParameters(parameters, "groupsSchedule");
  });

  test("continue from a saved state with the same bits", () => {
    const straight = startParameters();
    const whole = makers.groups!(straight);
    for (const gradients of gradientTrees()) whole.step(gradients);
    const resumed = startParameters();
    const first = makers.groups!(resumed);
    for (const gradients of gradientTrees().slice(0, 4)) first.step(gradients);
    const second = makers.groups!(resumed);
    second.loadStateDict(structuredClone(first.stateDict()));
    for (const gradients of gradientTrees().slice(4)) second.step(gradients);
    for (const { name, variable } of parameterList(straight))
      assert.deepEqual(
        variable.dataSync(),
        parameterList(resumed)
          .find((other) => other.name === name)!
          .variable.dataSync(),
      );
  });

  test("are rejected where a parameter is in two groups, a group is empty, or an option is wrong", () => {
    const p = startParameters();
    assert.throws(
      () => adamW(p, { groups: [{ match: /bias/ }, { parameters: p.head }] }),
      new RangeError("AdamW: head.bias is in groups[0] and in groups[1]"),
    );
    assert.throws(
      () => adamW(p, { groups: [{ match: /scale/ }] }),
      /groups\[0\] \(\/scale\/\) matches none of the 5 parameters: encoder\.weight, encoder\.bias, kernel, head\.weight/,
    );
    assert.throws(() => adamW(p, { groups: [{ parameters: {} }] }), /AdamW: groups\[0\] has no parameters/);
    assert.throws(
      () => adamW(p, { groups: [{ parameters: startParameters().head }] }),
      /groups\[0\] has a parameter of shape \[4,2\] that is not among the 5 parameters of the optimizer/,
    );
    assert.throws(
      () => adamW(p, { groups: [{ match: /bias/, weightDecay: -1 }] }),
      /groups\[0\]\.weightDecay must be 0 or more, got -1/,
    );
    assert.throws(
      () => adamW(p, { learningRate: 0, groups: [{ match: /bias/, learningRate: 1 }] }),
      /a group has the learning rate 1, but the optimizer's is 0/,
    );
    // What the types refuse as well.
    assert.throws(
      () => adamW(p, { groups: [{ weightDecay: 0 } as never] }),
      /groups\[0\] needs either `parameters` .* or `match`/,
    );
    assert.throws(
      () => adamW(p, { groups: [{ match: /bias/, clipNorm: 1 } as never] }),
      /groups\[0\]\.clipNorm: clipping is of all gradients together/,
    );
  });

  test("reject the state of other groups, with the sizes and names", () => {
    const p = startParameters();
    const grouped = makers.groups!(p);
    const plain = adamW(p);
    assert.throws(
      () => grouped.loadStateDict(plain.stateDict()),
      new RangeError(
        "Optimizer state mismatch: the state has 1 group of 5 parameters, the optimizer 3 groups of 2, 2, 1 parameters.",
      ),
    );
    const other = adamW(p, { groups: [{ match: /weight/ }, { match: /head.bias/ }] });
    assert.throws(
      () => grouped.loadStateDict(other.stateDict()),
      /the state of group 0 has nothing for encoder\.weight; the optimizer has no parameter encoder\.bias of group 0/,
    );
    assert.throws(() => plain.loadStateDict({} as never), /expected what stateDict\(\) of AdamW gives/);
  });
});

describe("variables that are not trainable", () => {
  test("are left alone, and gradients for them are ignored", () => {
    const parameters = { weight: tf.variable(tf.ones([2])), mean: tf.variable(tf.ones([3]), false) };
    const optimizer = sgd(parameters, { learningRate: 1 });
    assert.deepEqual(optimizer.variables, [parameters.weight]);
    const gradients = { weight: tf.ones([2]), mean: tf.ones([3]) };
    optimizer.step(gradients);
    assert.deepEqual([...parameters.weight.dataSync()], [0, 0]);
    assert.deepEqual([...parameters.mean.dataSync()], [1, 1, 1]);
    assert.ok(gradients.mean.isDisposed);
    optimizer.step([tf.ones([2])]);
    assert.deepEqual([...parameters.weight.dataSync()], [-1, -1]);
    assert.throws(() => sgd({ mean: parameters.mean }), new TypeError("SGD: none of the 1 parameters is trainable"));
  });

  test("may be selected by a group's pattern", () => {
    const parameters = { bias: tf.variable(tf.ones([2])), frozen: { bias: tf.variable(tf.ones([3]), false) } };
    const optimizer = sgd(parameters, { groups: [{ match: /bias/, weightDecay: 0 }] });
    assert.equal(optimizer.stateDict().groups.length, 1);
  });

  test("a variable that stands twice in the tree is updated once", () => {
    const shared = tf.variable(tf.ones([2])) as Variable;
    const optimizer = sgd({ embedding: shared, output: shared }, { learningRate: 1 });
    const { value, gradients } = valueAndGradients(() => tf.sum(tf.mul(shared, 3)) as Scalar, optimizer.variables);
    optimizer.step(gradients);
    assert.deepEqual([...shared.dataSync()], [-2, -2]);
    value.dispose();
  });
});

test("gradients that do not fit are named", () => {
  const parameters = { a: tf.variable(tf.ones([2])), b: tf.variable(tf.ones([2, 1])) };
  const optimizer = sgd(parameters);
  assert.throws(
    () => optimizer.step({ a: tf.ones([2]), c: tf.ones([2]) }),
    /gradients of other parameters than the optimizer's: there is none for `b` \[2, 1\], but one for `c` \[2\]\./,
  );
  assert.throws(() => optimizer.step([tf.ones([2]), tf.ones([2])]), /`b` is \[2, 1\], its gradient \[2\]/);
});

test("an optimizer's learning rate can be set", () => {
  const x = tf.variable(tf.zeros([1]));
  const optimizer = sgd([x], { learningRate: 1 });
  optimizer.learningRate = constantRate(0.5)(0);
  optimizer.step([tf.ones([1])]);
  assert.deepEqual([...x.dataSync()], [-0.5]);
  assert.throws(() => {
    optimizer.learningRate = -1;
  }, /learningRate must be 0 or more, got -1/);
});

describe("clipGradNorm and clipGradValue", () => {
  const check = (actual: object, name: "norm" | "largeNorm" | "value") => {
    for (const [i, { path, tensor }] of leaves(actual).entries())
      assertClose(tensor, expected.clipping[name].gradients[i]!, 1e-6, `${name}: ${path}`);
  };

  test("give PyTorch's gradients and norm for a tree", () => {
    for (const [name, limit] of [
      ["norm", 0.5],
      ["largeNorm", 1e3],
    ] as const) {
      const given = gradientTrees()[0]!;
      const { gradients, norm } = clipGradNorm(given, limit);
      assert.ok(Math.abs(norm.dataSync()[0]! - expected.clipping[name].norm!) < 1e-6);
      check(gradients, name);
      assert.ok(given.kernel.isDisposed);
    }
    check(clipGradValue(gradientTrees()[0]!, 0.25), "value");
  });

  test("keep no tensor but what they return, and take lists", () => {
    freeUnreachable();
    const before = tf.memory().numTensors;
    const list = [tf.tensor1d([3, 0]), tf.tensor1d([-4])];
    const { gradients, norm } = clipGradNorm(list, 1);
    assert.equal(tf.memory().numTensors, before + 3);
    assert.ok(Math.abs(gradients[0]!.dataSync()[0]! - 0.6) < 1e-6);
    tf.dispose([...gradients, norm]);
  });

  test("reject a negative limit and an empty tree", () => {
    assert.throws(() => clipGradNorm([tf.ones([1])], -1), /clipGradNorm: maxNorm must be 0 or more, got -1/);
    assert.throws(
      () => clipGradValue({}, 1),
      /clipGradValue: expected a tensor, or a list or tree of tensors, got none/,
    );
  });
});
