import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ready, tf } from "../../src/runtime/index.ts";
import * as h from "../../src/tensor/index.ts";
import { assertClose, dice, indices, type NdArray, size, tidily, toTensor } from "./naive.ts";

before(ready);

const rearrange = h.rearrange as unknown as (x: unknown, pattern: string, sizes?: Record<string, number>) => h.Tensor;
const reduce = h.reduce as unknown as (
  x: unknown,
  p: string,
  how: h.Reduction,
  sizes?: Record<string, number>,
) => h.Tensor;
const repeat = h.repeat as unknown as typeof rearrange;

type Groups = string[][];

/** The value of every output element from the definition: the same axes, read on the left, written on the right. */
function byDefinition(
  x: NdArray,
  left: Groups,
  right: Groups,
  sizes: Record<string, number>,
  f: (v: number[]) => number,
): NdArray {
  const axes = [...new Set([...left.flat(), ...right.flat()])];
  const shape = right.map((group) => size(group.map((axis) => sizes[axis]!)));
  const values: number[][] = Array.from({ length: size(shape) }, () => []);
  const place = (groups: Groups, at: number[]) =>
    groups.flat().reduce((sum, axis) => sum * sizes[axis]! + at[axes.indexOf(axis)]!, 0);
  for (const at of indices(axes.map((axis) => sizes[axis]!))) values[place(right, at)]!.push(x.data[place(left, at)]!);
  return { shape, data: values.map(f) };
}

const text = (groups: Groups) => groups.map((g) => (g.length === 1 ? g[0] : `(${g.join(" ")})`)).join(" ");

/** The names in groups of nought to three. */
function grouped(names: string[], { whole, next }: ReturnType<typeof dice>): Groups {
  const groups: Groups = [];
  for (let i = 0; i < names.length; ) {
    const n = next() < 0.6 ? 1 : whole(0, 3);
    groups.push(names.slice(i, i + n));
    i += n;
  }
  return groups;
}

test("rearrange, reduce and repeat follow their definition on random patterns", () => {
  const random = dice(8);
  const { whole, pick, array } = random;
  const shuffled = (names: string[]) => {
    const rest = [...names];
    return names.map(() => rest.splice(whole(0, rest.length - 1), 1)[0]!);
  };
  for (let round = 0; round < 120; round++)
    tidily(() => {
      const names = ["a", "b", "c", "d", "e"].slice(0, whole(1, 5));
      const sizes: Record<string, number> = Object.fromEntries(names.map((name) => [name, pick([1, 2, 3])]));
      const left = grouped(names, random);
      const x = array(left.map((group) => size(group.map((axis) => sizes[axis]!))));
      const hints = Object.fromEntries(left.flatMap((g) => g.slice(1).map((axis) => [axis, sizes[axis]!])));
      const right = grouped(shuffled(names), random);
      const first = (v: number[]) => v[0]!;
      const p = `${text(left)} -> ${text(right)}`;
      assertClose(rearrange(toTensor(x), p, hints), byDefinition(x, left, right, sizes, first), 0, p);

      const kept = grouped(shuffled(names).slice(0, whole(0, names.length)), random);
      const q = `${text(left)} -> ${text(kept)}`;
      const total = (v: number[]) => v.reduce((sum, y) => sum + y, 0);
      for (const [how, f] of [
        ["sum", total],
        ["mean", (v: number[]) => total(v) / v.length],
        ["max", (v: number[]) => Math.max(...v)],
        ["min", (v: number[]) => Math.min(...v)],
      ] as const)
        assertClose(reduce(toTensor(x), q, how, hints), byDefinition(x, left, kept, sizes, f), 1e-5, `${q} ${how}`);

      const more = { ...sizes, r: 2 };
      const copied = grouped(shuffled([...names, "r"]), random);
      const s = `${text(left)} -> ${text(copied)}`;
      assertClose(repeat(toTensor(x), s, { ...hints, r: 2 }), byDefinition(x, left, copied, more, first), 0, s);
    });
});

