import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NativeOp, RunOp } from "../tfjs/hooks.ts";
import { type Entry, entryOf, nativeBackend } from "./backend.ts";
import { castThrough, doubleTensor } from "./cast.ts";
import { FLOAT, largest, promoted, type Storage, smallestNormal, storageOfType, typeOf } from "./storage-types.ts";

/** Attributes that name a type of the result and not of an input. */
const resultTypes = new Set(["DstT", "Tout", "out_type", "output_type"]);

/**
 * Ops that add or multiply many elements. TensorFlow's half kernels round after every few of them (5000 ones in
 * float16 make 2048, in bfloat16 a running sum ends at 256); PyTorch's do it in float32, and so do these.
 */
const accumulating = new Set([
  ...["Sum", "Mean", "Prod", "Cumsum", "Cumprod", "CumulativeLogsumexp", "EuclideanNorm", "L2Loss"],
  ...["BiasAddGrad", "UnsortedSegmentSum", "UnsortedSegmentProd", "SegmentSum", "SegmentMean", "SegmentProd"],
  ...["ScatterNd", "TensorScatterAdd", "AvgPool", "AvgPoolGrad", "AvgPool3D", "AvgPool3DGrad", "LRN", "LRNGrad"],
]);

/**
 * Whether the op is one of these. An einsum is one when it sums an axis of a single operand; other einsums are matrix
 * products.
 */
