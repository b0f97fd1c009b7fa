// Compares a vmapped op with a loop over the examples.
import * as halftone from "../../../src/index.ts";
import { type Program, type StoredTensor, tensorsIn } from "../fuzz/program.ts";
import { asList, call, made } from "../fuzz/run.ts";

type Tensor = halftone.AnyTensor;

/** Results or gradients as numbers, with the examples along the first axis, or the error. */
type Found = { parts: { numbers: number[]; shape: string }[] } | { error: Error };

export interface Comparison {
  /** What is compared: the results, the gradients of each example, or the gradients through the vmap of all examples. */
  what: "results" | "vmap of grad" | "grad of vmap";
  /** Which of the program's tensors have an axis of examples. */
  isMapped: (i: number) => boolean;
}

const { tf } = halftone;
const count = 3;

/** The program's tensor, and others of its shape with the same numbers in another order. */
const examplesOf = (stored: StoredTensor, program: Program): Tensor[] =>
  Array.from({ length: count }, (_, turn) =>
    made({ ...stored, v: stored.v.map((_, i) => stored.v[(i + turn) % stored.v.length]!) }, program),
  );

/** The sum of the float results times fixed numbers. */
function weighed(results: readonly unknown[]): Tensor {
  let total: Tensor = tf.scalar(0);
  for (const [j, y] of results.entries()) {
    if (!(y instanceof tf.Tensor) || y.dtype !== "float32") continue;
    const weights = Float32Array.from({ length: y.size }, (_, i) => (((7 * i + 3 * j) % 8) - 3.5) / 4);
    total = tf.add(total, tf.sum(tf.mul(y, tf.tensor(weights, y.shape))));
  }
  return total;
}

const stack = (xs: readonly Tensor[]): Tensor => halftone.stack(xs as never, 0) as unknown as Tensor;

function attempt(f: () => readonly Tensor[]): Found {
  try {
    const read = (x: Tensor) => ({
      numbers: Array.from(halftone.readFloat64(x.dtype === "bool" ? tf.cast(x, "int32") : x)),
      shape: `${x.dtype} [${x.shape}]`,
    });
    return { parts: f().map(read) };
  } catch (error) {
    return { error: error as Error };
  }
}

/** What differs between vmap and the loop; undefined where they agree. Where the loop throws, vmap must throw. */
export function difference(program: Program, comparison: Comparison): string | undefined {
  return tf.tidy(() => ({ text: textOf(program, comparison) }) as never as { text: string | undefined }).text;
}

function textOf(program: Program, { what, isMapped }: Comparison): string | undefined {
  const stored = tensorsIn(program.args);
  const examples = stored.map((each) => examplesOf(each, program));
  const isFloat = (i: number) => stored[i]!.t === "f";
  const results = (...xs: Tensor[]) => asList(call(program, xs)) as Tensor[];
  const loss = (...xs: Tensor[]) => weighed(results(...xs));
  const gradientOf =
    (f: (...xs: Tensor[]) => Tensor) =>
    (...xs: Tensor[]): Tensor[] =>
      halftone.grad((floats: Tensor[]) => {
        const queue = [...floats];
        return f(...xs.map((x, i) => (isFloat(i) ? queue.shift()! : x)));
      })(xs.filter((_, i) => isFloat(i))) as Tensor[];
  const inAxes = stored.map((_, i) => (isMapped(i) ? 0 : null));
  const mapped = <R>(f: (...xs: Tensor[]) => R) => halftone.vmap(f, { inAxes }) as unknown as (...xs: Tensor[]) => R;

  const f = what === "results" ? results : gradientOf(loss);
  const looped = attempt(() => {
    const each = Array.from({ length: count }, (_, n) => f(...examples.map((xs, i) => xs[isMapped(i) ? n : 0]!)));
    const floats = [...stored.keys()].filter(isFloat);
    return each[0]!.map((_, part) => {
      const all = stack(each.map((parts) => parts[part]!));
      return what !== "grad of vmap" || isMapped(floats[part]!) ? all : tf.sum(all, 0);
    });
  });
  const vmapped = attempt(() => {
    const xs = examples.map((each, i) => (isMapped(i) ? stack(each) : each[0]!));
    if (what !== "grad of vmap") return mapped(f)(...xs);
    return gradientOf((...given) => tf.sum(mapped(loss)(...given)))(...xs);
  });
  return compared(looped, vmapped, program.st ?? "float32");
}

/** Sums are in another order, so that a half may be rounded to the next one. */
const relative: Record<halftone.Storage, number> = {
  float32: 1e-5,
  float64: 1e-5,
  float16: 2 ** -9,
  bfloat16: 2 ** -6,
};

function compared(looped: Found, vmapped: Found, storage: halftone.Storage): string | undefined {
  if ("error" in looped)
    return "error" in vmapped ? undefined : `the loop throws "${looped.error.message}", vmap does not`;
  if ("error" in vmapped) return `vmap throws "${vmapped.error.message}"`;
  for (const [part, { numbers, shape }] of looped.parts.entries()) {
    const found = vmapped.parts[part]!;
    if (found.shape !== shape) return `result ${part} is ${found.shape} and not ${shape}`;
    const largest = numbers.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
    for (const [i, right] of numbers.entries()) {
      const got = found.numbers[i]!;
      if (Object.is(got, right) || got === right) continue;
      if (!(Math.abs(got - right) <= 4e-6 + relative[storage] * Math.max(Math.abs(right), 0.1 * largest)))
        return `${got} and not ${right} (result ${part}, element ${i})`;
    }
  }
  return undefined;
}
