import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ready, tf } from "../../src/runtime/index.ts";
import * as h from "../../src/tensor/index.ts";
import { assertClose, dice, fold, indices, type NdArray, tidily, toTensor, zip } from "./naive.ts";

before(ready);

const loose = h as unknown as Record<string, (...args: unknown[]) => h.AnyTensor>;
const counting = (...shape: number[]) => h.reshape(h.arange(shape.reduce((n, d) => n * d, 1)), shape as number[]);

/** Python's slice.indices, written from its documentation. */
function sliceIndices(text: string, length: number): number[] {
  const [start, stop, step = 1] = text.split(":").map((part) => (part === "" ? undefined : Number(part)));
  const wrap = (value: number) => (value < 0 ? value + length : value);
  const found: number[] = [];
  if (step > 0) {
    const last = stop === undefined ? length : wrap(stop);
    for (let i = start === undefined ? 0 : Math.max(0, wrap(start)); i < Math.min(last, length); i += step)
      found.push(i);
  } else {
    const last = stop === undefined ? -1 : Math.max(-1, wrap(stop));
    for (let i = start === undefined ? length - 1 : Math.min(length - 1, wrap(start)); i > last; i += step)
      found.push(i);
  }
  return found;
}

test("at indexes as NumPy: random indices, slices in both directions, arrays, new axes, an ellipsis", () => {
  const { whole, pick, next } = dice(20);
  const bound = () => (next() < 0.3 ? "" : String(whole(-6, 6)));
  for (let round = 0; round < 200; round++)
    tidily(() => {
      const shape = Array.from({ length: whole(1, 4) }, () => whole(1, 5));
      const x = counting(...shape);
      const asked: (number | string | null | number[])[] = [];
      const chosen: number[][] = [];
      const result: number[] = [];
      const used = whole(0, shape.length);
      for (const [axis, d] of shape.entries()) {
        if (axis >= used) {
          chosen.push([...Array(d).keys()]);
          result.push(d);
          continue;
        }
        if (next() < 0.1) {
          asked.push(null);
          result.push(1);
        }
        const kind = pick(["place", "slice", "list"]);
        if (kind === "place") {
          const place = whole(-d, d - 1);
          asked.push(place);
          chosen.push([place < 0 ? place + d : place]);
        } else {
          const list = Array.from({ length: whole(1, 3) }, () => whole(-d, d - 1));
          const step = pick(["", ":", ":1", ":2", ":-1", ":-2"]);
          const text = `${bound()}:${bound()}${step}`;
          asked.push(kind === "list" ? list : text);
          const places = kind === "list" ? list.map((i) => (i < 0 ? i + d : i)) : sliceIndices(text, d);
          chosen.push(places);
          result.push(places.length);
        }
      }
      const data = [...indices(chosen.map((places) => places.length))].map((at) =>
        at.reduce((place, k, axis) => place * shape[axis]! + chosen[axis]![k]!, 0),
      );
      const what = `${JSON.stringify(shape)} at ${JSON.stringify(asked)}`;
      assertClose(loose.at!(x, ...asked), { shape: result, data }, 0, what);
    });
  const x = counting(2, 3, 4);
  assert.deepEqual(h.at(x, "...", 0).arraySync(), [
    [0, 4, 8],
    [12, 16, 20],
  ]);
  assert.deepEqual(h.at(x, -1, "...", "1:3").arraySync(), [
    [13, 14],
    [17, 18],
    [21, 22],
  ]);
  assert.deepEqual(h.at(x, 0, h.tensor([[0, 2]], { dtype: "int32" }), 1).arraySync(), [[1, 9]]);
});

test("at rejects an index out of bounds and an invalid slice", () => {
  const x = h.named(counting(2, 3), ["batch", "time"]);
  assert.throws(
    () => loose.at!(x, 2),
    /^RangeError: at: index 2 is out of bounds for axis 0 of size 2 \(shape \[batch=2, time=3\]\)/,
  );
  assert.throws(() => loose.at!(x, [0, -3]), /index -3 is out of bounds for axis 0 of size 2/);
  assert.throws(() => loose.at!(x, "1-2"), /"1-2" is not a slice such as/);
  assert.throws(() => loose.at!(x, "::0"), /cannot step by 0/);
  assert.throws(() => loose.at!(x, 0, 0, 0), /3 indices for the 2 axes/);
  assert.throws(() => loose.gather!(x, [5]), /gather: index 5 is out of bounds for axis 0/);
});

