import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parseAxis } from "../../src/sweep/axis.ts";
import { readParams } from "../../src/sweep/params-file.ts";
import { pointsOf } from "../../src/sweep/points.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("a CSV file and a JSON list have a row for each point, to which -p adds", async () => {
  const folder = temporaryFolder();
  const csv = path.join(folder, "a.csv");
  writeFileSync(csv, "rate,optimizer,from\n0.1,adam,2024-01-01\n0.2,sgd,2024-02-01\n");
  const rows = [
    { rate: 0.1, optimizer: "adam", from: "2024-01-01" },
    { rate: 0.2, optimizer: "sgd", from: "2024-02-01" },
  ];
  assert.deepEqual(await readParams(csv), { rows, axes: [] });
  const json = path.join(folder, "a.json");
  writeFileSync(json, JSON.stringify(rows));
  const read = await readParams(json);
  assert.deepEqual(read, { rows, axes: [] });
  const points = pointsOf([parseAxis("seed", "1..2")], {}, read.rows);
  assert.deepEqual(points[1], { ...rows[0], seed: 2 });
  assert.equal(points.length, 4);
  assert.throws(
    () => pointsOf([parseAxis("rate", "1..2")], {}, rows),
    /The parameter rate is given twice\. Give it once, by -p, -r or --params/,
  );
});

test("an empty cell of a CSV file leaves the notebook's default", async () => {
  const file = path.join(temporaryFolder(), "a.csv");
  writeFileSync(file, "rate,optimizer\n0.1,\n,sgd\n");
  assert.deepEqual((await readParams(file)).rows, [{ rate: 0.1 }, { optimizer: "sgd" }]);
});

test("a JSON object has values as -p has them, or lists of them", async () => {
  const file = path.join(temporaryFolder(), "a.json");
  writeFileSync(file, '{ "rate": "0.1..0.3:3", "layers": [[8], [8, 4]], "deep": true }');
  const { rows, axes } = await readParams(file);
  assert.deepEqual(
    pointsOf(axes, {}, rows).map(({ rate, layers, deep }) => [rate, layers, deep]),
    [0.1, 0.2, 0.3].flatMap((rate) => [[8], [8, 4]].map((layers) => [rate, layers, true])),
  );
});

test("a file that gives no point says why", async () => {
  const folder = temporaryFolder();
  const given = (text: string) => {
    const file = path.join(folder, "a.json");
    writeFileSync(file, text);
    return readParams(file);
  };
  await assert.rejects(given("[]"), /a\.json: the list is empty, so there is no point to run/);
  await assert.rejects(given('{"rate": []}'), /the list of rate is empty/);
  await assert.rejects(given("[1]"), /element 0 should be an object \{"name": value, \.\.\.\}, got 1/);
  for (const text of ["{}", "[{}, {}]"]) await assert.rejects(given(text), /a\.json gives no parameter a value/);
  await assert.rejects(given("3"), /should hold a JSON list of objects, or one object/);
  await assert.rejects(given("{"), /a\.json.* It should be a JSON or CSV file/);
  await assert.rejects(
    readParams("/nowhere.csv"),
    /There is no CSV or JSON file of parameters at --params \/nowhere\.csv/,
  );
});

test("derived seeds depend on the point's other parameters alone", () => {
  const seeds = (...given: [string, string][]) =>
    pointsOf(
      given.map(([name, text]) => parseAxis(name, text)),
      {},
    );
  const few = seeds(["rate", "0.1,0.2"], ["seed", "auto:2"]);
  const more = seeds(["seed", "auto:3"], ["rate", "0.2,0.3"]);
  const of = (points: Record<string, unknown>[], rate: number) =>
    points.filter((point) => point.rate === rate).map(({ seed }) => seed);
  assert.deepEqual(of(more, 0.2).slice(0, 2), of(few, 0.2));
  assert.equal(new Set([...few, ...more].map(({ seed }) => seed)).size, 8);
});
