import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { tableFromArrays } from "apache-arrow";
import { parquetWriteFile } from "hyparquet-writer";
import {
  byteTokenizer,
  cachedExamples,
  collect,
  type DataRecord,
  type Example,
  encodeRecords,
  groupSplit,
  readCsv,
  readJsonLines,
  readLines,
  readParquet,
  readRecords,
  recordsOf,
} from "../../src/data/index.ts";
import { ready } from "../../src/runtime/index.ts";
import { load } from "../../src/tensor/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const folder = temporaryFolder();
const file = (name: string, contents: string | Buffer) => {
  writeFileSync(join(folder, name), contents);
  return join(folder, name);
};
const all = (path: string) => collect(readRecords(path));

describe("readRecords", () => {
  test("reads JSON Lines and reports the number of an invalid line", async () => {
    const path = file("a.jsonl", '{"text":"é","label":1}\n\n{"text":"b"}\r\n');
    assert.deepEqual(await all(path), [{ text: "é", label: 1 }, { text: "b" }]);
    await assert.rejects(all(file("b.jsonl", '{"a":1}\n{"a":')), /b\.jsonl:2: /);
    await assert.rejects(all(file("c.jsonl", "[1]\n")), /c\.jsonl:1: expected a JSON object, got \[1\]/);
  });

  test("readJsonLines and readLines do not go by the file's ending", async () => {
    const path = file("records.log", '{"a":1}\n\n{"a":2}\n');
    assert.deepEqual(await collect(readJsonLines(path)), [{ a: 1 }, { a: 2 }]);
    const lines: string[] = [];
    for await (const line of readLines(path)) lines.push(line);
    assert.deepEqual(lines, ['{"a":1}', "", '{"a":2}']);
  });

  test("reads CSV as RFC 4180 defines it", async () => {
    const path = file("a.csv", '\ufefftext,label\r\n"a ""b"", c",x\r\n"two\nlines",y\r\n');
    assert.deepEqual(await all(path), [
      { text: 'a "b", c', label: "x" },
      { text: "two\nlines", label: "y" },
    ]);
    assert.deepEqual(await all(file("a.tsv", "a\tb\n1,5\t2\n")), [{ a: "1,5", b: "2" }]);
    assert.deepEqual(await collect(readCsv(file("d.csv", "1;2\n"), { delimiter: ";", columns: ["a", "b"] })), [
      { a: "1", b: "2" },
    ]);
  });

  test("reports the line of a row with too many values", async () => {
    await assert.rejects(all(file("b.csv", "a,b\n1,2\n1,2,3\n")), /b\.csv: .*line 3/);
  });

  test("reads lines of text, also compressed", async () => {
    assert.deepEqual(await all(file("a.txt", "one\ntwo\n")), [{ text: "one" }, { text: "two" }]);
    assert.deepEqual(await all(file("a.jsonl.gz", gzipSync('{"a":1}\n'))), [{ a: 1 }]);
    assert.deepEqual(await all(file("a.csv.gz", gzipSync("a\n7\n"))), [{ a: "7" }]);
  });

  test("reports a missing file and an unknown file type", async () => {
    for (const name of ["none.jsonl", "none.csv", "none.txt", "none.jsonl.gz", "none.parquet"]) {
      await assert.rejects(all(join(folder, name)), /ENOENT.*none/);
    }
    await assert.rejects(all("a.xlsx"), /a\.xlsx: expected a file of type \.jsonl.*, got \.xlsx/);
  });

  test("can stop in the middle of a file", async () => {
    const path = file("long.jsonl", '{"a":1}\n'.repeat(10_000));
    let seen = 0;
    for await (const _ of readRecords(path)) if (++seen === 3) break;
    assert.equal(seen, 3);
  });

  test("reads Parquet by row groups, and only the requested columns", async () => {
    const path = join(folder, "a.parquet");
    const texts = Array.from({ length: 25 }, (_, i) => `text ${i}`);
    parquetWriteFile({
      filename: path,
      columnData: [
        { name: "text", data: texts, type: "STRING" },
        { name: "label", data: BigInt64Array.from(texts, (_, i) => BigInt(i)) as never, type: "INT64" },
      ],
      rowGroupSize: 10,
    });
    const rows = await all(path);
    assert.deepEqual(
      rows,
      texts.map((text, label) => ({ text, label })),
    );
    assert.deepEqual(
      await collect(readParquet(path, { columns: ["text"] })),
      texts.map((text) => ({ text })),
    );
    await assert.rejects(collect(readParquet(path, { columns: ["no"] })), /has no column no; it has text, label/);
  });

  test("streams a file of 150 MB in a process with a heap of 32 MB", async () => {
    const path = join(folder, "large.jsonl");
    const out = createWriteStream(path);
    const line = `${JSON.stringify({ text: "x".repeat(1000) })}\n`.repeat(1000);
    for (let i = 0; i < 150; i++) if (!out.write(line)) await once(out, "drain");
    out.end();
    await finished(out);
    const script = `
      const { readRecords } = await import(${JSON.stringify(new URL("../../src/data/index.js", import.meta.url).href)});
      let count = 0;
      for await (const { text } of readRecords(${JSON.stringify(path)})) count += text.length;
      console.log(count);`;
    const flags = ["--max-old-space-size=32", "--input-type=module", "--eval", script];
    const child = spawnSync(process.execPath, flags, { encoding: "utf8" });
    assert.equal(child.stdout, "150000000\n", child.stderr);
    rmSync(path);
  });
});

