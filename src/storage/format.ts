import { checkStorage, type Storage } from "../runtime/index.ts";

/** A binary floating-point format (IEEE 754-2019, table 3.5; bfloat16 is the upper half of binary32). */
export interface Format {
  name: Storage;
  /** Sign, exponent and fraction together. */
  bits: number;
  exponentBits: number;
  fractionBits: number;
  /** Exponent of the largest numbers. */
  maxExponent: number;
  /** Exponent of the smallest normal numbers. */
  minExponent: number;
  /** The largest finite number. */
  largest: number;
  smallestNormal: number;
  smallestSubnormal: number;
  /** The distance from 1 to the next number. */
  epsilon: number;
  /** The smallest magnitude that rounds to infinity: half a step above `largest`. */
  overflow: number;
  /** Decimal digits that a round trip preserves: `floor(fractionBits * log10(2))`, as C's FLT_DIG. */
  digits: number;
}

function make(name: Storage, exponentBits: number, fractionBits: number): Format {
  const maxExponent = 2 ** (exponentBits - 1) - 1;
  const minExponent = 1 - maxExponent;
  const step = 2 ** (maxExponent - fractionBits);
  const largest = (2 - 2 ** -fractionBits) * 2 ** maxExponent;
  return {
    ...{ name, bits: 1 + exponentBits + fractionBits, exponentBits, fractionBits, maxExponent, minExponent, largest },
    smallestNormal: 2 ** minExponent,
    smallestSubnormal: 2 ** (minExponent - fractionBits),
    epsilon: 2 ** -fractionBits,
    overflow: largest + step / 2,
    digits: Math.floor(fractionBits * Math.log10(2)),
  };
}

const all: Record<Storage, Format> = {
  float16: make("float16", 5, 10),
  bfloat16: make("bfloat16", 8, 7),
  float32: make("float32", 8, 23),
  float64: make("float64", 11, 52),
};

/**
 * The binary format of a storage type: its bits, range and precision.
 *
 * @throws TypeError for an unknown storage type
 */
export function floatFormat(name: Storage): Format {
  checkStorage(name);
  return all[name];
}

const view = new DataView(new ArrayBuffer(8));

/** The exponent of the largest power of two that is not above a number's magnitude. */
export function exponentOf(value: number): number {
  view.setFloat64(0, value);
  const field = (view.getUint16(0) >>> 4) & 0x7ff;
  return field > 0 ? field - 1023 : exponentOf(value * 2 ** 60) - 60;
}

/** The distance between the numbers of a format around a value, one unit in the last place; NaN where it is not finite. */
export function ulp(value: number, name: Storage): number {
  const format = floatFormat(name);
  if (!Number.isFinite(value)) return Number.NaN;
  const exponent = value === 0 ? format.minExponent : exponentOf(value);
  return 2 ** (Math.min(Math.max(exponent, format.minExponent), format.maxExponent) - format.fractionBits);
}

/**
 * The nearest number of a format, ties to even (IEEE 754); infinity from `overflow` on. The double is rounded once, because
 * rounding by way of float32 would round twice.
 */
export function roundTo(value: number, name: Storage): number {
  return rounded(value, name, tiesToEven);
}

function tiesToEven(steps: number): number {
  const low = Math.floor(steps);
  const rest = steps - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

/**
 * Rounds to one of the two neighbouring numbers of a format at random, the nearer one with the higher probability, so that
 * the expected value is the input. `uniform` gives numbers in [0, 1), for instance `random(seed).uniform`.
 *
 * Gupta et al. 2015, "Deep learning with limited numerical precision" (arXiv 1502.02551).
 */
export function stochasticRound(value: number, name: Storage, uniform: () => number): number {
  return rounded(value, name, (steps) => Math.floor(steps + uniform()));
}

function rounded(value: number, name: Storage, round: (steps: number) => number): number {
  const { largest } = floatFormat(name);
  if (name === "float64" || value === 0 || !Number.isFinite(value)) return value;
  const size = Math.abs(value);
  // Division by a power of two is exact, so the only rounding is the one asked for.
  const step = ulp(size, name);
  const nearest = round(size / step) * step;
  return Math.sign(value) * (nearest > largest ? Number.POSITIVE_INFINITY : nearest);
}

/** The bits of the nearest number of a format; NaN is the quiet NaN without a payload. */
export function floatBits(value: number, name: Storage): bigint {
  const { bits, exponentBits, fractionBits, minExponent } = floatFormat(name);
  const exponentMask = (1n << BigInt(exponentBits)) - 1n;
  if (Number.isNaN(value)) return (exponentMask << BigInt(fractionBits)) | (1n << BigInt(fractionBits - 1));
  const nearest = roundTo(value, name);
  const sign = nearest < 0 || Object.is(nearest, -0) ? 1n << BigInt(bits - 1) : 0n;
  const size = Math.abs(nearest);
  if (size === Number.POSITIVE_INFINITY) return sign | (exponentMask << BigInt(fractionBits));
  const steps = BigInt(size / ulp(size, name));
  const exponent = size === 0 ? minExponent : Math.max(exponentOf(size), minExponent);
  // A normal number's leading one adds the 1 by which its exponent field is larger than a subnormal's.
  return sign | (steps + (BigInt(exponent - minExponent) << BigInt(fractionBits)));
}

/**
 * The number that the bits of a format represent: the inverse of `floatBits`.
 *
 * @throws RangeError when the pattern has more bits than the format
 */
export function floatFromBits(pattern: bigint | number, name: Storage): number {
  const { bits, exponentBits, fractionBits, minExponent } = floatFormat(name);
  const word = BigInt(pattern);
  if (word < 0n || word >> BigInt(bits) !== 0n) {
    throw new RangeError(`${name} has ${bits} bits: expected 0 to ${(1n << BigInt(bits)) - 1n}, got ${word}`);
  }
  const fraction = word & ((1n << BigInt(fractionBits)) - 1n);
  const field = (word >> BigInt(fractionBits)) & ((1n << BigInt(exponentBits)) - 1n);
  const sign = word >> BigInt(bits - 1) ? -1 : 1;
  if (field === (1n << BigInt(exponentBits)) - 1n) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  const steps = field ? fraction + (1n << BigInt(fractionBits)) : fraction;
  const exponent = field ? Number(field) - 1 + minExponent : minExponent;
  return sign * Number(steps) * 2 ** (exponent - fractionBits);
}

/** The sign, exponent and fraction of the nearest number of a format in binary, as "0 01111 0000000000". */
export function bitString(value: number, name: Storage): string {
  const { bits, exponentBits } = floatFormat(name);
  const text = floatBits(value, name).toString(2).padStart(bits, "0");
  return `${text[0]} ${text.slice(1, 1 + exponentBits)} ${text.slice(1 + exponentBits)}`;
}
