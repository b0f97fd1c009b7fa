/**
 * What the shaped tensors cost beside raw tfjs and PyTorch eager: single operations, einsum and attention with their
 * backward passes, and a training step.
 *
 *     npm run build && node dist/bench/tensor.js [rounds]
 *
 * Processor time, since the machine may be busy. Each round takes both sides in turn; the ratio of the best rounds and
 * that of the middle ones are shown, and the ratio to PyTorch. PyTorch runs under HALFTONE_TORCH_PYTHON, if that has `torch`.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ready, runtimeInfo, tf } from "../src/runtime/index.ts";
import * as h from "../src/tensor/index.ts";

await ready();
const rounds = Number(process.argv[2] ?? 15);
const info = runtimeInfo();
console.log(`${info.backend} ${info.version}, ${info.threads} threads, Node ${process.version}, ${rounds} rounds`);

type Run = () => void;
interface Case {
  name: string;
  ours: Run;
  raw?: Run;
  repeat: number;
}

/** Frees what it made at once, as both sides would in a step. */
const free = (f: () => h.AnyTensor) => () => f().dispose();
const gradients = (f: (...xs: h.AnyTensor[]) => h.AnyTensor, xs: h.AnyTensor[]) => () =>
  h.disposeTree(h.grad((all: h.AnyTensor[]) => h.sum(f(...all)))(xs));
const rawGradients = (f: (...xs: h.AnyTensor[]) => h.AnyTensor, xs: h.AnyTensor[]) => () =>
  tf.dispose(tf.grads((...all: h.AnyTensor[]) => tf.sum(f(...all)))(xs));

const x = h.randn([32, 64], { from: 1 });
const y = h.randn([32, 64], { from: 2 });
const w = h.randn([64, 64], { from: 3 });
const [b, heads, t, d] = [8, 4, 128, 32] as const;
const q = h.randn([b, heads, t, d], { from: 4 });
const k = h.randn([b, heads, t, d], { from: 5 });
const v = h.randn([b, heads, t, d], { from: 6 });
const wide = h.randn([8, 128, 128], { from: 7 });
const weight = h.randn([128, 512], { from: 8 });

const attention = (q: h.AnyTensor, k: h.AnyTensor, v: h.AnyTensor): h.AnyTensor => {
  const scores = h.mul(h.einsum("b h q d, b h k d -> b h q k", q, k), d ** -0.5);
  return h.einsum("b h q k, b h k d -> b h q d", h.softmax(scores), v);
};
const rawAttention = (q: h.AnyTensor, k: h.AnyTensor, v: h.AnyTensor): h.AnyTensor =>
  tf.tidy(() => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), d ** -0.5)), v));

const linear = (a: h.AnyTensor, m: h.AnyTensor): h.AnyTensor => h.einsum("b t d, d h -> b t h", a, m);
const rawLinear = (a: h.AnyTensor, m: h.AnyTensor): h.AnyTensor =>
  tf.tidy(() => tf.reshape(tf.matMul(tf.reshape(a, [-1, 128]), m as never), [8, 128, 512]));
/** TensorFlow's own Einsum kernel, which tfjs has no gradient for. */
const nativeEinsum = (a: h.AnyTensor, m: h.AnyTensor): h.AnyTensor =>
  tf.engine().runKernel("Einsum", [a, m] as never, { equation: "btd,dh->bth" });

const few = h.randn([8], { from: 9 });
const fewer = h.randn([8], { from: 10 });

