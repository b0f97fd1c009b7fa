import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { random } from "../../src/data/index.ts";
import { linear } from "../../src/nn/index.ts";
import { nativeMemory, ready, resetPeak, runtimeInfo, tf } from "../../src/runtime/index.ts";
import * as h from "../../src/tensor/index.ts";
import { assertClose, dice, type NdArray, tidily, toTensor } from "./naive.ts";

before(ready);

interface Case {
  inputs: Stored[];
  value: Stored;
  gradients: Stored[];
}
interface Stored {
  shape: number[];
  data: (number | string)[];
}

const load = <T>(name: string): T =>
  JSON.parse(
    readFileSync(new URL(`../../../test/tensor/fixtures/reference/${name}.json`, import.meta.url), "utf8"),
  ) as T;
const read = ({ shape, data }: Stored): NdArray => ({ shape, data: data.map(Number) });

type Op = (...inputs: h.AnyTensor[]) => h.AnyTensor;
const loose = h as unknown as Record<string, (...args: unknown[]) => h.AnyTensor>;
const mask = () => tf.tensor2d([[1], [0], [1]], [3, 1], "bool");
const labels = () => tf.tensor1d([0, 4, -100, 2], "int32");
const truths = () => tf.tensor2d([0, 1, 0.3, 1], [4, 1]);

/** What is called under the name of a reference; a number or a list after the name is the axis. */
const special: Record<string, Op> = {
  geluTanh: (x) => h.gelu(x!, "tanh"),
  clip: (x) => h.clip(x!, -0.5, 0.5),
  matmulVector: (a, b) => loose.matmul!(a, b),
  layerNorm: (x, gain, bias) => h.layerNorm(x!, gain, bias),
  rmsNorm: (x, gain) => h.rmsNorm(x!, gain),
  concat: (a, b) => h.concat([a!, b!], 1),
  stack: (a, b) => h.stack([a!, b!], 1),
  pad: (x) =>
    h.pad(
      x!,
      [
        [0, 1],
        [1, 2],
      ],
      3,
    ),
  slice: (x) => h.at(x!, ":", "1:3", "::2"),
  reverse: (x) => h.at(x!, 1, "::-1", ":0:-1"),
  gather: (x) => h.gather(x!, [2, 0, -1]),
  gatherLast: (x) =>
    h.gather(
      x!,
      h.tensor(
        [
          [3, 0],
          [0, 0],
        ],
        { dtype: "int32" },
      ),
      1,
    ),
  gatherAlong: (x) =>
    h.gatherAlong(
      x!,
      h.tensor(
        [
          [0, 3],
          [1, 1],
          [2, 0],
        ],
        { dtype: "int32" },
      ),
    ),
  where: (a, b) => loose.where!(mask(), a, b),
  topK: (x) => h.topK(x!, 2).values,
  sort: (x) => h.sort(x!).values,
  broadcastTo: (x) => h.broadcastTo(x!, [2, 3, 4]),
  "std single": (x) => h.std(x!, 1, { correction: 0 }),
  "maximum broadcast": (a, b) => loose.maximum!(a, b),
};

function opOf(key: string): Op {
  const [name, rest] = [key.split(" ")[0]!, key.split(" ").slice(1).join(" ")];
  if (key in special) return special[key]!;
  if (name === "crossEntropy") return (x) => h.crossEntropy(x!, labels(), { reduction: rest as "mean" });
  if (name === "crossEntropySmooth")
    return (x) => h.crossEntropy(x!, labels(), { reduction: rest as "mean", labelSmoothing: 0.1 });
  if (name === "binaryCrossEntropy")
    return (x) => loose.binaryCrossEntropy!(x, h.broadcastTo(truths(), x!.shape), { reduction: rest });
  if (/^mean.*Error$/.test(name)) return (a, b) => loose[name]!(a, b, { reduction: rest });
  if (name.startsWith("crossEntropyIgnored"))
    return (x) =>
      h.crossEntropy(x!, h.full([2], -100, "int32"), {
        reduction: rest as "mean",
        labelSmoothing: name.endsWith("Smooth") ? 0.1 : 0,
      });
  if (name.startsWith("norm") && name !== "norm")
    return (x) => loose.norm!(x, JSON.parse(rest), { order: name === "norminf" ? Infinity : Number(name.slice(4)) });
  if (name === "stdOfAll") return (x) => loose.std!(x, JSON.parse(rest), { correction: 0 });
  if (rest !== "") return (x) => loose[name]!(x, JSON.parse(rest));
  return (...inputs) => loose[name]!(...inputs);
}

