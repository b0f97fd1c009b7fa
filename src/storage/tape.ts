import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { hooks, onFirstStorage, type Storage, type TapeNode } from "../runtime/index.ts";
import { onEmulation } from "./emulated.ts";
import { storageOf, to } from "./to.ts";

let matching = false;

/** From the first tensor that is not float32 on. */
function beginMatching(): void {
  if (!matching) hooks.tape.subscribe("storage", matchGradients);
  matching = true;
}
onFirstStorage(beginMatching);
onEmulation(beginMatching);

/**
 * A gradient has the storage type of its tensor: what arrives at an op is cast to the storage type of its result,
 * what leaves it to that of its input, so the backward pass runs in the types of the forward pass and a float32
 * parameter gets a float32 gradient.
 */
function matchGradients(node: TapeNode): void {
  const { gradient } = node;
  if (!gradient) return;
  const out = node.outputs.map(storageIfFloat);
  const into = new Map<string, Storage>();
  for (const [name, input] of Object.entries(node.inputs)) {
    const storage = storageIfFloat(input);
    if (storage) into.set(name, storage);
  }
  const isOther = (storage: Storage | undefined) => storage !== undefined && storage !== "float32";
  if (!out.some(isOther) && ![...into.values()].some(isOther)) return;
  node.gradient = (dys) => {
    const made = gradient(dys.map((dy, i) => (dy && out[i] ? to(dy, out[i]) : dy)));
    return Object.fromEntries(
      Object.entries(made).map(([name, dx]) => {
        const storage = into.get(name);
        return [name, storage ? () => to(dx(), storage) : dx];
      }),
    );
  };
}

const storageIfFloat = (x: Tensor): Storage | undefined => (x.dtype === "float32" ? storageOf(x) : undefined);
