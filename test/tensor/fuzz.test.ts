import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as halftone from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as tensorFunctions from "../../src/tensor/index.ts";
import type { Backend } from "./fuzz/compare.ts";
import { withoutPrograms } from "./fuzz/coverage.ts";
import { readPrograms } from "./fuzz/program.ts";
import { type Report, report } from "./fuzz/report.ts";
import { readTable } from "./fuzz/table.ts";

// Answers of PyTorch and NumPy: python bench/reference/fuzz (see its header).
const folder = fileURLToPath(new URL("../../../test/tensor/fixtures/fuzz/", import.meta.url));
const files = readdirSync(folder).map((name) => join(folder, name));
const table = new URL("../../../docs/numbers.md", import.meta.url);
const programs = readPrograms(files);
const rows = readTable(table);

/** The same programs in a process whose backend is WebAssembly. */
async function reportOnWasm(): Promise<Report> {
  const script = fileURLToPath(new URL("../../bench/fuzz.js", import.meta.url));
  const env = { ...process.env, HALFTONE_BACKEND: "wasm" };
  const child = spawn(process.execPath, [script, "--json", ...files], { env });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  await new Promise((resolve) => child.on("close", resolve));
  assert.equal(stderr, "");
  return JSON.parse(stdout) as Report;
}

const listed = (backend: Backend, { unexplained }: Report): string[] =>
  unexplained.map(({ program: { place, op }, text }) => `${backend}, ${place}, ${op}: ${text}`);

test("tensor ops give the values, gradients and errors of PyTorch and NumPy on both backends", async () => {
  const wasm = reportOnWasm();
  const { backend } = await halftone.ready();
  const here = report(programs, rows, backend);
  const there = await wasm;
  assert.deepEqual([...listed(backend, here), ...listed("wasm", there)], []);
  const needed = new Set([...here.needed, ...there.needed]);
  // A row for the native backend alone cannot be needed where that is not.
  const idle = rows.filter((row, i) => !needed.has(i) && (backend !== "wasm" || row.backend === "wasm"));
  assert.deepEqual(idle, [], "rows of docs/numbers.md that no program needs: remove them");
});

test("the fuzz has a program for every public tensor op", () => {
  assert.ok(programs.length >= 3000);
  const called = new Set(programs.map(({ op }) => op));
  const exported = Object.entries({ ...tensorFunctions, ...nn, to: halftone.to })
    .filter(([, value]) => typeof value === "function")
    .map(([name]) => name);
  const excused = Object.keys(withoutPrograms);
  assert.deepEqual(
    exported.filter((name) => !called.has(name) && !excused.includes(name)),
    [],
    "public functions in no program: give bench/reference/fuzz a maker for each",
  );
  assert.deepEqual(
    excused.filter((name) => called.has(name) || !exported.includes(name)),
    [],
    "functions that are excused and have programs, or are gone",
  );
});
