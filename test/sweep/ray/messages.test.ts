import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessage, ResultParts } from "../../../src/sweep/ray/messages.ts";

test("a result whose parts are not all there is none", () => {
  const line = (fields: object) => parseMessage(`@@halftone ${JSON.stringify(fields)}`)!;
  const parts = new ResultParts();
  const data = Buffer.from("an archive").toString("base64");
  const [first, last] = [data.slice(0, 4), data.slice(4)];
  const point = { kind: "point", id: "a", size: data.length, host: "node", message: null };
  assert.equal(parts.add(line({ kind: "part", id: "a", at: 4, data: last })), undefined);
  assert.equal(parts.add(line(point)), undefined);
  // The driver was killed while it sent the result, and the next one sends it from the beginning.
  for (const [at, text] of [
    [0, first],
    [0, first],
    [4, last],
  ] as const)
    parts.add(line({ kind: "part", id: "a", at, data: text }));
  assert.equal(Buffer.from(parts.add(line(point))!.archive).toString(), "an archive");
  for (const text of ["", "anything", "@@halftone {", '@@halftone {"kind":"other"}'])
    assert.equal(parseMessage(text), undefined);
});