test("an ellipsis stands for axes that stay, or in parentheses for one axis made of them", () => {
  const x = tf.range(0, 24).reshape([2, 3, 4]);
  assert.deepEqual(rearrange(x, "a ... -> ... a").shape, [3, 4, 2]);
  assert.deepEqual(rearrange(x, "a ... -> a (...)").shape, [2, 12]);
  assert.deepEqual(rearrange(x, "... c -> (...) c").arraySync(), x.reshape([6, 4]).arraySync());
  assert.deepEqual(reduce(x, "... c -> c", "sum").shape, [4]);
  assert.deepEqual(repeat(x, "... c -> ... 2 c").shape, [2, 3, 2, 4]);
});

test("a number is an axis of that size: 1 anywhere, others where axes are added or reduced", () => {
  const x = tf.range(0, 12).reshape([1, 12]);
  assert.deepEqual(rearrange(x, "1 (h w) -> h 1 () w", { h: 3 }).shape, [3, 1, 1, 4]);
  assert.deepEqual(reduce(x, "1 (h 2) -> h", "max").arraySync(), [1, 3, 5, 7, 9, 11]);
  assert.deepEqual(repeat(tf.tensor1d([1, 2]), "a -> (a 2)").arraySync(), [1, 1, 2, 2]);
  assert.deepEqual(repeat(tf.tensor1d([1, 2]), "a -> (2 a)").arraySync(), [1, 2, 1, 2]);
});

test("gradients are ones for rearrange, counts for repeat and shares for a mean", () => {
  const x = tf.ones([2, 6]);
  const all = (value: number) => [Array(6).fill(value), Array(6).fill(value)];
  assert.deepEqual(
    tf
      .grad((t) => rearrange(t, "a (b c) -> c a b", { b: 2 }).sum())(x)
      .arraySync(),
    all(1),
  );
  assert.deepEqual(
    tf
      .grad((t) => repeat(t, "a b -> r1 a (b r2) 2", { r1: 2, r2: 3 }).sum())(x)
      .arraySync(),
    all(12),
  );
  assert.deepEqual(
    tf
      .grad((t) => reduce(t, "a (b c) -> a", "mean", { b: 2 }).sum())(tf.ones([2, 8]))
      .arraySync(),
    [Array(8).fill(1 / 8), Array(8).fill(1 / 8)],
  );
});

test("a pattern that does not fit throws an error with the reason", () => {
  const x = tf.zeros([2, 12]);
  const message = (f: () => unknown) => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return "no error";
  };
  const of = (p: string, sizes?: Record<string, number>) =>
    message(() => rearrange(x, p, sizes)).replace(`rearrange \`${p}\`: `, "");
  assert.equal(of("a b"), "pattern contains no `->`");
  assert.equal(of("a b -> a"), "axis b appears only on the left-hand side");
  assert.equal(of("a b -> a b c"), "axis c appears only on the right-hand side");
  assert.equal(of("a a -> a"), "axis a appears twice on the left-hand side");
  assert.equal(of("a b c -> a b c"), "`a b c` does not fit the shape [2, 12]");
  assert.equal(of("a (b c) -> a b c"), "axis (b c) needs the sizes of all but one of its parts");
  assert.equal(of("a (b c) -> a b c", { b: 5 }), "axis (b c) is 12, which is not divisible by 5");
  assert.equal(of("a (b c) -> a b c", { b: 3, c: 5 }), "axis (b c) is both 15 and 12");
  assert.equal(of("a b -> b a", { a: 3 }), "axis a is both 3 and 2");
  assert.equal(of("a b -> b a", { q: 3 }), "axis q has a size but is not in the pattern");
  assert.equal(of("a 12 -> a"), "axis 12 needs a name");
  assert.equal(of("(a b -> a b"), "`(` without `)`");
  assert.equal(
    message(() => repeat(x, "a b -> a b r")),
    "repeat `a b -> a b r`: axis r is new and needs a size",
  );
  assert.match(
    message(() => reduce(x, "a b -> a", "median" as never)),
    /^reduce: the reduction must be one of sum, mean/,
  );
});

test("empty axes keep their shape", () => {
  const x = tf.zeros([0, 6]);
  assert.deepEqual(rearrange(x, "a (b c) -> b (a c)", { b: 2 }).shape, [2, 0]);
  assert.deepEqual(reduce(x, "a b -> b", "sum").arraySync(), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(repeat(x, "a b -> a b 3").shape, [0, 6, 3]);
});
