import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as amp from "../../src/amp/index.ts";
import * as batching from "../../src/batching/index.ts";
import * as data from "../../src/data/index.ts";
import * as halftone from "../../src/index.ts";
import * as memory from "../../src/memory/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as storage from "../../src/storage/index.ts";
import * as train from "../../src/train/index.ts";
import * as anyWidget from "../../src/widgets/any-widget.ts";
import * as widgets from "../../src/widgets/index.ts";

const rows = readFileSync(new URL("../../../docs/features.md", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|").map((cell) => cell.trim()));
const parts: object[] = [halftone, amp, batching, data, memory, nn, storage, train, widgets, anyWidget];

test("each name in the third column of docs/features.md is exported", () => {
  const named = rows.flatMap((row) => Array.from(row[3]!.matchAll(/`(\w+)`/g), ([, name]) => name!));
  assert.ok(named.length > 150, `${named.length}`);
  assert.deepEqual(
    named.filter((name) => !parts.some((part) => name in part)),
    [],
  );
});

test("each tf function that docs/features.md names exists", () => {
  const named = rows.flatMap((row) => Array.from((row[5] ?? "").matchAll(/`tf\.([\w.]+)`/g), ([, name]) => name!));
  assert.ok(named.length > 5, `${named.length}`);
  const missing = named.filter(
    (name) => name.split(".").reduce((at, key) => Reflect.get(Object(at), key), halftone.tf as unknown) === undefined,
  );
  assert.deepEqual(missing, []);
});

test("each row of docs/features.md says yes, or differs or no and why", () => {
  const answers = rows.filter((row) => row[1] !== "PyTorch" && row[1] !== "Python" && !row[1]!.startsWith("---"));
  for (const row of answers) {
    assert.match(row[4]!, /^(?:yes|differs|no)$/, row.join("|"));
    if (row[4] !== "yes") assert.notEqual(row[5], "", row.join("|"));
  }
});
