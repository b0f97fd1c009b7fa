import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  adam,
  adamW,
  add,
  compile,
  mean,
  mul,
  type Optimizer,
  parameters,
  randn,
  ready,
  type Tensor,
  tensor,
  tf,
  valueAndGradients,
} from "../../src/index.ts";
import { captureAddon } from "../../src/runtime/native/capture/addon.ts";
import { runKernel } from "../../src/runtime/native/kernels/run-kernel.ts";

before(ready);

const SIDE = 128;
const start = () => parameters({ weight: randn([SIDE, SIDE], { from: 1 }), bias: randn([SIDE], { from: 2 }) });
type Parameters = ReturnType<typeof start>;
const gradients = (seed: number) => ({
  weight: randn([SIDE, SIDE], { from: seed }),
  bias: randn([SIDE], { from: seed + 50 }),
});
const vectors = (p: Parameters) => [...p.weight.dataSync(), ...p.bias.dataSync()];

/** What TensorFlow's allocator gives out while `run` runs, in matrices of the size of the weight. */
function allocated(run: () => void): number {
  const capture = captureAddon();
  assert.ok("addon" in capture);
  const before = capture.addon.cpuMemory(true);
  assert.ok(before);
  run();
  return (capture.addon.cpuMemory(false)![1] - before[0]) / (4 * SIDE * SIDE);
}

/** The parameters after some steps, in the middle of which `share` shares memory of the parameters. */
function trained(make: (p: Parameters) => Optimizer, share: (p: Parameters) => Tensor<number[]>[] = () => []) {
  const p = start();
  const optimizer = make(p);
  const shared: { tensor: Tensor<number[]>; values: number[] }[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    for (const tensor of share(p)) shared.push({ tensor, values: [...tensor.dataSync()] });
    optimizer.step(gradients(seed));
  }
  for (const { tensor, values } of shared) assert.deepEqual([...tensor.dataSync()], values);
  tf.dispose(shared.map(({ tensor }) => tensor));
  return vectors(p);
}

/** A step of a person's own. */
function stepOf(p: Parameters) {
  const optimizer = adamW(p, { clipNorm: 1 });
  return (scale: Tensor<[]>) => {
    const loss = () => mul(add(mean(p.weight), mean(p.bias)), scale) as never;
    const { value, gradients: found } = valueAndGradients(loss, optimizer.variables);
    optimizer.step(found);
    return value as Tensor<[]>;
  };
}

describe("a step of an optimizer takes the memory of the parameters and of its state", () => {
  const makers: Record<string, (p: Parameters) => Optimizer> = {
    adam: (p) => adam(p),
    "adamW of two groups": (p) => adamW(p, { clipNorm: 1, groups: [{ match: /bias/, weightDecay: 0 }] }),
    "adamW in 8 bits": (p) => adamW(p, { stateBits: 8 }),
  };
  for (const [name, make] of Object.entries(makers))
    test(name, () => {
      const p = start();
      const optimizer = make(p);
      optimizer.step(gradients(1));
      const given = gradients(2);
      for (const gradient of Object.values(given)) tf.dispose(tf.neg(gradient));
      assert.ok(allocated(() => optimizer.step(given)) < 0.2);
    });

  test("unless a clone, a view or a slice of a parameter is still used, which then keeps its values", () => {
    const whole = trained((p) => adamW(p));
    const shares: Record<string, (p: Parameters) => Tensor<number[]>[]> = {
      clone: (p) => [p.weight.clone()],
      view: (p) => [p.weight.reshape([-1])],
      // It shares the memory in TensorFlow, where JavaScript does not see it.
      slice: (p) => [tf.slice(p.weight, [16, 0], [32, SIDE]), tf.slice(p.bias, [0], [SIDE])],
    };
    for (const [name, share] of Object.entries(shares))
      assert.deepEqual(
        trained((p) => adamW(p), share),
        whole,
        name,
      );
  });

  for (const replay of [false, true])
    test(`also in a captured step${replay ? " without its JavaScript" : ""}, with the same results`, () => {
      const [own, undisturbed] = [start(), start()];
      const inputs = (seed: number) => tensor(1 + seed / 10) as Tensor<[]>;
      const compiled = compile(stepOf(own), { inputs, replay });
      const run = (count: number) => Array.from({ length: count }, (_, i) => compiled(i).dataSync()[0]);
      const losses = run(8);
      const peak = allocated(() => compiled(8).dispose());
      assert.ok(compiled.state.calls >= 4, JSON.stringify(compiled.state));
      // A gradient, but not the three new vectors.
      assert.ok(peak < 3, `${peak}`);
      const copy = own.weight.clone();
      const values = [...copy.dataSync()];
      compiled(9).dispose();
      assert.deepEqual([...copy.dataSync()], values);
      const after = vectors(own);

      const plain = stepOf(undisturbed);
      assert.deepEqual(Array.from({ length: 10 }, (_, i) => plain(inputs(i)).dataSync()[0]).slice(0, 8), losses);
      assert.deepEqual(vectors(undisturbed), after);
    });
});

test("inputs that were given to an op that fails are what they were", () => {
  const [weight, first, second] = [1, 2, 3].map((from) => randn([8], { from })) as [
    Tensor<[number]>,
    Tensor<[number]>,
    Tensor<[number]>,
  ];
  const all = [weight, first, second];
  for (const each of all) tf.dispose(tf.neg(each));
  const values = all.map((each) => [...each.dataSync()]);
  const gradient = tf.ones([7]);
  const numbers = tf.zeros([9]);
  const attributes = { N: 1, G: 1, S: 2, norms: 0 };
  for (let i = 0; i < 3; i++)
    assert.throws(
      () => runKernel("Adam", attributes, [weight, gradient, first, second, numbers], 3, all),
      /a gradient does not have the size of its parameter|Adam/,
    );
  assert.deepEqual(
    all.map((each) => [...each.dataSync()]),
    values,
  );
  tf.dispose([...all, gradient, numbers]);
});
