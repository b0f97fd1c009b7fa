// The functions of bench/reference/transforms.py, by the same names, against torch.func.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { ready, tf } from "../../../src/runtime/index.ts";
import * as h from "../../../src/tensor/index.ts";

type T = h.Tensor<number[], "float32">;
type Tree<L> = L | { readonly [key: string]: Tree<L> } | readonly Tree<L>[];
interface Stored {
  shape: number[];
  data: number[];
}

const file = new URL("../../../../test/tensor/fixtures/reference/transforms.json", import.meta.url);
const stored = JSON.parse(readFileSync(file, "utf8")) as {
  inputs: Record<string, Tree<Stored>>;
  answers: Record<string, Tree<Stored>>;
};
before(ready);

const isStored = (value: unknown): value is Stored => typeof value === "object" && value !== null && "data" in value;

function tensors(value: Tree<Stored>): Tree<T> {
  if (isStored(value)) return h.tensor(value.data, { shape: value.shape }) as unknown as T;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, tensors(each)]));
}

const input = (name: string) => tensors(stored.inputs[name]!) as T;
const inputs = (name: string) => tensors(stored.inputs[name]!) as Record<string, T>;

function mlp(p: Record<string, T>, x: T, label: T): T {
  const hidden = h.gelu(h.add(h.matmul(x, p.w1!), p.b1!));
  const normal = h.layerNorm(hidden, p.scale, p.offset);
  return h.crossEntropy(h.add(h.matmul(normal, p.w2!), p.b2!), label) as T;
}

function attend(p: Record<string, T>, x: T): T {
  const [q, k, v] = [p.q!, p.k!, p.v!].map((weight) => h.matmul(x, weight)) as [T, T, T];
  const weights = h.softmax(h.div(h.matmul(q, h.swapAxes(k, -1, -2)), 2));
  return h.matmul(h.matmul(weights, v), p.out!) as T;
}

function block(p: Record<string, T>, x: T, target: T): T {
  const attended = h.add(x, attend(p, h.layerNorm(x) as T));
  const y = h.add(attended, h.matmul(h.relu(h.matmul(h.layerNorm(attended), p.up!)), p.down!));
  return h.sum(h.square(h.sub(h.mean(y, 0), target))) as T;
}

function logistic(beta: T, x: T, targets: T): T {
  const z = h.matmul(x, beta);
  return h.mean(h.sub(h.softplus(z), h.mul(targets, z))) as T;
}

function picture(filter: T, image: T): T {
  const y = tf.conv2d(h.unsqueeze(image, 0) as never, filter as never, 1, "valid");
  return h.sum(h.tanh(tf.maxPool(y as never, 3, 3, "valid"))) as T;
}

const curve = (x: T): T => h.mul(h.sin(x), h.cumsum(h.mul(x, x), 0)) as T;
const two = (a: T, b: T) => ({ outer: h.einsum("i, j -> i j", a, h.tanh(b)) as T, dot: h.sum(h.mul(a, b)) as T });
const row = (x: T, i: number) => h.at(x, i) as T;

const answers: Record<string, () => unknown> = {
  perExampleMlp: () => h.perExampleGrad(mlp)(inputs("mlp"), input("x"), labels() as never),
  perExampleBlock: () => h.perExampleGrad(block)(inputs("block"), input("tokens"), input("x")),
  perExampleFilter: () => h.perExampleGrad(picture)(input("filter"), input("images")),
  logisticGradient: () => h.grad(logistic)(input("beta"), input("x"), input("targets")),
  logisticHessian: () => h.hessian(logistic)(input("beta"), input("x"), input("targets")),
  logisticHvp: () => h.hvp(logistic, input("beta"), input("v") as never, input("x"), input("targets")),
  curveJacobian: () => h.jacobian(curve)(row(input("x"), 0)),
  curveJacobians: () => h.vmap(h.jacobian(curve))(input("x")),
  curveHessians: () => h.vmap(h.hessian((x: T) => h.sum(curve(x))))(input("x")),
  attendJacobian: () => h.jacobian((x: T) => attend(inputs("block"), x))(row(input("tokens"), 0)),
  mlpHessian: () => h.hessian((x: T) => mlp(inputs("mlp"), x, row(labels(), 0)))(row(input("x"), 0)),
  twoJvp: () => h.jvp(two, [row(input("x"), 0), row(input("x"), 1)], [input("v"), input("beta")] as never),
  attendJvp: () => {
    const tokens = input("tokens");
    return h.jvp((x: T) => attend(inputs("block"), x), [row(tokens, 0)], [row(tokens, 1)] as never);
  },
  twoVjp: () => {
    const { value, pullback } = h.vjp(two, row(input("x"), 0), row(input("x"), 1));
    const cotangent = { outer: inputs("block").q!, dot: h.tensor(0.5) };
    return { value, gradients: pullback(cotangent as never) };
  },
  pairs: () => {
    const cosine = (a: T, b: T) => h.div(h.sum(h.mul(a, b)), h.add(h.norm(a), 1)) as T;
    const inner = (a: T, all: T) => h.vmap(cosine, { inAxes: [null, 0] })(a, all);
    return h.vmap(inner, { inAxes: [0, null] })(input("x"), input("x"));
  },
  columns: () =>
    h.vmap((a: T, b: T) => h.einsum("i, j -> i j", a, b) as T, { inAxes: 1, outAxes: 2 })(input("x"), input("x")),
  gradientThroughVmap: () => {
    const first = (w: T) => (x: T) => h.at(h.softmax(h.matmul(x, w)), 0) as T;
    return h.grad((w: T) => productOf(h.vmap(first(w))(input("x")) as T))(inputs("mlp").w1!);
  },
  penalty: () =>
    h.grad((p: Record<string, T>) => {
      const gradients = h.perExampleGrad(mlp)(p, input("x"), labels() as never);
      return h
        .leaves(gradients)
        .reduce((sum, { tensor }) => h.add(sum, h.sum(h.square(tensor))) as T, h.tensor(0) as T);
    })(inputs("mlp")),
};

const labels = () => h.asType(input("labels"), "int32") as unknown as T;
/** `prod` has no second derivative, and this one needs none. */
const productOf = (x: T) => h.prod(x) as T;

/** Values are within 1e-6 and gradients within 1e-5 of the largest number of their tensor. */
function check(name: string, found: unknown, right: Tree<Stored>): void {
  if (isStored(right)) {
    const tensor = found as T;
    assert.deepEqual(tensor.shape, right.shape, name);
    const largest = Math.max(1e-3, ...right.data.map(Math.abs));
    const bound = (name.endsWith("value") ? 1e-6 : 1e-5) * largest;
    for (const [i, got] of h.toTyped(tensor).entries())
      assert.ok(Math.abs(got - right.data[i]!) <= bound, `${name}[${i}]: ${got} and not ${right.data[i]}`);
    return;
  }
  for (const [key, part] of Object.entries(right))
    check(`${name}.${key}`, (found as Record<string, unknown>)[key], part as Tree<Stored>);
}

for (const [name, right] of Object.entries(stored.answers))
  test(`${name} equals torch.func`, () => {
    tf.tidy(() => check(name, answers[name]!(), right));
  });
