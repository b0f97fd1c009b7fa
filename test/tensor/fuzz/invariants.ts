// Of factorizations whose signs are not determined, what is: the same functions as in bench/reference/fuzz/linalg.py.
import * as h from "../../../src/index.ts";

type Tensor = h.AnyTensor;

/** U diag(tanh(s)) V^T: of distinct values it depends on both sides of each. */
const joined = (u: Tensor, s: Tensor, vh: Tensor): Tensor =>
  h.matmul(h.mul(u, h.unsqueeze(h.tanh(s), -2)), vh) as Tensor;

export const invariants: Record<string, (a: Tensor) => unknown> = {
  qr(a: Tensor) {
    const { q, r } = h.qr(a) as { q: Tensor; r: Tensor };
    const signs = h.where(h.less(h.diagonal(r), 0), -1.0, h.onesLike(h.diagonal(r))) as Tensor;
    return [h.mul(q, h.unsqueeze(signs, -2)), h.mul(r, h.unsqueeze(signs, -1))];
  },
  eigh(a: Tensor) {
    const { values, vectors } = h.eigh(a as never) as unknown as { values: Tensor; vectors: Tensor };
    return [values, joined(vectors, values, h.swapAxes(vectors, -1, -2) as Tensor)];
  },
  svd(a: Tensor) {
    const { u, s, vh } = h.svd(a) as { u: Tensor; s: Tensor; vh: Tensor };
    return [s, joined(u, s, vh)];
  },
};
