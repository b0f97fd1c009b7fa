// Which tensors depend on those that gradients are wanted of. Of an op whose inputs do not, the tape needs nothing.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";

/** What a tape records. */
export interface Reach {
  /** The numbers of the tensors that gradients are wanted of, and of all that depend on them. */
  readonly ids: Set<number>;
  /** Called with the inputs of an op that depends on none of them, which is not recorded. */
  readonly passed?: (inputs: Readonly<Record<string, Tensor>>) => void;
}

let current: Reach | undefined;

/** What the running tape records; undefined where it records every op, as tfjs' own gradients do. */
export const reach = (): Reach | undefined => current;

export function setReach(next: Reach | undefined): void {
  current = next;
}

/** Records from now on what depends on these tensors too. */
export function extendReach(tensors: readonly Pick<Tensor, "id">[]): void {
  if (current) for (const { id } of tensors) current.ids.add(id);
}

/** Whether the running tape records ops on these inputs. */
export function isReached(inputs: Readonly<Record<string, Tensor>>): boolean {
  if (!current) return true;
  for (const name in inputs) if (inputs[name] && current.ids.has(inputs[name].id)) return true;
  return false;
}