const cases: Case[] = [
  // Of 8 numbers: the time is that of the calls.
  { name: "small add", ours: free(() => h.add(few, fewer)), raw: free(() => tf.add(few, fewer)), repeat: 1000 },
  {
    name: "small sum of product, backward",
    ours: gradients((a, c) => h.mul(a, c), [few, fewer]),
    raw: rawGradients((a, c) => tf.mul(a, c), [few, fewer]),
    repeat: 100,
  },
  { name: "add", ours: free(() => h.add(x, y)), raw: free(() => tf.add(x, y)), repeat: 200 },
  { name: "matmul", ours: free(() => h.matmul(x, w)), raw: free(() => tf.matMul(x, w)), repeat: 200 },
  { name: "softmax", ours: free(() => h.softmax(x)), raw: free(() => tf.softmax(x)), repeat: 200 },
  { name: "sum", ours: free(() => h.sum(x, 1)), raw: free(() => tf.sum(x, 1)), repeat: 200 },
  {
    name: "gelu",
    ours: free(() => h.gelu(x)),
    raw: free(() => tf.tidy(() => tf.mul(x, tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5)))),
    repeat: 200,
  },
  {
    name: "rearrange",
    ours: free(() => h.rearrange(x, "b (h d) -> h b d", { h: 8 })),
    raw: free(() => tf.tidy(() => tf.transpose(tf.reshape(x, [32, 8, 8]), [1, 0, 2]))),
    repeat: 200,
  },
  {
    name: "einsum weights",
    ours: free(() => linear(wide, weight)),
    raw: free(() => rawLinear(wide, weight)),
    repeat: 20,
  },
  {
    name: "einsum weights, backward",
    ours: gradients(linear, [wide, weight]),
    raw: rawGradients(rawLinear, [wide, weight]),
    repeat: 10,
  },
  {
    name: "attention",
    ours: free(() => tf.tidy(() => attention(q, k, v))),
    raw: free(() => rawAttention(q, k, v)),
    repeat: 10,
  },
  {
    name: "attention, backward",
    ours: gradients(attention, [q, k, v]),
    raw: rawGradients(rawAttention, [q, k, v]),
    repeat: 5,
  },
  trainingStep(),
];
if (info.backend === "tensorflow")
  cases.push({
    name: "einsum beside the Einsum kernel",
    ours: free(() => linear(wide, weight)),
    raw: free(() => nativeEinsum(wide, weight)),
    repeat: 20,
  });

/** A two-layer encoder on [16, 64] tokens of 128 features, mean squared error and plain descent, written both ways. */
function trainingStep(): Case {
  const layers = [0, 1].map((i) => ({
    gain: tf.variable(tf.ones([128])),
    bias: tf.variable(tf.zeros([128])),
    qkv: tf.variable(h.mul(h.randn([128, 384], { from: 20 + i }), 0.05)),
    out: tf.variable(h.mul(h.randn([128, 128], { from: 30 + i }), 0.05)),
    up: tf.variable(h.mul(h.randn([128, 512], { from: 40 + i }), 0.05)),
    down: tf.variable(h.mul(h.randn([512, 128], { from: 50 + i }), 0.05)),
  }));
  const input = h.randn([16, 64, 128], { from: 60 });
  const target = h.randn([16, 64, 128], { from: 61 });
  const scale = 32 ** -0.5;
  const rate = 1e-4;

  const ours = (parameters: typeof layers): h.AnyTensor => {
    let at: h.AnyTensor = input;
    for (const p of parameters) {
      const all = h.rearrange(h.matmul(h.layerNorm(at, p.gain, p.bias), p.qkv), "b t (c h d) -> c b h t d", {
        c: 3,
        h: 4,
      });
      const [queries, keys, values] = h.unstack(all) as [h.AnyTensor, h.AnyTensor, h.AnyTensor];
      const weights = h.softmax(h.mul(h.einsum("b h q d, b h k d -> b h q k", queries, keys), scale));
      const mixed = h.rearrange(h.matmul(weights, values), "b h t d -> b t (h d)");
      at = h.add(at, h.matmul(mixed, p.out));
      at = h.add(at, h.matmul(h.relu(h.matmul(at, p.up)), p.down));
    }
    return h.meanSquaredError(at, target);
  };
  const dense = (a: h.AnyTensor, m: h.AnyTensor) => {
    const [rows, columns] = [a.size / a.shape.at(-1)!, m.shape[1]!];
    return tf.reshape(tf.matMul(tf.reshape(a, [rows, a.shape.at(-1)!]), m as never), [
      ...a.shape.slice(0, -1),
      columns,
    ]);
  };
  const raw = (): h.AnyTensor => {
    let at: h.AnyTensor = input;
    for (const p of layers) {
      const { mean, variance } = tf.moments(at, -1, true);
      const normal = tf.mul(tf.sub(at, mean), tf.rsqrt(tf.add(variance, 1e-5)));
      const projected = dense(tf.add(tf.mul(normal, p.gain), p.bias), p.qkv);
      const all = tf.transpose(tf.reshape(projected, [16, 64, 3, 4, 32]), [2, 0, 3, 1, 4]);
      const [queries, keys, values] = tf.unstack(all) as [h.AnyTensor, h.AnyTensor, h.AnyTensor];
      const weights = tf.softmax(tf.mul(tf.matMul(queries, keys, false, true), scale));
      const mixed = tf.reshape(tf.transpose(tf.matMul(weights, values), [0, 2, 1, 3]), [16, 64, 128]);
      at = tf.add(at, dense(mixed, p.out));
      at = tf.add(at, dense(tf.relu(dense(at, p.up)), p.down));
    }
    return tf.mean(tf.squaredDifference(at, target));
  };
  const variables = layers.flatMap((p) => Object.values(p));
  const step = h.valueAndGrad(ours);
  const apply = (list: h.AnyTensor[]) => {
    for (const [i, gradient] of list.entries()) variables[i]!.assign(tf.sub(variables[i]!, tf.mul(gradient, rate)));
  };
  return {
    name: "training step",
    ours: () => tf.tidy(() => void apply(h.leaves(step(layers).gradients).map((leaf) => leaf.tensor))),
    raw: () =>
      tf.tidy(() => {
        const { grads } = tf.variableGrads(raw as never, variables);
        apply(variables.map((variable) => grads[variable.name]!));
      }),
    repeat: 2,
  };
}

