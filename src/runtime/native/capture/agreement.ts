// Whether a run of a step agrees with a step that was captured.
import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import type { CapturedStep } from "./captured-step.ts";
import { externalOf, type Ref, sameAttrs, sameList, sameType, sameValues, type Trace, type TracedOp } from "./trace.ts";

type NextOp = Pick<TracedOp, "name" | "attrs" | "inputs"> & { count: number };

/** The captured step's op number `at`, if it is this one with inputs of the same origin, shapes and types. */
export function agreedOp(step: CapturedStep, run: Trace, at: number, op: NextOp): TracedOp | undefined {
  const expected = step.trace.ops[at];
  const agrees =
    expected !== undefined &&
    expected.name === op.name &&
    expected.outputs.length === op.count &&
    sameList(expected.inputs, op.inputs) &&
    sameAttrs(expected.attrs, op.attrs as TFEOpAttr[]) &&
    agreesOnExternals(step, run, op.inputs);
  return agrees ? expected : undefined;
}

function agreesOnExternals({ trace, pinned }: CapturedStep, run: Trace, refs: readonly Ref[]): boolean {
  for (const ref of refs) {
    const index = externalOf(ref);
    if (index === undefined) continue;
    const expected = trace.externals[index];
    const external = run.externals[index]!;
    if (expected === undefined || !sameType(expected, external)) return false;
    if (pinned[index] && expected.id !== external.id) return false;
  }
  return true;
}

/** Whether the uploads of a run from number `from` on have the shapes, types and constant values of the captured ones. */
export function agreesOnUploads({ trace, constant }: CapturedStep, run: Trace, from: number): boolean {
  for (let k = from; k < run.uploads.length; k++) {
    const expected = trace.uploads[k];
    const upload = run.uploads[k]!;
    if (expected === undefined || !sameType(expected, upload)) return false;
    if (constant[k] && !sameValues(expected.values, upload.values)) return false;
  }
  return true;
}

/** Whether a run agrees with a captured step in all that it has done so far. */
export function agreesSoFar(step: CapturedStep, run: Trace): boolean {
  if (!agreesOnUploads(step, run, 0)) return false;
  return run.ops.every((op, i) => {
    const other = agreedOp(step, run, i, { ...op, count: op.outputs.length });
    return other === op || other?.outputs.every(({ shape }, o) => sameList(shape, op.outputs[o]!.shape));
  });
}