const weighed = (value: h.AnyTensor): h.AnyTensor => {
  const weights = h.reshape(h.arange(1, value.size + 1), value.shape);
  return h.sum(h.mul(h.asType(weights, "float32"), value as h.Tensor));
};

for (const [file, where] of [
  ["gradients", ""],
  ["edges", " at kinks, ties, poles and NaN"],
] as const)
  for (const [key, reference] of Object.entries(load<Record<string, Case>>(file)))
    test(`${key} and its gradient${where} are PyTorch's`, () => {
      tidily(() => {
        const op = opOf(key);
        const inputs = reference.inputs.map((x) => toTensor(read(x)));
        assertClose(op(...inputs), read(reference.value), 2e-5, "value");
        const gradients = h.grad((xs: h.AnyTensor[]) => weighed(op(...xs)))(inputs);
        for (const [i, expected] of reference.gradients.entries())
          assertClose(gradients[i]!, read(expected), 5e-5, `gradient of input ${i}`);
      });
    });

test("every function treats NaN, infinities and zeros as PyTorch does", () => {
  const reference = load<Record<string, Stored>>("special");
  const input = toTensor(read(reference.input!));
  for (const [name, expected] of Object.entries(reference)) {
    if (name === "input" || name === "rows") continue;
    const result = name === "clip" ? h.clip(input, -1, 1) : loose[name]!(input);
    assertClose(result, read(expected), 1e-5, name);
  }
  const rows = reference.rows as unknown as Record<string, Stored>;
  for (const [name, expected] of Object.entries(rows))
    if (name !== "input") assertClose(loose[name]!(toTensor(read(rows.input!)), 1), read(expected), 1e-5, name);
});

/** Central differences of the sum of `f` at every element of one input. */
function differences(f: (x: h.AnyTensor) => h.AnyTensor, x: NdArray): NdArray {
  const step = 1e-2;
  const at = (i: number, by: number) => {
    const moved = { ...x, data: x.data.with(i, x.data[i]! + by) };
    const value = [...f(toTensor(moved)).dataSync()];
    return value.reduce((sum, v) => sum + v, 0);
  };
  return { shape: x.shape, data: x.data.map((_, i) => (at(i, step) - at(i, -step)) / (2 * step)) };
}

test("gradients of patterns agree with finite differences", () => {
  const { array } = dice(11);
  const w = toTensor(array([4, 3]));
  const patterns: [string, number[], (x: h.AnyTensor) => h.AnyTensor][] = [
    ["einsum", [2, 4], (x) => h.tanh(h.einsum("b i, i j -> j b", x, w))],
    ["einsum twice", [3, 3], (x) => h.einsum("i j, j k -> i k", x, x)],
    ["rearrange", [2, 6], (x) => h.square(h.rearrange(x, "a (b c) -> c (a b)", { b: 2 }))],
    ["reduce max", [2, 4], (x) => h.square(h.reduce(x, "a (b 2) -> a b", "max"))],
    ["repeat", [2, 3], (x) => h.square(h.repeat(x, "a b -> (a r) b", { r: 3 }))],
    [
      "attention",
      [2, 4, 4],
      (x) => {
        const weights = h.softmax(h.einsum("b q d, b k d -> b q k", x, x));
        return h.square(h.einsum("b q k, b k d -> b q d", weights, x));
      },
    ],
  ];
  for (const [name, shape, f] of patterns)
    tidily(() => {
      const x = array(shape);
      const small = { ...x, data: x.data.map((v) => v / 2) };
      const gradient = h.grad((t: h.AnyTensor) => h.sum(f(t)))(toTensor(small));
      assertClose(gradient, differences(f, small), 5e-3, name);
    });
});

