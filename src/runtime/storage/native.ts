import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { NativeOp, RunOp } from "../door.ts";
import { standInnermost } from "../door.ts";
import { rewritten } from "./rewrite.ts";
import { BFLOAT16, DOUBLE, FLOAT, HALF, INT32, type Storage, storageOfType, typeOf } from "./types.ts";

type ScalarValues = Float32Array & { exact?: number };

/** The values of a scalar: a float32, beside which doubles find the number that it was made of. */
export function scalarValues(value: number): Float32Array {
  const values: ScalarValues = Float32Array.of(value);
  if (values[0] !== value) values.exact = value;
  return values;
}

/** What tfjs-node knows of a tensor's data. */
export interface Entry {
  /** TensorFlow's type number: here lies the storage type. */
  dtype: number;
  shape: number[];
  /** TensorFlow's number for it; of no meaning while `values` wait to be handed over. */
  id: number;
  values: unknown;
  /** Ours: the value of a scalar that was made from a JavaScript number. */
  number?: number;
}

interface Metadata {
  id: number;
  shape: number[];
  dtype: number;
}

/** The package's types hide what is needed here. */
interface Backend {
  binding: NodeJSKernelBackend["binding"];
  /** `get` fetches what another backend holds; `data` has what is here. */
  tensorMap: { get(dataId: object): Entry; has(dataId: object): boolean; data: WeakMap<object, Entry> };
  createOutputTensor(metadata: Metadata): Tensor;
  getInputTensorIds(inputs: TensorInfo[]): number[];
  readSync: NodeJSKernelBackend["readSync"];
  move: NodeJSKernelBackend["move"];
  disposeData: NodeJSKernelBackend["disposeData"];
}

let backend: Backend | undefined;
let inUse = false;
const whenUsed: (() => void)[] = [];

/** Calls back when the first tensor that is not float32 comes to be, or at once if one has. */
export function onFirstStorage(callback: () => void): void {
  if (inUse) callback();
  else whenUsed.push(callback);
}

/** Lets tensors of the native backend be stored in half, bfloat16 and double. Costs nothing until there is one. */
export function openStorage(native: NodeJSKernelBackend): void {
  backend = native as unknown as Backend;
  const { createOutputTensor, readSync, move } = backend;
  const own = backend;
  backend.createOutputTensor = (metadata) => {
    const { dtype } = metadata;
    if (dtype !== HALF && dtype !== BFLOAT16 && dtype !== DOUBLE) return createOutputTensor.call(own, metadata);
    const tensor = createOutputTensor.call(own, { ...metadata, dtype: FLOAT });
    own.tensorMap.get(tensor.dataId).dtype = dtype;
    if (!inUse) begin();
    return tensor;
  };
  backend.readSync = (dataId) => {
    const entry = own.tensorMap.has(dataId) ? own.tensorMap.get(dataId) : undefined;
    if (!entry || entry.dtype === FLOAT || entry.values !== null || !storageOfType(entry.dtype)) {
      return readSync.call(own, dataId);
    }
    const { id } = executeCast(entry.id, entry.dtype, FLOAT);
    try {
      return own.binding.tensorDataSync(id);
    } finally {
      own.binding.deleteTensor(id);
    }
  };
  backend.move = (dataId, values, shape, dtype, refCount) => {
    move.call(own, dataId, values, shape, dtype, refCount);
    if (shape.length === 0 && dtype === "float32") {
      const scalar = values as ScalarValues;
      own.tensorMap.get(dataId).number = scalar.exact ?? scalar[0]!;
    }
  };
}

function begin(): void {
  inUse = true;
  // Within autocast, which may have begun before: what that casts is to be seen here.
  standInnermost((op, next) => (isMixed(op) && !isOwnCast(op) ? rewritten(op, next) : withNumber(op, next(op))));
  for (const callback of whenUsed.splice(0)) callback();
}

