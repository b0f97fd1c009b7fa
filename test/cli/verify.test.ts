import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { code, writeCells } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { halftone } from "./halftone.ts";

const random =
  'import { readFileSync } from "node:fs"; const [drift] = readFileSync("drift.txt", "utf8").split("\\n");';

/** Runs a notebook whose outputs depend on a file, with the copy in a separate folder. */
async function ran(cells: Parameters<typeof writeCells>[2], drift = "0") {
  const folder = temporaryFolder();
  mkdirSync(path.join(folder, "in"));
  writeFileSync(path.join(folder, "in", "drift.txt"), drift);
  const input = writeCells(path.join(folder, "in"), "a.ipynb", cells);
  const report = path.join(folder, "out", "a.ipynb");
  const { status, stderr } = await halftone(["run", input, "-o", report, "-p", "size=4"]);
  assert.equal(status, 0, stderr);
  return { folder, input, report, drift: (text: string) => writeFileSync(path.join(folder, "in", "drift.txt"), text) };
}

const parameters = code("const size: number = 1;", "parameters");

test("an unchanged report passes, with the recorded parameters, in the notebook's own folder", async () => {
  const { report } = await ran([parameters, code(random), code("size * 10")]);
  const before = readFileSync(report, "utf8");
  const { status, stdout, stderr } = await halftone(["verify", report]);
  assert.equal(status, 0, stderr + stdout);
  assert.equal(stdout, "Unchanged: 1 cell with outputs (exactly).\n");
  assert.doesNotMatch(stderr, /Warning/);
  assert.equal(readFileSync(report, "utf8"), before);
});

test("a cell that differs is reported with both outputs and status 1, and so is the changed input", async () => {
  const timing = code("performance.now()", "timing");
  const near = { ...code("1 + Number(drift) / 1e6"), metadata: { halftone: { tolerance: 1e-4 } } };
  const shown = code('console.log("first"); console.log("drift is " + drift)');
  const { report, drift } = await ran([parameters, code(random), timing, near, shown]);
  drift("7");
  const { status, stdout, stderr } = await halftone(["verify", report]);
  assert.equal(status, 1, stderr);
  assert.equal(
    stdout.replace(/\([\da-f]{8}: /, "(ID: "),
    'Cell 6 (ID: console.log("first"); console.log("drift is " + d…) differs: stdout, line 2\n' +
      "  - drift is 0\n  + drift is 7\n" +
      "1 of 3 cells with outputs differ (exactly; 1 with times only by the kind of output).\n",
  );
  assert.match(stderr, /^Warning: the input drift\.txt was changed\.$/m);
});

test("other versions give warnings", async () => {
  const { report, input } = await ran([parameters, code("1")]);
  writeFileSync(report, readFileSync(report, "utf8").replace(/"node": "v[^"]+"/, '"node": "v18.0.0"'));
  writeCells(path.dirname(input), "a.ipynb", [parameters, code("2")]);
  const { status, stderr } = await halftone(["verify", report]);
  assert.equal(status, 0, stderr);
  assert.ok(stderr.includes(`Warning: Node was v18.0.0, now ${process.version}.`), stderr);
  assert.match(stderr, /Warning: .*a\.ipynb was changed after it was run; the report's own cells are run\./);
});

test("a notebook without a complete run is refused", async () => {
  const folder = temporaryFolder();
  const { status, stderr } = await halftone(["verify", writeCells(folder, "a.ipynb", [code("1")])]);
  assert.equal(status, 2);
  assert.match(stderr, /a\.ipynb has no record of a run: create it with `halftone run`, then verify it\.\n$/);
});

test("a training run repeats bit by bit", async (context) => {
  const folder = temporaryFolder();
  const course = fileURLToPath(new URL("../../../notebooks", import.meta.url));
  if (!existsSync(course)) return context.skip("the course is not here");
  const report = path.join(folder, "a.ipynb");
  const small = ["-p", "steps=12", "-p", "examples=900", "-p", "maxLength=32"];
  const first = await halftone(["run", path.join(course, "01-fixed-padding.ipynb"), "-o", report, ...small]);
  assert.equal(first.status, 0, first.stderr);
  // Losses are compared exactly, from the figures' data, because no cell with losses has the timing tag.
  assert.match(readFileSync(report, "utf8"), /"moving average"/);
  const { status, stdout, stderr } = await halftone(["verify", report]);
  assert.equal(status, 0, stderr + stdout);
  assert.match(stdout, /^Unchanged: \d+ cells with outputs \(exactly; 8 with times/);
});
