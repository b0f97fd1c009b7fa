import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AnyTensor,
  type ApplyOptions,
  at,
  avgPool1d,
  avgPool2d,
  batchNorm,
  conv1d,
  conv2d,
  convTranspose2d,
  dropout,
  grad,
  groupNorm,
  gru,
  leaves,
  lstm,
  maxPool1d,
  maxPool2d,
  mul,
  perExampleGrad,
  randn,
  ready,
  square,
  stack,
  sum,
  unsqueeze,
  vmap,
} from "../../../src/index.ts";
import { assertClose } from "../reference.ts";

await ready();

type T = AnyTensor;
type Tree = Record<string, T>;
interface Made {
  parameters: Tree;
  apply(parameters: Tree, x: T, options?: ApplyOptions): T | { outputs: T };
}
type Loss = (parameters: Tree, x: T) => T;
type Map = (f: unknown, options?: object) => (...args: unknown[]) => T;

const image = [5, 6, 4];
const sequence = [7, 4];
const sizes = { in: 4, out: 6, from: 1 } as const;
const made = (layer: unknown) => layer as Made;
const layers: [name: string, layer: Made, shape: number[]][] = [
  ["conv1d", made(conv1d({ ...sizes, kernelSize: 3, stride: 2, padding: 1 })), sequence],
  ["conv2d", made(conv2d({ ...sizes, kernelSize: 3, padding: "same" })), image],
  [
    "conv2d with stride, padding and dilation",
    made(conv2d({ ...sizes, kernelSize: 2, stride: 2, padding: 1, dilation: 2 })),
    image,
  ],
  ["conv2d in groups", made(conv2d({ ...sizes, kernelSize: 3, groups: 2 })), image],
  ["conv2d by channel", made(conv2d({ ...sizes, out: 8, kernelSize: 3, groups: 4 })), image],
  ["convTranspose2d", made(convTranspose2d({ ...sizes, kernelSize: 4, stride: 2, padding: 1 })), image],
  ["maxPool1d", made(maxPool1d({ kernelSize: 3, stride: 2, padding: 1 })), sequence],
  ["maxPool2d", made(maxPool2d({ kernelSize: 3, stride: 2, padding: 1 })), image],
  ["avgPool1d", made(avgPool1d({ kernelSize: 2 })), sequence],
  ["avgPool2d", made(avgPool2d({ kernelSize: 3, stride: 2, padding: 1, countIncludePad: false })), image],
  ["batchNorm, outside of training,", made(batchNorm({ features: 4 })), image],
  ["groupNorm", made(groupNorm({ features: 4, groups: 2 })), image],
  ["lstm", made(lstm({ in: 4, hidden: 3, from: 1 })), sequence],
  ["gru", made(gru({ in: 4, hidden: 3, from: 1 })), sequence],
];
const count = 3;
const each = <R>(f: (i: number) => R): R[] => Array.from({ length: count }, (_, i) => f(i));
const map = vmap as unknown as Map;

function assertSame(found: T, examples: T[], what: string): void {
  const { shape } = stack(examples as never) as T;
  assertClose(found, { shape, values: examples.flatMap((example) => [...example.dataSync()]) }, 1e-5, what);
}

for (const [name, layer, shape] of layers) {
  const one = (p: Tree, x: T): T => {
    const result = layer.apply(p, unsqueeze(x, 0));
    return at("outputs" in result ? result.outputs : result, 0) as T;
  };
  const loss: Loss = (p, x) => sum(square(one(p, x)));
  const xs = randn([count, ...shape], { from: 2 }) as T;
  const x = (i: number) => at(xs, i) as T;
  const p = layer.parameters;

  test(`${name} under vmap equals a loop over the examples, with its first and second derivatives`, () => {
    const slope = grad((x: T) => loss(p, x));
    const along = grad((x: T) => sum(mul(slope(x), square(x)) as T));
    for (const [what, f] of Object.entries({
      output: (x: T) => one(p, x),
      gradient: slope,
      "second derivative": along,
    }))
      assertSame(
        map(f)(xs),
        each((i) => f(x(i)) as T),
        what,
      );
  });

  if (leaves(p).length === 0) continue;

  test(`${name} under perExampleGrad equals a loop over the examples`, () => {
    const own = perExampleGrad(loss as never)(p as never, xs as never) as unknown as Tree;
    const alone = each((i) => grad((p: Tree) => loss(p, x(i)))(p) as Tree);
    for (const key of Object.keys(p))
      assertSame(
        own[key]!,
        alone.map((tree) => tree[key]!),
        `gradient of ${key}`,
      );
  });

  test(`${name} under vmap over its parameters equals a loop over the models`, () => {
    const models = each((i) =>
      Object.fromEntries(Object.entries(p).map(([key, value]) => [key, mul(value, i + 1) as T])),
    );
    const all = Object.fromEntries(
      Object.keys(p).map((key) => [key, stack(models.map((model) => model[key]!) as never) as T]),
    );
    assertSame(
      map((p: Tree) => one(p, x(0)))(all),
      models.map((model) => one(model, x(0))),
      "outputs",
    );
  });
}

test("batchNorm refuses vmap and perExampleGrad in training, because its statistics mix the examples", () => {
  const norm = made(batchNorm({ features: 4 }));
  const loss = (p: Tree, x: T) => sum(norm.apply(p, x, { training: true }) as T);
  const xs = randn([count, 5, 4], { from: 2 });
  const message =
    /^batchNorm: vmap and perExampleGrad cannot run it in training, .* use groupNorm or layerNorm, or training: false$/;
  assert.throws(() => map((x: T) => loss(norm.parameters, x))(xs), { message });
  assert.throws(() => perExampleGrad(loss as never)(norm.parameters as never, xs as never), { message });
  assert.ok(norm.parameters.mean!.dataSync().every((value) => value === 0));
});

test("dropout under vmap draws other elements for each example", () => {
  const drop = made(dropout({ rate: 0.5 }));
  const xs = randn([count, 40], { from: 2 });
  const dropped = map((x: T) => drop.apply({}, x, { training: true, seed: 1 }), { randomness: "different" })(xs);
  const zeros = each((i) => [...(at(dropped, i) as T).dataSync()].map((value) => value === 0).join());
  assert.equal(new Set(zeros).size, count);
});
