import type { Tensor, TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { NodeJSKernelBackend } from "@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js";
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { withEqualBatches } from "./batch-matmul.ts";
import { readableError } from "./refusal.ts";
import { trackedBinding } from "./tracked-binding.ts";

/** One op on its way to TensorFlow: its name in TensorFlow's registry, its attributes and its inputs. */
export interface NativeOp {
  readonly name: string;
  readonly attrs: TFEOpAttr[];
  readonly inputs: TensorInfo[];
  /** How many tensors it gives. */
  readonly outputs: number;
}

export type RunOp = (op: NativeOp) => Tensor[];

/** What stands at the door: may look at an op, change it, run it by `next` any number of times, and change its result. */
export type OpInterceptor = (op: NativeOp, next: RunOp) => Tensor[];

const interceptors: OpInterceptor[] = [];
let through: RunOp | undefined;
let native: RunOp | undefined;

/**
 * Puts a policy at the door of the native backend, outside of those already there; returns the way to take it off again.
 * On WebAssembly no op passes this door.
 */
export function interceptOps(policy: OpInterceptor): () => void {
  interceptors.push(policy);
  return stand(policy);
}

/** The same for what makes an op as TensorFlow takes it: inside of every other policy, those before it included. */
export function interceptInnermost(policy: OpInterceptor): () => void {
  interceptors.unshift(policy);
  return stand(policy);
}

function stand(policy: OpInterceptor): () => void {
  compose();
  return () => {
    const at = interceptors.lastIndexOf(policy);
    if (at >= 0) interceptors.splice(at, 1);
    compose();
  };
}

function compose(): void {
  through = undefined;
  const run = native;
  if (!run || interceptors.length === 0) return;
  through = interceptors.reduce<RunOp>((next, policy) => (op) => policy(op, next), run);
}

/**
 * Makes every op of the backend pass here, every native tensor be accounted for, and what TensorFlow refuses be said in
 * words. `caller` tells which function runs, if it has a name.
 */
export function installInterceptors(backend: NodeJSKernelBackend, caller: () => string | undefined): void {
  backend.binding = trackedBinding(backend.binding);
  const single = withEqualBatches(backend, backend.executeSingleOutput.bind(backend));
  const multiple = backend.executeMultipleOutputs.bind(backend);
  native = ({ name, attrs, inputs, outputs }) =>
    outputs === 1 ? [single(name, attrs, inputs)] : multiple(name, attrs, inputs, outputs);
  backend.executeSingleOutput = (name, attrs, inputs) => {
    try {
      return through ? through({ name, attrs, inputs, outputs: 1 })[0]! : single(name, attrs, inputs);
    } catch (error) {
      throw readableError(error, caller(), name, inputs);
    }
  };
  backend.executeMultipleOutputs = (name, attrs, inputs, outputs) => {
    try {
      return through ? through({ name, attrs, inputs, outputs }) : multiple(name, attrs, inputs, outputs);
    } catch (error) {
      throw readableError(error, caller(), name, inputs);
    }
  };
  compose();
}
