// The hooks through which the library watches and changes tfjs. Each states the order of its subscribers' stages. The patches
// behind them are in patch-engine.ts, patch-native.ts and patch-storage.ts.
import type { Tensor, TensorInfo, Variable } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { NativeBackend, TensorData } from "./backend.ts";
import type { Engine, TapeNode } from "./engine.ts";
import { eventHook, methodHook } from "./hook.ts";

/** One op on its way to TensorFlow: its name in TensorFlow's registry, its attributes and its inputs. */
export interface NativeOp {
  readonly name: string;
  readonly attrs: TFEOpAttr[];
  readonly inputs: TensorInfo[];
  /** The number of output tensors. */
  readonly outputs: number;
}

export type RunOp = (op: NativeOp) => Tensor[];

/** Every op of the native backend. */
export const op = methodHook<
  "vmap" | "interrupts" | "lifetimes" | "errors" | "interceptors" | "storage" | "products" | "batches",
  RunOp
>("op", ["vmap", "interrupts", "lifetimes", "errors", "interceptors", "storage", "products", "batches"]);

/** Every kernel, on every backend; one kernel may run others. */
export const kernel = methodHook<"interrupts" | "allocations" | "lifetimes", Engine["runKernel"]>("kernel", [
  "interrupts",
  "allocations",
  "lifetimes",
]);

/** Every kernel and every custom op, with its recording on the tape. */
export const recorded = methodHook<"vmap" | "interrupts", Engine["runKernelFunc"]>("recorded", ["vmap", "interrupts"]);

/** tfjs' own backward pass (`tf.grads`, `optimizer.minimize`). */
export const gradients = methodHook<"profile", Engine["gradients"]>("gradients", ["profile"]);

/** TensorFlow's numbers of an op's inputs, on the native backend. */
export const inputIds = methodHook<"capture", NativeBackend["getInputTensorIds"]>("inputIds", ["capture"]);

/** A tensor made of an op's output, on the native backend. */
export const output = methodHook<"storage", NativeBackend["createOutputTensor"]>("output", ["storage"]);

/** Reading of a tensor's values, on the native backend. */
export const read = methodHook<"capture" | "storage", NativeBackend["readSync"]>("read", ["capture", "storage"]);

/** Writing of values from JavaScript into a tensor, on the native backend. */
export const write = methodHook<"storage", NativeBackend["move"]>("write", ["storage"]);

/** A tensor's data was created on the backend. */
export const created = eventHook<"lifetimes" | "allocations" | "capture", (dataId: object, data: TensorData) => void>([
  "lifetimes",
  "allocations",
  "capture",
]);

/**
 * A tensor's data is about to be removed because the last tensor that shares it was disposed. Not called for unreachable
 * data.
 */
export const disposed = eventHook<"allocations" | "lifetimes", (data: TensorData | undefined) => void>([
  "allocations",
  "lifetimes",
]);

/** An op was recorded on the gradient tape; its node may be changed. */
export const tape = eventHook<"storage" | "autocast" | "profile", (node: TapeNode) => void>([
  "storage",
  "autocast",
  "profile",
]);

/** An op was not recorded on the gradient tape, because no gradient needs it. */
export const untaped = eventHook<"autocast", () => void>(["autocast"]);

/** A tensor is about to be kept beyond its scopes. */
export const kept = eventHook<"profile" | "interrupts", (tensor: Tensor) => void>(["profile", "interrupts"]);

/** A new tensor is about to be added to the open scope. */
export const scope = eventHook<"memory", (tensor: Tensor) => void>(["memory"]);

/** The values of a tensor are about to be read, or stored in a variable. */
export const observed = eventHook<"vmap", (tensor: Tensor) => void>(["vmap"]);

/** A variable is about to be assigned. */
export const assigning = eventHook<"capture", (variable: Variable) => void>(["capture"]);

/** A variable was made or assigned. */
export const assigned = eventHook<"lifetimes" | "capture", (variable: Tensor) => void>(["lifetimes", "capture"]);