/** A number that tfjs casts to what it is, as its gradients do, stays the number that it was made of. */
function withNumber({ name, inputs }: NativeOp, made: Tensor[]): Tensor[] {
  if (name !== "Cast" || inputs[0]!.dtype !== "float32" || made[0]!.dtype !== "float32") return made;
  const { number } = entryOf(inputs[0]!);
  if (number !== undefined && entryOf(made[0]!).dtype === FLOAT) entryOf(made[0]!).number = number;
  return made;
}

/** Is any input stored otherwise than its tfjs dtype says? */
function isMixed({ inputs }: NativeOp): boolean {
  for (const input of inputs) if (input.dtype === "float32" && entryOf(input).dtype !== FLOAT) return true;
  return false;
}

/** The native backend; an error elsewhere. */
export function nativeBackend(): Backend {
  if (!backend) throw new Error("this needs the native TensorFlow runtime: run `halftone setup`");
  return backend;
}

export function entryOf({ dataId }: TensorInfo): Entry {
  const { tensorMap } = nativeBackend();
  return tensorMap.data.get(dataId) ?? tensorMap.get(dataId);
}

/** Undefined for a tensor of another backend. */
export function nativeStorageOf(x: TensorInfo): Storage | undefined {
  const entry = backend?.tensorMap.data.get(x.dataId);
  return entry && (storageOfType(entry.dtype) ?? "float32");
}

/** A cast past every policy, which gradients do not see. */
export function nativeCast(x: TensorInfo, storage: Storage): Tensor {
  const own = nativeBackend();
  const [id] = own.getInputTensorIds([x]);
  return own.createOutputTensor(executeCast(id!, entryOf(x).dtype, typeOf[storage]));
}

/** The same, through what else stands at the door. */
export function castThrough(x: TensorInfo, storage: Storage, next: RunOp): Tensor {
  const attrs = castAttributes(entryOf(x).dtype, typeOf[storage]);
  return next({ name: "Cast", attrs, inputs: [x], outputs: 1 })[0]!;
}

function executeCast(id: number, from: number, to: number): Metadata {
  return nativeBackend().binding.executeOp("Cast", castAttributes(from, to), [id], 1)[0]!;
}

const casts = new Map<number, NativeOp["attrs"]>();

/** Always the same list for the same two types, by which a cast between storages is known from one that a program asks for. */
function castAttributes(from: number, to: number): NativeOp["attrs"] {
  const key = 32 * from + to;
  let attrs = casts.get(key);
  if (!attrs) {
    const { TF_ATTR_TYPE, TF_ATTR_BOOL } = nativeBackend().binding;
    attrs = [
      { name: "SrcT", type: TF_ATTR_TYPE, value: from },
      { name: "DstT", type: TF_ATTR_TYPE, value: to },
      { name: "Truncate", type: TF_ATTR_BOOL, value: false },
    ];
    casts.set(key, attrs);
  }
  return attrs;
}

const isOwnCast = ({ name, attrs }: NativeOp): boolean =>
  name === "Cast" && casts.get(32 * (attrs[0]!.value as number) + (attrs[1]!.value as number)) === attrs;

/** The same bits as another type. Where the types differ in width, the last axis grows or goes. */
export function bitcast(id: number, from: number, to: number): Metadata {
  const { binding } = nativeBackend();
  const attrs = [
    { name: "T", type: binding.TF_ATTR_TYPE, value: from },
    { name: "type", type: binding.TF_ATTR_TYPE, value: to },
  ];
  return binding.executeOp("Bitcast", attrs, [id], 1)[0]!;
}

/** A double tensor with exactly these values. */
export function doubleTensor(values: Float64Array, shape: number[]): Tensor {
  const own = nativeBackend();
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const id = own.binding.createTensor([...shape, 2], INT32, words);
  try {
    return own.createOutputTensor(bitcast(id, INT32, DOUBLE));
  } finally {
    own.binding.deleteTensor(id);
  }
}
