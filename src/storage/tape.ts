import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { onFirstStorage, type Storage, tf } from "../runtime/index.ts";
import { onEmulation } from "./emulated.ts";
import { storageOf, to } from "./to.ts";

type Gradient = (dys: (Tensor | null | undefined)[]) => Record<string, () => Tensor>;

/** One op on tfjs' gradient tape. */
export interface TapeNode {
  kernelName: string;
  inputs: Record<string, Tensor | undefined>;
  outputs: Tensor[];
  /** What the backward pass gets; may be changed in place while the node is new. */
  saved: Tensor[];
  gradient?: Gradient;
}

interface Engine {
  state: { activeTape: TapeNode[] | null };
  addTapeNode(...args: unknown[]): void;
}

const hooks: ((node: TapeNode) => void)[] = [];

/** Calls back with every op that is recorded from now on, the newest hook first. */
export function onRecord(hook: (node: TapeNode) => void): void {
  hooks.unshift(hook);
  if (hooks.length > 1) return;
  const engine = tf.engine() as unknown as Engine;
  const add = engine.addTapeNode.bind(engine);
  engine.addTapeNode = (...args) => {
    add(...args);
    const node = engine.state.activeTape?.at(-1);
    if (node) for (const each of hooks) each(node);
  };
}

let matching = false;

/** From the first tensor that is not float32 on. */
function beginMatching(): void {
  if (!matching) onRecord(matchGradients);
  matching = true;
}
onFirstStorage(beginMatching);
onEmulation(beginMatching);

/**
 * A gradient has the storage of what it is the gradient of: what arrives at an op is cast to the storage of its result,
 * what leaves it to that of its input, so the backward pass runs in the types of the forward pass and a float32
 * parameter gets a float32 gradient.
 */
function matchGradients(node: TapeNode): void {
  const { gradient } = node;
  if (!gradient) return;
  const out = node.outputs.map(storageIfFloat);
  const into = new Map<string, Storage>();
  for (const [name, input] of Object.entries(node.inputs)) {
    const storage = input && storageIfFloat(input);
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
