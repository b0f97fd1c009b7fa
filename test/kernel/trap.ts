/**
 * Code for cells that are stopped. A pass through `trap`, forward or backward, counts `passes` down; at 0 it prints "now" and goes
 * on, or, where `spins` is set, keeps JavaScript busy without an op. `state()` is what a stopped cell must leave unchanged.
 */
export const trapCode = `
import { customGrad, freeUnreachable, nativeMemory, tf } from "halftone";

let passes = 0;
let spins = false;
function pass() {
  if (--passes !== 0) return;
  console.log("now");
  if (spins) for (;;);
}
const trap = customGrad((x: any) => {
  pass();
  return { value: tf.clone(x) as any, gradients: (dy: any) => {
    pass();
    return [tf.clone(dy)];
  } };
}) as any;
/** Live tensors, natively and as tfjs counts them, and how deep in its own state the engine is. */
function state() {
  freeUnreachable();
  const { gradientDepth, kernelDepth, activeTape, scopeStack, activeScope } = (tf.engine() as any).state;
  return JSON.stringify([nativeMemory().tensors, tf.memory().numTensors, tf.memory().numDataBuffers,
    gradientDepth, kernelDepth, activeTape === null, scopeStack.length, activeScope === null]);
}
`;
