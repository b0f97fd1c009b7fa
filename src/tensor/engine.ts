// How operations reach tfjs: one kernel at a time, past tfjs' own argument checks, which are ours to make.
import { begin, engine, isReached, scalarOf as newScalar, reach, tf } from "../runtime/index.ts";
import { asExamples, levelsOf } from "../runtime/levels.ts";
import { storageOf, to } from "../storage/index.ts";
import { label, namesOf, shapeText } from "./names.ts";
import type { DType } from "./types/shape.ts";
import type { AnyTensor, Operand } from "./types/tensor.ts";

type Inputs = Record<string, AnyTensor>;
export type Attributes = Record<string, unknown>;

/** Is what runs now recorded for a gradient? */
export const isTaping = (): boolean => {
  const { gradientDepth, kernelDepth } = engine.state;
  return gradientDepth > 0 && kernelDepth === 0;
};

/** Whether the running tape may need a gradient for a tensor. Where it does not, what only that gradient needs is not saved. */
export const needsGradient = (x: AnyTensor): boolean => isReached({ x });

/** Runs a registered kernel, recorded for gradients like any tfjs op. */
export function run(kernel: string, inputs: Inputs, attributes?: Attributes): AnyTensor {
  return engine.runKernel(kernel, inputs, attributes) as AnyTensor;
}

// Read before every op; a property of `tf` is a chain of getters.
const TensorClass = tf.Tensor;

/** Throws for a value that is not a tensor, and for a disposed tensor. */
export function checkTensor(op: string, x: AnyTensor): void {
  if (!(x instanceof TensorClass)) throw new TypeError(`${op}: expected a tensor, got ${describe(x)}`);
  if (x.isDisposed)
    throw new Error(
      `${op}: the input (shape ${shapeText(x)}) has already been disposed. Dispose it after its last use, or pass a clone.`,
    );
}

const describe = (x: unknown): string =>
  x === null || x === undefined
    ? String(x)
    : Array.isArray(x)
      ? "an array. Wrap it: `tensor([...])`."
      : `${typeof x} ${String(x).slice(0, 40)}`;

/** A new scalar, which the caller disposes. */
export const scalarOf = newScalar as (value: number, dtype: DType) => AnyTensor;

/** A tensor of the wanted dtype: `x` itself where it has it. */
export const cast = (x: AnyTensor, dtype: DType): AnyTensor =>
  x.dtype === dtype ? x : label(run("Cast", { x }, { dtype }), namesOf(x));

/** Disposes an intermediate tensor unless it is the input itself. The tape keeps clones of what it needs. */
export function drop(made: AnyTensor, given: Operand): void {
  if (made !== given) made.dispose();
}

/** Runs `f` and frees every tensor made in it but its result. */
export const scoped = <T extends AnyTensor | AnyTensor[]>(op: string, f: () => T): T =>
  engine.tidy(op, f as never) as T;

/** The tensor itself when it has this shape. */
export const reshapeTo = (x: AnyTensor, shape: readonly number[]): AnyTensor =>
  sameShape(x.shape, shape) ? x : run("Reshape", { x }, { shape });

