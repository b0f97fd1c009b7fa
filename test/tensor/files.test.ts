import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ready, runtimeInfo } from "../../src/runtime/index.ts";
import { readFloat64, storageOf } from "../../src/storage/index.ts";
import * as h from "../../src/tensor/index.ts";
import { adamW } from "../../src/train/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const scratch = temporaryFolder();
before(ready);

const reference = (name: string) =>
  fileURLToPath(new URL(`../../../test/tensor/fixtures/reference/${name}`, import.meta.url));
const file = (name: string) => path.join(scratch, name);

test("load reads NumPy's files: every dtype, Fortran order, scalars, compressed archives", () => {
  const x = h.load(reference("float32.npy") as `${string}.npy`);
  assert.deepEqual(
    [x.dtype, x.arraySync()],
    [
      "float32",
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
  );
  const fortran = h.load(reference("fortran.npy") as `${string}.npy`);
  assert.deepEqual(
    fortran.dataSync(),
    Float32Array.from({ length: 24 }, (_, i) => i),
  );
  const several = h.load(reference("several.npz"));
  const shown = Object.fromEntries(Object.entries(several).map(([name, t]) => [name, [t.dtype, t.arraySync()]]));
  const half = (i: number) =>
    Math.round((i / 3) * 2 ** (10 - Math.floor(Math.log2(i / 3 || 1)))) / 2 ** (10 - Math.floor(Math.log2(i / 3 || 1)));
  assert.deepEqual(shown, {
    half: [
      "float32",
      [
        [0, half(1), half(2)],
        [1, half(4), half(5)],
      ],
    ],
    long: ["int32", [-1, 2147483647]],
    flags: ["bool", [1, 0]],
    byte: ["int32", [[255]]],
    number: ["float32", 7],
    "layers.0.w": [
      "float32",
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
  });
  assert.deepEqual(h.load(reference("compressed.npz")).x!.shape, [2, 3]);
});

test("a saved tree keeps its numbers, strings and typed arrays, also of an optimizer's state", () => {
  const weights = h.parameters({ w: h.tensor([1, 2, 3]) });
  const optimizer = adamW(weights);
  optimizer.step([h.tensor([0.1, -0.2, 0.3])]);
  const tree = {
    model: { parameters: { w: h.tensor([1, 2, 3]) } },
    optimizer: optimizer.stateDict(),
    name: "Größe \ud83d\ude00 \ud83d",
    steps: 12,
    odd: [Number.NaN, -0, Number.NEGATIVE_INFINITY, Number.MAX_SAFE_INTEGER, 5e-324, 2n ** 70n],
    flags: { yes: true, nothing: null, list: [], object: {}, words: ["a", ["b"]] },
    // A name that every object inherits.
    constructor: "Adam",
    arrays: [
      Float32Array.of(0.1, Number.NaN, -0),
      Float64Array.of(0.1),
      Int8Array.of(-1),
      Int16Array.of(-300),
      Int32Array.of(-(2 ** 31)),
      Uint8Array.of(255),
      Uint8ClampedArray.of(255),
      Uint16Array.of(65535),
      Uint32Array.of(2 ** 32 - 1),
      BigInt64Array.of(-(2n ** 63n)),
      BigUint64Array.of(2n ** 64n - 1n),
      new Float32Array(0),
      // A part of a larger buffer, not at its beginning.
      Float32Array.of(1, 2, 3, 4).subarray(1, 3),
    ],
  };
  h.save(file("run.safetensors"), tree);
  const flat = h.load<h.SavedLeaf>(file("run.safetensors"));
  assert.equal(flat["optimizer.step"], 1);
  const { model, ...rest } = tree;
  const { model: savedModel, ...saved } = h.unflatten(flat) as typeof tree;
  assert.deepEqual(saved, rest);
  assert.deepEqual(savedModel.parameters.w.arraySync(), model.parameters.w.arraySync());
  adamW(weights).loadStateDict(saved.optimizer);
  // Again from what was loaded, and from a list of nothing but numbers.
  h.save(file("again.safetensors"), flat);
  assert.deepEqual(readFileSync(file("again.safetensors")), readFileSync(file("run.safetensors")));
  h.save(file("numbers.safetensors"), [1, 2]);
  assert.deepEqual(h.unflatten(h.load<h.SavedLeaf>(file("numbers.safetensors"))), [1, 2]);
});

test("save rejects a value that the format cannot store, with its path, and leaves the old file", () => {
  const x = h.tensor([1]);
  const target = file("kept.safetensors");
  h.save(target, { x });
  const around: { x: h.AnyTensor; self?: unknown } = { x };
  around.self = around;
  const disposed = h.tensor([1]);
  disposed.dispose();
  for (const [tree, message] of [
    [{ x, step: () => 1 }, /save: step is a function, which cannot be saved\. .*numbers, text/],
    [{ x, a: [{ b: new Map() }] }, /save: a\.0\.b is a Map/],
    [{ x, at: new Date(0) }, /save: at is a Date/],
    [{ x, list: [undefined] }, /save: list\.0 is undefined/],
    [{ x, scaler: undefined }, /save: scaler is undefined, which .*: leave the property out, or set it to null/],
    [{ x, key: Symbol("s") }, /save: key is a symbol/],
    [{ x, bytes: new ArrayBuffer(2) }, /save: bytes is an ArrayBuffer/],
    [{ x, made: new (class Layer {})() }, /save: made is a Layer/],
    [around, /save: self contains itself/],
    [{ "a.b": x, a: { b: x } }, /save: two leaves of the tree have the path a\.b/],
    [{ "": x, arr_0: x }, /save: a property of the tree has an empty name/],
    [{ x, gone: disposed }, /gone.*disposed/],
    [5, /expected at least one tensor to write/],
    [{}, /expected at least one tensor to write/],
  ] as const) {
    assert.throws(() => h.save(target, tree), message);
    assert.deepEqual(Object.keys(h.load(target)), ["x"]);
  }
  mkdirSync(file("folder.npz"));
  assert.throws(() => h.save(file("folder.npz"), { x }), /Cannot write .*folder\.npz: this is a folder, not a file/);
  h.save(file("new/place/x.npz"), { x });
  assert.deepEqual(Object.keys(h.load(file("new/place/x.npz"))), ["x"]);
  assert.throws(
    () => h.save(file("kept.npz"), { x, state: { taken: 3 } }),
    /save: state\.taken is not a tensor, and .*kept\.npz stores only tensors; use \.safetensors/,
  );
});

test("save and load preserve bits, shapes, dtypes and the tree", () => {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-45, 3.4e38];
  const tree = {
    layers: [{ w: h.tensor(special), n: h.tensor([[1, -2]], { dtype: "int32" }) }],
    on: h.tensor([true, false]),
    empty: h.zeros([0, 3]),
    one: h.tensor(5),
  };
  for (const ending of ["npz", "safetensors"]) {
    h.save(file(`tree.${ending}`), tree);
    const back = h.unflatten(h.load(file(`tree.${ending}`))) as typeof tree;
    assert.deepEqual(
      h
        .leaves(back)
        .map((leaf) => leaf.path)
        .sort(),
      h
        .leaves(tree)
        .map((leaf) => leaf.path)
        .sort(),
    );
    h.zipTrees(
      (a, b) => {
        assert.deepEqual([b.dtype, b.shape], [a.dtype, a.shape]);
        assert.deepEqual(new Uint8Array(b.dataSync().slice().buffer), new Uint8Array(a.dataSync().slice().buffer));
      },
      tree,
      back,
    );
  }
  h.save(file("one.npy"), tree.layers[0]!.n);
  assert.deepEqual(h.load(file("one.npy") as `${string}.npy`).arraySync(), [[1, -2]]);
  assert.deepEqual(readFileSync(file("one.npy")).length % 64, 8);
  h.save(file("again.npz"), tree);
  assert.deepEqual(readFileSync(file("again.npz")), readFileSync(file("tree.npz")));
  assert.ok(
    readdirSync(scratch).every((name) => !name.startsWith(".")),
    "nothing half written is left",
  );
});

/** A safetensors file by its specification: eight bytes of length, the header, the data. */
function safetensors(header: unknown, data: Uint8Array): string {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(file("hand.safetensors"), Buffer.concat([length, json, data]));
  return file("hand.safetensors");
}

// Written by safetensors.torch.save_file of torch.tensor([1 / 3, -2.0**-24, 65504]) in each type, and of [[0.1, 1e-300]].
test("PyTorch's half, bfloat16 and double tensors keep their storage type when loaded and saved", () => {
  const found = h.load(reference("storages.safetensors"));
  const native = runtimeInfo().backend === "tensorflow";
  const shown = (from: Record<string, h.AnyTensor>) =>
    Object.fromEntries(
      ["half", "brain", "double"].map((name) => [name, [storageOf(from[name]!), ...readFloat64(from[name]!)]]),
    );
  // By PyTorch: a third in 10 and in 7 bits of fraction; 65504 rounds to 65536 in bfloat16.
  const expected = {
    half: ["float16", 0.333251953125, -(2 ** -24), 65504],
    brain: ["bfloat16", 0.333984375, -(2 ** -24), 65536],
    double: native ? ["float64", 0.1, 1e-300] : ["float32", Math.fround(0.1), 0],
  };
  assert.deepEqual(shown(found), expected);
  assert.deepEqual(found.double!.shape, [1, 2]);
  h.save(file("storages.safetensors"), found);
  assert.deepEqual(shown(h.load(file("storages.safetensors"))), expected);
  const { half, double } = found;
  h.save(file("storages.npz"), { half, double });
  const again = h.load(file("storages.npz"));
  assert.deepEqual([storageOf(again.half!), storageOf(again.double!)], ["float16", native ? "float64" : "float32"]);
  assert.deepEqual(again.double!.shape, [1, 2]);
  assert.throws(
    () => h.save(file("storages.npz"), found),
    /save: brain is stored as bfloat16, which NumPy does not have/,
  );
});

test("a float16 array is written with the same bytes as NumPy's", () => {
  const x = h.load(reference("half.npy") as `${string}.npy`);
  assert.deepEqual([storageOf(x), x.shape], ["float16", [3, 1]]);
  h.save(file("half.npy"), x);
  assert.deepEqual(readFileSync(file("half.npy")), readFileSync(reference("half.npy")));
});

test("float16 and bfloat16 in safetensors keep their numbers", () => {
  const words = Uint16Array.of(0x3c00, 0xc000, 0x7c00, 0x0001, 0x3f80, 0xc000, 0x7f80, 0x7fc0);
  const found = h.load(
    safetensors(
      {
        __metadata__: { format: "pt" },
        half: { dtype: "F16", shape: [4], data_offsets: [0, 8] },
        brain: { dtype: "BF16", shape: [2, 2], data_offsets: [8, 16] },
      },
      new Uint8Array(words.buffer),
    ),
  );
  assert.deepEqual([storageOf(found.half!), storageOf(found.brain!)], ["float16", "bfloat16"]);
  assert.deepEqual(found.half!.arraySync(), [1, -2, Number.POSITIVE_INFINITY, 2 ** -24]);
  assert.deepEqual(found.brain!.arraySync(), [
    [1, -2],
    [Number.POSITIVE_INFINITY, Number.NaN],
  ]);
});

test("the error for a damaged file has its name and the defect", () => {
  const entry = (change: object) => ({ x: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change } });
  const data = new Uint8Array(8);
  const load =
    (header: unknown, bytes = data) =>
    () =>
      h.load(safetensors(header, bytes));
  assert.throws(load("{"), /hand\.safetensors: the header is not valid JSON/);
  assert.throws(load(entry({ dtype: "F8_E4M3" })), /x has the dtype F8_E4M3, which is not supported/);
  assert.throws(load(entry({ shape: [3] })), /x is stored in bytes 0 to 8 of 8, but its shape needs 12 bytes/);
  assert.throws(load(entry({ shape: [-2] })), /x has the invalid shape \[-2\]/);
  assert.throws(load(entry({ data_offsets: [4, 12] }), new Uint8Array(12)), /x starts at byte 4, expected 0/);
  assert.throws(load(entry({}), new Uint8Array(9)), /1 bytes at the end belong to no tensor/);
  writeFileSync(file("short.safetensors"), Buffer.from([255, 255, 255, 255, 255, 255, 255, 0]));
  assert.throws(
    () => h.load(file("short.safetensors")),
    /the header should be \d+ bytes long, but the file has 8 bytes/,
  );
  writeFileSync(file("no.npy"), "hello, no array");
  assert.throws(() => h.load(file("no.npy")), /no\.npy is not an npy file/);
  writeFileSync(file("cut.npy"), readFileSync(reference("float32.npy")).subarray(0, -4));
  assert.throws(() => h.load(file("cut.npy")), /expected 24 bytes of data for its shape, got 20/);
  writeFileSync(file("no.npz"), "hello");
  assert.throws(() => h.load(file("no.npz")), /no\.npz is not an npz file/);
  mkdirSync(file("inner.npz"));
  assert.throws(() => h.load(file("inner.npz")), /^Error: load: .*inner\.npz is a folder; give the name of a file/);
  assert.throws(() => h.load(file("x.txt")), /must end in \.npy, \.npz, \.safetensors/);
});

test("danfojs DataFrames are converted to tensors and back", async () => {
  // After the runtime, which gives danfojs the one tfjs.
  const { DataFrame, Series } = await import("danfojs-node");
  const frame = new DataFrame(
    [
      [1, 2.5],
      [3, Number.NaN],
    ],
    { columns: ["a", "b"] },
  );
  const x = h.fromFrame(frame);
  assert.deepEqual(x.arraySync(), [
    [1, 2.5],
    [3, Number.NaN],
  ]);
  assert.deepEqual(h.fromFrame(new Series([1, 2, 3])).arraySync(), [1, 2, 3]);
  assert.deepEqual(new DataFrame(h.toFrameRows(h.tensor([[1, 2]])), { columns: ["a", "b"] }).values, [[1, 2]]);
  const words = new DataFrame([["x", 1]], { columns: ["name", "n"] });
  assert.throws(() => h.fromFrame(words), /fromFrame: column name must contain numbers, got "x" in row 0/);
});
