import { checkPositiveInteger } from "../base/checks.ts";
import { sizeOf } from "../base/shape.ts";
import { defineSummary, formatCount } from "../display/define-summary.ts";
import type { Typed } from "../tensor/create.ts";
import { gather, type Tensor, tensor } from "../tensor/index.ts";
import { isTensor } from "../tensor/tree.ts";
import type { DType, Shape } from "../tensor/types/shape.ts";
import type { AnyTensor, DTypeOf, ShapeOf, TensorOperand } from "../tensor/types/tensor.ts";
import type { ExampleBatch } from "./batch.ts";
import type { Batches } from "./batches.ts";
import { epochRandom, rowChunks, shuffled } from "./order.ts";
import { type PlannedBatch, planExamples } from "./plan.ts";

/**
 * Data whose first axis is the example: a tensor, nested arrays of numbers or booleans, a typed array of one number an example, or a
 * typed array with a shape, row by row.
 */
export type ExampleArray = TensorOperand | readonly unknown[] | Typed | { data: Typed; shape: readonly number[] };

/** The shape of a batch: that of the data, with any number of examples. */
type BatchShape<S> = S extends [infer A, ...infer R]
  ? [A extends string ? A : number, ...R] extends infer B extends Shape
    ? B
    : Shape
  : Shape;
type TensorOf<D> = D extends TensorOperand
  ? D
  : D extends { data: infer V extends Typed; shape: infer S extends readonly number[] }
    ? ReturnType<typeof tensor<V, undefined, S>>
    : D extends readonly unknown[] | Typed
      ? ReturnType<typeof tensor<D>>
      : never;

/**
 * A batch of arrays: for each name a tensor of the batch's examples. It is made when it is first read, in the `tidy` of the training
 * step, for instance, which frees it; disposing of the batch frees those that are left.
 */
export type ArrayBatch<D> = ExampleBatch &
  Disposable & { readonly [K in keyof D]: Tensor<BatchShape<ShapeOf<TensorOf<D[K]>>>, DTypeOf<TensorOf<D[K]>>> };

/** Options of `arrayBatches`. */
export interface ArrayBatchesOptions {
  /** Examples in a batch. */
  batchSize: number;
  /** Seed of the shuffle, which is another one each epoch; without it the examples keep their order. */
  seed?: number;
  /** Leaves out a last batch that is smaller than the others; false by default. */
  dropLast?: boolean;
}

/** The examples of one name. */
interface Rows {
  /** `[examples, ...]` */
  shape: readonly number[];
  /** Those of the given indices. */
  take(indices: Int32Array): AnyTensor;
}

/**
 * Batches of data without sequences, for instance `{ images, labels }`: each batch has tensors by the same names, of `batchSize`
 * examples of the first axis. The data is not copied, so that images may stay bytes (`Uint8Array`, int32 in a batch).
 *
 * @throws RangeError when names have different numbers of examples, a shape is not that of its data, or `dropLast` leaves nothing
 * @throws TypeError when there is no data, or it has no axis
 */
export function arrayBatches<const D extends Readonly<Record<string, ExampleArray>>>(
  data: D,
  options: ArrayBatchesOptions,
): Batches<ArrayBatch<D>> {
  const { batchSize, seed, dropLast = false } = options;
  checkPositiveInteger("batchSize", batchSize);
  const names = Object.entries<ExampleArray>(data).map(([name, values]) => [name, rowsOf(name, values)] as const);
  const count = exampleCount(names);
  const plan = planExamples("arrays", new Int32Array(count).fill(1), {}, (_, epoch) =>
    rowChunks(shuffled(count, epochRandom(seed, epoch)), batchSize, dropLast).map((rows) => ({ time: 1, rows })),
  );
  function* epoch(index: number, from = 0): Generator<ArrayBatch<D>> {
    const planned = plan.epoch(index);
    for (let b = from; b < planned.length; b++) yield make(planned[b]!);
  }
  const make = (planned: PlannedBatch) => arrayBatch(names, planned) as unknown as ArrayBatch<D>;
  const batches = { count: plan.epoch(0).length, plan, epoch, make, [Symbol.iterator]: () => epoch(0) };
  return defineSummary(batches, () => {
    const shapes = names.map(([name, { shape }]) => `${name} [${shape.join(", ")}]`);
    return `Batches, arrays: ${shapes.join(", ")} in ${formatCount(batches.count)} batches`;
  });
}

