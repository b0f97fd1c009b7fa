import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ready, tf } from "../../../src/runtime/index.ts";
import * as h from "../../../src/tensor/index.ts";
import { tidily } from "../naive.ts";

type T = h.Tensor<number[], "float32">;
before(ready);

const x = () =>
  h.tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
const loose = h.vmap as unknown as (f: (...args: never[]) => unknown, options?: object) => (...args: unknown[]) => T;
const fails = (f: () => unknown, message: RegExp | string) =>
  assert.throws(f, (error: Error) => {
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });

test("a vmap over unequal sizes, no size, no axis or nothing is one sentence with names and sizes", () => {
  tidily(() => {
    const rows = x();
    fails(
      () => loose((a: T, b: { w: T }) => h.add(a, b.w))(rows, { w: h.ones([4, 3]) }),
      "vmap: the mapped axes have different sizes: 2 in argument 0 (axis 0 of [2, 3]), 4 in argument 1.w (axis 0 of [4, 3])",
    );
    fails(
      () => loose((a: T) => a)(h.zeros([0, 3])),
      "vmap: the mapped axis has size 0 in argument 0 (axis 0 of [0, 3]); it needs an example",
    );
    fails(
      () => loose((a: T, b: T) => h.add(a, b))(rows, h.tensor(1)),
      "vmap: argument 1 with the shape [] has no axis 0; map another axis, or none (inAxes null)",
    );
    fails(
      () => loose((a: T) => a, { inAxes: null })(rows),
      "vmap: no argument is mapped; inAxes must give an axis of at least one tensor",
    );
    fails(() => loose((a: T) => a, { inAxes: [0, 0] })(rows), "vmap: inAxes has 2 entries for 1 arguments");
    fails(() => loose(() => 3)(rows), "vmap: the function must return tensors, got number");
    fails(() => loose(async (a: T) => a)(rows), "vmap: the function returned a promise; it must be synchronous");
    fails(() => loose((a: T) => a, { outAxes: 5 })(rows), /the result with the shape \[3\] has no place 5/);
    fails(() => loose((a: T) => a, { outAxes: null })(rows), /outAxes is null for the result, which differs/);
  });
});

test("a tensor cannot be read or stored in a variable inside of a vmap", () => {
  tidily(() => {
    const variable = tf.variable(h.zeros([3]));
    for (const f of [
      (a: T) => h.item(h.sum(a)),
      (a: T) => h.toArray(a),
      (a: T) => a.dataSync(),
      (a: T) => variable.assign(a as never),
      (a: T) => tf.variable(a as never),
      (a: T) => h.unique(a),
    ])
      fails(
        () => loose(f as never)(x()),
        /^vmap: (the tensor .* cannot be read or stored|there is no batching rule for unique)/,
      );
    variable.dispose();
  });
});

test("trees, axes and names go in and come out", () => {
  tidily(() => {
    const a = h.named(x(), ["batch", "feature"]);
    const { twice, total } = h.vmap((row: T) => ({ twice: h.mul(row, 2), total: [h.sum(row), 7] }))(
      a as never,
    ) as never as {
      twice: T;
      total: [T, number];
    };
    assert.deepEqual(h.namesOf(twice), ["batch", "feature"]);
    assert.deepEqual(h.toArray(twice), [
      [2, 4, 6],
      [8, 10, 12],
    ]);
    assert.deepEqual([h.toArray(total[0]), total[1]], [[6, 15], 7]);
    const columns = loose((column: T, one: { w: T }) => h.mul(column, one.w), {
      inAxes: [-1, { w: null }],
      outAxes: -1,
    })(a, { w: h.tensor([10, 100]) });
    assert.deepEqual(h.toArray(columns), [
      [10, 20, 30],
      [400, 500, 600],
    ]);
    // The same for all examples.
    assert.deepEqual(h.toArray(loose(() => h.tensor([1, 2]))(a)), [
      [1, 2],
      [1, 2],
    ]);
    assert.deepEqual(h.toArray(loose(() => h.tensor([1, 2]), { outAxes: null })(a)), [1, 2]);
  });
});