test("valueAndGrad takes trees, gives zeros for tensors that the value does not depend on, and returns the auxiliary value", () => {
  const parameters = { layers: [{ w: h.tensor([2, 3]) }], bias: h.tensor(1), unused: h.ones([2]), rate: 0.5 };
  const f = h.valueAndGrad((p: typeof parameters, x: h.AnyTensor) => {
    const y = h.add(h.mul(p.layers[0]!.w, x as h.Tensor<[2]>), p.bias);
    return [h.sum(h.square(y)), y] as const;
  });
  const { value, gradients, aux } = f(parameters, h.tensor([1, 2]));
  assert.equal(h.item(value), 9 + 49);
  assert.deepEqual(h.toArray(gradients.layers[0]!.w), [6, 28]);
  assert.equal(h.item(gradients.bias), 20);
  assert.deepEqual(h.toArray(gradients.unused), [0, 0]);
  assert.equal(gradients.rate, 0.5);
  assert.deepEqual(aux.arraySync(), [3, 7]);
});

test("a tensor at two paths of the tree has the whole gradient at both, as two tensors", () => {
  const shared = h.tensor([1, 2]);
  const { a, b } = h.grad((p: { a: h.AnyTensor; b: h.AnyTensor }) => h.sum(h.mul(p.a, p.b as never)))({
    a: shared,
    b: shared,
  });
  assert.deepEqual(
    [a.arraySync(), b.arraySync()],
    [
      [2, 4],
      [2, 4],
    ],
  );
  a.dispose();
  assert.deepEqual(b.arraySync(), [2, 4]);
});

test("gradients of gradients: the third derivative of x^3 is 6", () => {
  const f = (x: h.AnyTensor) => h.sum(h.mul(h.mul(x, x as never), x as never));
  const first = h.grad(f);
  const second = h.grad((x: h.AnyTensor) => h.sum(first(x)));
  const third = h.grad((x: h.AnyTensor) => h.sum(second(x)));
  const x = h.tensor([1, 2]);
  assert.deepEqual(
    [first(x), second(x), third(x)].map((t) => t.arraySync()),
    [
      [3, 12],
      [6, 12],
      [6, 6],
    ],
  );
});

test("gelu and linear have second derivatives", () => {
  const second = (f: (x: h.AnyTensor) => h.AnyTensor, x: h.AnyTensor) => {
    const first = h.grad((t: h.AnyTensor) => h.sum(f(t)));
    return h.grad((t: h.AnyTensor) => h.sum(first(t)))(x);
  };
  // By hand: gelu''(x) = phi(x) (2 - x^2), phi the normal density.
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const at = [-1.5, 0, 1, 2];
  const expected = { shape: [4], data: at.map((x) => density(x) * (2 - x * x)) };
  assertClose(second(h.gelu, tf.tensor1d(at)), expected, 1e-5);
  // The sum of (x w + b)^2 has the second derivative 2 w w^T, here summed over one index.
  const w = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const squares = (x: h.AnyTensor) => h.square(linear(x as never, w, tf.tensor1d([1, 1])) as h.AnyTensor);
  assertClose(second(squares, tf.tensor2d([5, 6], [1, 2])), { shape: [1, 2], data: [32, 72] }, 1e-5);
});

// torch.autograd.grad of torch.autograd.grad gives the same.
test("second derivatives of abs, max, maximum, clip and matmul are correct", () => {
  const x = h.tensor([
    [0, 0, 1],
    [2, -2, 2],
  ]);
  const second = (f: (x: h.AnyTensor) => h.AnyTensor) => {
    const first = h.grad((t: h.AnyTensor) => h.sum(f(t)));
    return h.grad((t: h.AnyTensor) => h.sum(first(t)))(x);
  };
  const third = Math.fround(2 / 3);
  const close = (found: h.AnyTensor, data: number[]) => assertClose(found, { shape: [2, 3], data }, 1e-6);
  close(
    second((t) => loose.mul!(t, h.abs(t))),
    [0, 0, 2, 2, -2, 2],
  );
  close(
    second((t) => h.max(h.square(t), 1)),
    [0, 0, 2, third, third, third],
  );
  close(
    second((t) => loose.maximum!(h.square(t), 1)),
    [0, 0, 1, 2, 2, 2],
  );
  close(
    second((t) => loose.pow!(h.clip(t, -3, 1.5), 3)),
    [0, 0, 6, 0, -12, 0],
  );
  close(
    second((t) => loose.matmul!(t, h.transpose(t))),
    [2, 2, 2, 2, 2, 2].map((v) => 2 * v),
  );
});

