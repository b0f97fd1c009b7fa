import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { random } from "../../src/data/random.ts";
import {
  bitString,
  floatBits,
  floatFormat,
  floatFromBits,
  roundTo,
  stochasticRound,
  ulp,
} from "../../src/storage/index.ts";
import { roundToBfloat16, roundToFloat16 } from "../../src/storage/round.ts";

interface Reference {
  decoded: string;
  midpoints: string;
  singles: string;
  limits: [string, number][];
}

// Written by bench/reference/amp_formats.py with NumPy and ml_dtypes.
const expected = JSON.parse(
  readFileSync(new URL("../../../test/amp/fixtures/formats.json", import.meta.url), "utf8"),
) as Record<"float16" | "bfloat16", Reference>;

const sha = (array: ArrayBufferView) =>
  createHash("sha256")
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest("hex");

const view = new DataView(new ArrayBuffer(8));
/** The doubles beside one. */
function beside(value: number, by: bigint): number {
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value < 0 ? -by : by));
  return view.getFloat64(0);
}

/** Each middle between two neighbours, and the doubles just beside it, of both signs. */
function midpoints(name: "float16" | "bfloat16"): Float64Array {
  const count = Number(floatBits(Number.POSITIVE_INFINITY, name));
  const positive: number[] = [];
  for (let i = 0; i + 1 < count; i++) {
    const middle = (floatFromBits(i, name) + floatFromBits(i + 1, name)) / 2;
    positive.push(beside(middle, -1n), middle, beside(middle, 1n));
  }
  return Float64Array.from([...positive, ...positive.map((value) => -value)]);
}

for (const name of ["float16", "bfloat16"] as const) {
  describe(`${name} equals NumPy's and ml_dtypes'`, () => {
    test("all 65,536 bit patterns represent the same numbers, and each number has its pattern", () => {
      const values = Float32Array.from({ length: 65536 }, (_, pattern) => floatFromBits(pattern, name));
      assert.equal(sha(values), expected[name].decoded);
      values.forEach((value, pattern) => {
        if (!Number.isNaN(value)) assert.equal(floatBits(value, name), BigInt(pattern));
      });
    });

    test("doubles at and next to every midpoint are rounded once, ties to even", () => {
      const bits = Uint16Array.from(midpoints(name), (value) => Number(floatBits(value, name)));
      assert.equal(sha(bits), expected[name].midpoints);
    });

    test("emulation rounds float32 numbers the same way", () => {
      const singles = Float32Array.from(midpoints(name));
      (name === "float16" ? roundToFloat16 : roundToBfloat16)(singles);
      assert.equal(sha(Uint16Array.from(singles, (value) => Number(floatBits(value, name)))), expected[name].singles);
      const special = Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-30, -1e-30);
      (name === "float16" ? roundToFloat16 : roundToBfloat16)(special);
      assert.deepEqual([...special].slice(0, 3), [Number.NaN, Number.POSITIVE_INFINITY, -0]);
      if (name === "float16") assert.deepEqual([...special].slice(3), [0, -0]);
    });

    test("limits, subnormals, infinities and not-a-number", () => {
      for (const [hex, bits] of expected[name].limits) {
        view.setBigUint64(0, BigInt(`0x${hex}`));
        assert.equal(floatBits(view.getFloat64(0), name), BigInt(bits), `${view.getFloat64(0)}`);
      }
    });
  });
}

test("float32 rounds as Math.fround does, float64 not at all", () => {
  const uniform = random(7);
  for (let i = 0; i < 10_000; i++) {
    const value = uniform.normal() * 2 ** Math.round(uniform.normal() * 60);
    assert.equal(roundTo(value, "float32"), Math.fround(value));
    assert.equal(roundTo(value, "float64"), value);
    assert.equal(floatFromBits(floatBits(value, "float64"), "float64"), value);
    assert.equal(floatFromBits(floatBits(value, "float32"), "float32"), Math.fround(value));
  }
});

test("a double just above a tie is not rounded by way of float32", () => {
  // Through float32, 1 + 2^-11 + 2^-40 would be the tie itself, and go down to 1.
  assert.equal(roundTo(1 + 2 ** -11 + 2 ** -40, "float16"), 1 + 2 ** -10);
});

test("the formats' limits are IEEE 754's", () => {
  const half = floatFormat("float16");
  assert.deepEqual(
    [half.largest, half.overflow, half.smallestNormal, half.smallestSubnormal, half.epsilon, half.digits],
    [65504, 65520, 2 ** -14, 2 ** -24, 2 ** -10, 3],
  );
  assert.equal(roundTo(65519.99, "float16"), 65504);
  assert.equal(roundTo(65520, "float16"), Number.POSITIVE_INFINITY);
  assert.equal(floatFormat("float32").largest, 3.4028234663852886e38);
  assert.equal(floatFormat("float64").largest, Number.MAX_VALUE);
  assert.equal(ulp(1, "float16"), 2 ** -10);
  assert.equal(ulp(2048, "float16"), 2);
  assert.equal(ulp(0, "float16"), 2 ** -24);
  assert.equal(ulp(1, "float64"), Number.EPSILON);
  assert.equal(bitString(1, "float16"), "0 01111 0000000000");
  assert.equal(bitString(-2, "bfloat16"), "1 10000000 0000000");
});

test("stochastic rounding gives a neighbour, the value on average, and the same for the same seed", () => {
  const draw = () => {
    const { uniform } = random(3);
    return Array.from({ length: 20_000 }, () => stochasticRound(1 + 2 ** -12, "float16", uniform));
  };
  const values = draw();
  assert.deepEqual(values, draw());
  assert.deepEqual(new Set(values), new Set([1, 1 + 2 ** -10]));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  // Four standard errors of a step of 2^-10 taken with chance 1/4.
  assert.ok(Math.abs(mean - (1 + 2 ** -12)) < (4 * 2 ** -10 * Math.sqrt(3 / 16)) / Math.sqrt(values.length));
});

test("a bit pattern that is too wide is rejected", () => {
  assert.throws(() => floatFromBits(65536, "float16"), /float16 has 16 bits: expected 0 to 65535, got 65536/);
  assert.throws(() => floatFormat("float8" as "float16"), /got "float8"/);
});
