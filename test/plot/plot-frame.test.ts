import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Figure, plotFrame } from "../../src/plot/index.ts";
import { ready } from "../../src/runtime/index.ts";

await ready();
// After the runtime, which gives danfojs the one tfjs.
const { DataFrame, Series } = await import("danfojs-node");

const frame = new DataFrame(
  [
    ["a", 1, 10],
    ["b", 2, 20],
    ["a", 3, Number.NaN],
  ],
  { columns: ["group", "low", "high"] },
);
const traces = ({ data }: Figure) => data as unknown as Record<string, unknown>[];
const titles = ({ layout: { xaxis, yaxis } }: Figure) =>
  [xaxis, yaxis].map((axis) => (axis!.title as { text: string }).text);

describe("plotFrame", () => {
  test("draws all columns with numbers as lines over the index, with gaps for missing values", () => {
    const drawn = plotFrame(frame, { title: "Both" });
    assert.deepEqual(
      traces(drawn).map(({ type, mode, name, x, y }) => [type, mode, name, x, y]),
      [
        ["scatter", "lines", "low", [0, 1, 2], [1, 2, 3]],
        ["scatter", "lines", "high", [0, 1, 2], [10, 20, null]],
      ],
    );
    assert.equal((drawn.layout.title as { text: string }).text, "Both");
  });

  test("draws the given columns as each kind, in the form that plotly takes", () => {
    const of = (kind: Parameters<typeof plotFrame>[1] extends infer O ? NonNullable<O> : never) =>
      plotFrame(frame, { x: "group", y: "low", ...kind });
    const groups = ["a", "b", "a"];
    const low = [1, 2, 3];
    const expected = {
      scatter: { type: "scatter", mode: "markers", x: groups, y: low },
      area: { type: "scatter", mode: "lines", stackgroup: "all", x: groups, y: low },
      bar: { type: "bar", x: groups, y: low },
      barh: { type: "bar", orientation: "h", x: low, y: groups },
      hist: { type: "histogram", x: low, opacity: 0.75 },
      box: { type: "box", x: groups, y: low },
      violin: { type: "violin", x: groups, y: low },
      pie: { type: "pie", labels: groups, values: low },
    } as const;
    for (const [kind, trace] of Object.entries(expected)) {
      const drawn = of({ kind: kind as keyof typeof expected });
      assert.deepEqual(traces(drawn), [{ ...trace, name: "low" }], kind);
    }
    assert.deepEqual(titles(of({ kind: "bar" })), ["group", "low"]);
    assert.deepEqual(titles(of({ kind: "barh" })), ["low", "group"]);
    assert.deepEqual(titles(of({ kind: "hist" })), ["low", "count"]);
  });

  test("draws a Series, records and dates", () => {
    const [series] = traces(plotFrame(new Series([4, 5], { columns: ["x"] })));
    assert.deepEqual(
      [series!.x, series!.y],
      [
        [0, 1],
        [4, 5],
      ],
    );
    const days = [new Date("2024-01-31"), new Date("2024-02-01T08:30:00Z")];
    const [dated] = traces(
      plotFrame(
        days.map((day, n) => ({ day, n })),
        { x: "day" },
      ),
    );
    assert.deepEqual(
      [dated!.x, dated!.y],
      [
        ["2024-01-31", "2024-02-01 08:30:00.000"],
        [0, 1],
      ],
    );
  });

  test("rejects a column that is missing or has no numbers, and another value", () => {
    assert.throws(
      () => plotFrame(frame, { y: "none" }),
      /^RangeError: plotFrame: there is no column none; there are group, low, high$/,
    );
    assert.throws(
      () => plotFrame(frame, { y: "group" }),
      /^TypeError: plotFrame: column group must have numbers to be drawn, got "a"$/,
    );
    assert.throws(() => plotFrame([{ a: "x" }]), /^TypeError: plotFrame: no column of a has numbers to be drawn$/);
    assert.throws(
      () => plotFrame(frame, { kind: "pie" }),
      /^TypeError: plotFrame: a pie needs one column, got y of low, high$/,
    );
    assert.throws(
      // @ts-expect-error not a kind
      () => plotFrame(frame, { kind: "donut" }),
      /^TypeError: plotFrame: kind must be "line", .* got "donut"$/,
    );
    // @ts-expect-error not a frame
    assert.throws(() => plotFrame({}), /^TypeError: plotFrame: expected a danfojs DataFrame or Series/);
  });
});
