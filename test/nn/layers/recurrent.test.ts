import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type AnyTensor,
  type ApplyOptions,
  add,
  at,
  autocast,
  checkpoint,
  grad,
  gru,
  leaves,
  linear,
  lstm,
  mul,
  randn,
  ready,
  sequential,
  square,
  storageOf,
  sum,
  tensor,
  tf,
  toArray,
  zeros,
} from "../../../src/index.ts";
import { freeUnreachable } from "../../../src/memory/index.ts";
import { assertClose, type ReferenceArray, referenceOf, tensorOf } from "../reference.ts";

await ready();

type StoredState = Record<string, ReferenceArray>;
interface Case {
  layer: "lstm" | "gru";
  options: object;
  lengths: number[] | null;
  parameters: Record<string, ReferenceArray>;
  x: ReferenceArray;
  state: StoredState | null;
  outputs: ReferenceArray;
  after: StoredState;
  slopes: Record<string, ReferenceArray>;
  dx: ReferenceArray;
  dState: StoredState | null;
  gradients: Record<string, ReferenceArray>;
}
type State = Record<string, AnyTensor>;
interface Made {
  parameters: object;
  apply(
    parameters: object,
    x: AnyTensor,
    options: ApplyOptions,
    sequence: { lengths?: number[]; state?: State },
  ): { outputs: AnyTensor; state: State };
}