/** Microseconds of this process's processors a call: other work on the machine adds little to it. */
const time = (run: Run, repeat: number): number => {
  const start = process.cpuUsage();
  for (let i = 0; i < repeat; i++) run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / repeat;
};
const best = (times: number[]) => Math.min(...times);
const middle = (times: number[]) => times.toSorted((p, r) => p - r)[times.length >> 1]!;
const us = (value: number | undefined) => (value === undefined ? "" : value.toFixed(1)).padStart(10);
const beside = (ours: number, theirs: number | undefined) => (theirs ? (ours / theirs).toFixed(2).padStart(10) : "");

const torch = torchTimes();
console.log(
  `${"µs of processor, best round".padEnd(32)}${["halftone", "tfjs", "ratio", "(middle)", "PyTorch", "ratio"].map((s) => s.padStart(10)).join("")}`,
);
for (const { name, ours, raw, repeat } of cases) {
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds + 2; i++) {
    const [one, other] = [time(ours, repeat), raw ? time(raw, repeat) : 0];
    // The first two warm up.
    if (i < 2) continue;
    mine.push(one);
    theirs.push(other);
  }
  const ratio = (pick: (times: number[]) => number) => (pick(mine) / pick(theirs)).toFixed(2).padStart(10);
  console.log(
    `${name.padEnd(32)}${us(best(mine))}${us(best(theirs))}${ratio(best)}${ratio(middle)}${us(torch[name]?.[0])}${beside(best(mine), torch[name]?.[0])}`,
  );
}

function torchTimes(): Record<string, [number, number]> {
  const python = process.env.HALFTONE_TORCH_PYTHON;
  if (!python) return {};
  const script = fileURLToPath(new URL("../../bench/reference/tensor_ops.py", import.meta.url));
  const { stdout, stderr, status } = spawnSync(python, [script, String(info.threads), String(rounds)], {
    encoding: "utf8",
  });
  if (status !== 0) {
    console.log(`PyTorch is left out: ${stderr.trim().split("\n").at(-1)}`);
    return {};
  }
  return JSON.parse(stdout) as Record<string, [number, number]>;
}
