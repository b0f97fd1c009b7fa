// Slow arithmetic on plain arrays, the reference that the tests compare with.
import assert from "node:assert/strict";
import { tf } from "../../src/runtime/index.ts";
import type { AnyTensor } from "../../src/tensor/index.ts";

export interface NdArray {
  shape: number[];
  data: number[];
}

/** A small generator (mulberry32), so that every run tries the same shapes. */
export function dice(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(list: readonly T[]): T => list[whole(0, list.length - 1)]!;
  const array = (shape: readonly number[], value: () => number = () => Math.fround(next() * 4 - 2)): NdArray => ({
    shape: [...shape],
    data: Array.from({ length: size(shape) }, value),
  });
  return { next, whole, pick, array };
}

export const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
export const toTensor = ({ shape, data }: NdArray, dtype: "float32" | "int32" | "bool" = "float32"): AnyTensor =>
  tf.tensor(data, shape, dtype);
export const toArray = (x: AnyTensor): NdArray => ({ shape: [...x.shape], data: [...(x.dataSync() as Float32Array)] });

/** Every index of a shape, in order. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const at = shape.map(() => 0);
  for (let n = size(shape); n > 0; n--) {
    yield [...at];
    for (let i = shape.length - 1; i >= 0; i--) {
      if (++at[i]! < shape[i]!) break;
      at[i] = 0;
    }
  }
}

/** Where an index lies; an axis of one element is broadcast. */
export const flat = (shape: readonly number[], index: readonly number[]): number =>
  shape.reduce((place, d, i) => place * d + (d === 1 ? 0 : index[index.length - shape.length + i]!), 0);

export function zip(a: NdArray, b: NdArray, f: (x: number, y: number) => number): NdArray {
  const rank = Math.max(a.shape.length, b.shape.length);
  const pad = (s: number[]) => [...Array<number>(rank - s.length).fill(1), ...s];
  const [s, t] = [pad(a.shape), pad(b.shape)];
  const shape = s.map((d, i) => (d === 1 ? t[i]! : d));
  return { shape, data: [...indices(shape)].map((at) => f(a.data[flat(s, at)]!, b.data[flat(t, at)]!)) };
}

/** Groups the elements by what is left of their index without `axes`, and reduces each group. */
export function fold(x: NdArray, axes: readonly number[], f: (values: number[]) => number): NdArray {
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  const groups: number[][] = Array.from({ length: size(shape) }, () => []);
  for (const at of indices(x.shape))
    groups[at.reduce((place, k, i) => (axes.includes(i) ? place : place * x.shape[i]! + k), 0)]!.push(
      x.data[at.reduce((place, k, i) => place * x.shape[i]! + k, 0)]!,
    );
  return { shape, data: groups.map(f) };
}

/** Same shape, and every element within a part in `1 / tolerance`; NaN equals NaN. */
export function assertClose(actual: AnyTensor | NdArray, expected: NdArray, tolerance = 1e-5, what = ""): void {
  const found = "dtype" in actual ? toArray(actual as AnyTensor) : (actual as NdArray);
  assert.deepEqual(found.shape, expected.shape, `shape ${what}`);
  for (const [i, value] of expected.data.entries()) {
    const got = found.data[i]!;
    const same =
      Object.is(got, value) || got === value || Math.abs(got - value) <= tolerance * Math.max(1, Math.abs(value));
    assert.ok(same, `element ${i} is ${got}, expected ${value} ${what}`);
  }
}

/** Runs `f` and frees what it made. */
export const tidily = (f: () => void): void => {
  tf.tidy(f);
};
