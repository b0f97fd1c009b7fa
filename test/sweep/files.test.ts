import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { readColumns, sweep, sweepCurves } from "../../src/data/index.ts";
import { writeTables } from "../../src/sweep/files.ts";
import { Store } from "../../src/sweep/store.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { record } from "./records.ts";

const records = [
  record("a", { rate: 0.1, name: "01", layers: [8, 4], deep: true }, { loss: [2, 1], accuracy: [0.5] }),
  record(
    "b",
    { rate: 0.2, name: '"x", y', layers: [8], deep: false },
    { loss: [Number.NaN] },
    { name: "Error", message: "no\nmore", cell: 3 },
  ),
];

test("results.csv has a row for each point, also for a failed one", () => {
  const store = new Store(temporaryFolder());
  writeTables(store, records);
  assert.equal(
    readFileSync(path.join(store.folder, "results.csv"), "utf8"),
    "point,rate,name,layers,deep,loss,accuracy,status,error,seconds,start,host\r\n" +
      'a00000000000,0.1,01,"[8,4]",true,1,0.5,ok,,1.5,2026-11-30T10:00:00.000Z,here\r\n' +
      'b00000000000,0.2,"""x"", y",[8],false,NaN,,error,"Error: no\nmore",1.5,2026-11-30T10:00:00.000Z,here\r\n',
  );
});

test("sweep(DIR) reads the table with its types, as readColumns reads the CSV file", async () => {
  const store = new Store(temporaryFolder());
  writeTables(store, records);
  const frame = await sweep(store.folder);
  assert.deepEqual(frame.strings("name"), ["01", '"x", y']);
  assert.deepEqual(frame.booleans("deep"), [true, false]);
  assert.deepEqual([...frame.numbers("loss")], [1, Number.NaN]);
  assert.deepEqual([...frame.numbers("accuracy")], [0.5, Number.NaN]);
  assert.equal(frame.missing.accuracy, 1);
  assert.deepEqual(frame.strings("error"), [null, "Error: no\nmore"]);
  assert.deepEqual(frame.dates("start")[0], new Date("2026-11-30T10:00:00.000Z"));
  const csv = await readColumns(path.join(store.folder, "results.csv"), { types: { name: "string" } });
  assert.deepEqual(csv.columns, frame.columns);
  assert.deepEqual(csv.types, frame.types);
  assert.deepEqual(csv.numbers("rate"), frame.numbers("rate"));
});

test("sweepCurves(DIR) has every value of every metric", async () => {
  const store = new Store(temporaryFolder());
  writeTables(store, records);
  const curves = await sweepCurves(store.folder);
  assert.deepEqual(curves.values.slice(0, 3), [
    ["a00000000000", "loss", 0, 2],
    ["a00000000000", "loss", 1, 1],
    ["a00000000000", "accuracy", 0, 0.5],
  ]);
});

test("without points the table is empty, and a folder without a sweep is named", async () => {
  const store = new Store(temporaryFolder());
  writeTables(store, []);
  assert.equal((await sweep(store.folder)).length, 0);
  writeFileSync(store.file("results.parquet"), "cut off in the middle");
  await assert.rejects(sweep(store.folder), /results\.parquet is not a whole Parquet file/);
  await assert.rejects(sweep("/nowhere"), /\/nowhere has no results of a sweep \(results\.parquet\); `halftone sweep/);
});

test("a point whose loss diverged has a record like any other", () => {
  const store = new Store(temporaryFolder());
  const diverged = record("a", { rate: 10, limit: Number.POSITIVE_INFINITY }, { loss: [2, Number.NaN, -Infinity] });
  store.save(diverged);
  assert.deepEqual(store.record(diverged.id), diverged);
});

test("a folder in which records can be neither written nor removed is an error for the user", () => {
  const store = new Store(temporaryFolder());
  writeFileSync(path.join(store.folder, "points"), "");
  const isRefusal = (error: unknown) =>
    error instanceof UserError &&
    /^Cannot write .*points.a0{11}\.json: a part of this path is a file/.test(error.message);
  assert.throws(() => store.save(records[0]!), isRefusal);
  assert.throws(() => store.forget(records[0]!.id), isRefusal);
});