function accumulates({ name, attrs }: NativeOp): boolean {
  if (name !== "Einsum") return accumulating.has(name);
  const equation = String(attrs.find((attr) => attr.name === "equation")?.value);
  const letters = equation.replace(/[^a-zA-Z]/g, "");
  return [...letters].some((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
}

/** Ops that TensorFlow has no kernel for in a type, as "op type". */
const unsupported = new Set<string>();

/**
 * Runs an op whose floating-point inputs are not all float32, in one storage type.
 *
 * The type follows PyTorch's promotion: it is that of the inputs with at least one axis, or else that of the scalars. Numbers from
 * JavaScript count only when there is no other input. Two types give the wider one, float16 and bfloat16 give float32.
 * An op without a kernel in that type, or one that accumulates, runs in float32, and its results are cast back. A cast to tfjs' "float32" keeps the
 * storage type, because the tensor is already a floating-point tensor.
 */
export function rewritten(op: NativeOp, next: RunOp): Tensor[] {
  const common = commonStorage(op.inputs);
  if (op.name === "Cast") return next({ ...op, attrs: castAttributes(op, common) });
  const isHalf = common === "float16" || common === "bfloat16";
  const storage = !(isHalf && accumulates(op)) && numbersFit(op.inputs, common) ? common : "float32";
  if (storage === common && !(unsupported.size > 0 && unsupported.has(`${op.name} ${storage}`))) {
    try {
      return runIn(storage, op, next);
    } catch (error) {
      if (storage === "float32" || !isLackOfKernel(error)) throw error;
      unsupported.add(`${op.name} ${storage}`);
      console.warn(
        `TensorFlow has no ${storage} kernel for ${op.name} on this device: it runs in float32 and is cast back`,
      );
    }
  }
  return runIn("float32", op, next).map((result) => {
    if (result.dtype !== "float32" || common === "float32") return result;
    const back = castThrough(result, common, next);
    result.dispose();
    return back;
  });
}

/** The type of the inputs with at least one axis, or else of the scalars, or else of the numbers. */
function commonStorage(inputs: readonly TensorInfo[]): Storage {
  let weight = -1;
  let common: Storage = "float32";
  for (const input of inputs) {
    if (input.dtype !== "float32") continue;
    const storage = storageOfType(entryOf(input).dtype) ?? "float32";
    const own = input.shape.length > 0 ? 2 : entryOf(input).number === undefined ? 1 : 0;
    if (own > weight) {
      weight = own;
      common = storage;
    } else if (own === weight) common = promoted(common, storage);
  }
  return common;
}

/** A number that overflows or loses digits in half precision must be combined with the tensor before it is rounded. */
function numbersFit(inputs: readonly TensorInfo[], storage: Storage): boolean {
  if (storage !== "float16") return true;
  return inputs.every((input) => {
    const size = input.dtype === "float32" ? Math.abs(entryOf(input).number ?? 0) : 0;
    return size === 0 || !Number.isFinite(size) || (size <= largest[storage] && size >= smallestNormal[storage]);
  });
}

function runIn(storage: Storage, op: NativeOp, next: RunOp): Tensor[] {
  const type = typeOf[storage];
  if (isAll(op.inputs, type)) return typedOp(storage, op, op.inputs, next);
  const made: Tensor[] = [];
  try {
    const inputs = op.inputs.map((input) => {
      if (input.dtype !== "float32") return input;
      const entry = entryOf(input);
      if (entry.dtype === type) return input;
      if (entry.number !== undefined && entry.dtype === FLOAT) return numberIn(storage, entry, input, next);
      const cast = castThrough(input, storage, next);
      made.push(cast);
      return cast;
    });
    return typedOp(storage, op, inputs, next);
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}

function isAll(inputs: readonly TensorInfo[], type: number): boolean {
  for (const input of inputs) if (input.dtype === "float32" && entryOf(input).dtype !== type) return false;
  return true;
}

function typedOp(storage: Storage, op: NativeOp, inputs: TensorInfo[], next: RunOp): Tensor[] {
  return next({ name: op.name, attrs: retyped(op, FLOAT, typeOf[storage]), inputs, outputs: op.outputs });
}

function retyped({ attrs }: NativeOp, from: number, to: number): NativeOp["attrs"] {
  if (from === to) return attrs;
  const { TF_ATTR_TYPE } = nativeBackend().binding;
  return attrs.map((attr) =>
    attr.value === from && attr.type === TF_ATTR_TYPE && !resultTypes.has(attr.name)
      ? { name: attr.name, type: attr.type, value: to }
      : attr,
  );
}

function castAttributes({ attrs }: NativeOp, from: Storage): NativeOp["attrs"] {
  return attrs.map((attr) => {
    const isSource = attr.name === "SrcT";
    const keeps = attr.name === "DstT" && attr.value === FLOAT;
    return isSource || keeps ? { ...attr, value: typeOf[from] } : attr;
  });
}

/** Whether TensorFlow's error is about the type and not about the op. */
function isLackOfKernel(error: unknown): boolean {
  const text = error instanceof Error ? error.message : "";
  return /Could not find device for node|is not in the list of allowed values|was expected to be a \w+ tensor/.test(
    text,
  );
}

const numbers = new Map<string, Tensor>();
const NUMBERS = 256;

/**
 * A number in a storage type, kept on the device. tfjs passes a JavaScript number as a float32. With doubles, the
 * original number is used if it is known, otherwise the shortest decimal form, so that 0.1 becomes the double 0.1.
 */
function numberIn(storage: Storage, { number }: Entry, input: TensorInfo, next: RunOp): Tensor {
  const key = `${storage} ${Object.is(number, -0) ? "-0" : number}`;
  const found = numbers.get(key);
  if (found) {
    // Moved to the end, so that a scalar used by this op is never the oldest.
    numbers.delete(key);
    numbers.set(key, found);
    return found;
  }
  const made =
    storage === "float64"
      ? doubleTensor(Float64Array.of(shortest(number!)), [])
      : (castThrough(input, storage, next) as Tensor);
  const oldest = numbers.size >= NUMBERS ? numbers.entries().next().value : undefined;
  if (oldest) {
    numbers.delete(oldest[0]);
    oldest[1].dispose();
  }
  numbers.set(key, keep(made));
  return made;
}

const keep = (tensor: Tensor): Tensor => Object.assign(tensor, { kept: true });

/** The number with the fewest decimal digits that rounds to the same float32. */
export function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}