describe("recordsOf", () => {
  test("yields the rows of an Arrow table", () => {
    const table = tableFromArrays({ text: ["a", "b"], label: Int32Array.of(3, 4) });
    assert.deepEqual(
      [...recordsOf(table)],
      [
        { text: "a", label: 3 },
        { text: "b", label: 4 },
      ],
    );
  });

  test("yields the rows of a danfojs DataFrame", async () => {
    await ready();
    const { DataFrame } = await import("danfojs-node");
    const frame = new DataFrame({ text: ["a", "b"], label: [3, 4] });
    assert.deepEqual(
      [...recordsOf(frame)],
      [
        { text: "a", label: 3 },
        { text: "b", label: 4 },
      ],
    );
    assert.throws(() => [...recordsOf({} as never)], /expected a danfojs DataFrame or an Arrow table/);
  });
});

describe("encodeRecords", () => {
  const encode = (records: DataRecord[], options = {}) =>
    collect(encodeRecords(records, { tokenizer: byteTokenizer(), label: "label", ...options }));

  test("encodes the text as token ids and the label as a class index", async () => {
    const records = [
      { body: "ab", label: "yes" },
      { body: "c", label: "no" },
    ];
    assert.deepEqual(await encode(records, { text: "body", classes: ["no", "yes"], maxLength: 1 }), [
      { tokens: Int32Array.of(98), label: 1 },
      { tokens: Int32Array.of(100), label: 0 },
    ]);
    assert.deepEqual((await encode([{ text: "a", label: "2.5" }]))[0]!.label, 2.5);
  });

  for (const [name, record, options, message] of [
    [
      "no text",
      { body: "b", label: 1 },
      {},
      /record 1: expected a non-empty text in column text, got no such column \(it has body, label\)/,
    ],
    ["an empty text", { text: "", label: 1 }, {}, /record 1: expected a non-empty text in column text, got ""/],
    [
      "an unknown class",
      { text: "b", label: "c" },
      { classes: ["1"] },
      /record 1: the label "c" in column label is not one of the 1 classes/,
    ],
    [
      "a label that is not a number",
      { text: "b", label: "c" },
      {},
      /record 1: the label "c" in column label is not a number. Pass `classes`/,
    ],
    ["no label", { text: "b", label: "" }, {}, /record 1: the label "" in column label is not a number/],
  ] as const) {
    test(`rejects ${name} with the record's index`, () =>
      assert.rejects(encode([{ text: "a", label: 1 }, record], options), message));
  }
});

describe("cachedExamples", () => {
  const path = join(folder, "cache", "examples.safetensors");
  const examples = Array.from({ length: 7 }, (_, i) => ({
    tokens: Int32Array.from({ length: i + 1 }, (_, t) => 10 * i + t),
    label: i / 2,
  }));
  let made = 0;
  const cached = (key: unknown, own: readonly Example[] = examples) =>
    cachedExamples({ path, key }, () => {
      made++;
      return own;
    });

  test("are made once for a key and then read from the file", async () => {
    for (let i = 0; i < 2; i++) {
      const read = await cached({ size: 7 });
      assert.deepEqual(
        read.map(({ tokens, label }) => ({ tokens, label })),
        examples,
      );
    }
    assert.equal(made, 1);
    const other = await cached({ size: 2 }, examples.slice(0, 2));
    assert.deepEqual([other.length, made], [2, 2]);
  });

  test("are written atomically as a safetensors file", async () => {
    await cached({ size: 7 });
    await ready();
    const { ends, tokens } = load(path);
    assert.deepEqual([...ends!.dataSync()], [1, 3, 6, 10, 15, 21, 28]);
    assert.deepEqual([...tokens!.dataSync().slice(0, 3)], [0, 10, 11]);
    const failing = cachedExamples({ path, key: "failing" }, function* () {
      yield examples[0]!;
      throw new Error("the source broke");
    });
    await assert.rejects(failing, /the source broke/);
    assert.deepEqual(readdirSync(join(folder, "cache")), ["examples.safetensors"]);
    assert.equal((await cached({ size: 7 })).length, 7);
  });

  test("leave another file at the path unchanged", async () => {
    const other = file("notes.txt", "notes");
    await assert.rejects(
      cachedExamples({ path: other, key: 1 }, () => examples),
      /notes\.txt exists but is not an example cache\. Choose another path, or delete it/,
    );
  });
});

test("groupSplit keeps a group on one side", () => {
  const items = Array.from({ length: 60 }, (_, i) => ({ i, group: `g${i % 12}` }));
  const { train, validation } = groupSplit(items, { validation: 0.2, seed: 1, by: ({ group }) => group });
  assert.equal(train.length + validation.length, 60);
  assert.ok(validation.length >= 12 && validation.length < 12 + 5);
  const groups = new Set(validation.map(({ group }) => group));
  assert.ok(train.every(({ group }) => !groups.has(group)));
  assert.throws(
    () => groupSplit(items, { validation: 60, seed: 1, by: () => "one" }),
    /at least one group on both sides.* 1 groups/,
  );
});