function exampleCount(names: readonly (readonly [string, Rows])[]): number {
  const [first] = names;
  if (!first) throw new TypeError("arrayBatches: expected at least one array, got none");
  const count = first[1].shape[0]!;
  for (const [name, { shape }] of names) {
    if (name === "indices") throw new TypeError("arrayBatches: data cannot be named indices: batches have their own");
    if (shape[0] === count) continue;
    throw new RangeError(`arrayBatches: ${name} has ${shape[0]} examples, but ${first[0]} has ${count}`);
  }
  if (count === 0) throw new RangeError(`arrayBatches: expected at least one example, but ${first[0]} is empty`);
  return count;
}

function arrayBatch(names: readonly (readonly [string, Rows])[], { rows }: PlannedBatch): ExampleBatch & Disposable {
  const indices = Int32Array.from(rows, ([i]) => i!);
  const made = new Map<string, AnyTensor>();
  const batch = {
    indices,
    [Symbol.dispose]() {
      for (const each of made.values()) each.dispose();
    },
  };
  Object.defineProperty(batch, Symbol.dispose, { enumerable: false });
  for (const [name, { take }] of names) {
    const get = () => {
      const last = made.get(name);
      if (last && !last.isDisposed) return last;
      const own = take(indices);
      made.set(name, own);
      return own;
    };
    Object.defineProperty(batch, name, { enumerable: true, get });
  }
  return defineSummary(batch, () => {
    const shapes = names.map(([name, { shape }]) => `${name} [${[indices.length, ...shape.slice(1)].join(", ")}]`);
    return `Batch: ${shapes.join(", ")}`;
  });
}

function rowsOf(name: string, values: ExampleArray): Rows {
  if (isTensor(values)) {
    if (values.rank === 0) throw new TypeError(`arrayBatches: ${name} must have an axis of examples, got a scalar`);
    return { shape: values.shape, take: (indices) => gather(values, [...indices]) as AnyTensor };
  }
  const { data, shape, dtype } = flat(name, values);
  const width = sizeOf(shape.slice(1));
  const take = (indices: Int32Array) => {
    const own = new (data.constructor as new (length: number) => Typed)(indices.length * width);
    indices.forEach((i, n) => {
      own.set(data.subarray(i * width, (i + 1) * width), n * width);
    });
    return tensor(own, { dtype, shape: [indices.length, ...shape.slice(1)] }) as AnyTensor;
  };
  return { shape, take };
}

interface Flat {
  data: Typed;
  shape: readonly number[];
  /** By default that of the data. */
  dtype?: DType | undefined;
}

function flat(name: string, values: ExampleArray): Flat {
  if (ArrayBuffer.isView(values)) return { data: values as Typed, shape: [(values as Typed).length] };
  if (Array.isArray(values)) return nested(name, values);
  const { data, shape } = values as { data?: unknown; shape?: readonly number[] };
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape) || shape.length === 0) {
    throw new TypeError(
      `arrayBatches: ${name} must be a tensor, nested arrays, a typed array or { data, shape }, got ${typeof values}`,
    );
  }
  const { length } = data as Typed;
  if (sizeOf(shape) !== length) {
    throw new RangeError(`arrayBatches: ${name} has ${length} values, but its shape is [${shape.join(", ")}]`);
  }
  return { data: data as Typed, shape };
}

function nested(name: string, values: readonly unknown[]): Flat {
  let whole: AnyTensor;
  try {
    whole = tensor(values) as AnyTensor;
  } catch (error) {
    throw new TypeError(`arrayBatches: ${name}: ${(error as Error).message}`, { cause: error });
  }
  const { shape, dtype } = whole;
  const data = whole.dataSync().slice() as Typed;
  whole.dispose();
  return { data, shape, dtype: dtype as DType };
}
