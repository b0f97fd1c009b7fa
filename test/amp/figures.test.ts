import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLosses, gradientHistogram, numberLine } from "../../src/amp/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";

await ready();
type Trace = { name: string; x: number[]; y: number[] };

test("the number line shows each format's numbers, limits included", () => {
  const { data } = numberLine({ from: 1, to: 2, formats: ["float16", "bfloat16"] });
  const [half, brain] = data as unknown as Trace[];
  // Between two powers of two lie 2^fractionBits numbers; both ends are among them.
  assert.equal(half!.x.length, 1025);
  assert.equal(brain!.x.length, 129);
  assert.deepEqual([half!.x[0], half!.x[1], half!.x.at(-1)], [1, 1 + 2 ** -10, 2]);
  const [edge] = numberLine({ from: 65000, to: 70000, formats: ["float16"] }).data as unknown as Trace[];
  assert.equal(edge!.x.at(-1), 65504);
  const [zero] = numberLine({ from: -(2 ** -23), to: 2 ** -23, formats: ["float16"] }).data as unknown as Trace[];
  assert.deepEqual(
    zero!.x.map((value) => value * 2 ** 24 || 0),
    [-2, -1, 0, 1, 2],
  );
  const [single] = numberLine({ from: 1, to: 2, formats: ["float32"] }).data as unknown as Trace[];
  assert.ok(single!.x.length <= 2001 && /every \d+th/.test(single!.name));
  assert.throws(() => numberLine({ from: 2, to: 1 }), /from must be below to, got 2 and 1/);
});

test("the gradient histogram colours what float16 would lose, and the loss scale shifts it", () => {
  const gradients = tf.tensor1d([0, 2 ** -26, 2 ** -25, 1.5 * 2 ** -25, 2 ** -20, 2 ** -3, 1, 65536]);
  assert.deepEqual(formatLosses(gradients.dataSync()), {
    vanish: 2 / 7,
    subnormal: 2 / 7,
    overflow: 1 / 7,
    zero: 1 / 8,
  });
  const shown = (lossScale?: number) =>
    Object.fromEntries(
      (gradientHistogram([gradients], lossScale ? { lossScale } : {}).data as unknown as Trace[]).map(({ name, y }) => [
        name,
        y.reduce((sum, count) => sum + count, 0),
      ]),
    );
  assert.deepEqual(shown(), { "becomes 0": 1, "loses digits": 3, kept: 2, overflows: 1 });
  assert.deepEqual(shown(2 ** 12), { kept: 6, overflows: 1 });
  assert.throws(() => gradientHistogram([0, 0]), /at least one number that is finite and not zero/);
});
