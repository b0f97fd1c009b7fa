import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { openNotebook } from "./fixture.ts";

const { run } = openNotebook();

/** Shown as Node's util.inspect shows the same value here. */
const values: [code: string, value: unknown][] = [
  ["0.5", 0.5],
  ["-0", -0],
  ["1e21", 1e21],
  ["'it\\'s'", "it's"],
  ["true", true],
  ["10n ** 20n", 10n ** 20n],
  ["Symbol.iterator", Symbol.iterator],
  ["[1, [2, [3, [4, [5]]]]]", [1, [2, [3, [4, [5]]]]]],
  ["({ a: { b: { c: { d: 1 } } } })", { a: { b: { c: { d: 1 } } } }],
  ["new Map([['k', { v: 1 }]])", new Map([["k", { v: 1 }]])],
  ["new Set([1, 'two'])", new Set([1, "two"])],
  ["new Float32Array([1, 2.5])", new Float32Array([1, 2.5])],
  ["Buffer.from('plain')", Buffer.from("plain")],
  ["new Date(0)", new Date(0)],
  ["/re/g", /re/g],
  ["Array.from({ length: 1000 }, (_, i) => i)", Array.from({ length: 1000 }, (_, i) => i)],
  ["(() => { const o: any = {}; o.self = o; return o })()", circular()],
  ["null", null],
];
function circular(): object {
  const o: Record<string, unknown> = {};
  o.self = o;
  return o;
}
for (const [code, value] of values) {
  test(`${code} is shown as util.inspect shows it`, async () => {
    const { result } = await run(code);
    assert.deepEqual(result, { "text/plain": inspect(value, { breakLength: 100 }) });
  });
}

test("a promise is awaited, and its value shown", async () => {
  assert.equal((await run("new Promise((go) => setTimeout(go, 5, 'done'))")).text, "'done'");
  assert.equal((await run("Promise.resolve()")).result, undefined);
  assert.equal((await run("Promise.reject(new RangeError('no'))")).error?.ename, "RangeError");
});

test("an object with a then of its own is shown, not called", async () => {
  assert.equal((await run("({ then(go: any) { go('called') } })")).text, "{ then: [Function: then] }");
});

test("an object that shows itself is shown as the bundle that it gives, awaited, bytes in base64", async () => {
  const { result } = await run(`({
    async [Symbol.for("Jupyter.display")]() {
      return { "text/html": "<i>x</i>", "image/png": new Uint8Array([1, 2, 3]), "application/json": { a: [1] } };
    } })`);
  assert.deepEqual(result, { "text/html": "<i>x</i>", "image/png": "AQID", "application/json": { a: [1] } });
});

test("a display method that throws, or gives no bundle, is an error of the cell", async () => {
  const failing = `({ [Symbol.for("Jupyter.display")]() { throw new Error("cannot draw") } })`;
  const { error, outcome } = await run(failing);
  assert.equal(outcome.status, "error");
  assert.equal(error?.evalue, "cannot draw");
  assert.match(
    (await run(`({ [Symbol.for("Jupyter.display")]: () => "text" })`)).error!.evalue,
    /must return a mime bundle/,
  );
  assert.match(
    (await run(`({ [Symbol.for("Jupyter.display")]: () => ({ "application/json": 1n }) })`)).error!.evalue,
    /BigInt/,
  );
});

test("a value whose inspection throws is an error of the cell", async () => {
  const { error } = await run("({ [require('util').inspect.custom]() { throw new Error('unshowable') } })");
  assert.equal(error?.evalue, "unshowable");
});

test("image files in a buffer are images", async () => {
  const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const { result } = await run(`Buffer.from("${png}", "base64")`);
  assert.equal(result?.["image/png"], png);
  assert.equal((await run("new Uint8Array([0xff, 0xd8, 0xff, 0xe0])")).result?.["image/jpeg"], "/9j/4A==");
});

test("elements of a document are their markup", async () => {
  assert.equal(
    (await run(`({ nodeType: 1, tagName: "DIV", outerHTML: "<div>x</div>" })`)).result?.["text/html"],
    "<div>x</div>",
  );
  const svg = await run(`({ nodeType: 1, tagName: "svg", outerHTML: "<svg></svg>" })`);
  assert.equal(svg.result?.["image/svg+xml"], "<svg></svg>");
});

test("a figure without the display method is an object", async () => {
  assert.deepEqual(Object.keys((await run("({ data: [], layout: {} })")).result!), ["text/plain"]);
});

test("tfjs has one engine under all its names, and halftone's is the same", { timeout: 120_000 }, async () => {
  const { text, error } = await run(`
    import * as tf from "@tensorflow/tfjs";
    import node from "@tensorflow/tfjs-node";
    import { tensor } from "@tensorflow/tfjs-core";
    import { tf as own } from "halftone";
    const viaRequire = require("@tensorflow/tfjs-node-gpu");
    [node.tensor, tensor, own.tensor, viaRequire.tensor].map((each) => each === tf.tensor)`);
  assert.equal(error, undefined, error?.traceback.join("\n"));
  assert.equal(text, "[ true, true, true, true ]");
});

test("a tensor is shown with its type, shape and values, a large one in short", async () => {
  const small = (await run("tf.tensor([[1, 2], [3, 4.5]])")).text!;
  assert.match(small, /^Tensor float32 \[2, 2\], 16 B/);
  assert.match(small, /\[\[ {2}1, {3}2\],\n \[ {2}3, 4\.5\]\]$/);
  assert.match((await run("tf.scalar(7, 'int32')")).text!, /^Tensor int32 \[\], 4 B.*\n7$/);
  const large = (await run("tf.zeros([2000, 1000])")).text!;
  assert.match(large, /^Tensor float32 \[2000, 1000\], 7\.63 MB/);
  assert.ok(large.length < 1000, `${large.length} characters`);
  assert.match(
    (await run("const gone = tf.ones([2]); gone.dispose(); gone")).text!,
    /^Tensor float32 \[2\], disposed$/,
  );
});

test("a danfojs frame is a table, with its middle rows left out", { timeout: 120_000 }, async () => {
  const { result } = await run(`
    import { DataFrame } from "danfojs-node";
    new DataFrame({ n: Array.from({ length: 100 }, (_, i) => i), "<s>": Array.from({ length: 100 }, (_, i) => "v" + i) })`);
  const html = result?.["text/html"] as string;
  assert.match(html, /<th>n<\/th><th>&lt;s&gt;<\/th>/);
  assert.match(html, /<td>9<\/td><td>v9<\/td><\/tr><tr><th>\.\.\.<\/th>.*<td>90<\/td>/);
  assert.match(html, /100 rows, 2 columns/);
  assert.match(result?.["text/plain"] as string, /v99|v9/);
});
