import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { displaySymbol } from "../../src/display/index.ts";
import { type Figure, figure, histogram } from "../../src/plot/index.ts";
import type { History } from "../../src/train/index.ts";
import { accuracyCurve, lossCurve, memoryTimeline } from "../../src/train/index.ts";

const bundle = (value: Figure) => value[displaySymbol]() as Record<string, unknown>;
const traces = (value: Figure) => value.data as { name: string; x: number[]; y: number[] }[];

const history: History = {
  steps: Array.from({ length: 50 }, (_, i) => ({
    step: i + 1,
    epoch: 0,
    loss: 2,
    metrics: { accuracy: 0.25 },
    accuracy: 0.25,
    learningRate: 1e-3,
    milliseconds: 10,
    processor: 15,
    times: { data: 1, gradients: 8, forward: 3, backward: 5, update: 1 },
    elapsed: 10 * (i + 1),
    liveBytes: 2 ** 20,
    peakBytes: 3 * 2 ** 20,
    rss: 2 ** 30,
    sequences: 4,
    tokens: 64,
    usefulTokens: 32,
  })),
  evaluations: [
    { step: 0, loss: 2.3, metrics: { accuracy: 0.1 }, accuracy: 0.1 },
    { step: 50, loss: 1.9, metrics: { accuracy: 0.3 }, accuracy: 0.3 },
  ],
  milliseconds: 600,
  ended: "all steps taken",
};

describe("a figure", () => {
  const made = figure({
    data: [{ x: [1, 2], y: [3, 4], name: "line" }],
    layout: { title: { text: "Title" }, xaxis: { title: { text: "x" } } },
  });

  test("has plotly's media type as plain JSON, and a text", () => {
    const shown = bundle(made);
    assert.deepEqual(Object.keys(shown), ["application/vnd.plotly.v1+json", "text/plain"]);
    const drawn = shown["application/vnd.plotly.v1+json"];
    const grid = "rgba(128, 128, 128, 0.25)";
    const axis = { gridcolor: grid, linecolor: grid, zerolinecolor: grid, automargin: true };
    assert.deepEqual(JSON.parse(JSON.stringify(drawn)), {
      data: [{ x: [1, 2], y: [3, 4], name: "line" }],
      layout: {
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: "#767676", family: "system-ui, sans-serif", size: 13 },
        colorway: ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"],
        title: { x: 0.02, xanchor: "left", y: 1, yref: "container", yanchor: "top", pad: { t: 14 }, text: "Title" },
        margin: { l: 60, r: 20, t: 80, b: 50 },
        height: 360,
        hovermode: "x unified",
        legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
        xaxis: { ...axis, title: { standoff: 10, text: "x" }, autotickangles: [0, 90] },
        yaxis: { ...axis, title: { standoff: 10 } },
      },
      config: { displaylogo: false },
    });
    assert.equal(shown["text/plain"], "Title\n  line: 2 values from 3 to 4, last 4");
  });

  test("keeps the style unless the caller overrides it", () => {
    assert.equal(made.layout.paper_bgcolor, "rgba(0,0,0,0)");
    assert.deepEqual(made.layout.xaxis!.title, { standoff: 10, text: "x" });
    assert.ok(made.layout.yaxis!.gridcolor);
    assert.equal(figure({ data: [], layout: { height: 99 } }).layout.height, 99);
  });
});

describe("histogram", () => {
  test("counts integers in bins of integer width and loses none", () => {
    const [trace] = traces(histogram([1, 1, 2, 5, 9, 10], { title: "t", x: "length", bins: 5 }));
    assert.deepEqual(trace!.y, [3, 0, 1, 0, 2]);
    assert.deepEqual(trace!.x, [1.5, 3.5, 5.5, 7.5, 9.5]);
  });

  test("counts real numbers, the largest included, and skips values that are not finite", () => {
    const [trace] = traces(histogram([0, 0.5, 1, Number.NaN], { title: "t", x: "value", bins: 2 }));
    assert.deepEqual(trace!.y, [1, 2]);
    assert.deepEqual(traces(histogram([4, 4], { title: "t", x: "value" }))[0]!.y, [2]);
    assert.throws(() => histogram([], { title: "t", x: "value" }), /at least one finite value/);
    assert.throws(() => histogram([1], { title: "t", x: "value", bins: 0 }), /bins must be a positive integer, got 0/);
  });
});

