import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AnyTensor,
  kaimingNormal,
  kaimingUniform,
  linear,
  orthogonal,
  ready,
  toArray,
  truncatedNormal,
  xavierNormal,
  xavierUniform,
} from "../../src/index.ts";

await ready();

function momentsOf(x: AnyTensor): { mean: number; deviation: number; largest: number } {
  const values = [...x.dataSync()];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square), largest: Math.max(...values.map(Math.abs)) };
}

const near = (got: number, expected: number, what: string) =>
  assert.ok(Math.abs(got / expected - 1) < 0.02, `${what}: ${got}, not ${expected}`);

// 60 inputs through a kernel of 3 by 3, and 50 outputs: torch.nn.init._calculate_fan_in_and_fan_out of [50, 60, 3, 3].
const [fanIn, fanOut] = [60 * 9, 50 * 9];
const shape = [3, 3, 60, 50] as const;

test("Xavier's and Kaiming's initial values have the deviation of their papers, for a convolution's weight", () => {
  const cases: [string, AnyTensor, number][] = [
    ["xavierUniform", xavierUniform(shape, { from: 1 }), Math.sqrt(2 / (fanIn + fanOut))],
    ["xavierNormal", xavierNormal(shape, { from: 1, gain: 3 }), 3 * Math.sqrt(2 / (fanIn + fanOut))],
    ["kaimingUniform", kaimingUniform(shape, { from: 1 }), Math.sqrt(2 / fanIn)],
    ["kaimingNormal", kaimingNormal(shape, { from: 1, mode: "fanOut" }), Math.sqrt(2 / fanOut)],
    ["a leaky rectifier's", kaimingNormal(shape, { from: 1, slope: 2 }), Math.sqrt(2 / (5 * fanIn))],
  ];
  for (const [name, values, expected] of cases) near(momentsOf(values).deviation, expected, name);
  const bound = Math.sqrt(6 / fanIn);
  const { largest } = momentsOf(kaimingUniform(shape, { from: 1 }));
  assert.ok(largest <= bound && largest > 0.99 * bound);
});

test("truncated normal numbers stay between their bounds and have the mean and deviation of that distribution", () => {
  // The integrals of the density over the bounds, as scipy.stats.truncnorm has them.
  const around = momentsOf(truncatedNormal([200, 200], { from: 1 }));
  assert.ok(around.largest <= 2);
  near(around.deviation, 0.879625661, "deviation");
  const tail = momentsOf(truncatedNormal([200, 100], { from: 1, low: 3, high: 10 }));
  near(tail.mean, 3.2830986549, "mean of a tail");
  near(tail.deviation, 0.2656297928, "deviation of a tail");
  const moved = truncatedNormal([200, 100], { from: 1, mean: 1, std: 2, low: 2, high: 3 });
  near(momentsOf(moved).mean, 1 + 2 * 0.7345404588, "mean between bounds");
});

test("orthogonal weights have orthogonal columns, or rows where those are fewer, of the gain's length", () => {
  for (const sizes of [
    [8, 5],
    [5, 8],
    [2, 2, 3, 6],
  ] as const) {
    const weight = orthogonal(sizes, { from: 1, gain: 2 });
    const columns = sizes.at(-1)!;
    const rows = weight.size / columns;
    const values = weight.dataSync();
    const count = Math.min(rows, columns);
    const element = (vector: number, i: number) =>
      columns <= rows ? values[i * columns + vector]! : values[vector * columns + i]!;
    for (let a = 0; a < count; a++)
      for (let b = 0; b < count; b++) {
        let product = 0;
        for (let i = 0; i < Math.max(rows, columns); i++) product += element(a, i) * element(b, i);
        assert.ok(Math.abs(product - (a === b ? 4 : 0)) < 1e-5, `${a}, ${b}: ${product}`);
      }
  }
});

test("the same seed gives the same initial values, and a layer takes an initialiser", () => {
  assert.deepEqual(toArray(orthogonal([3, 3], { from: 7 })), toArray(orthogonal([3, 3], { from: 7 })));
  const { weight } = linear({ in: 4, out: 3, from: 5, init: { weight: kaimingNormal } }).parameters;
  assert.deepEqual(toArray(weight), toArray(kaimingNormal([4, 3], { from: 5 })));
});

test("a vector has no fan, and bounds must be in order", () => {
  assert.throws(() => kaimingUniform([3]), /kaimingUniform: expected a weight \[in, out\] .*, got \[3\]/);
  assert.throws(() => truncatedNormal([3], { low: 1, high: 1 }), /low must be below high, got 1 and 1/);
  assert.throws(() => kaimingNormal([3, 2], { mode: "both" as never }), /mode must be "fanIn" or "fanOut", got both/);
});
