// The backward pass over tfjs' own tape. Unlike tfjs' own, it frees each saved activation and each gradient right after its
// last use, so that the peak memory of a training step does not include the gradients of all activations.
import {
  begin,
  categorize,
  engine,
  extendReach,
  type Reach,
  reach,
  setReach,
  type TapeNode,
  tf,
  unrecorded,
} from "../runtime/index.ts";
import { type Level, levelsOf, levelsOfAll, openLevels, within } from "../runtime/levels.ts";
import { run, scalarOf, scoped } from "./engine.ts";
import { shapeText } from "./names.ts";
import type { AnyTensor } from "./types/tensor.ts";
import { isEntered, sumOverLevel } from "./vmap/enter.ts";

/** Runs `f` without recording it for gradients. */
export const noGrad = <T>(f: () => T): T => unrecorded(engine, f);

/**
 * Runs `f` on a new tape, which holds no tensors for a backward pass. Returns the result and every tensor made outside `f` that `f`
 * uses.
 */
export function recordAlone<T extends AnyTensor>(f: () => T): { value: T; inputs: AnyTensor[] } {
  const { state } = engine;
  const { activeTape, gradientDepth, kernelDepth } = state;
  const outer = reach();
  const tape: TapeNode[] = [];
  const first = engine.nextTensorId();
  const inputs = new Map<number, AnyTensor>();
  const passed: Reach["passed"] = (given) => {
    for (const input of Object.values(given)) if (input && input.id < first) inputs.set(input.id, input as AnyTensor);
  };
  const open = begin(
    () => {
      setReach({ ids: new Set(), passed });
      Object.assign(state, { activeTape: tape, gradientDepth: 1, kernelDepth: 0 });
    },
    () => {
      setReach(outer);
      freeTape(tape);
      Object.assign(state, { activeTape, gradientDepth, kernelDepth });
    },
  );
  try {
    const value = scoped("checkpoint", f);
    // Of copies that ops save, and of gradients that `f` itself computes.
    for (const node of tape) passed(node.inputs);
    outer?.passed?.(Object.fromEntries(inputs));
    return { value, inputs: [...inputs.values()] };
  } finally {
    open.end();
  }
}

interface Result<A> {
  value: AnyTensor;
  aux: A;
  /** In the order of the inputs; undefined where the value does not depend on one. */
  gradients: (AnyTensor | undefined)[];
}

interface Options {
  /** The gradient of the value; ones when not given. */
  dy?: AnyTensor;
  /** Called with the value between the two passes. */
  afterForward?: ((value: AnyTensor) => void) | undefined;
}

/** The value of `f` and its gradients at some tensors. */
export function differentiate<A>(
  f: () => [AnyTensor, A],
  xs: readonly AnyTensor[],
  { dy, afterForward }: Options = {},
): Result<A> {
  const { state } = engine;
  const { kernelDepth } = state;
  const isOutermost = state.gradientDepth === 0;
  const outer = reach();
  let tape: TapeNode[] = [];
  const open = begin(
    () => {
      if (isOutermost) setReach({ ids: new Set() });
      extendReach(xs);
      // Gradients requested inside a custom op or noGrad are recorded too.
      state.kernelDepth = 0;
      engine.startTape();
      tape = state.activeTape!;
    },
    () => {
      state.kernelDepth = kernelDepth;
      if (!isOutermost) return;
      setReach(outer);
      freeTape(tape);
      if (state.activeTape === tape) state.activeTape = null;
    },
  );
  try {
    let outcome: [AnyTensor, A];
    try {
      outcome = tf.tidy("forward", f as never) as unknown as [AnyTensor, A];
    } finally {
      engine.endTape();
    }
    const [value, aux] = outcome;
    if (isOutermost) state.activeTape = null;
    afterForward?.(value);
    const gradients = scoped("backward", () => {
      const start = dy ?? (run("OnesLike", { x: value }) as AnyTensor);
      const found = backpropagate(tape, xs, value, start, isOutermost);
      if (start !== dy && !found.includes(start)) start.dispose();
      return found as AnyTensor[];
    });
    categorize(
      "gradients",
      gradients.filter((gradient) => gradient !== undefined),
    );
    return { value, aux, gradients };
  } finally {
    open.end();
  }
}

function freeTape(tape: readonly TapeNode[]): void {
  for (const node of tape) for (const tensor of node.saved) tensor.dispose();
}

