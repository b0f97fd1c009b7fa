import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, test } from "node:test";
import * as h from "../../src/index.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const scratch = temporaryFolder();
before(h.ready);

const model = () => ({
  layers: [{ weight: h.tf.variable(h.tf.ones([2, 3])) }, { weight: h.tf.variable(h.tf.ones([3, 1])) }],
  mean: h.tf.variable(h.tf.zeros([3]), false),
});

describe("stateDict", () => {
  test("has every variable by path, those that are not trainable included", () => {
    assert.deepEqual(
      Object.entries(h.stateDict(model())).map(([name, { shape }]) => [name, shape]),
      [
        ["layers.0.weight", [2, 3]],
        ["layers.1.weight", [3, 1]],
        ["mean", [3]],
      ],
    );
    assert.throws(() => h.stateDict({}), /stateDict: expected a tree of parameters, got one without tensors/);
  });

  test("keeps the values that the parameters had", () => {
    const parameters = model();
    const state = h.stateDict(parameters);
    parameters.mean.assign(h.tf.ones([3]));
    assert.deepEqual([...state.mean!.dataSync()], [0, 0, 0]);
    h.loadStateDict(parameters, state);
    assert.deepEqual([...parameters.mean.dataSync()], [0, 0, 0]);
    // Of use again, because loading takes a copy.
    h.loadStateDict(parameters, state);
    assert.deepEqual([...state.mean!.dataSync()], [0, 0, 0]);
  });

  test("goes through a file with the state of an optimizer, and trains on with the same bits", () => {
    const loss = (p: ReturnType<typeof model>) =>
      h.sum(h.square(h.matmul(h.matmul(p.layers[0]!.weight, h.tf.eye(3) as never), p.layers[1]!.weight as never)));
    const step = (p: ReturnType<typeof model>, optimizer: h.Optimizer) =>
      optimizer.step(h.grad(loss as never)(p as never) as object);
    const [straight, stopped, resumed] = [model(), model(), model()];
    const whole = h.adamW(straight);
    for (let i = 0; i < 4; i++) step(straight, whole);
    const first = h.adamW(stopped);
    for (let i = 0; i < 2; i++) step(stopped, first);
    const file = path.join(scratch, "run.safetensors");
    const generator = h.generator(1);
    const [scaler, schedule] = [new h.GradScaler(), h.reduceOnPlateau(1e-3, { patience: 1 })];
    schedule.observe({ loss: 2 });
    const run = {
      model: h.stateDict(stopped),
      optimizer: first.stateDict(),
      scaler: scaler.stateDict(),
      schedule: schedule.stateDict(),
      generator: generator.getState(),
      step: 2,
      name: "x",
    };
    h.save(file, run);
    const saved = h.unflatten(h.load<h.SavedLeaf>(file)) as typeof run & { scaler: h.GradScalerState };
    const { model: savedModel, ...others } = saved;
    const { model: ownModel, ...own } = run;
    assert.deepEqual(others, own);
    assert.deepEqual(Object.keys(savedModel), Object.keys(ownModel));
    new h.GradScaler().loadStateDict(saved.scaler);
    h.reduceOnPlateau(1e-3).loadStateDict(saved.schedule);
    assert.equal(h.generator(saved.generator).next(), generator.next());
    assert.deepEqual(h.loadStateDict(resumed, saved.model), { missing: [], unexpected: [] });
    const second = h.adamW(resumed);
    second.loadStateDict(saved.optimizer);
    for (let i = 0; i < 2; i++) step(resumed, second);
    for (const i of [0, 1])
      assert.deepEqual(resumed.layers[i]!.weight.dataSync(), straight.layers[i]!.weight.dataSync());
  });
});

describe("loadStateDict", () => {
  const state = () => ({
    "layers.0.weight": h.tf.ones([3, 2]),
    "layers.1.bias": h.tf.ones([1]),
    mean: h.tf.tensor1d([1, 2, 3], "int32"),
  });

  test("names what is missing, unexpected and misshaped in one error, and assigns nothing", () => {
    const parameters = model();
    assert.throws(
      () => h.loadStateDict(parameters, { ...state(), mean: h.tf.ones([3]) }),
      new RangeError(
        "loadStateDict: the state has nothing for layers.1.weight; there is no parameter layers.1.bias; layers.0.weight has the shape [2, 3], [3, 2] in the state",
      ),
    );
    assert.deepEqual([...parameters.mean.dataSync()], [0, 0, 0]);
    assert.throws(() => h.loadStateDict(parameters, state(), { strict: false }), /mean is float32, int32 in the state/);
  });

  test("passes over other names where it is not strict, and returns them", () => {
    const parameters = model();
    const { "layers.1.bias": bias } = state();
    assert.deepEqual(h.loadStateDict(parameters, { "layers.1.bias": bias, mean: h.tf.ones([3]) }, { strict: false }), {
      missing: ["layers.0.weight", "layers.1.weight"],
      unexpected: ["layers.1.bias"],
    });
    assert.deepEqual([...parameters.mean.dataSync()], [1, 1, 1]);
  });

  test("takes typed arrays, and values of another storage type", () => {
    const parameters = { a: h.tf.variable(h.tf.zeros([2, 1])), b: h.tf.variable(h.tf.zeros([2])) };
    h.loadStateDict(parameters, { a: Float32Array.of(1, 2), b: h.tensor([0.5, 2]).to("float16") });
    assert.deepEqual([...parameters.a.dataSync(), ...parameters.b.dataSync()], [1, 2, 0.5, 2]);
    assert.equal(h.storageOf(parameters.b), "float32");
    assert.throws(
      () => h.loadStateDict({ a: parameters.a }, { a: Float32Array.of(1) }),
      /a has 2 elements, 1 in the state/,
    );
  });
});

