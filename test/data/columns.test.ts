import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { readColumns, recordsOf } from "../../src/data/index.ts";
import { displaySymbol } from "../../src/display/index.ts";
import { ready } from "../../src/runtime/index.ts";
import { fromFrame, tensor } from "../../src/tensor/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

await ready();
// After the runtime, which gives danfojs the one tfjs.
const { DataFrame } = await import("danfojs-node");

const folder = temporaryFolder();
const file = (name: string, contents: string | Buffer) => {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
};

describe("readColumns", () => {
  test("infers numbers, booleans, dates and strings, with missing values", async () => {
    const path = file(
      "people.csv",
      'id,name,height,member,born,score\r\n1,"Ann, B",1.5,true,1990-02-28,1e3\r\n2,,NA,False,2000-02-29T12:30:00+02:00,-inf\n3,"two\nlines",,,,.5\n',
    );
    const people = await readColumns(path);
    assert.deepEqual(people.types, {
      id: "number",
      name: "string",
      height: "number",
      member: "boolean",
      born: "date",
      score: "number",
    });
    assert.deepEqual([...people.numbers("height")], [1.5, Number.NaN, Number.NaN]);
    assert.deepEqual([...people.numbers("score")], [1000, Number.NEGATIVE_INFINITY, 0.5]);
    assert.deepEqual(people.strings("name"), ["Ann, B", null, "two\nlines"]);
    assert.deepEqual(people.booleans("member"), [true, false, null]);
    assert.deepEqual(people.dates("born"), [new Date("1990-02-28T00:00:00Z"), new Date("2000-02-29T10:30:00Z"), null]);
    assert.deepEqual([people.length, people.missing.height, people.notes], [3, 2, []]);
  });

  test("reads tabs, other delimiters, compressed files and files without a header", async () => {
    const tabs = await readColumns(file("a.tsv", "a\tb\n1,5\t2\n"));
    assert.deepEqual([tabs.strings("a"), [...tabs.numbers("b")]], [["1,5"], [2]]);
    const zipped = await readColumns(file("b.tsv.gz", gzipSync("a\tb\n1\t2\n")));
    assert.deepEqual([...zipped.numbers("b")], [2]);
    const plain = await readColumns(file("c.csv", "1;x\n2;y\n"), { delimiter: ";", columns: ["n", "t"] });
    assert.deepEqual(
      [[...plain.numbers("n")], plain.strings("t")],
      [
        [1, 2],
        ["x", "y"],
      ],
    );
  });

  test("names columns as pandas does where the header repeats or lacks a name", async () => {
    assert.deepEqual((await readColumns(file("n.csv", ",a,a,a\n0,1,2,3\n"))).columns, [
      "Unnamed: 0",
      "a",
      "a.1",
      "a.2",
    ]);
  });

  test("keeps a column of mixed values as strings, and says which value is different", async () => {
    const mixed = await readColumns(
      file("m.csv", "n,d,t,long\n1,2024-01-31,x,1\n2,2024-02-30,1,2\nno,2024-03-01,y,12345678901234567890\n"),
    );
    assert.deepEqual(mixed.types, { n: "string", d: "string", t: "string", long: "string" });
    assert.deepEqual(mixed.strings("long"), ["1", "2", "12345678901234567890"]);
    assert.deepEqual(mixed.notes, [
      'column n: 1 of 3 values are not numbers, the first is "no" in line 4',
      'column d: 1 of 3 values are not dates, the first is "2024-02-30" in line 3',
      'column long: 1 of 3 integers have more digits than a number holds, the first is "12345678901234567890" in line 4',
    ]);
    assert.throws(
      () => mixed.numbers("n"),
      /^TypeError: column n of m\.csv has type string, not number: 1 of 3 values are not numbers, the first is "no" in line 4$/,
    );
    assert.match(inspect(mixed), /m\.csv: 3 rows, 4 columns\n {2}n: string\n.*Note: column n: /s);
  });

  test("reads dates and times of ISO 8601 as JavaScript does, in UTC where they have no offset", async () => {
    const texts = [
      "2024-01-31",
      "2024-02-29T23:59:59.1234Z",
      "1999-12-31 08:30",
      "2024-06-01T00:00:00-0530",
      "0099-03-01",
    ];
    const { dates } = await readColumns(file("i.csv", `d\n${texts.join("\n")}\n`));
    assert.deepEqual(
      dates("d").map((date) => date!.toISOString()),
      [
        "2024-01-31T00:00:00.000Z",
        "2024-02-29T23:59:59.123Z",
        "1999-12-31T08:30:00.000Z",
        "2024-06-01T05:30:00.000Z",
        "0099-03-01T00:00:00.000Z",
      ],
    );
    for (const wrong of ["2024-13-01", "2023-02-29", "2024-01-01T24:00", "2024-1-1", "01/02/2024"]) {
      assert.deepEqual((await readColumns(file("w.csv", `d\n${wrong}\n`))).types, { d: "string" }, wrong);
    }
  });

  test("takes the given types and missing values", async () => {
    const path = file("t.csv", "zip,n\n00123,-\n04567,7\n");
    const data = await readColumns(path, { types: { zip: "string" }, missing: ["-"] });
    assert.deepEqual(
      [data.strings("zip"), [...data.numbers("n")]],
      [
        ["00123", "04567"],
        [Number.NaN, 7],
      ],
    );
    await assert.rejects(
      readColumns(path, { types: { n: "number" } }),
      /^RangeError: .*t\.csv:2: column n must have numbers, got "-"$/,
    );
    await assert.rejects(readColumns(path, { types: { age: "number" } }), /t\.csv has no column age; it has zip, n$/);
  });

  test("reports the line of a row of another length, an empty file and a missing one", async () => {
    await assert.rejects(readColumns(file("w.csv", "a,b\n1,2\n1\n")), /w\.csv: .*line 3/);
    await assert.rejects(
      readColumns(file("h.csv", "1,2\n"), { columns: ["a"] }),
      /h\.csv: expected 1 values, got 2 on line 1/,
    );
    await assert.rejects(readColumns(file("e.csv", "")), /e\.csv is empty: expected a line with the column names/);
    await assert.rejects(readColumns(join(folder, "none.csv")), /ENOENT.*none/);
    const data = await readColumns(file("o.csv", "a,b\n1,2\n"));
    assert.throws(() => data.numbers("c"), /^RangeError: o\.csv has no column c; it has a, b$/);
    assert.throws(() => data.select("c"), /o\.csv has no column c/);
    assert.throws(() => data.dates("a"), /^TypeError: column a of o\.csv has type number, not date$/);
    assert.deepEqual((await readColumns(file("z.csv", "a,b\n"))).types, { a: "string", b: "string" });
  });

  test("gives back the numbers that were written", async () => {
    const property = fc.asyncProperty(
      fc.array(fc.oneof(fc.double({ noNaN: true }), fc.maxSafeInteger()), { minLength: 1 }),
      async (numbers) => {
        const path = file(
          "p.csv",
          `x\n${numbers.map((number) => (Object.is(number, -0) ? "-0" : String(number))).join("\n")}\n`,
        );
        assert.deepEqual([...(await readColumns(path)).numbers("x")], numbers);
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });

  test("becomes a tensor, records, a danfojs frame and a table in a cell", async () => {
    const data = await readColumns(file("d.csv", "a,b,c\n1,2.5,x\n3,,y\n"));
    assert.deepEqual(tensor(data.numbers("a")).arraySync(), [1, 3]);
    assert.deepEqual(fromFrame(data.select("a", "b")).arraySync(), [
      [1, 2.5],
      [3, Number.NaN],
    ]);
    assert.deepEqual([...recordsOf(data)][0], { a: 1, b: 2.5, c: "x" });
    const frame = new DataFrame(data.values, { columns: data.columns });
    assert.deepEqual(
      [frame.shape, frame.columns, frame.dtypes],
      [
        [2, 3],
        ["a", "b", "c"],
        ["int32", "float32", "string"],
      ],
    );
    const bundle = (await data[displaySymbol]()) as Record<string, string>;
    assert.match(bundle["text/html"]!, /<caption[^>]*>d\.csv: 2 rows, 3 columns<\/caption>.*b \(number\).*2\.500/s);
    assert.match(bundle["text/plain"]!, /b: number, 1 missing/);
  });
});
