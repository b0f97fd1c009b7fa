import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { compareOutputs } from "../../src/notebook/compare.ts";
import type { NotebookOutput } from "../../src/notebook/nbformat.ts";

const show = (data: Record<string, unknown>): NotebookOutput => ({ output_type: "display_data", data, metadata: {} });
const result = (text: string, execution_count = 1): NotebookOutput => ({
  output_type: "execute_result",
  data: { "text/plain": text },
  metadata: {},
  execution_count,
});
const print = (text: string): NotebookOutput => ({ output_type: "stream", name: "stdout", text });
const PLOTLY = "application/vnd.plotly.v1+json";
const figure = (y: unknown, uid = "a") => show({ [PLOTLY]: { data: [{ type: "scatter", y, uid }], layout: {} } });
const compare = (before: NotebookOutput, after: NotebookOutput, tolerance = 0) =>
  compareOutputs([before], [after], { tolerance });

test("equal outputs with different execution counts are the same; a different digit is a difference", () => {
  assert.equal(compare(result("0.5", 1), result("0.5", 7)), undefined);
  assert.deepEqual(compare(print("a\nloss 0.50\nb"), print("a\nloss 0.51\nb")), {
    what: "stdout, line 2",
    before: "loss 0.50",
    after: "loss 0.51",
  });
  assert.ok(compare(print("a "), print("a")));
  const long = (end: string) => print(`${"x".repeat(500)}${end}`);
  assert.deepEqual(compare(long("1"), long("2")), {
    what: "stdout, line 1",
    before: `…${"x".repeat(40)}1`,
    after: `…${"x".repeat(40)}2`,
  });
});

test("a tolerance allows relative differences of numbers and moved columns, but no other words", () => {
  assert.equal(compare(print("loss 1,000.0 at 9"), print("loss 1,000.9 at 9"), 1e-3), undefined);
  assert.ok(compare(print("loss 1,000.0"), print("loss 1,002.0"), 1e-3));
  assert.ok(compare(print("loss 1.0"), print("gain 1.0"), 0.5));
  assert.equal(compare(print("| a    |  9.999 |\n|------|"), print("| a    | 10.001 |\n|-------|"), 1e-3), undefined);
  assert.ok(compare(print("1e-5"), print("2e-5"), 1e-3));
  assert.ok(compare(print("-1"), print("1"), 1e-3));
});

test("figures are compared by their data without trace ids, and the differing field is named", () => {
  assert.equal(compare(figure([1, 2], "a"), figure([1, 2], "b")), undefined);
  assert.deepEqual(compare(figure([1, 2]), figure([1, 2.5])), {
    what: `${PLOTLY}.data[0].y[1]`,
    before: "2",
    after: "2.5",
  });
  // Relative to the largest value in the array: a value that is tiny beside it may double.
  assert.equal(compare(figure([1000, 0.001]), figure([1000.5, 0.002]), 1e-3), undefined);
  assert.match(compare(figure([1, 2]), figure([1]))!.what, /different length/);
  const bytes = (values: number[]) => ({
    dtype: "f8",
    bdata: Buffer.from(Float64Array.from(values).buffer).toString("base64"),
  });
  assert.equal(compare(figure([1, 2]), figure(bytes([1, 2]))), undefined);
  assert.ok(compare(figure(bytes([1, 2])), figure(bytes([1, 3]))));
});

test("when only kinds are compared, a different kind of output is a difference and different numbers are not", () => {
  const kinds = { tolerance: 0, kindsOnly: true };
  assert.equal(compareOutputs([print("1.0 ms")], [print("2.0 ms")], kinds), undefined);
  assert.deepEqual(compareOutputs([print("1.0 ms")], [], kinds), {
    what: "different outputs",
    before: "stdout",
    after: "none",
  });
  const error: NotebookOutput = { output_type: "error", ename: "RangeError", evalue: "x", traceback: [] };
  assert.match(compareOutputs([print("")], [error], kinds)!.after!, /an error \(RangeError\)/);
});

/** A grey PNG with one row per list; each list begins with the row's filter method (PNG specification, section 9). */
function png(filters: number[], rows: number[][]): NotebookOutput {
  const chunk = (name: string, data: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(data.length);
    head.write(name, 4, "latin1");
    return Buffer.concat([head, data, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(rows[0]!.length);
  header.writeUInt32BE(rows.length, 4);
  header[8] = 8;
  const data = deflateSync(Buffer.from(rows.flatMap((row, at) => [filters[at]!, ...row])));
  const parts = [Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", data)];
  return show({ "image/png": Buffer.concat(parts).toString("base64") });
}

test("images are compared by pixels, whatever their compression, within the tolerance", () => {
  const plain = png(
    [0, 0],
    [
      [10, 20, 30],
      [11, 22, 33],
    ],
  );
  // The same pixels: the first row as differences to the left, the second as differences to the one above.
  const packed = png(
    [1, 2],
    [
      [10, 10, 10],
      [1, 2, 3],
    ],
  );
  assert.equal(compare(plain, packed), undefined);
  const other = png(
    [0, 0],
    [
      [10, 20, 30],
      [11, 22, 34],
    ],
  );
  assert.deepEqual(compare(plain, other), { what: "image/png: different pixels" });
  assert.equal(compare(plain, other, 1 / 255), undefined);
});