describe("a file of a mixed tree", () => {
  test("gives the same tree back: tensors of every storage type, typed arrays, numbers, strings, null and lists", () => {
    const file = path.join(scratch, "mixed.safetensors");
    const tree = {
      halves: h.tensor([0.5, -2]).to("float16"),
      brain: h.tensor([0.5, -2]).to("bfloat16"),
      double: h.tensor([0.1]).to("float64"),
      whole: h.tf.tensor1d([1, -2], "int32"),
      yes: h.tf.tensor1d([1, 0], "bool"),
      scalar: h.tf.scalar(3),
      none: h.tf.zeros([0, 3]),
      list: [[1, [2, "three"]], null, true, 7n, Number.NaN, -0],
      bytes: Uint8Array.of(1, 2),
    };
    h.save(file, tree);
    const back = h.unflatten(h.load<h.SavedLeaf>(file)) as typeof tree;
    for (const [name, value] of Object.entries(tree)) {
      const found = back[name as keyof typeof tree];
      if (!(value instanceof h.tf.Tensor)) assert.deepEqual(found, value, name);
      else {
        const tensor = found as typeof value;
        assert.deepEqual(
          [tensor.shape, tensor.dtype, [...tensor.dataSync()]],
          [value.shape, value.dtype, [...value.dataSync()]],
          name,
        );
        // WebAssembly has no float64.
        if (value.dtype === "float32" && (name !== "double" || h.runtimeInfo().backend === "tensorflow"))
          assert.equal(h.storageOf(tensor), h.storageOf(value), name);
      }
    }
  });

  test("keeps keys with dots, objects whose keys are numbers, and a tree of one tensor, also when saved again", () => {
    const tree = {
      "a.b": { "c.d": [1, { "0": 2 }], c: { "": 3 } },
      a: { b: 4 },
      byEpoch: { "0": "x", "1": { "0.5": null } },
      sparse: { "1": 5 },
      list: [[6]],
    };
    for (const [name, each] of Object.entries({ tree, numbered: { "0": 1, "1": 2 }, list: [1, 2] })) {
      const files = [name, `${name}-again`].map((base) => path.join(scratch, `${base}.safetensors`));
      h.save(files[0]!, each);
      const flat = h.load<h.SavedLeaf>(files[0]!);
      assert.deepEqual(h.unflatten(flat), each);
      h.save(files[1]!, flat);
      assert.deepEqual(readFileSync(files[1]!), readFileSync(files[0]!));
      assert.deepEqual(h.unflatten(h.load<h.SavedLeaf>(files[1]!)), each);
    }
    const one = path.join(scratch, "one.safetensors");
    h.save(one, h.tensor([1, 2]));
    assert.deepEqual([...(h.unflatten(h.load(one)) as h.Tensor).dataSync()], [1, 2]);
    // Elsewhere the names alone tell the tree.
    assert.deepEqual(h.unflatten({ "a.b": 1, "a.c": 2 }), { a: { b: 1, c: 2 } });
  });

  test("is not written where a leaf cannot be kept, which is named", () => {
    class Settings {
      rate = 1;
    }
    for (const [leaf, kind] of [
      [new Date(0), "a Date"],
      [() => 1, "a function"],
      [new Settings(), "a Settings"],
      [new Map(), "a Map"],
      [Symbol("x"), "a symbol"],
      [undefined, "undefined"],
    ] as const)
      assert.throws(
        () => h.save(path.join(scratch, "bad.safetensors"), { x: h.tensor([1]), run: { at: [leaf] } }),
        new RegExp(`save: run\\.at\\.0 is ${kind}, which cannot be saved`),
      );
    assert.ok(!readdirSync(scratch).some((name) => name.includes("bad") || name.endsWith(".tmp")));
  });
});
