import assert from "node:assert/strict";
import { before, test } from "node:test";
import { inspect } from "node:util";
import { inflateSync } from "node:zlib";
import { mimeBundle } from "../../src/display/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import * as h from "../../src/tensor/index.ts";

before(ready);

const shown = (x: h.AnyTensor) => mimeBundle(x) as Record<string, string>;

test("a tensor shows its dtype, shape with names, bytes, device, range, mean and NaN", () => {
  const text = inspect(
    h.named(
      h.tensor([
        [1, 2],
        [3, Number.NaN],
      ]),
      ["batch", 2],
    ),
  );
  assert.match(
    text,
    /^Tensor float32 \[batch=2, 2\], 16 B on (cpu|gpu|wasm)\n1 to 3, mean 2, std 0\.8165, 1 NaN\n\[\[ {2}1, {3}2\],\n \[ {2}3, NaN\]\]$/,
  );
  assert.match(inspect(h.tensor(7)), /^Tensor float32 \[\], 4 B on \w+\n7$/);
  assert.match(inspect(h.tensor([true, false])), /\[ true, false\]$/);
  assert.match(inspect(tf.zeros([2, 0])), /^Tensor float32 \[2, 0\], 0 B on \w+$/);
  const gone = tf.ones([2]);
  gone.dispose();
  assert.equal(inspect(gone), "Tensor float32 [2], disposed");
});

test("a million numbers are never printed", () => {
  const bundle = shown(h.randn([1000, 1000], { from: 1 }));
  assert.ok(bundle["text/plain"]!.length < 2000);
  assert.ok(bundle["text/html"]!.length < 60000);
  assert.match(bundle["text/plain"]!, /\.\.\./);
});

test("a small matrix is shown as a table, a large one as a heat map, a long vector as a histogram", () => {
  const small = shown(
    h.tensor([
      [1, 2],
      [3, 4],
    ]),
  )["text/html"]!;
  assert.deepEqual(
    [...small.matchAll(/<td[^>]*>([^<]*)</g)].map((m) => m[1]),
    ["1", "2", "3", "4"],
  );
  assert.match(shown(h.randn([64, 64]))["text/html"]!, /<img alt="Heat map of \[64, 64\]" src="data:image\/png;base64/);
  const counts = shown(h.concat([h.zeros([300]), h.ones([100])]))["text/html"]!;
  const bars = [...counts.matchAll(/<rect [^>]*height="([\d.]+)"/g)]
    .map((m) => Number(m[1]))
    .filter((tall) => tall > 0);
  assert.equal(bars.length, 2);
  assert.ok(Math.abs(bars[1]! / bars[0]! - 1 / 3) < 0.01);
});

test("a heat map's pixels are white at zero, red above, blue below and magenta for NaN", () => {
  const values = h.concat(
    [h.full([30, 30], -2), h.full([30, 30], 2), h.zeros([30, 30]), h.full([30, 30], Number.NaN)],
    0,
  );
  const data = /base64,([^"]+)"/.exec(shown(values)["text/html"]!)![1]!;
  const png = Buffer.from(data, "base64");
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const start = png.indexOf("IDAT") + 4;
  const pixels = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
  const at = (row: number) => [...pixels.subarray(row * (1 + 3 * width) + 1, row * (1 + 3 * width) + 4)];
  assert.deepEqual([width, height], [30, 60]);
  assert.deepEqual(
    [at(5), at(20), at(35), at(55)],
    [
      [33, 102, 172],
      [178, 24, 43],
      [247, 247, 247],
      [255, 0, 255],
    ],
  );
});

test("showing a tensor leaves no tensor and records nothing for gradients", () => {
  const x = h.randn([50, 50], { from: 1 });
  const live = tf.memory().numTensors;
  shown(x);
  // Not more: what earlier tests left may be collected meanwhile.
  assert.ok(tf.memory().numTensors <= live);
  const gradient = h.grad((t: h.AnyTensor) => {
    inspect(t);
    return h.sum(t);
  })(x);
  assert.equal(h.item(h.mean(gradient)), 1);
});

test("NaN and infinity in a large tensor are counted and shown in the warning colour", () => {
  const x = h.concat([h.randn([2000], { from: 1 }), h.tensor([Number.NaN, Number.POSITIVE_INFINITY])]);
  assert.match(shown(x)["text/html"]!, /<div style="color:#b2182b">.*1 NaN, 1 infinite<\/div>/);
});
