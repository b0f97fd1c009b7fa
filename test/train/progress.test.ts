import assert from "node:assert/strict";
import { afterEach, describe, mock, test } from "node:test";
import type { History } from "../../src/train/index.ts";
import { progress } from "../../src/train/progress.ts";
import { stepRecord } from "./step-record.ts";

const HOST = Symbol.for("halftone.display");
const host = globalThis as unknown as Record<symbol, unknown>;

function steps(total: number, figure: boolean): void {
  const history: History = { steps: [], evaluations: [], milliseconds: 0, ended: "all steps taken" };
  const bar = progress(total, history, figure);
  for (let n = 1; n <= total; n++) {
    history.steps.push(stepRecord(n));
    bar.step(stepRecord(n));
  }
  bar.end();
}

describe("progress", () => {
  afterEach(() => {
    delete host[HOST];
    mock.restoreAll();
  });

  test("prints ten plain lines where the output is a file", () => {
    const lines: string[] = [];
    mock.method(process.stdout, "write", (text: string) => lines.push(text) > 0);
    steps(40, false);
    mock.restoreAll();
    const own = lines.filter((line) => line.startsWith("step "));
    assert.equal(own.length, 10);
    assert.match(
      own.at(-1)!,
      /^step 40\/40 · loss 1.500 · \d+ ms\/step · 2.5k useful tokens\/s · peak 1.00 MiB · \d+ s\n$/,
    );
  });

  test("updates one display and one figure in a notebook", () => {
    const shown: { kind: string; id: string; update: boolean }[] = [];
    host[HOST] = (data: object, { displayId, update }: { displayId: string; update: boolean }) =>
      shown.push({ kind: "application/vnd.plotly.v1+json" in data ? "figure" : "bar", id: displayId, update });
    steps(5, true);
    for (const kind of ["figure", "bar"]) {
      const own = shown.filter((each) => each.kind === kind);
      assert.equal(new Set(own.map(({ id }) => id)).size, 1, `one ${kind}`);
      assert.deepEqual(
        own.map(({ update }) => update),
        own.map((_, i) => i > 0),
      );
    }
  });
});
