import { run } from "../../engine.ts";
import type { AnyTensor } from "../../types/tensor.ts";
import { type Input, padded, type Rule } from "../call.ts";

const swapped = (x: AnyTensor): AnyTensor => {
  const axes = [...x.shape.keys()];
  return run("Transpose", { x }, { perm: [...axes.slice(0, -2), axes.length - 1, axes.length - 2] });
};

const multiply = (a: AnyTensor, b: AnyTensor, transposeA: boolean, transposeB: boolean): AnyTensor =>
  run("BatchMatMul", { a, b }, { transposeA, transposeB });

/** The examples' matrices below each other times one matrix: one product, where batched ones would repeat the matrix. */
function rowsTimes(a: AnyTensor, b: AnyTensor, transposeB: boolean): AnyTensor {
  const [rows, inner] = [a.shape.slice(0, -1), a.shape.at(-1)!];
  const flat = run("Reshape", { x: a }, { shape: [rows.reduce((n, size) => n * size, 1), inner] });
  const made = multiply(flat, b, false, transposeB);
  return run("Reshape", { x: made }, { shape: [...rows, made.shape[1]!] });
}

const isMatrix = ({ batched, shape }: Input): boolean => !batched && shape.length === 2;

const product: Rule = ({ inputs, attributes }) => {
  const { a, b } = inputs as { a: Input; b: Input };
  const { transposeA = false, transposeB = false } = attributes as { transposeA?: boolean; transposeB?: boolean };
  if (isMatrix(b)) return rowsTimes(transposeA ? swapped(a.x) : a.x, b.x, transposeB);
  // (b' a')' for one matrix a.
  if (isMatrix(a)) return swapped(rowsTimes(transposeB ? b.x : swapped(b.x), a.x, !transposeA));
  const rank = Math.max(a.shape.length, b.shape.length);
  return multiply(padded(a, rank), padded(b, rank), transposeA, transposeB);
};

export const products: Readonly<Record<string, Rule>> = { BatchMatMul: product };
