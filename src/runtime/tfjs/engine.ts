import type { Tensor, TensorInfo, Variable } from "@tensorflow/tfjs-node-gpu";

export type Tfjs = typeof import("@tensorflow/tfjs-node-gpu");

/** One op on the gradient tape. */
export interface TapeNode {
  kernelName: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  /** The tensors saved for the backward pass; may be changed in place while the node is new. */
  saved: Tensor[];
  gradient?: (dys: (Tensor | null | undefined)[]) => Record<string, () => Tensor>;
}

/** An open `tidy`, with the tensors made in it. */
export interface EngineScope {
  id: number;
  name: string;
  track: Tensor[];
}

/** The counts returned by `tf.memory()`. */
export interface EngineCounts {
  numTensors: number;
  numStringTensors: number;
  numDataBuffers: number;
  numBytes: number;
}

export interface EngineState extends EngineCounts {
  registeredVariables: Record<string, Variable>;
  activeTape: TapeNode[] | null;
  gradientDepth: number;
  kernelDepth: number;
  activeScope: EngineScope | null;
  scopeStack: EngineScope[];
  numDataMovesStack: number[];
  profiling: boolean;
}

export type Save = (tensors: Tensor[]) => void;

/** A custom op with its own gradient (`forwardFunc`), or a kernel by its name. */
export interface KernelCall<Result = Tensor> {
  kernelName?: string;
  /** The inputs of joining kernels are a list. */
  inputs: Record<string, Tensor>;
  attrs?: object;
  forwardFunc?: (backend: unknown, save: Save) => Result;
  backwardsFunc?: (dy: Tensor, saved: Tensor[]) => Record<string, () => Tensor>;
}

/** Members of the engine that its published type lacks or declares differently. */
interface Internals {
  state: EngineState;
  runKernel(name: string, inputs: object, attrs?: object): Tensor | Tensor[];
  runKernelFunc(call: KernelCall): Tensor;
  gradients(...args: unknown[]): { value: Tensor; grads: (Tensor | null)[] };
  addTapeNode(
    kernel: string,
    inputs: Record<string, Tensor>,
    outputs: Tensor[],
    gradient: (dy: Tensor, saved: Tensor[]) => Record<string, () => Tensor>,
    saved: Tensor[],
    attrs: object,
  ): void;
  /** The tensors that the gradient of a kernel needs. */
  getTensorsForGradient(kernel: string, inputs: Record<string, Tensor>, outputs: Tensor[]): Tensor[];
  startTape(): void;
  endTape(): void;
  nextTensorId(): number;
  /** A copy that shares the data; the tape knows of it. */
  clone(tensor: Tensor): Tensor;
  /** Called for every new tensor and variable. */
  track(tensor: Tensor): Tensor;
  /** Called when a variable is made and whenever it is assigned. */
  incRef(variable: Tensor, backend: unknown): void;
  makeTensorFromTensorInfo(info: TensorInfo): Tensor;
}

/** tfjs' engine (tfjs-core/src/engine.ts, 4.22) with the members that its published type hides. */
export type Engine = Omit<ReturnType<Tfjs["engine"]>, keyof Internals> & Internals;

export const engineOf = (tfjs: Pick<Tfjs, "engine">): Engine => tfjs.engine() as unknown as Engine;

/** Runs `f` without recording it for gradients. */
export function unrecorded<T>({ state }: Engine, f: () => T): T {
  state.kernelDepth++;
  try {
    return f();
  } finally {
    state.kernelDepth--;
  }
}
