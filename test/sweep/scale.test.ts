import assert from "node:assert/strict";
import { test } from "node:test";
import { bestOf, parseGoal, ranked } from "../../src/sweep/best.ts";
import { isLogarithmic, scaleOf } from "../../src/sweep/page/scale.ts";
import { record } from "./records.ts";

test("an axis is logarithmic where its values are even in their logarithms", () => {
  assert.ok(isLogarithmic([1e-4, 1e-3, 1e-2, 1e-1]));
  assert.ok(!isLogarithmic([0.001, 0.1, 0.2, 0.3, 0.4, 0.5]));
  assert.ok(!isLogarithmic([1, 2, 3]));
  assert.ok(!isLogarithmic([0, 0.1, 10]));
  assert.ok(Math.abs(scaleOf([1e-4, 1e-2, 1e-3]).at(1e-3)! - 0.5) < 1e-12);
});

test("a category has a place of its own, and a value that is missing has none", () => {
  const scale = scaleOf(["adam", "sgd", undefined, "lion"]);
  assert.deepEqual(scale.ticks, [
    { at: 0, text: "adam" },
    { at: 0.5, text: "sgd" },
    { at: 1, text: "lion" },
  ]);
  assert.equal(scale.at(undefined), undefined);
  assert.equal(scaleOf(["adam", null]).at(null), 1);
  const many = scaleOf(Array.from({ length: 100 }, (_, at) => `text ${at}`));
  assert.equal(many.ticks.length, 15);
  assert.equal(many.at("text 99"), 1);
  assert.equal(scaleOf([1, 2, Number.NaN]).at(Number.NaN), undefined);
});

test("the best point is one that succeeded and said the metric", () => {
  const failure = { name: "Error", message: "no" };
  const [a, b, c, d, e] = [
    record("a", {}, { loss: [0.3] }),
    record("b", {}, { loss: [0.2] }),
    record("c", {}, { loss: [0.1] }, failure),
    record("d", {}, { loss: [Number.NaN] }),
    record("e", {}, { loss: [-Infinity] }),
  ];
  assert.deepEqual(parseGoal("loss"), { metric: "loss", direction: "min" });
  assert.deepEqual(parseGoal("loss:max"), { metric: "loss", direction: "max" });
  assert.deepEqual(parseGoal("accuracy"), { metric: "accuracy", direction: "max" });
  assert.deepEqual(ranked([a, b, c, d, e], parseGoal("loss")), [b, a, c, d, e]);
  assert.equal(bestOf([c, d, e], parseGoal("loss")), undefined);
});
