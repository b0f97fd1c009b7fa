import type { Metadata } from "../../tfjs/backend.ts";
import { type DonatingBinding, type Donation, executeDonating } from "../donation.ts";
import type { CapturedStep } from "./captured-step.ts";
import { measured } from "./measured.ts";

/**
 * Computes a step: its function, and then its update. `inputs` are the numbers of the function's uploads and externals, and `tensorOf` gives
 * the tensor of one of them. The results by their index in the trace. Where it throws, nothing has changed.
 */
export function callFunction(
  binding: Pick<DonatingBinding, "canDonate" | "executeOp" | "createTensor" | "deleteTensor">,
  { fn, trace }: Pick<CapturedStep, "fn" | "trace">,
  inputs: number[],
  tensorOf: (input: number) => Donation[number] | undefined,
): Map<number, Metadata> {
  const { outputs, results, update } = fn;
  const made = outputs.length === 0 ? [] : computed(binding, fn, inputs, trace);
  const all = new Map(outputs.map((index, i) => [index, made[i]!]));
  if (!update) return all;
  const { op } = update;
  let kept: ReadonlySet<number> = new Set();
  try {
    const ids = update.inputs.map((from) => ("made" in from ? all.get(from.made)!.id : inputs[from.input]!));
    const donation = op.donated!.map((i) => {
      const from = update.inputs[i]!;
      return ("input" in from && tensorOf(from.input)) || nothing;
    });
    const updated = executeDonating(binding, [op.name, [...op.attrs], ids, op.outputs.length], donation);
    updated.forEach((output, i) => {
      all.set(op.first + i, output);
    });
    kept = new Set(results);
  } finally {
    for (const [index, { id }] of all) if (!kept.has(index)) binding.deleteTensor(id);
  }
  return new Map(results.map((index) => [index, all.get(index)!]));
}

/** What the function gives. */
function computed(
  binding: Pick<DonatingBinding, "executeOp" | "createTensor" | "deleteTensor">,
  { name, attrs, constants, outputs }: CapturedStep["fn"],
  inputs: readonly number[],
  { uploads }: CapturedStep["trace"],
): Metadata[] {
  const uploaded = constants.map((k) => {
    const { shape, dtype, values } = uploads[k]!;
    return binding.createTensor([...shape], dtype, values as never);
  });
  try {
    return measured(() => binding.executeOp(name, attrs, [...inputs, ...uploaded], outputs.length));
  } finally {
    for (const id of uploaded) binding.deleteTensor(id);
  }
}

/** A tensor that cannot be given away. */
const nothing = { dataId: {} };
