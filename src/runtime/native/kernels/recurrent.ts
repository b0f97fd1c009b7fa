// One step of a recurrent cell, and its gradient. All tensors are float32, the states `[batch, hidden]`, and gates stand side by side.
import type { Tensor } from "@tensorflow/tfjs-node-gpu";
import { runKernel } from "./run-kernel.ts";

const biases = (bias: Tensor | undefined) => ({ biases: bias ? 1 : 0 });
const some = (bias: Tensor | undefined): Tensor[] => (bias ? [bias] : []);

/** The new hidden state and cell, and for the gradient the four gates and the new cell's hyperbolic tangent, `[batch, 5 * hidden]`. */
export const lstmStep = (input: Tensor, product: Tensor, bias: Tensor | undefined, cell: Tensor) =>
  runKernel("LstmCell", biases(bias), [input, product, cell, ...some(bias)], 3) as [Tensor, Tensor, Tensor];

/** The gradients of the gates' sums and of the cell before. */
export const lstmStepGradient = (dHidden: Tensor, dNext: Tensor, kept: Tensor, cell: Tensor) =>
  runKernel("LstmCellGrad", {}, [dHidden, dNext, kept, cell], 2) as [Tensor, Tensor];

/** The new hidden state, and for the gradient the three gates and the content's product, `[batch, 4 * hidden]`. */
export const gruStep = (input: Tensor, product: Tensor, bias: Tensor | undefined, hidden: Tensor) =>
  runKernel("GruCell", biases(bias), [input, product, hidden, ...some(bias)], 2) as [Tensor, Tensor];

/** The gradients of the input, of the product, and of the hidden state before apart from what reaches it through the product. */
export const gruStepGradient = (dNext: Tensor, kept: Tensor, hidden: Tensor) =>
  runKernel("GruCellGrad", {}, [dNext, kept, hidden], 3) as [Tensor, Tensor, Tensor];
