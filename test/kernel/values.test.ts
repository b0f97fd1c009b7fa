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

test("an object with a `then` method is shown, and the method is not called", async () => {
  assert.equal((await run("({ then(go: any) { go('called') } })")).text, "{ then: [Function: then] }");
});

test("an object with a display method is shown as the bundle it returns, awaited, with bytes in base64", async () => {
  const { result } = await run(`({
    async [Symbol.for("Jupyter.display")]() {
      return { "text/html": "<i>x</i>", "image/png": new Uint8Array([1, 2, 3]), "application/json": { a: [1] } };
    } })`);
  assert.deepEqual(result, { "text/html": "<i>x</i>", "image/png": "AQID", "application/json": { a: [1] } });
});

test("a display method that throws or returns no bundle is an error of the cell", async () => {
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

const shows = (bundle: string) => run(`({ [Symbol.for("Jupyter.display")]: () => (${bundle}) })`);

test("content that the notebook format does not allow in a mime bundle is an error that says what is allowed", async () => {
  for (const [bundle, message] of [
    [`{ "text/plain": 5 }`, /^the text\/plain of a mime bundle must be text .* got 5$/],
    [`{ "text/html": null }`, /must be text .* got null/],
    [`{ "text/html": { toString: () => "x" } }`, /must be text/],
    [`{ "text/html": ["a", 1] }`, /must be text/],
    [`{ "image/png": new Float32Array(2) }`, /or bytes \(a Uint8Array\)/],
    [`{ plain: "x" }`, /keys of a mime bundle are media types.* got 'plain'/],
    [`[1]`, /must return a mime bundle/],
    [
      `{ "application/json": { f() {} } }`,
      /^the application\/json of a mime bundle\.f is a function, which JSON cannot represent/,
    ],
    [`{ "application/json": [Symbol("s")] }`, /mime bundle\[0\] is a symbol/],
    [`{ "application/json": { a: [1, 2n] } }`, /mime bundle\.a\[1\] is the BigInt 2/],
    [`{ "application/json": { a: new BigInt64Array(1) } }`, /\.a\[0\] is the BigInt 0/],
    [`{ "application/json": (() => { const a: any = {}; a.b = { c: a }; return a })() }`, /\.b\.c contains itself/],
    [`{ "application/json": { a: new ArrayBuffer(2) } }`, /\.a is bytes without a type/],
    [`{ "application/json": { a: Promise.resolve(1) } }`, /\.a is a Promise: await it/],
    [`{ "application/json": new Map([[1, 2]]) }`, /is a Map with the key 1: only text can be a key/],
  ] as const) {
    const { error } = await shows(bundle);
    assert.match(error?.evalue ?? "no error", message, bundle);
  }
});

test("numbers, typed arrays, Maps, Sets, dates and tensors become JSON that the front end can draw", async () => {
  const { result } = await shows(`{
    "application/vnd.plotly.v1+json": {
      y: new Float32Array([1, 0.5, NaN]), z: [new Int8Array([1, -2]), new Uint8ClampedArray([300])], n: [NaN, -Infinity, -0],
      map: new Map([["a", new Set([1, "x"])]]), when: new Date(0), nothing: undefined, sparse: [, undefined, null],
      boxed: Object(5), plain: Object.create(null, { x: { value: 1, enumerable: true } }), "__proto__": { kept: true },
    }, "text/plain": ["two\\n", "lines"], "text/html": undefined }`);
  assert.deepEqual(result, {
    "application/vnd.plotly.v1+json": {
      y: [1, 0.5, null],
      z: [[1, -2], [255]],
      n: [null, null, 0],
      map: { a: [1, "x"] },
      when: "1970-01-01T00:00:00.000Z",
      sparse: [null, null, null],
      boxed: 5,
      plain: { x: 1 },
    },
    "text/plain": ["two\n", "lines"],
  });
});

test("a value's long text is truncated, with the number of omitted characters", async () => {
  const keys = (await run("Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => ['key' + i, i]))")).text!;
  assert.match(keys, /^\{\n {2}key0: 0,\n[\s\S]*,\n\.\.\. \d+ more characters$/);
  assert.ok(keys.length < 60_000);
  const endless = "({ [require('util').inspect.custom]: () => 'x'.repeat(1e6) })";
  assert.equal((await run(endless)).text, `${"x".repeat(50_000)}\n... 950000 more characters`);
  const { error } = await run(`throw ${endless}`);
  assert.equal(error?.evalue, `${"x".repeat(50_000)}\n... 950000 more characters`);
  assert.ok(error.traceback.join().length < 60_000);
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

test("DOM elements are shown as their markup", async () => {
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
  assert.match(large, /^Tensor float32 \[2000, 1000\], 7\.63 MiB/);
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

test("a cell that ends with a display has no result beside it, and one whose display method shows nothing has none", async () => {
  const shown = await run('import { display } from "halftone"; display([1])');
  assert.deepEqual(
    shown.outputs.map(({ type }) => type),
    ["display"],
  );
  assert.deepEqual((await run("({ [Symbol.for('Jupyter.display')]: () => ({}) })")).outputs, []);
});
