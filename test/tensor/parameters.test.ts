import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import {
  adamW,
  countParameters,
  einsum,
  ema,
  linear,
  mean,
  named,
  parameterList,
  parameters,
  randn,
  ready,
  relu,
  sequential,
  sgd,
  square,
  sub,
  tensor,
  toTyped,
  valueAndGrad,
  zeros,
} from "../../src/index.ts";

await ready();

describe("parameters", () => {
  test("makes variables of a tree's tensors, which an optimizer can update", () => {
    const start = { layers: [{ weight: tensor([[1], [2]]), bias: zeros([1]) }], scale: tensor([3]) };
    const model = parameters(start);
    const x = tensor([[1, 1]]);
    const loss = (p: typeof model) => mean(square(sub(einsum("b i, i o -> b o", x, p.layers[0]!.weight), 1)));
    const { value, gradients } = valueAndGrad(loss)(model);
    assert.equal(value.dataSync()[0], 4);
    // By hand: d/dw (w1 + w2 - 1)^2 = 2 (1 + 2 - 1) = 4 for both; the rest has no part in it.
    sgd(model, { learningRate: 0.25 }).step(gradients);
    assert.deepEqual([...toTyped(model.layers[0]!.weight)], [0, 1]);
    assert.deepEqual([...toTyped(model.scale)], [3]);
    assert.deepEqual([...toTyped(start.layers[0]!.weight)], [1, 2], "the tensors it started from are as they were");
  });

  test("keeps the shapes in the types and the axis names", () => {
    const model = parameters({ weight: named(randn([2, 3]), ["batch", 3]) });
    const right: { weight: { readonly shape: number[] } } = model;
    assert.deepEqual(right.weight.shape, [2, 3]);
    // @ts-expect-error: 3 is not 4
    assert.throws(() => einsum("b i, i o -> b o", model.weight, randn([4, 1])), /axis i is both 3 and 4/);
    assert.match(inspect(model.weight), /\[batch=2, 3\]/);
  });

  test("rejects a tree without tensors and tensors that are not float32", () => {
    assert.throws(() => parameters({}), /contains no tensor/);
    assert.throws(() => parameters({ a: [tensor([1], { dtype: "int32" })] }), /a\.0 is int32; only float32/);
  });

  test("reject functions and whole layers by name, as optimizers do", () => {
    assert.throws(
      () => parameters({ first: [zeros([1])], activation: relu }),
      /^TypeError: `activation` is a function \(relu\), not a tensor: call it in the layer's `apply`/,
    );
    const layer = linear({ in: 2, out: 3 });
    const ofLayer = /^TypeError: the argument is a layer, not a tree of parameters: pass `layer\.parameters`\.$/;
    // @ts-expect-error: a layer is no tree of parameters
    assert.throws(() => adamW(layer), ofLayer);
    // @ts-expect-error: nor is one in a tree
    const nested = () => sgd({ parts: [layer] });
    assert.throws(nested, /^TypeError: `parts\.0` is a layer, .*: pass `parts\.0\.parameters`\.$/);
    // @ts-expect-error: of every layer
    assert.throws(() => ema({ net: sequential([layer, relu]) }), /`net` is a layer/);
    assert.throws(() => parameters({ layer }), /`layer` is a layer/);
    assert.throws(
      () => parameterList({ layer: { parameters: layer.parameters, apply: () => 1 } }),
      /`layer` is a layer/,
    );
  });

  test("an optimizer rejects plain tensors and explains parameters()", () => {
    assert.throws(
      // @ts-expect-error: a tensor is not a variable
      () => adamW({ hidden: { weight: zeros([2]) } }),
      /`hidden\.weight` is not trainable: it is a plain tensor\. Create .*`parameters\(/,
    );
    assert.throws(() => adamW({ rate: 1 }), /AdamW: expected at least one parameter, got none/);
  });
});

test("countParameters counts a tensor that stands in the tree twice once", () => {
  const { table } = parameters({ table: randn([5, 2]) });
  assert.equal(countParameters({ words: { table }, head: { table, bias: zeros([5]) } }), 15);
});
