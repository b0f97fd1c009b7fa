import type { TFEOpAttr } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { countCall, recordAllocation, recordRelease, recordView, upload } from "./allocation-tracker.ts";
import type { DonatingBinding } from "./native/donation.ts";
import { productKernel, replacedProduct } from "./native/kernels/kernel-name.ts";
import { guardedFromSignals, withoutSignals } from "./signals.ts";

/**
 * Bytes per element by TensorFlow's type number (tensorflow/core/framework/types.proto). Resources and variants have none of
 * their own.
 */
const bytesPerElement = new Uint8Array(32);
for (const [type, bytes] of Object.entries({
  ...{ 1: 4, 2: 8, 3: 4, 4: 1, 5: 2, 6: 1, 8: 8, 9: 8, 10: 1, 11: 1, 12: 1, 13: 4, 14: 2, 15: 2, 16: 2, 17: 2 },
  ...{ 18: 16, 19: 2, 22: 4, 23: 8, 24: 1, 25: 1 },
  // A string is a 24-byte TF_TString; a longer string is stored elsewhere, and its size is not known here.
  7: 24,
}))
  bytesPerElement[Number(type)] = bytes;

/** Bytes of a tensor, from its shape and TensorFlow's type number. */
export function bytesOf(shape: readonly number[], type: number): number {
  let bytes = bytesPerElement[type] ?? 0;
  for (let i = 0; i < shape.length; i++) bytes *= shape[i]!;
  return bytes;
}

/** Ops whose result shares the memory of the first input. */
const views = new Set(["Reshape", "ExpandDims", "Squeeze", "Identity"]);

function isView(name: string, attrs: readonly TFEOpAttr[]): boolean {
  if (name !== "Cast") return views.has(name);
  const type = (attr: string) => attrs.find(({ name }) => name === attr)?.value;
  return type("SrcT") === type("DstT");
}

/** TensorFlow's functions, with counting of every tensor that they make and free. */
export function trackedBinding(binding: Readonly<DonatingBinding>): Partial<DonatingBinding> {
  const { createTensor, deleteTensor, executeOp, runSavedModel } = binding;
  return {
    createTensor(shape, dtype, buffer) {
      const id = createTensor(shape, dtype, buffer);
      recordAllocation(id, bytesOf(shape, dtype), countCall(upload), shape, dtype);
      return id;
    },
    deleteTensor(id) {
      deleteTensor(id);
      recordRelease(id);
    },
    executeOp(name, attrs, inputs, count, donated) {
      const made = guardedFromSignals(name, () => executeOp(name, attrs, inputs, count, donated));
      for (const id of donated ?? []) recordRelease(id);
      const op = countCall(name === productKernel ? replacedProduct.name : name);
      if (isView(name, attrs)) recordView(made[0]!.id, inputs[0]!);
      else for (const { id, shape, dtype } of made) recordAllocation(id, bytesOf(shape, dtype), op, shape, dtype);
      return made;
    },
    runSavedModel(id, inputs, inputNames, outputNames) {
      const made = withoutSignals(() => runSavedModel(id, inputs, inputNames, outputNames));
      const op = countCall("SavedModel");
      for (const { id, shape, dtype } of made) recordAllocation(id, bytesOf(shape, dtype), op, shape, dtype);
      return made;
    },
  };
}
