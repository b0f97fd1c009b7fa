import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { nativeBackend } from "../backend.ts";
import type { BindingAddon } from "../binding/addon.ts";
import { additionKernel, isKernelType } from "../kernels/kernel-name.ts";
import { hasKernels } from "../kernels/load.ts";
import { captureAddon } from "./addon.ts";
import { attrOf, attrValue, encodeGraph, type GraphNode } from "./graph-def.ts";
import {
  madeOf,
  type Ref,
  sameList,
  sourceOf,
  type TensorType,
  type Trace,
  type TracedOp,
  typeOfSource,
} from "./trace.ts";

/** Steps of one form as a function of TensorFlow, which is called like an op. */
export interface StepFunction {
  readonly name: string;
  readonly attrs: TFEOpAttr[];
  /** The uploads that are arguments, after which come the externals, and then the uploads that are constants. */
  readonly uploads: readonly number[];
  readonly externals: readonly number[];
  readonly constants: readonly number[];
  /** The numbers of the trace's outputs that it gives. Where there are none, there is no function. */
  readonly outputs: readonly number[];
  /**
   * The step's last op, where its results replace inputs: it runs after the function, because a function keeps its arguments, so that
   * it could not have their memory.
   */
  readonly update: Update | undefined;
  /** The numbers of the trace's outputs that the step gives. */
  readonly results: readonly number[];
}

export interface Update {
  readonly op: TracedOp;
  /** What the function gives, or the place of one of its inputs. */
  readonly inputs: readonly ({ made: number } | { input: number })[];
}

/** The names of functions begin with this. */
export const FUNCTION_PREFIX = "Captured";

/**
 * Makes a function of a trace. It is made without shapes: traces that differ in nothing but shapes and constants have the same one.
 *
 * @throws Error when TensorFlow does not accept the graph
 */
export function stepFunction(
  addon: Pick<BindingAddon, "addFunction">,
  name: string,
  trace: Trace,
  constant: readonly boolean[],
): StepFunction {
  const maker = makers(trace);
  const used = usedOps(trace, maker);
  const constants = new Set<number>();
  const uploads = new Set<number>();
  const externals = new Set<number>();
  const nodes: GraphNode[] = [];
  const names: string[] = [];
  const source = (ref: number): string => {
    const from = sourceOf(ref);
    if ("made" in from) return names[from.made]!;
    if ("external" in from) {
      externals.add(from.external);
      return `external${from.external}:0`;
    }
    const isConstant = constant[from.upload];
    (isConstant ? constants : uploads).add(from.upload);
    return `${isConstant ? "constant" : "upload"}${from.upload}:0`;
  };
  const made = trace.ops.flatMap((op) => op.outputs);
  const last = trace.ops.at(-1)!;
  const update = last.donated && used.has(trace.ops.length - 1) ? last : undefined;
  const outputs = update ? outputsBefore(update, trace) : trace.alive;
  let previous: string | undefined;
  trace.ops.forEach((op, i) => {
    const name = nodeName(op.layer, op.name, i);
    op.outputs.forEach((_, output) => {
      names.push(`${name}:${output}`);
    });
    if (!used.has(i) || op === update) return;
    const inGraph = opInGraph(
      op,
      op.inputs.map((ref) => typeOfSource(sourceOf(ref), trace, made)),
    );
    const attrs = Object.fromEntries(inGraph.attrs.map((attr) => [attr.name, known(op.name, attr)]));
    const inputs = op.inputs.map(source);
    // TensorFlow runs an op of a graph as soon as its inputs are there: what the backward pass computes again would be computed in the
    // forward pass, and the gradients of weights could fall behind those of activations, and keep these in memory.
    if (previous) inputs.push(`^${previous}`);
    previous = name;
    nodes.push({ name, op: inGraph.op, inputs, attrs });
  });
  for (const ref of update?.inputs ?? []) {
    const from = sourceOf(ref);
    if ("upload" in from) uploads.add(from.upload);
    else if ("external" in from) externals.add(from.external);
  }
  const [uploadList, externalList, constantList] = [[...uploads], [...externals], [...constants]];
  const placeholders = (kind: string, types: readonly TensorType[], list: readonly number[]): string[] =>
    list.map((index) => {
      const name = `${kind}${index}`;
      nodes.push({ name, op: "Placeholder", inputs: [], attrs: { dtype: attrValue.type(types[index]!.dtype) } });
      return `${name}:0`;
    });
  const inputs = [
    ...placeholders("upload", trace.uploads, uploadList),
    ...placeholders("external", trace.externals, externalList),
    ...placeholders("constant", trace.uploads, constantList),
  ];
  const given = outputs.map((index) => names[index]!);
  if (given.length > 0) addon.addFunction(name, encodeGraph(nodes), inputs, given, false);
  const inputOf = (ref: Ref) => {
    const from = sourceOf(ref);
    if ("made" in from) return from;
    const at = "upload" in from ? uploadList.indexOf(from.upload) : uploads.size + externalList.indexOf(from.external);
    return { input: at };
  };
  return {
    name,
    attrs: callAttributes(),
    uploads: uploadList,
    externals: externalList,
    constants: constantList,
    outputs,
    update: update && { op: update, inputs: update.inputs.map(inputOf) },
    results: [...trace.alive],
  };
}

