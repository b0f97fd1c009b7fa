import assert from "node:assert/strict";
import { before, test } from "node:test";
import { autocast } from "../../src/amp/index.ts";
import { ready } from "../../src/runtime/index.ts";
import * as h from "../../src/tensor/index.ts";

before(ready);

type Tensor = h.AnyTensor;
const near = (found: Tensor, expected: Tensor, off = 2e-5): void => {
  assert.deepEqual(found.shape, expected.shape);
  const most = h.item(h.max(h.abs(h.sub(found, expected))));
  assert.ok(most < off, `off by ${most}`);
};
const turned = (x: Tensor): Tensor => h.swapAxes(x, -1, -2) as Tensor;
const identity = (rows: number, size: number): Tensor => h.broadcastTo(h.eye(size), [rows, size, size]);

test("the factors multiply to the matrix, and have orthonormal columns", () => {
  for (const [m, n] of [
    [12, 12],
    [9, 4],
    [4, 9],
  ] as const) {
    const a: Tensor = h.randn([2, m, n], { from: 1 });
    const k = Math.min(m, n);
    const { q, r } = h.qr(a) as { q: Tensor; r: Tensor };
    near(h.matmul(q, r), a);
    near(h.matmul(turned(q), q), identity(2, k));
    near(r, h.triu(r));
    const { u, s, vh } = h.svd(a) as { u: Tensor; s: Tensor; vh: Tensor };
    near(h.matmul(h.mul(u, h.unsqueeze(s, -2)), vh), a);
    near(h.matmul(turned(u), u), identity(2, k));
    near(h.matmul(vh, turned(vh)), identity(2, k));
    near(h.sort(s, "descending").values, s, 1e-9);
  }
  const b: Tensor = h.randn([3, 10, 10], { from: 2 });
  const symmetric = h.add(b, turned(b)) as Tensor;
  const { values, vectors } = h.eigh(symmetric) as { values: Tensor; vectors: Tensor };
  near(h.matmul(h.mul(vectors, h.unsqueeze(values, -2)), turned(vectors)), symmetric, 1e-4);
  near(h.matmul(turned(vectors), vectors), identity(3, 10));
  near(h.sort(values).values, values, 1e-9);
  const positive = h.add(h.matmul(b, turned(b)), h.eye(10)) as Tensor;
  const l = h.cholesky(positive) as Tensor;
  near(h.matmul(l, turned(l)), positive, 1e-4);
  near(h.matmul(h.inv(positive), positive), identity(3, 10), 1e-3);
});

test("a matrix of rank 1 has orthonormal singular vectors, and a pseudoinverse", () => {
  const a = h.outer(h.tensor([1, 2, -2]), h.tensor([3, 4]));
  const { u, s, vh } = h.svd(a);
  near(s, h.tensor([15, 0]), 1e-5);
  near(h.matmul(turned(u), u), h.eye(2));
  near(h.matmul(vh, turned(vh)), h.eye(2));
  // a^T / 15^2.
  near(h.pinv(a), h.div(turned(a), 225));
});

test("second derivatives are those of the formulas", () => {
  const a = h.tensor([
    [2, 0.5, 0.25],
    [0.5, 3, -0.75],
    [0.25, -0.75, 1.5],
  ]);
  const direction = h.tensor([
    [0.5, -1, 2],
    [1, 0.25, -0.5],
    [-2, 1, 0.75],
  ]);
  /** The derivative along the direction of the gradient, by the library. */
  const second = (f: (x: Tensor) => Tensor): Tensor =>
    h.grad((x: Tensor) => h.sum(h.mul(h.grad(f as never)(x) as Tensor, direction)) as never)(a as Tensor) as Tensor;
  const inverse = h.inv(a) as Tensor;
  const product = (...xs: Tensor[]): Tensor => xs.reduce((x, y) => h.matmul(x, y) as Tensor);
  // d(A^-T) = -A^-T dA^T A^-T.
  const curved = h.neg(product(turned(inverse), turned(direction), turned(inverse)));
  near(
    second((x) => (h.slogDet(x) as { logAbsDet: Tensor }).logAbsDet),
    curved,
    1e-5,
  );
  const det = h.det(a) as Tensor;
  const along = h.sum(h.mul(turned(inverse), direction)) as Tensor;
  near(
    second((x) => h.det(x) as Tensor),
    h.mul(det, h.add(h.mul(along, turned(inverse)), curved)) as Tensor,
    1e-4,
  );
  // The logarithm of the determinant once more, by the Cholesky factor: of the symmetric part.
  const symmetric = h.div(h.add(curved, turned(curved)), 2) as Tensor;
  const bySymmetric = h.div(h.add(direction, turned(direction)), 2);
  const viaFactor = h.grad(
    (x: Tensor) =>
      h.sum(
        h.mul(
          h.grad((y: Tensor) => h.mul(2, h.sum(h.log(h.diagonal(h.cholesky(y) as Tensor)))) as never)(x) as Tensor,
          bySymmetric,
        ),
      ) as never,
  )(a as Tensor) as Tensor;
  near(viaFactor, symmetric, 1e-4);
});

test("vmap and autocast leave matrices in float32, and names stay", () => {
  const stack: Tensor = h.add(h.randn([4, 3, 3], { from: 3 }), h.mul(4, h.eye(3))) as Tensor;
  const one = h.vmap((x: Tensor) => h.inv(x as never) as Tensor) as unknown as (x: Tensor) => Tensor;
  near(one(stack), h.inv(stack) as Tensor, 1e-6);
  const vector: Tensor = h.randn([3], { from: 4 });
  const solutions = h.vmap((x: Tensor) => h.solve(x as never, vector as never) as Tensor) as unknown as (
    x: Tensor,
  ) => Tensor;
  near(solutions(stack), h.solve(stack as never, vector as never) as Tensor, 1e-6);
  near(
    autocast("float16", () => h.det(stack) as Tensor),
    h.det(stack) as Tensor,
    1e-4,
  );
  const named = h.named(stack, ["batch", 3, 3]);
  assert.deepEqual(h.namesOf(h.det(named)), ["batch"]);
  assert.deepEqual(h.namesOf(h.svd(named).s), ["batch", undefined]);
});
