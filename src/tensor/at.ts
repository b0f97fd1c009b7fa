// Indexing in NumPy's notation.
import { checkTensor, reshapeTo, run, scoped } from "./engine.ts";
import { gather } from "./gather.ts";
import { label, namesOf, shapeText } from "./names.ts";
import type { AtShape, Index } from "./types/layout.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

/** How one axis is indexed. */
type Part =
  | { kind: "take"; index: number; name: string | undefined }
  | { kind: "slice"; begin: number; end: number; step: number; name: string | undefined }
  | { kind: "list"; indices: AnyTensor | readonly number[]; name: string | undefined }
  | { kind: "new" };

/**
 * Indexes a tensor as NumPy's `x[...]`: `at(x, 0, "1:3")` of `[2, 5, 4]` gives `[2, 4]`. A number selects an index (from the end
 * when negative) and removes the axis; a string is a slice in Python's notation ("1:3", ":", "::-1", ":-2"); "..." stands for
 * the axes not mentioned; null adds an axis of size 1; an array of indices or an int32 tensor gathers.
 *
 * @throws RangeError for an index out of bounds, an invalid slice or too many indices; TypeError for an index tensor that is not
 *   int32
 */
export function at<T extends TensorOperand, const I extends readonly Index[]>(
  x: T,
  ...indices: I
): Tensor<AtShape<ShapeOf<T>, I>, DTypeOf<T>>;
export function at(x: AnyTensor, ...indices: Index[]): AnyTensor {
  checkTensor("at", x);
  const parts = read(x, indices);
  const result = scoped("at", () => {
    const axes = parts.filter((part) => part.kind !== "new");
    let value = sliced(x, axes);
    // Gathers from the last axis on, so that the indices of earlier axes stay valid.
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      const part = axes[axis]!;
      if (part.kind === "list") value = gather(value, part.indices as AnyTensor, axis as never) as AnyTensor;
    }
    const shape: number[] = [];
    let axis = 0;
    for (const part of parts) {
      if (part.kind === "new") shape.push(1);
      else if (part.kind === "take") axis++;
      else if (part.kind === "list" && !Array.isArray(part.indices)) {
        const rank = (part.indices as AnyTensor).rank;
        for (let i = 0; i < rank; i++) shape.push(value.shape[axis++]!);
      } else shape.push(value.shape[axis++]!);
    }
    value = reshapeTo(value, shape);
    return value === x ? run("Identity", { x }) : value;
  });
  if (namesOf(x) === undefined) return result;
  return label(
    result,
    parts.flatMap((part) => {
      if (part.kind === "take") return [];
      if (part.kind === "list")
        return Array.isArray(part.indices) ? [part.name] : (part.indices as AnyTensor).shape.map(() => undefined);
      return [part.kind === "new" ? undefined : part.name];
    }),
  );
}

/** One part for each axis of the tensor and each new axis. */
function read(x: AnyTensor, indices: readonly Index[]): Part[] {
  const used = indices.filter((index) => index !== null && index !== "...").length;
  const dots = indices.filter((index) => index === "...").length;
  if (dots > 1) throw new RangeError(`at: "..." appears more than once`);
  if (used > x.rank) throw new RangeError(`at: ${used} indices for the ${x.rank} axes of ${shapeText(x)}`);
  const names = namesOf(x);
  const rest = x.rank - used;
  let axis = 0;
  const whole = (): Part => {
    const part: Part = { kind: "slice", begin: 0, end: x.shape[axis]!, step: 1, name: names?.[axis] };
    axis++;
    return part;
  };
  const parts = (dots === 0 ? [...indices, "..."] : indices).flatMap((index): Part[] => {
    if (index === null) return [{ kind: "new" }];
    if (index === "...") return Array.from({ length: rest }, whole);
    const size = x.shape[axis]!;
    const name = names?.[axis];
    const part = one(x, axis, index as Exclude<Index, null>, size, name);
    axis++;
    return [part];
  });
  return parts;
}

function one(x: AnyTensor, axis: number, index: Exclude<Index, null>, size: number, name: string | undefined): Part {
  if (typeof index === "number") {
    const position = index < 0 ? index + size : index;
    if (!Number.isInteger(index) || position < 0 || position >= size)
      throw new RangeError(
        `at: index ${index} is out of bounds for axis ${axis} of size ${size} (shape ${shapeText(x)})`,
      );
    return { kind: "take", index: position, name };
  }
  if (typeof index === "object") return { kind: "list", indices: index as AnyTensor, name };
  const match = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/.exec(index);
  if (!match) throw new RangeError(`at: "${index}" is not a slice such as "1:3", ":" or "::-1"`);
  const step = match[3] === undefined ? 1 : Number(match[3]);
  if (step === 0) throw new RangeError(`at: a slice cannot step by 0, got "${index}"`);
  // CPython's slice.indices.
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (text: string | undefined, otherwise: number) => {
    if (text === undefined) return otherwise;
    const value = Number(text) < 0 ? Number(text) + size : Number(text);
    return Math.min(Math.max(value, low), high);
  };
  const begin = bound(match[1], step > 0 ? low : high);
  const end = bound(match[2], step > 0 ? high : low);
  return { kind: "slice", begin, end, step, name };
}

/** Applies numbers and slices as one native slice, then steps as a reversal or a gather, which have gradients. */
function sliced(x: AnyTensor, axes: readonly Part[]): AnyTensor {
  const begin = axes.map((part) => (part.kind === "take" ? part.index : part.kind === "slice" ? firstOf(part) : 0));
  const size = axes.map((part, i) => {
    if (part.kind === "take") return 1;
    return part.kind === "slice" ? spanOf(part) : x.shape[i]!;
  });
  let value = size.every((n, i) => n === x.shape[i]) ? x : run("Slice", { x }, { begin, size });
  for (const [axis, part] of axes.entries()) {
    if (part.kind !== "slice" || part.step === 1 || value.shape[axis]! <= 1) continue;
    if (part.step === -1) value = run("Reverse", { x: value }, { dims: [axis] });
    else {
      const length = value.shape[axis]!;
      const from = part.step > 0 ? 0 : length - 1;
      const positions = Array.from({ length: countOf(part) }, (_, i) => from + i * part.step);
      value = gather(value, positions, axis as never) as AnyTensor;
    }
  }
  return value;
}

type Slice = Extract<Part, { kind: "slice" }>;
const countOf = ({ begin, end, step }: Slice) => Math.max(0, Math.ceil((end - begin) / step));
const lastOf = (slice: Slice) => slice.begin + (countOf(slice) - 1) * slice.step;
const firstOf = (slice: Slice) => (countOf(slice) === 0 ? 0 : Math.min(slice.begin, lastOf(slice)));
const spanOf = (slice: Slice) => (countOf(slice) === 0 ? 0 : Math.abs(lastOf(slice) - slice.begin) + 1);
