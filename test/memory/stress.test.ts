// No live tensor is ever freed: random programs under a collection before and after every op, their values checked
// against plain JavaScript. `HALFTONE_STRESS=1` runs many more of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tensor, Tensor1D, Variable } from "@tensorflow/tfjs-node-gpu";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { freeUnreachable } from "../../src/memory/index.ts";
import { interceptOps, ready, tf } from "../../src/runtime/index.ts";

const { backend } = await ready();
const programs = process.env.HALFTONE_STRESS ? 20 : 2;

interface Value {
  tensor: Tensor;
  numbers: number[];
}

function randomProgram(seed: number): void {
  const generator = xoroshiro128plus(seed);
  const below = (n: number) => uniformInt(generator, 0, n - 1);
  const fresh = (): Value => {
    const numbers = Array.from({ length: 4 }, () => below(9) - 4);
    return { tensor: tf.tensor1d(numbers), numbers };
  };
  const pool: Value[] = [fresh(), fresh(), fresh()];
  const pick = () => pool[below(pool.length)]!;
  const clip = (x: number) => Math.max(-8, Math.min(8, x));
  const steps: (() => Value)[] = [
    fresh,
    () => {
      const [a, b] = [pick(), pick()];
      return {
        tensor: a.tensor.add(b.tensor).clipByValue(-8, 8),
        numbers: a.numbers.map((x, i) => clip(x + b.numbers[i]!)),
      };
    },
    () => {
      const [a, b] = [pick(), pick()];
      const tensor = tf.tidy(() => a.tensor.mul(b.tensor).clipByValue(-8, 8));
      return { tensor, numbers: a.numbers.map((x, i) => clip(x * b.numbers[i]!)) };
    },
    () => {
      const a = pick();
      return {
        tensor: a.tensor.reshape([2, 2]).transpose().reshape([4]),
        numbers: [0, 2, 1, 3].map((i) => a.numbers[i]!),
      };
    },
    () => {
      const a = pick();
      const tensor = a.tensor.clone();
      return { tensor, numbers: a.numbers };
    },
    () => {
      const a = pick();
      const v: Variable = tf.variable(a.tensor);
      v.assign(v.neg());
      return { tensor: v, numbers: a.numbers.map((x) => -x) };
    },
    () => {
      const a = pick();
      const tensor = tf
        .grad((x) => x.square().mul(0.25).add(x).sum())(a.tensor)
        .clipByValue(-8, 8);
      return { tensor, numbers: a.numbers.map((x) => clip(x / 2 + 1)) };
    },
    () => {
      const [a, b] = [pick(), pick()];
      const parts = tf.split(tf.concat([a.tensor, b.tensor] as Tensor1D[]), 2);
      return { tensor: parts[1]!, numbers: b.numbers };
    },
    () => {
      const a = pick();
      const twice = tf.customGrad((x, save) => {
        (save as (t: Tensor[]) => void)([x as Tensor]);
        return { value: (x as Tensor).mul(2), gradFunc: (dy: Tensor, saved: Tensor[]) => dy.mul(saved[0]!) };
      });
      const tensor = tf.grad((x) => twice(x).sum())(a.tensor);
      return { tensor, numbers: a.numbers };
    },
    () => {
      const at = below(pool.length);
      const [gone] = pool.splice(at, 1);
      // Some are disposed, and some are only forgotten.
      if (below(2) === 0 && gone) gone.tensor.dispose();
      pool.push(fresh());
      return fresh();
    },
  ];
  for (let step = 0; step < 20; step++) {
    const value = steps[below(steps.length)]!();
    if (pool.length < 8) pool.push(value);
    else pool[below(pool.length)] = value;
    const { tensor, numbers } = pick();
    assert.deepEqual(
      [...tensor.dataSync()].map((x) => x + 0),
      numbers.map((x) => x + 0),
      `program ${seed}, step ${step}`,
    );
  }
  for (const { tensor, numbers } of pool)
    assert.deepEqual(
      [...tensor.dataSync()].map((x) => x + 0),
      numbers.map((x) => x + 0),
      `program ${seed}, end`,
    );
}

test("no live tensor is freed when garbage is collected around every op", {
  skip: backend === "tensorflow" ? false : "no native op passes the door",
}, () => {
  const leave = interceptOps((op, next) => {
    freeUnreachable();
    const made = next(op);
    freeUnreachable();
    return made;
  });
  try {
    for (let seed = 1; seed <= programs; seed++) randomProgram(seed);
  } finally {
    leave();
  }
  freeUnreachable();
  assert.ok(tf.memory().numTensors < 20, `${tf.memory().numTensors} tensors are left`);
});
