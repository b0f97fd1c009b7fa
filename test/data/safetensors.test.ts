import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { readSafetensors, writeSafetensors } from "../../src/data/index.ts";

const folder = mkdtempSync(join(tmpdir(), "halftone-safetensors-"));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, "deep", "file.safetensors");

describe("a safetensors file", () => {
  test("has the layout that the format's description gives", () => {
    writeSafetensors(path, { a: { shape: [2, 1], values: Float32Array.of(1, -2) } }, { note: "é" });
    const file = readFileSync(path);
    const size = Number(file.readBigUInt64LE(0));
    assert.equal(size % 8, 0);
    assert.deepEqual(JSON.parse(file.toString("utf8", 8, 8 + size)), {
      __metadata__: { note: "é" },
      a: { dtype: "F32", shape: [2, 1], data_offsets: [0, 8] },
    });
    assert.deepEqual([file.readFloatLE(8 + size), file.readFloatLE(12 + size)], [1, -2]);
    assert.equal(file.length, 16 + size);
  });

  test("gives back what was written, in every type", () => {
    const arrays = {
      bytes: { shape: [3], values: Uint8Array.of(1, 2, 255) },
      doubles: { shape: [1, 2], values: Float64Array.of(Math.PI, Number.NaN) },
      integers: { shape: [2], values: Int32Array.of(-(2 ** 31), 7) },
      none: { shape: [0], values: new Float32Array(0) },
    };
    writeSafetensors(path, arrays);
    assert.deepEqual(readSafetensors(path), { arrays: { ...arrays }, metadata: {} });
  });

  test("written by hand is read", () => {
    const header = Buffer.from('{"w":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}} ');
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(path, Buffer.concat([size, header, Buffer.of(5, 0, 0, 0)]));
    assert.deepEqual(readSafetensors(path).arrays, { w: { shape: [1], values: Int32Array.of(5) } });
    writeFileSync(path, Buffer.concat([size, header, Buffer.of(5, 0, 0)]));
    assert.throws(() => readSafetensors(path), /cut short: w ends at byte/);
  });
});
