import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parseNotebook } from "../../src/notebook/nbformat.ts";
import type { Parameters } from "../../src/notebook/parameters.ts";
import { makePlan, requireIdentity } from "../../src/sweep/plan.ts";
import { staleResults } from "../../src/sweep/stale.ts";
import { Store } from "../../src/sweep/store.ts";
import { code, notebookJson } from "../notebook/cells.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { record } from "./records.ts";

/** A folder with a notebook, its files a.csv and b.csv, and a store. */
function project() {
  const folder = temporaryFolder();
  for (const name of ["a.csv", "b.csv"]) writeFileSync(path.join(folder, name), name);
  const store = new Store(path.join(folder, "out"));
  const notebookWith = (source: string) =>
    parseNotebook(notebookJson([code('const data = ""; const rate = 1;', "parameters"), code(source)]), "toy.ipynb");
  const plan = (points: Parameters[], source = "1") =>
    makePlan(notebookWith(source), { input: path.join(folder, "toy.ipynb"), output: store.folder, points });
  const idsOf = (points: Parameters[]) => plan(points).points.map(({ id }) => id);
  return { folder, store, notebookWith, plan, idsOf };
}

test("a file that a parameter names is part of its own point", () => {
  const { folder, idsOf, plan, notebookWith } = project();
  const [a, b] = [{ data: "a.csv" }, { data: "b.csv" }];
  const before = idsOf([a]);
  const both = plan([a, b]);
  assert.deepEqual(Object.keys(both.identity.inputs), ["a.csv", "b.csv"]);
  assert.equal(both.points[0]!.id, before[0]);
  requireIdentity(both, notebookWith("1"), folder);
  writeFileSync(path.join(folder, "b.csv"), "changed");
  const after = idsOf([a, b]);
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], both.points[1]!.id);
  assert.throws(
    () => requireIdentity(both, notebookWith("1"), folder),
    /The file b\.csv, which toy\.ipynb names, has changed since the sweep was planned\. If the notebook writes it/,
  );
});

test("results that are not reused are counted, with the reason", () => {
  const { folder, store, notebookWith, plan } = project();
  const points = [{ data: "a.csv" }, { data: "b.csv" }];
  const first = plan(points);
  assert.equal(staleResults(store, first), undefined);
  store.begin(first, notebookWith("1"));
  for (const { id, parameters } of first.points) store.save(record(id, parameters, { loss: [1] }));
  assert.equal(staleResults(store, plan([...points, { data: "c" }])), undefined);
  assert.equal(
    staleResults(store, plan(points, "2")),
    "2 earlier results are not used, because toy.ipynb has changed.",
  );
  writeFileSync(path.join(folder, "b.csv"), "changed");
  assert.equal(
    staleResults(store, plan(points)),
    "1 earlier result is not used, because the file b.csv, which toy.ipynb names, has changed.",
  );
  writeFileSync(store.planFile, "{");
  assert.equal(staleResults(store, plan(points)), undefined);
});

test("a point without a parameter is one with the notebook's defaults", () => {
  const { plan } = project();
  assert.deepEqual(
    plan([{}, { rate: 2 }]).points.map(({ parameters }) => parameters),
    [{}, { rate: 2 }],
  );
});