/** What a function depends on besides the form of the trace. */
export function functionKey(trace: Trace, constant: readonly boolean[]): string {
  const made = trace.ops.flatMap((op) => op.outputs);
  const additions = trace.ops.flatMap(({ name, inputs }, i) =>
    isForAddition(
      name,
      inputs.map((ref) => typeOfSource(sourceOf(ref), trace, made)),
    )
      ? i
      : [],
  );
  return JSON.stringify([constant, additions]);
}

/** What a function gives for the update after it, and what the step gives besides the update's results. */
function outputsBefore(update: TracedOp, { alive }: Trace): number[] {
  const used = update.inputs.flatMap((ref) => madeOf(ref) ?? []);
  return [...new Set([...alive.filter((index) => index < update.first), ...used])];
}

function known(op: string, attr: TFEOpAttr): Uint8Array {
  const value = attrOf(attr);
  if (!value) throw new Error(`the attribute ${attr.name} of ${op} has a kind that a captured step cannot have`);
  return value;
}

/** The op of each output. */
const makers = ({ ops }: Trace): number[] => ops.flatMap((op, i) => op.outputs.map(() => i));

/** The ops that the outputs depend on. */
function usedOps({ ops, alive }: Trace, maker: readonly number[]): Set<number> {
  const used = new Set<number>();
  const waiting = alive.map((index) => maker[index]!);
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (used.has(at)) continue;
    used.add(at);
    for (const ref of ops[at]!.inputs) {
      const source = sourceOf(ref);
      if ("made" in source) waiting.push(maker[source.made]!);
    }
  }
  return used;
}

/** TensorFlow names the node where an op fails, so it is named by its layer. */
const nodeName = (layer: string, op: string, i: number): string =>
  `${layer ? `${layer.replace(/[^A-Za-z0-9_./]/g, "_").replace(/^[^A-Za-z0-9.]+/, "")}/` : ""}${op}_${i}`;

/**
 * In a graph TensorFlow replaces this op by oneDNN's kernel, which rounds differently from the op that runs alone. Not in a
 * function that the graph calls.
 */
const replacedInGraphs = "Softmax";
const calls = new Set<string>();

/** Does the kernel that adds compute the same as this op? */
function isForAddition(name: string, [a, b]: readonly TensorType[]): boolean {
  return (name === "AddV2" || name === "Add") && hasKernels() && isKernelType(a!.dtype) && sameList(a!.shape, b!.shape);
}

/** The op that computes in a graph what an op computes alone. */
function opInGraph(
  { name, attrs }: TracedOp,
  inputs: readonly TensorType[],
): { op: string; attrs: readonly TFEOpAttr[] } {
  if (isForAddition(name, inputs)) return { op: additionKernel, attrs };
  if (name !== replacedInGraphs) return { op: name, attrs };
  const type = attrs.find((attr) => attr.name === "T")!.value as number;
  const call = `${FUNCTION_PREFIX}${name}OfType${type}`;
  if (!calls.has(call)) {
    const input = { name: "input", op: "Placeholder", inputs: [], attrs: { dtype: attrValue.type(type) } };
    const node = { name: "op", op: name, inputs: ["input:0"], attrs: { T: attrValue.type(type) } };
    const capture = captureAddon();
    if ("addon" in capture) capture.addon.addFunction(call, encodeGraph([input, node]), ["input:0"], ["op:0"], true);
    calls.add(call);
  }
  return { op: call, attrs: [] };
}

/**
 * Switches off the optimizers of TensorFlow's Grappler (core/protobuf/rewriter_config.proto), some of which replace ops by others
 * that round differently: a captured step computes what the single ops compute. The binding takes a string without bytes
 * above 127, which the switch for all of them together has. The ops run one after another in any case, and TensorFlow's executor for one
 * thread takes less time between them.
 */
function callAttributes(): TFEOpAttr[] {
  const OFF = 2;
  const [layout, constants, memory, arithmetic, dependency, loop, functions, shapes, remapping] = [
    1, 3, 4, 7, 8, 9, 10, 13, 14,
  ];
  const switches = [layout, constants, arithmetic, dependency, loop, functions, shapes, remapping];
  const rewriter = [...switches.flatMap((field) => [field! << 3, OFF]), memory! << 3, 1];
  const wrapped = (content: number[]) => [(10 << 3) | 2, content.length, ...content];
  const config = wrapped(wrapped(rewriter));
  const value = String.fromCharCode(...config);
  const type = nativeBackend().binding.TF_ATTR_STRING;
  return [
    { name: "config_proto", type, value },
    { name: "executor_type", type, value: "SINGLE_THREADED_EXECUTOR" },
  ];
}