const weights = () =>
  h.tensor([
    [0, 1, 1],
    [1, 0, 1],
  ]);
/** The gradient of the sum of the squared gradient, from PyTorch 2.15 in float64 (`create_graph=True`). */
const secondDerivatives: [name: string, f: (x: h.Tensor<[2, 3]>) => h.AnyTensor, expected: number[]][] = [
  ["exp", (x) => h.exp(x), [5.43656, 0.181436, 3.64424, 18.05, 0.898658, 109.196]],
  ["tanh", (x) => h.tanh(x), [-1.14328, 0.310244, -0.975869, -0.413139, 1.11267, -0.0192479]],
  ["sigmoid", (x) => h.sigmoid(x), [-0.0270521, 0.0339914, -0.0177947, -0.035144, 0.0227871, -0.0167911]],
  ["silu", (x) => h.silu(x), [0.652985, 0.00868206, 0.619275, 0.519459, 0.281739, 0.109214]],
  ["sqrt", (x) => h.sqrt(h.add(h.square(x), 1)), [0.64, -0.403117, 0.505008, 0.450441, -0.59453, 0.16]],
  ["rsqrt", (x) => h.rsqrt(h.add(h.square(x), 1)), [0.2048, 0.127295, 0.348545, -0.130961, -0.300446, -0.0448]],
  ["softmax", (x) => h.square(h.softmax(x)), [0.0364424, 0.00428284, -0.0407252, -0.0689598, -0.000241156, 0.0692009]],
  ["logSoftmax", (x) => h.square(h.logSoftmax(x)), [21.8895, -28.7941, 6.90466, -19.0908, -39.4664, 58.5573]],
  ["logSumExp", (x) => h.square(h.logSumExp(x, -1)), [2.45309, 0.0231206, 1.58596, -0.428549, -0.686368, 11.1806]],
  [
    "layerNorm",
    (x) => h.mul(h.square(h.layerNorm(x)), weights()),
    [-0.200871, 2.77808, -2.57721, -1.36879, 1.05195, 0.31684],
  ],
  [
    "rmsNorm",
    (x) => h.mul(h.square(h.rmsNorm(x)), weights()),
    [5.65119, 6.04585, -1.51146, -0.156346, -0.882343, -0.284266],
  ],
  [
    "crossEntropy",
    (x) => h.mul(h.crossEntropy(x, h.tensor([0, 1], { dtype: "int32" })), 1),
    [-0.106432, 0.00755786, 0.0988739, -0.0259772, -0.0424809, 0.0684581],
  ],
  ["std", (x) => h.pow(h.std(x, 1), 3), [4.921, -8.288, 3.367, 2.646, -17.199, 14.553]],
  ["norm", (x) => h.pow(h.norm(x), 3), [128.7, -308.88, 77.22, 283.14, -102.96, 514.8]],
];
for (const [name, f, expected] of secondDerivatives)
  test(`the second derivative of ${name} equals PyTorch's`, () => {
    const x = h.tensor([
      [0.5, -1.2, 0.3],
      [1.1, -0.4, 2],
    ]);
    const first = h.grad((y: typeof x) => h.sum(f(y)) as h.Tensor<[]>);
    const second = h.grad((y: typeof x) => h.sum(h.square(first(y))))(x);
    second.dataSync().forEach((value, i) => {
      assert.ok(Math.abs(value - expected[i]!) <= 2e-4 * Math.max(1, Math.abs(expected[i]!)), `${i}: ${value}`);
    });
  });