/** The tensor itself when no axis of more than one element changes its place (a reshape at most). */
export function permuteTo(x: AnyTensor, perm: readonly number[]): AnyTensor {
  let last = -1;
  let moved = false;
  for (const axis of perm) {
    if (x.shape[axis] === 1) continue;
    if (axis < last) moved = true;
    last = axis;
  }
  return moved
    ? run("Transpose", { x }, { perm })
    : reshapeTo(
        x,
        perm.map((axis) => x.shape[axis]!),
      );
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * A tensor filled with one number, in the dtype of `like` unless given. Floats are stored as those of `like` are. Inside of a vmap it
 * has examples where `like` has them.
 */
export function filledLike(like: AnyTensor, shape: readonly number[], value: number, dtype?: "float32"): AnyTensor {
  const levels = levelsOf(like);
  const whole = [...levels.map(({ size }) => size), ...shape];
  const filled = tf.fill(whole, value, dtype ?? (like.dtype as "float32")) as AnyTensor;
  if (filled.dtype !== like.dtype || like.dtype !== "float32" || storageOf(like) === "float32")
    return asExamples(filled, levels);
  const stored = to(filled, storageOf(like));
  filled.dispose();
  return asExamples(stored, levels);
}

export type ReduceKernel = "Sum" | "Mean" | "Prod" | "Max" | "Min" | "Any" | "All";
const ofNothing: Partial<Record<ReduceKernel, number>> = { Sum: 0, Mean: Number.NaN, Prod: 1, Any: 0, All: 1 };

/** Reduces some axes. WebAssembly's kernels read past an empty tensor, so that is answered here. */
export function reduceOver(kernel: ReduceKernel, x: AnyTensor, axis: readonly number[], keepDims = false): AnyTensor {
  const value = ofNothing[kernel];
  if (x.size === 0 && value !== undefined) {
    const shape = x.shape.flatMap((size, i) => (axis.includes(i) ? (keepDims ? [1] : []) : [size]));
    return filledLike(x, shape, value);
  }
  // The Max kernel has another name for its axes.
  return run(kernel, { x }, { axis, reductionIndices: axis, keepDims });
}

interface CustomOp {
  /**
   * May itself `save`, once, what the backward pass needs, to be free to dispose of it before it ends. `undefined` keeps the place of
   * a tensor that only a gradient without a use needs.
   */
  forward: (save: (tensors: (AnyTensor | undefined)[]) => void) => AnyTensor;
  /** What `forward` reads besides the inputs. */
  captured?: readonly AnyTensor[];
  /** Or what is saved when it has run. The value may be among it. */
  keep?: (value: AnyTensor) => AnyTensor[];
  /** One function for each input, called only where that input's gradient is wanted. */
  backward: (dy: AnyTensor, kept: AnyTensor[]) => (() => AnyTensor)[];
}

/**
 * An operation with its own gradient. Unlike tf.customGrad it computes only the gradients that are asked for, and frees
 * what they made on the way at once and not at the end of the backward pass.
 *
 * Where gradients nest, what `forward` itself saves is computed again in the backward pass, recorded: the tape knows of it no
 * other way, and the gradient of the gradient would miss it.
 */
export function differentiable(op: string, inputs: readonly AnyTensor[], custom: CustomOp): AnyTensor {
  const isNested = engine.state.gradientDepth > 1;
  const read = isNested ? [...inputs, ...(custom.captured ?? [])] : [];
  const passed = reach()?.passed;
  if (passed && custom.captured) passed(Object.fromEntries(custom.captured.map((x, i) => [i, x])));
  // A checkpoint finds what else an op reads besides its inputs among what it saves.
  const isSaving = passed !== undefined || inputs.some(needsGradient);
  let placesOfForward: boolean[] | undefined;
  return scoped(op, () =>
    engine.runKernelFunc({
      inputs: Object.fromEntries(inputs.map((x, i) => [i, x])),
      forwardFunc: (_, save) => {
        const value = custom.forward((tensors) => {
          if (!isSaving) return;
          placesOfForward = tensors.map((tensor) => tensor !== undefined);
          save([...tensors.filter((tensor) => tensor !== undefined), ...read]);
        });
        if (custom.keep && isSaving) save(custom.keep(value));
        return value;
      },
      backwardsFunc: (dy, saved) => {
        const again = isNested && placesOfForward !== undefined && isTaping();
        const kept = again ? savedAgain(read, saved.slice(-read.length), custom) : inPlaces(saved, placesOfForward);
        return Object.fromEntries(custom.backward(dy, kept).map((gradient, i) => [i, gradient]));
      },
    }),
  );
}

/** Saved tensors in the places that the forward pass gave them. */
function inPlaces(saved: readonly AnyTensor[], places: readonly boolean[] | undefined): AnyTensor[] {
  if (!places) return [...saved];
  let next = 0;
  // An op does not read the places that its own forward pass left empty.
  return places.map((isSaved) => (isSaved ? saved[next++] : undefined)) as AnyTensor[];
}

function savedAgain(read: readonly AnyTensor[], copies: readonly AnyTensor[], custom: CustomOp): AnyTensor[] {
  let saved: AnyTensor[] = [];
  revived(read, copies, () =>
    custom.forward((tensors) => {
      // Copies, because the forward pass may dispose of what it saves.
      saved = tensors.map((x) => x && run("Identity", { x })) as AnyTensor[];
    }),
  );
  return saved;
}

/** Runs `f` while those of the tensors that have been disposed have the data of their copies, which the tape kept. */
export function revived<T>(tensors: readonly AnyTensor[], copies: readonly AnyTensor[], f: () => T): T {
  const disposed = tensors.flatMap((x, i) => (x.isDisposed ? [{ x, own: x.dataId, kept: copies[i]!.dataId }] : []));
  const revival = begin(
    () => {
      for (const { x, kept } of disposed) Object.assign(x, { isDisposedInternal: false, dataId: kept });
    },
    () => {
      for (const { x, own } of disposed) Object.assign(x, { isDisposedInternal: true, dataId: own });
    },
  );
  try {
    return f();
  } finally {
    revival.end();
  }
}