test("vmaps nest, and each level keeps its own examples", () => {
  tidily(() => {
    const [a, b, c] = [h.randn([2, 3], { from: 1 }), h.randn([4, 3], { from: 2 }), h.randn([3], { from: 3 })];
    const f = (p: T, q: T, r: T) => h.sum(h.mul(h.mul(p, q), h.softmax(h.add(q, r)))) as T;
    const all = loose((p: T, r: T) => loose((q: T) => f(p, q, r))(b), { inAxes: [0, null] })(a, c);
    const gradients = h.grad((r: T) => h.sum(loose((p: T) => loose((q: T) => h.square(f(p, q, r)))(b))(a)))(c as never);
    let expected: T = h.zeros([3]) as never;
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 4; j++) {
        const [p, q] = [h.at(a, i), h.at(b, j)] as unknown as [T, T];
        assert.ok(Math.abs(h.item(h.at(all, i, j) as never) - h.item(f(p, q, c as never))) < 1e-6);
        expected = h.add(expected, h.grad((r: T) => h.square(f(p, q, r)))(c as never)) as never;
      }
    for (const [i, right] of h.toTyped(expected).entries())
      assert.ok(Math.abs(h.toTyped(gradients)[i]! - right) < 1e-5 * Math.max(1, Math.abs(right)));
  });
});

test("gradients pass through checkpoint, customGrad and stopGradient inside of a vmap", () => {
  tidily(() => {
    const [w, rows] = [h.randn([3], { from: 1 }) as never as T, h.randn([5, 3], { from: 2 }) as never as T];
    const cube = h.customGrad((y: T) => ({
      value: h.mul(h.square(y), y),
      keep: [y],
      gradients: (dy, [kept]) => [h.mul(dy as T, h.mul(3, h.square(kept as T)))],
    }));
    const f = (w: T, row: T) => {
      const hidden = h.checkpoint((p: T) => h.tanh(h.mul(p, w)))(row) as T;
      return h.sum(h.mul(cube(hidden) as T, h.stopGradient(h.add(hidden, w)))) as T;
    };
    const each = h.perExampleGrad(f)(w, rows as never) as never as T;
    const through = h.grad((w: T) => h.sum(loose((row: T) => f(w, row))(rows)))(w) as never as T;
    const looped = Array.from({ length: 5 }, (_, i) => h.grad(f)(w, h.at(rows, i) as never));
    const close = (a: h.AnyTensor, b: h.AnyTensor) => assert.ok(h.item(h.max(h.abs(h.sub(a as T, b as T)))) < 1e-6);
    close(each, h.stack(looped as never));
    close(through, h.sum(h.stack(looped as never), 0));
  });
});

test("the errors of grad, hessian and perExampleGrad name the function that was called", () => {
  tidily(() => {
    const rows = x() as never as T;
    const one = h.at(rows, 0) as never as T;
    fails(() => h.grad((w: T) => w as never)(rows), /^grad: the function must return one number, got \[2, 3\]/);
    fails(() => h.grad((w: T) => h.sum(w))(3 as never), "grad: the first argument contains no tensor");
    fails(() => h.hessian((w: T) => w as never)(one), /^hessian: the function must return one number, got \[3\]/);
    fails(
      () => h.hessian((w: T) => h.sum(w))(h.argMax(rows) as never),
      /^hessian: the argument is int32; only float32/,
    );
    const each = h.perExampleGrad((w: T, row: T) => h.mul(w, row) as never) as (...args: unknown[]) => unknown;
    fails(() => each(one, rows), /^perExampleGrad: the function must return one number, got \[3\]/);
    fails(() => each(one), "perExampleGrad: expected tensors of a batch after the parameters, got none");
    fails(() => each(one, rows, h.ones([4])), /^perExampleGrad: the mapped axes have different sizes: 2 .*, 4 /);
  });
});