describe("curves of a training run", () => {
  test("show the loss, its average without a bias to 0 at the start, and the validation loss", () => {
    const [each, average, validation] = traces(lossCurve(history));
    assert.equal(each!.y.length, 50);
    assert.ok(average!.y.every((value) => Math.abs(value - 2) < 1e-9));
    assert.deepEqual(
      [validation!.x, validation!.y],
      [
        [0, 50],
        [2.3, 1.9],
      ],
    );
  });

  test("the moving average follows a loss that falls", () => {
    const falling = (loss: (step: number) => number) => {
      const steps = history.steps.map((record) => ({ ...record, loss: loss(record.step) }));
      return traces(lossCurve({ ...history, steps }))[1]!.y;
    };
    const straight = falling((step) => 100 - step);
    for (const [i, value] of straight.slice(0, -2).entries())
      assert.ok(Math.abs(value - (99 - i)) < 1e-9, `${i}: ${value}`);
    const steep = falling((step) => Math.exp(-step / 10));
    for (const [i, value] of steep.slice(0, -2).entries())
      assert.ok(Math.abs(value / Math.exp(-(i + 1) / 10) - 1) < 0.02, `${i}: ${value}`);
  });

  test("show the accuracy with a line for chance", () => {
    const names = traces(accuracyCurve(history, { chance: 0.125 })).map(({ name }) => name);
    assert.deepEqual(names, ["training, moving average", "validation", "always the most frequent answer"]);
  });

  test("show memory in MiB over time in seconds", () => {
    const [peak, live, process] = traces(memoryTimeline(history));
    assert.deepEqual([peak!.y[0], live!.y[0], process!.y[0]], [3, 1, 1024]);
    assert.equal(peak!.x.at(-1), 0.5);
  });
});

test("a figure is not responsive, because JupyterLab resizes it too and both together collapse it", () => {
  assert.deepEqual(figure({ data: [] }).config, { displaylogo: false });
  assert.deepEqual(figure({ data: [], config: { responsive: true } }).config, { displaylogo: false, responsive: true });
});

test("long labels of bars are broken into lines; short ones, numbers and dates are not", () => {
  const ticks = (x: unknown[], layout = {}) => {
    const { tickvals, ticktext } = figure({ data: [{ type: "bar", x: x as string[], y: [1, 2] }], layout }).layout
      .xaxis!;
    return { tickvals, ticktext };
  };
  assert.deepEqual(ticks(["uniform length, exact sort", "packed"]), {
    tickvals: ["uniform length, exact sort", "packed"],
    ticktext: ["uniform length,<br>exact sort", "packed"],
  });
  const none = { tickvals: undefined, ticktext: undefined };
  for (const x of [
    ["a", "b"],
    [1, 2],
    ["2026-01-01 00:00:00", "2026-01-02 00:00:00"],
  ])
    assert.deepEqual(ticks(x), none);
});

test("for a front end without plotly, lines, points and bars are an image and other figures a text", (context) => {
  process.env.HALFTONE_FIGURES = "image";
  context.after(() => delete process.env.HALFTONE_FIGURES);
  const layout = { title: { text: "a < b" }, yaxis: { type: "log" as const } };
  const lines = bundle(
    figure({
      data: [
        { x: [0, 10], y: [1, 100], name: "one" },
        { x: [0, 10], y: [10, null], mode: "markers", name: "two" },
      ],
      layout,
    }),
  );
  const svg = lines["image/svg+xml"] as string;
  assert.match(svg, /a &lt; b/);
  // From the first decade's line to the last one's: a point 10 of 1 to 100 stands in the middle.
  const [, left, low, right, high] = /d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)" fill="none"/.exec(svg)!.map(Number);
  const [, , middle] = /<circle cx="([\d.]+)" cy="([\d.]+)"/.exec(svg)!.map(Number);
  assert.ok(left! < right! && high! < low! && Math.abs(middle! - (low! + high!) / 2) < 0.2, svg);
  const bars = bundle(
    figure({
      data: ["tokens", "padding"].map((name) => ({ type: "bar", name, x: ["a", "b"], y: [1, 3] })),
      layout: { barmode: "stack" },
    }),
  );
  const rectangles = [
    ...(bars["image/svg+xml"] as string).matchAll(/ y="([\d.]+)" width="[\d.]+" height="([\d.]+)"/g),
  ].slice(2);
  const [first, , third] = rectangles.map((found) => [Number(found[1]), Number(found[2])]);
  assert.ok(Math.abs(third![0]! + third![1]! - first![0]!) < 0.2, "the second bar stands on the first");
  const polar = bundle(
    figure({ data: [{ type: "scatterpolar", r: [1], theta: [0] }], layout: { title: { text: "<b>" } } }),
  );
  assert.match(polar["text/html"] as string, /^<pre>&lt;b&gt;\n/);
});