/** The ids of all tensors that depend on `xs`, and of `xs` themselves. */
function reachable(tape: readonly TapeNode[], xs: readonly AnyTensor[]): Set<number> {
  const ids = new Set(xs.map((x) => x.id));
  for (const node of tape)
    if (Object.values(node.inputs).some((input) => ids.has(input.id)))
      for (const output of node.outputs) ids.add(output.id);
  return ids;
}

function backpropagate(
  tape: readonly TapeNode[],
  xs: readonly AnyTensor[],
  value: AnyTensor,
  dy: AnyTensor,
  free: boolean,
): (AnyTensor | undefined)[] {
  const connected = reachable(tape, xs);
  const wanted = new Set(xs.map((x) => x.id));
  const gradients = new Map<number, AnyTensor>();
  if (connected.has(value.id)) gradients.set(value.id, dy);
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i]!;
    const dys = node.outputs.map((output) => gradients.get(output.id));
    if (dys.some((d) => d !== undefined)) {
      accumulate(node, dys, connected, gradients);
      for (const output of node.outputs) {
        const used = gradients.get(output.id);
        if (used === undefined || wanted.has(output.id)) continue;
        gradients.delete(output.id);
        if (used !== dy) used.dispose();
      }
    }
    if (free) for (const tensor of node.saved) tensor.dispose();
  }
  return xs.map((x, i) => {
    const gradient = gradients.get(x.id);
    // A tensor listed twice gets two gradients, so that each can be disposed separately.
    const again = xs.findIndex((other) => other.id === x.id) < i;
    return gradient && again ? run("Identity", { x: gradient }) : gradient;
  });
}

/** Adds the gradients that a node gives for its inputs to those accumulated so far. */
function accumulate(
  node: TapeNode,
  dys: (AnyTensor | undefined)[],
  connected: ReadonlySet<number>,
  gradients: Map<number, AnyTensor>,
): void {
  const inputs = Object.entries(node.inputs).filter(
    ([, input]) => input.dtype === "float32" && connected.has(input.id),
  );
  if (inputs.length === 0) return;
  if (!node.gradient) throw new Error(`grad: the operation ${node.kernelName} has no gradient`);
  const { state } = engine;
  const levels = levelsOfAll([...node.outputs, ...dys]);
  const closed = node.outputs.some(isEntered) ? [] : levels.filter((level) => !openLevels().includes(level));
  // Of no element the gradient is 0; tfjs does not sum over an axis that was broadcast to size 0.
  const isEmpty = dys.every((d) => d === undefined || d.size === 0);
  const gradientsOf = () => {
    if (isEmpty) return inputs.map(([, input]) => run("ZerosLike", { x: input }));
    const byName = node.gradient!(dys);
    return inputs.map(([name, input]) => {
      const gradient = byName[name];
      if (!gradient) throw new Error(`grad: the operation ${node.kernelName} has no gradient for its input ${name}`);
      const dx = scoped("gradient", () => overExamples(gradient(), input, closed));
      if (
        dx.dtype !== "float32" ||
        dx.shape.length !== input.shape.length ||
        dx.shape.some((d, i) => d !== input.shape[i])
      )
        throw new Error(
          `grad: ${node.kernelName} gives a ${dx.dtype} gradient ${shapeText(dx)} for its input ${shapeText(input)}`,
        );
      // A gradient that is passed through or kept elsewhere must not be freed here, so it is cloned.
      return dx.scopeId === state.activeScope?.id && !dx.kept ? dx : run("Identity", { x: dx });
    });
  };
  // The gradient of an op runs inside of the vmapped functions in which the op ran.
  const made = within(levels, () => scoped(node.kernelName, gradientsOf));
  const seen = new Set<AnyTensor>();
  for (const [i, [, input]] of inputs.entries()) {
    const dx = seen.has(made[i]!) ? run("Identity", { x: made[i]! }) : made[i]!;
    seen.add(dx);
    const before = gradients.get(input.id);
    if (before === undefined) {
      gradients.set(input.id, dx);
      continue;
    }
    gradients.set(input.id, run("Add", { a: before, b: dx }));
    if (!dys.includes(before)) before.dispose();
    dx.dispose();
  }
}

/** Sums a gradient over the examples of vmaps that have returned, for an input that is the same for all of their examples. */
function overExamples(dx: AnyTensor, input: AnyTensor, closed: readonly Level[]): AnyTensor {
  let sum = dx;
  for (const level of closed) {
    if (levelsOf(input).includes(level)) continue;
    if (levelsOf(sum).includes(level)) sum = sumOverLevel(sum, level);
    else sum = run("Multiply", { a: sum, b: scalarOf(level.size, "float32") });
  }
  return sum;
}