test("the gradients of one part of a split, one slice and a padded scalar equal PyTorch's", () =>
  tidily(() => {
    const x = h.tensor([1, 2, 3]);
    const weights = h.tensor([4, 5, 6]);
    const slope = (f: (x: h.AnyTensor) => h.AnyTensor, at: h.AnyTensor = x) =>
      Array.from(
        (h.grad((y: h.AnyTensor) => h.sum(h.mul(f(y), weights as never)) as h.AnyTensor)(at) as h.AnyTensor).dataSync(),
      );
    assert.deepEqual(
      slope((y) => h.split(y, 1)[0]!),
      [4, 5, 6],
    );
    assert.deepEqual(
      slope((y) => h.split(y, [3])[0]!),
      [4, 5, 6],
    );
    assert.deepEqual(
      slope((y) => tf.split(y, 1)[0]!),
      [4, 5, 6],
    );
    const row = h.tensor([[1, 2, 3]]);
    assert.deepEqual(
      slope((y) => h.unstack(y)[0]!, row),
      [4, 5, 6],
    );
    assert.deepEqual(
      slope((y) => tf.unstack(y)[0]!, row),
      [4, 5, 6],
    );
    assert.deepEqual(
      slope((y) => h.concat([y]) as h.AnyTensor),
      [4, 5, 6],
    );
    assert.deepEqual(
      slope((y) => h.at(h.stack([y]), 0) as h.AnyTensor),
      [4, 5, 6],
    );
    const one = h.tensor(2);
    assert.deepEqual(
      slope((y) => h.pad(y, []) as h.AnyTensor, one),
      [15],
    );
  }));

test("stopGradient gives a constant, noGrad records nothing, and customGrad uses its own gradient", () => {
  const x = h.tensor([1, 2, 3]);
  assert.deepEqual(
    h
      .grad((t: typeof x) => h.sum(h.mul(h.stopGradient(t), t)))(x)
      .arraySync(),
    [1, 2, 3],
  );
  assert.deepEqual(
    h
      .grad((t: typeof x) =>
        h.sum(
          h.add(
            t,
            h.noGrad(() => h.square(t)),
          ),
        ),
      )(x)
      .arraySync(),
    [1, 1, 1],
  );
  const reversed = h.customGrad((t: h.AnyTensor) => ({
    value: h.exp(t),
    keep: [t],
    gradients: (dy, [kept]) => [h.neg(h.mul(dy, kept as never))],
  }));
  assert.deepEqual(
    h
      .grad((t: typeof x) => h.sum(reversed(t)))(x)
      .arraySync(),
    [-1, -2, -3],
  );
});

test("tfjs' gradient functions work with this library's ops and the other way round", () => {
  const x = tf.tensor1d([0.5, 2]);
  assert.deepEqual(
    tf
      .grad((t) => h.sum(h.square(t)))(x)
      .arraySync(),
    [1, 4],
  );
  assert.deepEqual(
    h
      .grad((t: h.AnyTensor) => tf.sum(tf.square(t)))(x)
      .arraySync(),
    [1, 4],
  );
  const ours = h.grad((t: h.AnyTensor) =>
    tf.sum(tf.customGrad((a) => ({ value: (a as h.AnyTensor).square(), gradFunc: (dy) => dy.mul(3) }))(t)),
  );
  assert.deepEqual(ours(x).arraySync(), [3, 3]);
});

test("checkpoint gives the same gradients, also of captured tensors and with dropout", () => {
  const w = h.randn([4, 4], { from: 5 });
  const x = h.randn([3, 4], { from: 6 });
  const block = (t: h.AnyTensor) => h.dropout(h.tanh(h.matmul(t, w as never)), 0.3) as h.AnyTensor;
  const loss = (f: typeof block) => {
    h.seed(3);
    return h.valueAndGrad(({ x: a }: { x: h.AnyTensor; w: h.AnyTensor }) => h.sum(h.square(f(f(h.mul(a, 2))))))({
      x,
      w,
    });
  };
  const [plain, saved] = [loss(block), loss(h.checkpoint(block))];
  assert.equal(h.item(saved.value), h.item(plain.value));
  for (const key of ["x", "w"] as const)
    assertClose(
      saved.gradients[key],
      { shape: plain.gradients[key].shape, data: [...plain.gradients[key].dataSync()] },
      1e-6,
      key,
    );
  assert.ok(plain.gradients.w.dataSync().some((g) => g !== 0));
});

