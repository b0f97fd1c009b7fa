// Ops that compute their results in the memory of their inputs.
import type { TensorInfo } from "@tensorflow/tfjs-node-gpu";
import type { TFEOpAttr, TFJSBinding } from "@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js";
import { allocationOf } from "../allocation-tracker.ts";
import type { Metadata } from "../tfjs/backend.ts";
import { nativeBackend } from "./backend.ts";

/** TensorFlow's functions, where an op can be given its inputs. */
export type DonatingBinding = Omit<TFJSBinding, "executeOp"> & {
  canDonate?: boolean;
  /** The `donated` of the inputs are gone if the op does not fail. */
  executeOp(name: string, attrs: TFEOpAttr[], inputs: number[], count: number, donated?: readonly number[]): Metadata[];
};

/** Inputs of an op that something replaces by its results, and that nothing uses then. */
export type Donation = readonly Pick<TensorInfo, "dataId">[];

let next: Donation | undefined;

/** Runs an op of `run`, the first one, with a donation. */
export function withDonation<T>(donation: Donation, run: () => T): T {
  next = donation;
  try {
    return run();
  } finally {
    next = undefined;
  }
}

/** The donation of the op that runs now. */
export function takeDonation(): Donation | undefined {
  const donation = next;
  next = undefined;
  return donation;
}

/** Runs an op, in the memory of its donation if it has one and no other tensor, view or variable shares any of it. */
export function executeDonating(
  { canDonate, executeOp }: Pick<DonatingBinding, "canDonate" | "executeOp">,
  [name, attrs, inputs, count]: [name: string, attrs: TFEOpAttr[], inputs: number[], count: number],
  donation: Donation | undefined,
): Metadata[] {
  if (!canDonate || !donation) return executeOp(name, attrs, inputs, count);
  const { tensorMap } = nativeBackend();
  const entries = donation.map(({ dataId }) => tensorMap.data.get(dataId));
  const isAlone = entries.every((entry) => entry?.refCount === 1 && allocationOf(entry.id)?.tensors === 1);
  if (!isAlone) return executeOp(name, attrs, inputs, count);
  const made = executeOp(
    name,
    attrs,
    inputs,
    count,
    entries.map((entry) => entry!.id),
  );
  for (const entry of entries) entry!.id = -1;
  return made;
}
