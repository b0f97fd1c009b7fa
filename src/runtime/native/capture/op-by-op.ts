import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { readableError } from "../../refusal.ts";
import { INT32, storageOfType } from "../storage-types.ts";
import { type Ref, sourceOf, type TensorType, type Trace, type TracedOp } from "./trace.ts";

/** Computes the ops of a trace one by one, and appends the numbers of their results to `made`. An error names op and layer. */
export function computeOps(
  { executeOp }: Pick<TFJSBinding, "executeOp">,
  trace: Trace,
  uploads: readonly number[],
  made: number[],
): void {
  const idOf = (ref: Ref): number => {
    const source = sourceOf(ref);
    if ("made" in source) return made[source.made]!;
    return "upload" in source ? uploads[source.upload]! : trace.externals[source.external]!.id;
  };
  for (const { name, attrs, inputs, outputs, layer } of trace.ops) {
    try {
      for (const { id } of executeOp(name, attrs as TFEOpAttr[], inputs.map(idOf), outputs.length)) made.push(id);
    } catch (error) {
      const types = inputs.map((ref) => typeOf(trace, ref));
      throw readableError(
        error,
        layer,
        name,
        types.map(({ shape, dtype }) => ({ shape, dtype: nameOf(dtype) })),
      );
    }
  }
}

/** A result of an op, for messages: `the result of Tanh in the layer pool, [5]`. */
export function resultText(trace: Trace, made: number): string {
  const { name, layer, outputs, first } = makerOf(trace, made);
  return `the result of ${name}${layer ? ` in the layer ${layer}` : ""}, [${outputs[made - first]!.shape.join(", ")}]`;
}

/** The op that makes a result. */
const makerOf = ({ ops }: Trace, made: number): TracedOp => ops.findLast(({ first }) => first <= made)!;

function typeOf(trace: Trace, ref: Ref): TensorType {
  const source = sourceOf(ref);
  if ("upload" in source) return trace.uploads[source.upload]!;
  if ("external" in source) return trace.externals[source.external]!;
  const { outputs, first } = makerOf(trace, source.made);
  return outputs[source.made - first]!;
}

const nameOf = (dtype: number): string => storageOfType(dtype) ?? (dtype === INT32 ? "int32" : "bool");