test("checkpoint recomputes with the same random numbers, from any generator", () => {
  const x = h.ones([64]);
  const own = h.generator(1);
  const rng = random(2);
  const sources: Record<string, { draw: (t: h.AnyTensor) => h.AnyTensor; state: () => unknown }> = {
    "the shared generator": { draw: (t) => h.dropout(t, 0.5), state: h.randomState },
    "a generator": { draw: (t) => h.dropout(t, 0.5, { from: own }), state: () => own.getState() },
    "a random()": { draw: (t) => h.dropout(t, 0.5, { from: rng }), state: rng.state },
    "a seed": { draw: (t) => h.dropout(t, 0.5, { from: 3 }), state: () => 0 },
    "plain numbers of a random()": { draw: (t) => h.mul(t, rng.uniform()), state: rng.state },
    "random tensors": { draw: (t) => h.mul(t, h.randn([64], { from: own })), state: () => own.getState() },
    "a seed set inside": {
      draw: (t) => {
        const kept = h.dropout(t, 0.5);
        h.seed(9);
        return h.dropout(kept, 0.5);
      },
      state: h.randomState,
    },
    "a checkpoint inside": {
      draw: (t) => h.checkpoint((u: h.AnyTensor) => h.dropout(u, 0.5, { from: own }))(h.dropout(t, 0.3, { from: rng })),
      state: () => [own.getState(), rng.state()],
    },
  };
  for (const [name, { draw, state }] of Object.entries(sources)) {
    // Each function multiplies x = 1 by factors of its own: value = factors, and gradient = value * factors drawn again.
    const f = h.checkpoint(draw);
    let value: number[] = [];
    let after: unknown;
    const g = h.grad((t: h.AnyTensor) => {
      const y = f(t);
      value = [...y.dataSync()];
      after = state();
      return h.sum(h.mul(y, h.stopGradient(y)));
    })(x);
    assertClose(g, { shape: [64], data: value.map((v) => v * v) }, 1e-5, name);
    assert.deepEqual(state(), after, `${name}: the generator's state after the backward pass`);
  }
});

test("checkpoint recomputes with the same shuffle", () => {
  const rng = random(5);
  let order: number[] = [];
  const f = h.checkpoint((t: h.AnyTensor) => h.gather(t, rng.shuffle([...Array(16).keys()])));
  const g = h.grad((t: h.AnyTensor) => {
    const y = f(t);
    order = [...y.dataSync()];
    return h.sum(h.mul(y, h.arange(16) as never));
  })(h.asType(h.arange(16), "float32"));
  assert.deepEqual(
    order.map((from) => g.dataSync()[from]),
    [...Array(16).keys()],
  );
});

test("checkpoint restores generators also when the second run throws", () => {
  const rng = h.generator(4);
  let runs = 0;
  let after: readonly number[] = [];
  const f = h.checkpoint((t: h.AnyTensor) => {
    const y = h.dropout(t, 0.5, { from: rng });
    if (runs++ === 1) throw new Error("the second run");
    after = rng.getState();
    return y;
  });
  assert.throws(() => h.grad((t: h.AnyTensor) => h.sum(f(t)))(h.ones([8])), /the second run/);
  assert.deepEqual(rng.getState(), after);
});

