import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAxis } from "../../src/sweep/axis.ts";
import { pointsOf } from "../../src/sweep/points.ts";

const axes = (...given: [string, string][]) => given.map(([name, text]) => parseAxis(name, text));
const valuesOf = (text: string) => pointsOf(axes(["x", text]), {}).map(({ x }) => x);

test("an axis is a list, a range of integers, or a range with a number of values", () => {
  assert.deepEqual(valuesOf("1..4"), [1, 2, 3, 4]);
  assert.deepEqual(valuesOf("0..1:5"), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(valuesOf("1e-4..1e-1:log:4"), [1e-4, 1e-3, 1e-2, 1e-1]);
  assert.deepEqual(valuesOf("adam,sgd"), ["adam", "sgd"]);
  assert.deepEqual(valuesOf("[64,32],[16]"), [[64, 32], [16]]);
  assert.deepEqual(valuesOf('"a,b",true,-2.5'), ["a,b", true, -2.5]);
});

test("a list has ranges in it, and its values have no spaces around them", () => {
  assert.deepEqual(valuesOf("1..3, 10,0..1:2"), [1, 2, 3, 10, 0, 1]);
  assert.deepEqual(valuesOf("adam, sgd"), ["adam", "sgd"]);
  assert.deepEqual(valuesOf('[64, 32], [16], "a, b", " "'), [[64, 32], [16], "a, b", " "]);
  assert.deepEqual(valuesOf("f(1,2),:),b"), ["f(1,2)", ":)", "b"]);
  assert.deepEqual(valuesOf("2024-01-01,../a.csv"), ["2024-01-01", "../a.csv"]);
  assert.throws(() => valuesOf("a,,b"), /-p x=a,,b: value 2 of the list is empty\. Remove a comma, or write ""/);
});

test("what is nearly a range, or a range of another tool, is refused instead of passed as text", () => {
  for (const text of ["1..", "..5", "1..10:2.5", "1..5:lin:3", "log:1e-4..1e-1", "loguniform(1e-4,1e-1)", "2,1..5:x"])
    assert.throws(
      () => parseAxis("x", text),
      /is not a range\. Write 1\.\.5 \(integers\), 0\.\.1:5 \(5 values\)/,
      text,
    );
  assert.throws(() => parseAxis("x", "auto:3"), /-p x=auto:3: only a seed can be derived/);
  assert.throws(() => parseAxis("seed", "auto:0"), /expected the number of seeds, for instance auto:3/);
  assert.deepEqual(valuesOf("auto"), ["auto"]);
});

test("a sweep of too many points is refused before they are made", () => {
  assert.throws(() => valuesOf("1..1000000000"), /1000000000 combinations: 1000000000 points are too many/);
  assert.throws(() => valuesOf("0..1:1000000000"), /-p x=0\.\.1:1000000000: 1000000000 points are too many/);
  assert.throws(
    () => pointsOf(axes(["x", "1..1000"], ["y", "1..200"]), {}),
    /1000 · 200 combinations: 200000 points are too many; a sweep has at most 100000\. Give fewer values, or draw some/,
  );
  assert.throws(() => pointsOf(axes(["x", "1..9"]), { random: 1e9 }), /too many/);
  assert.equal(pointsOf(axes(["x", "1..1000000000"]), { random: 3 }).length, 3);
});

test("a grid changes the last parameter first", () => {
  assert.deepEqual(pointsOf(axes(["a", "1,2"], ["b", "x,y"]), {}), [
    { a: 1, b: "x" },
    { a: 1, b: "y" },
    { a: 2, b: "x" },
    { a: 2, b: "y" },
  ]);
});

test("samples stay the same when more are drawn or another parameter is added, and each runs with each seed", () => {
  const few = pointsOf(axes(["rate", "1e-4..1e-1:log"], ["seed", "1..2"]), { random: 2 });
  const more = pointsOf(axes(["rate", "1e-4..1e-1:log"], ["width", "16,32"], ["seed", "1..2"]), { random: 4 });
  assert.deepEqual(
    few.map(({ seed }) => seed),
    [1, 2, 1, 2],
  );
  assert.deepEqual(
    more.slice(0, 4).map(({ rate }) => rate),
    few.map(({ rate }) => rate),
  );
  for (const { rate } of more) assert.ok((rate as number) >= 1e-4 && (rate as number) <= 1e-1);
});

test("a range without values is refused", () => {
  assert.throws(() => parseAxis("x", "5..1"), /-p x=5\.\.1: the range is empty, because 5 is above 1\./);
  assert.throws(() => parseAxis("x", "0..1:log:3"), /a log range must begin above 0, got 0/);
  assert.throws(() => parseAxis("x", "0..1:0"), /the range is empty, because it has 0 values/);
  assert.throws(() => valuesOf("0.5..1"), /a grid needs the number of values, for instance 0\.5\.\.1:5/);
});