test("transpose, swapAxes, squeeze and unsqueeze take axes by number or name and keep the names", () => {
  const x = h.named(counting(2, 1, 3), ["batch", 1, "time"]);
  assert.deepEqual(h.namesOf(h.transpose(x)), ["time", undefined, "batch"]);
  const moved = h.transpose(x, ["time", "batch", 1]);
  assert.deepEqual(moved.shape, [3, 2, 1]);
  assert.deepEqual(h.squeeze(moved).arraySync(), [
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
  assert.deepEqual(h.namesOf(h.squeeze(x, 1)), ["batch", "time"]);
  assert.deepEqual(h.swapAxes(x, "batch", -1).shape, [3, 1, 2]);
  assert.deepEqual(h.unsqueeze(x, -1).shape, [2, 1, 3, 1]);
  assert.deepEqual(h.namesOf(h.unsqueeze(x, 0)), [undefined, "batch", undefined, "time"]);
  assert.throws(() => loose.squeeze!(x, "time"), /squeeze: axis 2 of \[batch=2, 1, time=3\] must have size 1, got 3/);
  assert.throws(() => loose.transpose!(x, [0, 0, 1]), /\[0, 0, 1\] is not a permutation of the axes/);
});

test("reshape infers -1, takes names, and reports sizes that do not fit", () => {
  const x = counting(4, 6);
  assert.deepEqual(h.reshape(x, [2, -1, 3]).shape, [2, 4, 3]);
  assert.deepEqual(h.namesOf(h.reshape(x, [{ batch: 4 }, -1])), ["batch", undefined]);
  assert.throws(() => loose.reshape!(x, [5, -1]), /^ShapeError: reshape: \[4, 6\] cannot be reshaped to \[5, -1\]/);
  assert.throws(() => loose.reshape!(x, [5, 5]), /reshape: \[4, 6\] cannot be reshaped to \[5, 5\]/);
  assert.throws(() => loose.reshape!(x, [-2, 5]), /a size must be an integer of at least 0, got -2/);
});

test("a result is a new tensor even where nothing moved, so that either can be disposed", () => {
  const x = counting(2, 3);
  for (const same of [
    h.reshape(x, [2, 3]),
    h.transpose(x, [0, 1]),
    h.squeeze(x),
    h.flip(x, [] as number[]),
    h.at(x),
    h.clone(x),
    h.rearrange(x, "a b -> a b"),
  ]) {
    assert.notEqual(same, x);
    same.dispose();
    assert.equal(h.item(h.at(x, 1, 2)), 5);
  }
});

test("concat, stack, split and unstack join and cut along an axis, and widen dtypes", () => {
  const [a, b] = [counting(2, 2), h.asType(counting(2, 1), "float32")];
  const joined = h.concat([a, b], 1);
  assert.equal(joined.dtype, "float32");
  assert.deepEqual(joined.arraySync(), [
    [0, 1, 0],
    [2, 3, 1],
  ]);
  assert.deepEqual(h.stack([a, a], -1).shape, [2, 2, 2]);
  assert.deepEqual(
    h.split(joined, [1, 2], 1).map((x) => x.shape),
    [
      [2, 1],
      [2, 2],
    ],
  );
  assert.deepEqual(
    h.split(joined, 3, 1).map((x) => x.shape),
    [
      [2, 1],
      [2, 1],
      [2, 1],
    ],
  );
  assert.deepEqual(
    h.unstack(a).map((x) => x.arraySync()),
    [
      [0, 1],
      [2, 3],
    ],
  );
  assert.throws(
    () => loose.concat!([a, counting(3, 3)], 1),
    /concat: \[2, 2\] and \[3, 3\] do not join along axis 1: 2 is not 3/,
  );
  assert.throws(() => loose.stack!([a, b]), /stack: the shapes \[2, 2\] and \[2, 1\] must be the same/);
  for (const parts of [0.5, [1.5, 1.5], [Number.NaN, 3]])
    assert.throws(() => loose.split!(joined, parts, 1), { name: "ShapeError" });
  assert.deepEqual(loose.split!(h.zeros([0, 2]), []), []);
  assert.throws(() => loose.split!(joined, 2, 1), /axis 1 of \[2, 3\] cannot be split into 2 equal parts/);
  assert.throws(() => loose.concat!([]), /concat: expected at least one tensor, got none/);
});

test("where broadcasts all three arguments and keeps int32", () => {
  const { array, whole, pick } = dice(21);
  for (let round = 0; round < 40; round++)
    tidily(() => {
      const full = Array.from({ length: whole(1, 3) }, () => pick([1, 2, 3]));
      const part = () => full.slice(whole(0, full.length - 1)).map((d) => pick([1, d]));
      const [c, a, b] = [array(part(), () => whole(0, 1)), array(part()), array(part())];
      const both = zip(a, b, () => 0).shape;
      const shape = zip(c, { shape: both, data: [] }, () => 0).shape;
      const wide = (x: NdArray) => zip(x, { shape, data: Array(shape.reduce((n, d) => n * d, 1)).fill(0) }, (v) => v);
      const [x, y, z] = [wide(c), wide(a), wide(b)];
      const expected = { shape: x.shape, data: x.data.map((t, i) => (t ? y.data[i]! : z.data[i]!)) };
      assertClose(loose.where!(toTensor(c, "bool"), toTensor(a), toTensor(b)), expected, 0);
    });
  assert.equal(h.where(h.tensor([true, false]), 1, counting(2)).dtype, "int32");
  assert.throws(() => loose.where!(h.tensor([1, 0]), 1, 2), /the condition must be a bool tensor, got float32/);
});

test("reductions over random axes equal loops, also for empty axes", () => {
  const { array, whole, pick } = dice(22);
  const total = (v: number[]) => v.reduce((sum, x) => sum + x, 0);
  const mean = (v: number[]) => total(v) / v.length;
  const spread = (v: number[]) => total(v.map((x) => (x - mean(v)) ** 2)) / Math.max(0, v.length - 1);
  const ops: [string, (v: number[]) => number][] = [
    ["sum", total],
    ["mean", mean],
    ["prod", (v) => v.reduce((product, x) => product * x, 1)],
    ["max", (v) => Math.max(...v)],
    ["min", (v) => Math.min(...v)],
    ["variance", spread],
    ["norm", (v) => Math.hypot(...v)],
    ["logSumExp", (v) => Math.log(total(v.map(Math.exp)))],
  ];
  for (let round = 0; round < 25; round++)
    for (const [name, f] of ops)
      tidily(() => {
        const shape = Array.from({ length: whole(1, 4) }, () => pick([1, 2, 3]));
        if (["sum", "mean", "prod"].includes(name) && round % 5 === 0) shape[0] = 0;
        const axes = shape.map((_, i) => i).filter(() => whole(0, 1) === 1);
        const x = array(shape);
        if (axes.length === 0 && name === "variance") return;
        const expected = fold(x, axes, f);
        assertClose(loose[name]!(toTensor(x), axes), expected, 1e-4, `${name} of ${shape} over ${axes}`);
        const kept = shape.map((d, i) => (axes.includes(i) ? 1 : d));
        assertClose(loose[name]!(toTensor(x), axes, { keepDims: true }), { ...expected, shape: kept }, 1e-4, name);
      });
  assert.equal(h.sum(h.tensor([true, true, false])).dtype, "int32");
  assert.equal(h.item(h.sum(h.tensor([true, true, false]))), 2);
  assert.deepEqual(
    h
      .argMax(
        h.tensor([
          [1, 3, 3],
          [5, 2, 1],
        ]),
      )
      .arraySync(),
    [1, 0],
  );
  assert.deepEqual(
    h
      .argMin(
        h.tensor([
          [1, 3],
          [5, 2],
        ]),
        0,
      )
      .arraySync(),
    [0, 1],
  );
  assert.deepEqual(
    h
      .any(
        h.tensor([
          [true, false],
          [false, false],
        ]),
        1,
      )
      .arraySync(),
    [1, 0],
  );
  assert.throws(() => loose.max!(tf.zeros([0, 2]), 0), /max: expected at least one element, got shape \[0, 2\]/);
});

test("cumsum sums along any axis, exclusive and in reverse", () => {
  const x = h.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.deepEqual(h.cumsum(x).arraySync(), [
    [1, 3, 6],
    [4, 9, 15],
  ]);
  assert.deepEqual(h.cumsum(x, 0).arraySync(), [
    [1, 2, 3],
    [5, 7, 9],
  ]);
  assert.deepEqual(h.cumsum(x, 1, { exclusive: true, reverse: true }).arraySync(), [
    [5, 3, 0],
    [11, 6, 0],
  ]);
});