test("a gradient leaves no tensor except the value and the gradients", () => {
  const w = h.randn([4, 4], { from: 5 });
  const mask = () => h.greater(w, 0);
  const f = h.checkpoint((t: h.AnyTensor) => h.gelu(h.matmul(t, w as never)));
  const before = tf.memory().numTensors;
  const g = h.grad((p: { w: h.AnyTensor }) => {
    const masked = h.where(mask(), p.w as typeof w, 0);
    return h.mean(h.layerNorm(f(f(masked))));
  });
  for (let i = 0; i < 3; i++) h.disposeTree(g({ w }));
  assert.throws(
    () =>
      h.grad(() => {
        throw new Error("mine");
      })({ w }),
    /mine/,
  );
  assert.throws(
    () => h.grad(({ w: a }: { w: h.AnyTensor }) => h.square(a))({ w }),
    /must return one number, got \[4, 4\]; take its sum/,
  );
  assert.ok(tf.memory().numTensors <= before);
});

test("an op with its own gradient that throws after saving tensors frees them", () => {
  const failing = tf.customGrad((...given: unknown[]) => {
    const [x, save] = given as [h.AnyTensor, (tensors: h.AnyTensor[]) => void];
    save([x, x.square()]);
    throw new Error("mine");
  }) as unknown as (x: h.AnyTensor) => h.AnyTensor;
  const x = tf.ones([2]);
  const before = tf.memory().numTensors;
  assert.throws(() => tf.grad((y) => failing(y as h.AnyTensor).sum())(x), /mine/);
  assert.equal(tf.memory().numTensors, before);
});

test("an argument without a gradient throws an error with its path", () => {
  const message = (f: () => unknown) => {
    try {
      f();
    } catch (error) {
      return (error as Error).message;
    }
    return "no error";
  };
  const g = h.grad((p: unknown) => h.sum((p as h.AnyTensor[])[0]!));
  assert.match(
    message(() => g({ deep: [h.tensor([1], { dtype: "int32" })] })),
    /deep\.0 is int32; only float32 tensors have gradients/,
  );
  assert.match(
    message(() => g({})),
    /contains no tensor/,
  );
  const asynchronous = h.grad((async (x: h.AnyTensor) => h.sum(x)) as never);
  assert.match(
    message(() => asynchronous(h.ones([2]))),
    /got a promise; gradients need a synchronous function/,
  );
});

const native = runtimeInfo().backend === "tensorflow";

test("checkpoint needs less memory, and the backward pass less than tfjs' own", {
  skip: !native && "WebAssembly is not accounted for",
}, () => {
  const blocks = Array.from({ length: 8 }, (_, i) => h.randn([256, 256], { from: i, std: 1 / 16 }));
  const x = h.randn([512, 256], { from: 9 });
  const block = (t: h.AnyTensor, w: h.AnyTensor) => h.gelu(h.tanh(h.gelu(h.tanh(h.matmul(t, w as never)))));
  const loss = (f: typeof block) => (ws: h.AnyTensor[]) => h.sum(ws.reduce<h.AnyTensor>((t, w) => f(t, w), x));
  const peak = (run: () => unknown) => {
    const { live } = nativeMemory();
    resetPeak();
    h.disposeTree(run());
    return nativeMemory().peak - live;
  };
  const plain = peak(() => h.grad(loss(block))(blocks));
  const saved = peak(() => h.grad(loss(h.checkpoint(block)))(blocks));
  const tfjs = peak(() => tf.grads((...ws) => loss(block)(ws))(blocks));
  // Kept without: four activations a block of half a megabyte each; with: one, and those of the block at work.
  assert.ok(saved < 0.6 * plain, `${saved} bytes beside ${plain}`);
  assert.ok(plain < 0.85 * tfjs, `${plain} bytes beside tfjs' ${tfjs}`);
});

test("losses refuse options outside of their range, and name those they know", () => {
  const [logits, labels] = [h.zeros([2, 3]), h.zeros([2], "int32")];
  for (const labelSmoothing of [-0.1, 2, Number.NaN])
    assert.throws(() => h.crossEntropy(logits, labels, { labelSmoothing }), {
      name: "RangeError",
      message: `crossEntropy: labelSmoothing must lie between 0 and 1, got ${labelSmoothing}`,
    });
  assert.throws(() => h.klDivergence(logits, logits, { reduction: "batchmean" as never }), {
    message: "klDivergence: the reduction must be mean, batchMean, sum or none, got batchmean",
  });
});
