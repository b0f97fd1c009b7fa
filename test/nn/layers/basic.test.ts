import assert from "node:assert/strict";
import { before, test } from "node:test";
import { random } from "../../../src/data/random.ts";
import * as halftone from "../../../src/index.ts";
import {
  dropout,
  embedding,
  gelu,
  layerNorm,
  linear,
  matmul,
  ones,
  randn,
  ready,
  tensor,
  toArray,
  transpose,
  xavierUniform,
  zeros,
} from "../../../src/index.ts";

before(ready);

test("a linear layer draws its weight, then its bias, from the generator that it is given", () => {
  const rng = random(3);
  const layer = linear({ in: 3, out: 2, from: random(3) });
  const bound = 1 / Math.sqrt(3);
  const drawn = (count: number) => Float32Array.from({ length: count }, () => (2 * rng.uniform() - 1) * bound);
  assert.deepEqual(layer.parameters.weight.dataSync(), drawn(6));
  assert.deepEqual(layer.parameters.bias.dataSync(), drawn(2));
});

test("a layer takes initialisers, also a number", () => {
  const { weight, bias } = linear({ in: 3, out: 2, from: 1, init: { weight: xavierUniform, bias: 0 } }).parameters;
  assert.deepEqual(toArray(weight), toArray(xavierUniform([3, 2], { from: 1 })));
  assert.deepEqual(toArray(bias), [0, 0]);
  assert.throws(
    () => linear({ in: 3, out: 2, init: { bias: () => zeros([3]) } }),
    /linear: bias: expected initial values \[2\], got \[3\]/,
  );
});

test("an embedding's table is also an output layer", () => {
  const layer = embedding({ count: 5, features: 3, from: 1 });
  const rows = layer.apply(layer.parameters, tensor([[1, 4]], { dtype: "int32" }));
  const table = layer.parameters.weight;
  assert.deepEqual(rows.shape, [1, 2, 3]);
  assert.deepEqual(toArray(layer.logits(layer.parameters, rows)), toArray(matmul(rows, transpose(table, [1, 0]))));
});

test("dropout layers under one options object have masks of their own, and change nothing outside training", () => {
  const layer = dropout({ rate: 0.5 });
  const x = ones([64]);
  const options = { training: true, seed: 1 };
  const first = toArray(layer.apply(layer.parameters, x, options));
  const second = toArray(layer.apply(layer.parameters, x, options));
  assert.notDeepEqual(first, second);
  assert.deepEqual(toArray(layer.apply(layer.parameters, x, { training: true, seed: 1 })), first);
  assert.deepEqual(toArray(layer.apply(layer.parameters, x)), toArray(x));
});

test("a layer names itself, the expected and the found shape", () => {
  const x: ReturnType<typeof gelu> = gelu(randn([{ batch: 2 }, 5]));
  const [map, norm] = [linear({ in: 3, out: 2 }), layerNorm({ features: 4 })];
  assert.throws(() => map.apply(map.parameters, x), /linear: expected \[\.\.\., 3\], got \[batch=2, 5\]/);
  assert.throws(() => norm.apply(norm.parameters, x), /layerNorm: expected \[\.\.\., 4\], got \[batch=2, 5\]/);
  assert.throws(() => linear({ in: 0, out: 2 }), /linear: in must be a positive integer, got 0/);
});

test("a layer that gets its sizes one by one, as in PyTorch, throws an error that shows how to call it", () => {
  const layers = [
    ...["linear", "embedding", "layerNorm", "rmsNorm", "batchNorm", "groupNorm", "dropout"],
    ...["conv1d", "conv2d", "convTranspose2d", "maxPool1d", "maxPool2d", "avgPool1d", "avgPool2d", "lstm", "gru"],
    ...["multiHeadAttention", "transformerEncoderLayer", "transformerDecoderLayer"],
  ];
  const library = halftone as unknown as Record<string, (...sizes: number[]) => unknown>;
  const refusal = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      return `${error}`;
    }
    return "nothing was refused";
  };
  for (const name of layers) {
    const message = refusal(() => library[name]!(3, 16, 3));
    const [, example] = /^TypeError: \w+: expected one object of options, `(.*)`, got 3$/.exec(message) ?? [];
    assert.ok(example?.startsWith(`${name}({ `), `${name}: ${message}`);
    const made = Function(...Object.keys(library), `return ${example}`)(...Object.values(library));
    assert.equal(typeof made.apply, "function", example);
  }
  assert.match(
    refusal(() => halftone.sequential(...([linear({ in: 3, out: 4 }), gelu] as unknown as [[]]))),
    /^TypeError: sequential: expected one array of layers, `sequential\(\[linear\({ in: 3, out: 4 }\), relu\]\)`, got linear/,
  );
});
