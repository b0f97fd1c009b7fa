import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type AnyTensor,
  type ApplyOptions,
  avgPool1d,
  avgPool2d,
  batchNorm,
  checkpoint,
  conv1d,
  conv2d,
  convTranspose2d,
  grad,
  groupNorm,
  loadStateDict,
  maxPool1d,
  maxPool2d,
  mul,
  randn,
  ready,
  sgd,
  square,
  sum,
  zeros,
} from "../../../src/index.ts";
import { assertClose, type ReferenceArray, referenceOf, tensorOf } from "../reference.ts";

await ready();

const layers = { avgPool1d, avgPool2d, batchNorm, conv1d, conv2d, convTranspose2d, groupNorm, maxPool1d, maxPool2d };

// python bench/reference/layers.py test/nn/layers/fixtures/layers.json
const file = new URL("../../../../test/nn/layers/fixtures/layers.json", import.meta.url);

interface Case {
  layer: keyof typeof layers;
  options: object;
  training: boolean;
  parameters: Record<string, ReferenceArray>;
  x: ReferenceArray;
  y: ReferenceArray;
  dy: ReferenceArray;
  dx: ReferenceArray;
  gradients: Record<string, ReferenceArray>;
  after: Record<string, ReferenceArray>;
  v: ReferenceArray;
  second: ReferenceArray;
}
type Tensor = AnyTensor;
type Tree = Record<string, Tensor>;
interface Made {
  parameters: Tree;
  apply(parameters: Tree, x: Tensor, options?: ApplyOptions): Tensor;
}

const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: Case[] };

for (const { layer, options, training, parameters, x, y, dy, dx, gradients, after, v, second } of cases)
  test(`${layer}(${JSON.stringify(options)}) gives PyTorch's output, gradients and second derivatives${training ? "" : ", outside of training"}`, () => {
    const made = (layers[layer] as unknown as (options: object) => Made)(options);
    const weights = Object.fromEntries(Object.entries(parameters).map(([name, stored]) => [name, tensorOf(stored)]));
    loadStateDict(made.parameters, weights as never);
    const output = made.apply(made.parameters, tensorOf(x), { training });
    assertClose(output, y, 1e-6, "output");
    for (const [name, stored] of Object.entries(after)) assertClose(made.parameters[name]!, stored, 1e-6, name);
    loadStateDict(made.parameters, weights as never);
    const loss = (tree: { p: Tree; x: Tensor }) => sum(mul(made.apply(tree.p, tree.x, { training }), tensorOf(dy)));
    const found = grad(loss as never)({ p: made.parameters, x: tensorOf(x) }) as { p: Tree; x: Tensor };
    assertClose(found.x, dx, 1e-5, "gradient of the input");
    for (const [name, stored] of Object.entries(gradients))
      assertClose(found.p[name]!, stored, 1e-5, `gradient of ${name}`);
    const squares = (own: Tensor) => {
      const result = made.apply(made.parameters, own, { training });
      return sum(mul(mul(result, result), tensorOf(dy)));
    };
    const slope = grad((own: Tensor) => sum(mul(grad(squares)(own), tensorOf(v))));
    assertClose(slope(tensorOf(x)), second, 1e-5, "second derivative of the input");
  });

test('a mean with padding "same" leaves out the padding, as does PyTorch\'s without count_include_pad, and so do its gradients', () => {
  const x = randn([2, 7, 5, 2], { from: 3 });
  const [same, numeric] = [
    avgPool2d({ kernelSize: 3, stride: 2, padding: "same" }),
    avgPool2d({ kernelSize: 3, stride: 2, padding: 1, countIncludePad: false }),
  ].map((pool) => {
    const slope = grad((own: AnyTensor) => sum(square(pool.apply({}, own))));
    return [pool.apply({}, x), slope(x), grad((own: AnyTensor) => sum(square(slope(own))))(x)];
  });
  for (const [i, what] of ["output", "gradient", "second derivative"].entries())
    assertClose(same![i]!, referenceOf(numeric![i]!), 1e-6, what);
});

test("running statistics move in training only, and optimizers leave them alone", () => {
  const norm = batchNorm({ features: 2 });
  const x = randn([8, 2], { from: 1 });
  norm.apply(norm.parameters, x);
  assert.deepEqual([...norm.parameters.mean.dataSync()], [0, 0]);
  norm.apply(norm.parameters, x, { training: true });
  assert.notDeepEqual([...norm.parameters.mean.dataSync()], [0, 0]);
  assert.equal(sgd(norm.parameters).variables.length, 2);
});

test("a checkpointed batch norm moves its running statistics once, and has the same gradients", () => {
  const x = randn([6, 2], { from: 1 });
  const weights = randn([6, 2], { from: 2 });
  const found = [false, true].map((again) => {
    const norm = batchNorm({ features: 2 });
    type P = typeof norm.parameters;
    const pass = (p: P) => sum(mul(norm.apply(p, x, { training: true }), weights));
    const gradients = grad((p: P) => (again ? checkpoint(pass)(p) : pass(p)))(norm.parameters);
    return [norm.parameters.mean, norm.parameters.variance, gradients.scale].map((each) => [...each.dataSync()]);
  });
  assert.deepEqual(found[1], found[0]);
});

test("a wrong image, kernel or padding is refused with the shapes", () => {
  const conv = conv2d({ in: 3, out: 4, kernelSize: 3 });
  const apply = (shape: number[]) => () => conv.apply(conv.parameters, zeros(shape) as never);
  assert.throws(apply([2, 5, 5, 1]), /conv2d: expected \[batch, height, width, 3\], got \[2, 5, 5, 1\]/);
  assert.throws(apply([2, 2, 2, 3]), /is smaller than the kernel/);
  assert.throws(() => conv2d({ in: 3, out: 4, kernelSize: 3, groups: 2 }), /2 groups must divide/);
  const pool = maxPool2d({ kernelSize: 4 });
  assert.throws(() => pool.apply({}, zeros([1, 2, 2, 1])), /smaller than the window 4 by 4/);
  assert.throws(
    () => avgPool2d({ kernelSize: [4, 2], padding: 2 }),
    /avgPool2d: padding must be at most half of kernelSize \[4,2\], got 2/,
  );
  for (const outputPadding of [2, -1, "same" as never]) {
    assert.throws(
      () => convTranspose2d({ in: 1, out: 1, kernelSize: 3, stride: 2, outputPadding }),
      /^RangeError: convTranspose2d: outputPadding must be an integer of at least 0 below the stride 2, 2, got (2|-1|"same")$/,
    );
  }
  assert.throws(() => maxPool1d({ kernelSize: 2, padding: -1 }), /maxPool1d: padding must be "same", "valid" or/);
  const norm = batchNorm({ features: 2 });
  const one = zeros([1, 2]);
  assert.throws(() => norm.apply(norm.parameters, one, { training: true }), /more than one value per feature, got 1/);
});