// python bench/reference/recurrent.py test/nn/layers/fixtures/recurrent.json
const file = new URL("../../../../test/nn/layers/fixtures/recurrent.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: Case[] };
const stateOf = (state: StoredState): State =>
  Object.fromEntries(Object.entries(state).map(([name, stored]) => [name, tensorOf(stored)]));

function madeOf({ layer, options, parameters }: Pick<Case, "layer" | "options" | "parameters">): Made {
  const made = { lstm, gru }[layer](options as never) as unknown as Made;
  const own = leaves(made.parameters);
  assert.deepEqual(own.map(({ path }) => path).sort(), Object.keys(parameters).sort());
  for (const { path, tensor: variable } of own)
    (variable as unknown as { assign(value: AnyTensor): void }).assign(tensorOf(parameters[path]!));
  return made;
}

for (const each of cases) {
  const { layer, options, lengths, x, state, outputs, after, slopes, dx, dState, gradients } = each;
  const about = `${JSON.stringify(options)}${lengths ? `, lengths ${lengths.join(", ")}` : ""}`;
  test(`${layer}(${about}) gives PyTorch's outputs, states and gradients, also when checkpointed`, () => {
    const made = madeOf(each);
    const sequence = (given: State | undefined) => ({ ...(lengths && { lengths }), ...(given && { state: given }) });
    const result = made.apply(made.parameters, tensorOf(x), {}, sequence(state ? stateOf(state) : undefined));
    assertClose(result.outputs, outputs, 1e-6, "outputs");
    for (const [name, stored] of Object.entries(after)) assertClose(result.state[name]!, stored, 1e-6, name);

    interface Tree {
      p: object;
      x: AnyTensor;
      state?: State;
    }
    const loss = (tree: Tree): AnyTensor => {
      const found = made.apply(tree.p, tree.x, {}, sequence(tree.state));
      const terms = Object.entries(slopes).map(([name, slope]) =>
        sum(mul(name === "outputs" ? found.outputs : found.state[name]!, tensorOf(slope))),
      );
      return terms.reduce((a, b) => add(a, b)) as AnyTensor;
    };
    const tree: Tree = { p: made.parameters, x: tensorOf(x), ...(state && { state: stateOf(state) }) };
    for (const f of [loss, checkpoint(loss)]) {
      const found = grad(f as never)(tree as never) as unknown as Tree;
      assertClose(found.x, dx, 1e-5, "gradient of the input");
      for (const [name, stored] of Object.entries(dState ?? {}))
        assertClose(found.state![name]!, stored, 1e-5, `gradient of the state ${name}`);
      for (const { path, tensor: gradient } of leaves(found.p))
        assertClose(gradient, gradients[path]!, 1e-5, `gradient of ${path}`);
    }
  });
}

test("a result's state continues the sequence", () => {
  for (const net of [lstm({ in: 3, hidden: 4, layers: 2, from: 1 }), gru({ in: 3, hidden: 4, layers: 2, from: 1 })]) {
    const made = net as unknown as Made;
    const x = randn([2, 6, 3], { from: 2 });
    const whole = made.apply(made.parameters, x, {}, {});
    const first = made.apply(made.parameters, at(x, "...", "0:4", ":"), {}, {});
    const rest = made.apply(made.parameters, at(x, "...", "4:6", ":"), {}, { state: first.state });
    assertClose(rest.outputs, referenceOf(at(whole.outputs, ":", "4:6")), 1e-6, "outputs");
    for (const [name, state] of Object.entries(whole.state))
      assertClose(rest.state[name]!, referenceOf(state), 1e-6, name);
  }
});

test("a mask gives what the lengths give, and values at padding do not matter", () => {
  const net = lstm({ in: 2, hidden: 3, bidirectional: true, from: 1 });
  const x = randn([2, 4, 2], { from: 2 });
  const other = add(
    x,
    tensor([
      [[0], [0], [0], [9]],
      [[0], [9], [9], [9]],
    ]),
  );
  const byLength = net.apply(net.parameters, x, {}, { lengths: [3, 1] });
  const mask = tensor([
    [1, 1, 1, 0],
    [1, 0, 0, 0],
  ]);
  const byMask = net.apply(net.parameters, other, {}, { mask });
  const byArray = net.apply(net.parameters, other, {}, { mask: mask.dataSync() });
  for (const { outputs, state } of [byMask, byArray]) {
    assert.deepEqual(toArray(outputs), toArray(byLength.outputs));
    assert.deepEqual(toArray(state.cell), toArray(byLength.state.cell));
  }
});

test("second derivatives are those of finite differences", () => {
  const net = lstm({ in: 2, hidden: 2, from: 1 });
  const x = randn([1, 3, 2], { from: 2 });
  const loss = (input: typeof x) => sum(square(net.apply(net.parameters, input).outputs));
  const slope = (input: typeof x) => sum(square(grad(loss)(input)));
  const exact = grad(slope)(x).dataSync();
  const step = 1e-2;
  for (let i = 0; i < x.size; i++) {
    const moved = (by: number) => {
      const values = Float32Array.from(x.dataSync());
      values[i]! += by;
      return slope(tensor(values, { shape: [1, 3, 2] }) as typeof x).dataSync()[0]!;
    };
    const estimate = (moved(step) - moved(-step)) / (2 * step);
    assert.ok(Math.abs(exact[i]! - estimate) < 2e-3 * Math.max(1, Math.abs(estimate)), `${exact[i]} and ${estimate}`);
  }
});

test("autocast runs a recurrent layer in half precision", () => {
  const net = gru({ in: 3, hidden: 4, from: 1 });
  const x = randn([2, 5, 3], { from: 2 });
  const half = autocast("float16", () => net.apply(net.parameters, x).outputs);
  assert.equal(storageOf(half), "float16");
  const single = net.apply(net.parameters, x).outputs;
  assertClose(half.to("float32"), referenceOf(single), 5e-3, "outputs");
  const loss = (p: typeof net.parameters) => autocast("float16", () => sum(square(net.apply(p, x).outputs)));
  const exact = grad((p: typeof net.parameters) => sum(square(net.apply(p, x).outputs)))(net.parameters);
  assertClose(grad(loss)(net.parameters).hiddenWeight, referenceOf(exact.hiddenWeight), 1e-2, "gradient");
});

test("a recurrent layer in a sequential passes its outputs on, and frees the rest", () => {
  const net = sequential([lstm({ in: 3, hidden: 4, from: 1 }), linear({ in: 4, out: 2, from: 2 })]);
  const x = randn([2, 5, 3], { from: 2 });
  const run = () => {
    const y = net.apply(net.parameters, x);
    assert.deepEqual(y.shape, [2, 5, 2]);
    y.dispose();
    for (const { tensor: gradient } of leaves(grad((p: typeof net.parameters) => sum(net.apply(p, x)))(net.parameters)))
      gradient.dispose();
    return tf.memory().numTensors;
  };
  // The first run puts constants on the device.
  run();
  // What other tests have dropped is not freed in the middle of these runs.
  freeUnreachable();
  assert.equal(run(), run());
});

test("dropout between layers has a mask of its own for each step of training", () => {
  const net = lstm({ in: 3, hidden: 4, layers: 2, dropout: 0.5, from: 1 });
  const x = randn([2, 5, 3], { from: 2 });
  const outputs = (options: ApplyOptions) => toArray(net.apply(net.parameters, x, options).outputs);
  assert.notDeepEqual(outputs({ training: true, seed: 1 }), outputs({ training: true, seed: 2 }));
  assert.deepEqual(outputs({ training: true, seed: 1 }), outputs({ training: true, seed: 1 }));
  assert.deepEqual(outputs({ seed: 1 }), outputs({ seed: 2 }));
});

test("a wrong input, state, mask or length is refused with its shape", () => {
  const net = lstm({ in: 3, hidden: 4 });
  const x = zeros([2, 5, 3]);
  const apply = (sequence: object) => () => net.apply(net.parameters, x, {}, sequence as never);
  assert.throws(
    () => net.apply(net.parameters, zeros([2, 5, 2]) as never),
    /lstm: expected \[batch, time, 3\], got \[2, 5, 2\]/,
  );
  assert.throws(apply({ mask: zeros([2, 4]) }), /lstm: expected the mask to be \[2, 5\], got \[2, 4\]/);
  assert.throws(apply({ lengths: [5, 5], mask: zeros([2, 5]) }), /lstm: give either a mask or lengths, not both/);
  assert.throws(apply({ lengths: [5] }), /expected a length for each of 2 sequences, got 1/);
  assert.throws(apply({ lengths: [5, 6] }), /length 6 of sequence 1 is not an integer from 0 to 5/);
  assert.throws(apply({ state: { hidden: zeros([1, 2, 4]) } }), /the state has no cell/);
  const state = { hidden: zeros([2, 4]), cell: zeros([2, 4]) };
  assert.throws(apply({ state }), /expected the state hidden to be \[1, 2, 4\], got \[2, 4\]/);
});