test("random numbers differ between the examples, are the same, or are refused", () => {
  tidily(() => {
    const draw = (randomness?: "different" | "same" | "error") =>
      loose((row: T) => h.add(h.randn([2], { from: 5 }), h.mul(h.sum(row), 0)), { randomness })(x());
    // One after the other from one generator, as a loop draws.
    assert.deepEqual(h.toArray(draw("different")), h.toArray(draw()));
    const rng = h.generator(5);
    assert.deepEqual(h.toArray(draw()), [
      h.toArray(h.randn([2], { from: rng })),
      h.toArray(h.randn([2], { from: rng })),
    ]);
    const same = h.toArray(draw("same")) as number[][];
    assert.deepEqual(same[0], same[1]);
    fails(() => draw("error"), 'randn: the vmap around it has the randomness "error"; use "different" or "same"');
    const ones = h.ones([2, 64]) as never as T;
    const dropped = h.toArray(h.vmap((row: T) => h.dropout(row, 0.5, { from: 3 }) as T)(ones as never)) as number[][];
    assert.deepEqual(dropped, h.toArray(h.dropout(ones, 0.5, { from: 3 })));
    assert.notDeepEqual(dropped[0], dropped[1]);
  });
});

test("the gradient of dropout in each example uses the mask of its forward pass, also in checkpoint", () => {
  tidily(() => {
    const [w, rows] = [h.ones([64]) as never as T, h.ones([3, 64]) as never as T];
    for (const wrap of [(f: (a: T) => T) => f, (f: (a: T) => T) => h.checkpoint(f) as (a: T) => T]) {
      const dropped = (w: T, row: T) => wrap((a) => h.dropout(h.mul(a, w), 0.5, { from: 3 }) as T)(row);
      const values = loose(dropped as never, { inAxes: [null, 0] })(w, rows);
      const gradients = h.perExampleGrad((w: T, row: T) => h.sum(dropped(w, row)))(w, rows as never);
      assert.deepEqual(h.toArray(gradients as never), h.toArray(values));
    }
  });
});

test("a vmap frees what it makes, also when the function throws", () => {
  const [w, rows] = [h.randn([3, 4]) as never as T, h.randn([5, 3]) as never as T];
  const f = (w: T, row: T) => h.sum(h.layerNorm(h.gelu(h.matmul(row, w)))) as T;
  const each = h.perExampleGrad(f);
  const calls: (() => unknown)[] = [
    () => loose((row: T) => f(w, row))(rows),
    () => each(w, rows as never),
    () => h.grad((w: T) => h.sum(loose((row: T) => f(w, row))(rows)))(w),
    () => h.hessian((w: T) => f(w, h.at(rows, 0) as never))(w),
    () => h.jvp((w: T) => f(w, h.at(rows, 0) as never), [w], [w] as never),
    () => h.vjp((w: T) => f(w, h.at(rows, 0) as never), w).pullback(h.tensor(1) as never),
    () => h.hvp((w: T) => f(w, h.at(rows, 0) as never), w, w as never),
    () =>
      h.perExampleGrad((w: T, row: T) => {
        h.item(f(w, row));
        return f(w, row);
      })(w, rows as never),
    () => h.grad((w: T) => h.sum(loose((row: T) => h.unique(f(w, row)).values)(rows)))(w),
  ];
  const attempt = (call: () => unknown) =>
    tf.tidy(() => {
      try {
        call();
      } catch (error) {
        assert.match((error as Error).message, /^vmap: /);
      }
    });
  for (const call of calls) {
    // Small constants stay on the device from their first use on.
    attempt(call);
    const before = tf.memory();
    attempt(call);
    const after = tf.memory();
    assert.deepEqual([after.numTensors, after.numBytes], [before.numTensors, before.numBytes], String(call));
  }
});
