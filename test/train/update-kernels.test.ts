import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Tensor1D } from "@tensorflow/tfjs-node-gpu";
import {
  adagrad,
  adam,
  adamW,
  lion,
  type Optimizer,
  parameters,
  randn,
  ready,
  rmsProp,
  runtimeInfo,
  setKernels,
  sgd,
  type Tensor,
  tf,
} from "../../src/index.ts";

before(ready);

// More elements than one thread takes at once, and tensors of a few.
const shapes = { embedding: [130, 129], weight: [3, 5], bias: [7], factor: [] };
const start = () =>
  parameters(
    Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, randn(shape, { from: i + 1 })])),
  );
type Parameters = ReturnType<typeof start>;

const gradients = (seed: number): Tensor<number[]>[] =>
  Object.values(shapes).map((shape, i) => randn(shape, { from: 10 * seed + i + 1 }));

const groups = [{ match: /bias/, weightDecay: 0, learningRate: 0.05 }];
const makers: Record<string, (p: Parameters) => Optimizer> = {
  sgd: (p) => sgd(p, { weightDecay: 0.1, learningRate: 0.1 }),
  momentum: (p) => sgd(p, { momentum: 0.9, dampening: 0.3, clipNorm: 1, groups }),
  nesterov: (p) => sgd(p, { momentum: 0.9, nesterov: true, weightDecay: 0.1, clipValue: 0.5 }),
  adam: (p) => adam(p, { weightDecay: 0.1, clipNorm: 1, clipValue: 0.01 }),
  adamW: (p) => adamW(p, { clipNorm: 100, groups }),
  lion: (p) => lion(p, { weightDecay: 0.1, clipNorm: 1, groups }),
  rmsProp: (p) => rmsProp(p, { weightDecay: 0.1, clipNorm: 1 }),
  rmsPropMomentum: (p) => rmsProp(p, { momentum: 0.9, groups }),
  rmsPropCentered: (p) => rmsProp(p, { centered: true, momentum: 0.9, clipValue: 0.5 }),
  adagrad: (p) => adagrad(p, { rateDecay: 0.1, initialAccumulator: 0.5, weightDecay: 0.1, clipNorm: 1, groups }),
};

/** Parameters, state and norms after some steps, with gradients as a list or, as a scaler gives them, as one vector. */
function after(make: (p: Parameters) => Optimizer, isFlat: boolean) {
  const p = start();
  const optimizer = make(p);
  const norms: (number | undefined)[] = [];
  for (let seed = 1; seed <= 5; seed++) {
    const given = gradients(seed);
    const flat = () => tf.tidy(() => tf.concat1d(given.map((each) => tf.reshape(each, [-1])) as Tensor1D[]));
    norms.push((isFlat ? optimizer.step.flat!(flat()) : optimizer.step(given))?.dataSync()[0]);
  }
  const state = optimizer.stateDict().groups.flatMap(({ values }) => Object.entries(values));
  const numbers: [string, ArrayLike<number>][] = [
    ...Object.entries(p).map(([name, each]): [string, ArrayLike<number>] => [name, each.dataSync().slice()]),
    ...state,
  ];
  optimizer.dispose();
  return { norms, numbers: Object.fromEntries(numbers) };
}

for (const [name, make] of Object.entries(makers))
  test(`${name} takes the same steps by its kernel as by separate ops`, (t) => {
    if (runtimeInfo().kernels !== "fused") return t.skip("the kernels are not set up");
    for (const isFlat of [false, true]) {
      const fused = after(make, isFlat);
      setKernels("separate");
      const separate = after(make, isFlat);
      setKernels("fused");
      assert.deepEqual(Object.keys(fused.numbers), Object.keys(separate.numbers));
      for (const [key, values] of Object.entries(fused.numbers)) {
        const wanted = separate.numbers[key]!;
        // A square minus the square of the mean cancels.
        const tolerance = name === "rmsPropCentered" ? 1e-4 : 2e-6;
        for (const [i, value] of Array.from(values).entries()) {
          const error = Math.abs(value - wanted[i]!) / Math.max(1, Math.abs(wanted[i]!));
          assert.ok(error <= tolerance, `${key}[${i}] is ${value}, not ${wanted[i]}`);
        }
      }
      fused.norms.forEach((norm, i) => {
        assert.ok(norm === separate.norms[i] || Math.abs(norm! / separate.norms[i]! - 1) < 1e-6);
      });
    }
  });
