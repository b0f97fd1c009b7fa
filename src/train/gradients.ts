import type { Scalar, Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { isNative } from "../nn/native.ts";
import { add } from "../nn/ops/primitives.ts";
import { attribute, tf } from "../runtime/index.ts";

interface TapeNode {
  kernelName: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  saved: Tensor[];
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
}

interface TapeEngine {
  state: { activeTape: TapeNode[] | null; gradientDepth: number };
  startTape(): void;
  endTape(): void;
}

/**
 * The value of `loss` and its gradient by each variable, zeros where it does not depend on one. The caller disposes both.
 *
 * Walks the same tape as `tf.variableGrads`, which keeps every saved tensor and every intermediate gradient until the
 * whole backward pass is over. Here each is freed as soon as the walk has passed it, as PyTorch does, so the peak is the
 * saved activations and not twice that. `afterForward` is called with the value between the two passes.
 */
export function valueAndGradients(
  loss: () => Scalar,
  variables: readonly Variable[],
  afterForward?: (value: Scalar) => void,
): { value: Scalar; gradients: Tensor[] } {
  const engine = tf.engine() as unknown as TapeEngine;
  if (engine.state.gradientDepth > 0) throw new Error("valueAndGradients cannot run inside another gradient");
  engine.startTape();
  let value: Scalar | undefined;
  try {
    value = tf.tidy(loss);
  } finally {
    engine.endTape();
    if (!value) release(engine);
  }
  try {
    afterForward?.(value);
    const gradients = tf.tidy(() => backward(engine.state.activeTape ?? [], value as Scalar, variables));
    attribute("gradients", gradients);
    return { value, gradients };
  } finally {
    release(engine);
  }
}

function backward(tape: readonly TapeNode[], value: Scalar, variables: readonly Variable[]): Tensor[] {
  const reached = new Set(variables.map(({ id }) => id));
  for (const node of tape) {
    if (Object.values(node.inputs).some(({ id }) => reached.has(id)))
      for (const { id } of node.outputs) reached.add(id);
  }
  const gradients = new Map<number, Tensor>([[value.id, tf.onesLike(value)]]);
  for (const node of tape.toReversed()) {
    const dys = node.outputs.map(({ id }) => gradients.get(id) ?? null);
    if (dys.some((dy) => dy !== null) && node.outputs.some(({ id }) => reached.has(id))) {
      const owned = new Set<Tensor | null>(dys);
      for (const [x, dx] of inputGradients(node, dys, reached)) {
        accumulate(gradients, x, owned.has(dx) ? dx.clone() : dx);
        owned.add(dx);
      }
    }
    for (const dy of dys) dy?.dispose();
    for (const { id } of node.outputs) gradients.delete(id);
    for (const tensor of node.saved) tensor.dispose();
  }
  return variables.map((variable) => gradients.get(variable.id) ?? tf.zerosLike(variable));
}

function inputGradients(node: TapeNode, dys: (Tensor | null)[], reached: Set<number>): [Tensor, Tensor][] {
  const { gradient } = node;
  if (!gradient) throw new Error(`the op ${node.kernelName} has no gradient`);
  const inputs = Object.entries(node.inputs).filter(([, { id }]) => reached.has(id));
  const dxs = tf.tidy(() => {
    const made = gradient(dys);
    return inputs.map(([name]) => made[name]!());
  });
  return inputs.map(([, x], i) => [x, dxs[i]!]);
}

function accumulate(gradients: Map<number, Tensor>, x: Tensor, dx: Tensor): void {
  const before = gradients.get(x.id);
  if (!before) {
    gradients.set(x.id, dx);
    return;
  }
  gradients.set(x.id, isNative() ? add(before, dx) : tf.add(before, dx));
  before.dispose();
  dx.dispose();
}

function release(engine: TapeEngine): void {
  for (const node of engine.state.activeTape ?? []) for (const tensor of node.saved) tensor.dispose();
  engine.state.activeTape = null;
}
