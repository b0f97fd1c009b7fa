import assert from "node:assert/strict";
import { before, test } from "node:test";
import { inspect } from "node:util";
import {
  adamW,
  concat,
  dropout,
  item,
  layerNorm,
  linear,
  meanSquaredError,
  modelOf,
  mul,
  parameterList,
  parameters,
  parametersOf,
  randn,
  ready,
  relu,
  sequential,
  sum,
  tf,
  toArray,
  valueAndGrad,
} from "../../../src/index.ts";

before(ready);

const net = () =>
  sequential([
    linear({ in: 6, out: 8, from: 1 }),
    relu,
    sequential([layerNorm({ features: 8 }), dropout({ rate: 0.25 })]),
    linear({ in: 8, out: 2, from: 2 }),
  ]);

test("a sequential computes what its layers compute one after another, with one parameter entry an element", () => {
  const layers = [linear({ in: 6, out: 8, from: 1 }), linear({ in: 8, out: 2, from: 2 })] as const;
  const both = sequential([layers[0], (h) => mul(h, 2), layers[1]]);
  const x = randn([3, 6], { from: 1 });
  const hidden = mul(layers[0].apply(layers[0].parameters, x), 2);
  assert.deepEqual(toArray(both.apply(both.parameters, x)), toArray(layers[1].apply(layers[1].parameters, hidden)));
  assert.deepEqual(
    both.parameters.map((each) => Object.keys(each)),
    [["weight", "bias"], [], ["weight", "bias"]],
  );
});

test("a sequential frees what its layers make, except what a function keeps", () => {
  const kept: { isDisposed: boolean; dispose(): void }[] = [];
  const model = sequential([
    linear({ in: 6, out: 8, from: 1 }),
    (h) => {
      kept.push(tf.keep(h));
      return relu(h);
    },
    linear({ in: 8, out: 2 }),
  ]);
  const x = randn([3, 6], { from: 1 });
  model.apply(model.parameters, x).dispose();
  const { numTensors } = tf.memory();
  const y = model.apply(model.parameters, x);
  assert.equal(tf.memory().numTensors, numTensors + 2);
  assert.ok(!x.isDisposed && !y.isDisposed && kept.every((each) => !each.isDisposed));
  for (const each of kept) each.dispose();
});

test("a sequential learns, and its dropouts have masks of their own", () => {
  const model = net();
  const optimizer = adamW(model.parameters, { learningRate: 0.01 });
  const x = randn([16, 6], { from: 3 });
  const target = sum(x, 1, { keepDims: true });
  const loss = (p: typeof model.parameters, step: number) =>
    meanSquaredError(model.apply(p, x, { training: true, seed: step }), concat([target, target], 1));
  const losses = Array.from({ length: 60 }, (_, step) => {
    const { value, gradients } = valueAndGrad(loss)(model.parameters, step);
    optimizer.step(gradients);
    return item(value);
  });
  assert.ok(losses[59]! < losses[0]! / 3, `${losses[0]} to ${losses[59]}`);
});

test("parametersOf is the tree of the layers' parameters, whose names are those of saved files", () => {
  const [first, second] = [linear({ in: 2, out: 3 }), sequential([linear({ in: 3, out: 1 }), relu])];
  const own = parameters({ shift: randn([3]) });
  const joined = parametersOf({ first, rest: [second, { own }], none: dropout({ rate: 0.1 }) });
  assert.deepEqual(joined, {
    first: first.parameters,
    rest: [second.parameters, { own: { shift: own.shift } }],
    none: {},
  });
  assert.equal(joined.rest[0][0].weight, second.parameters[0].weight);
  const names = parameterList(joined).map(({ name }) => name);
  assert.deepEqual(names, ["first.weight", "first.bias", "rest.0.0.weight", "rest.0.0.bias", "rest.1.own.shift"]);
  assert.equal(parametersOf(first), first.parameters);
  for (const [tree, found] of [
    [{ first, rest: [relu] }, "rest\\.0 must be a layer or a variable, got \\[Function: relu\\]"],
    [[first, undefined], "1 must be a layer or a variable, got undefined"],
    [{ scale: randn([2]) }, "scale must be .*, got a plain tensor: make it with `parameters"],
  ] as const)
    assert.throws(() => parametersOf(tree), new RegExp(`^TypeError: parametersOf: ${found}`));
});

test("a model reads a part of a batch", () => {
  const layer = net();
  const model = modelOf(layer, (batch: { rows: ReturnType<typeof randn<[3, 6]>> }) => batch.rows);
  const rows = randn([3, 6], { from: 1 });
  assert.deepEqual(toArray(model.apply(model.parameters, { rows })), toArray(layer.apply(layer.parameters, rows)));
});

test("a mistake is reported with the layer's index, and the summary lists the layers", () => {
  const model = net();
  assert.throws(() => model.apply(model.parameters, randn([3, 5]) as never), {
    name: "ShapeError",
    message: "sequential: layer 0: linear: expected [..., 6], got [3, 5]",
  });
  assert.throws(() => sequential([relu, undefined as never]), /element 1 must be a layer or a function, got undefined/);
  assert.match(
    inspect(model),
    /^sequential of 4 layers with 90 parameters:\n {2}0 {2}linear\(\{ in: 6, out: 8 \}\): 56 /,
  );
  assert.match(inspect(sequential([relu])), /\n {2}0 {2}relu$/);
});
