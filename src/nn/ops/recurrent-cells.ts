// The formulas of recurrent cells and of their gradients (torch.nn.LSTM, torch.nn.GRU).

import * as kernels from "../../runtime/native/kernels/index.ts";
import * as native from "../../runtime/native/primitives.ts";
import { run, scalarOf } from "../../tensor/engine.ts";
import { canFuse } from "../../tensor/fused.ts";
import { add, addBias, isDirect, multiply, sigmoid, subtract, tanh } from "../../tensor/primitives.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";

/** One step of a recurrent network. The first state is the hidden state. */
export interface Cell {
  name: "lstm" | "gru";
  gates: number;
  /** Whether the projected input and the product are used only in their sum, so that one bias serves for both. */
  isSum: boolean;
  /**
   * The next states from the projected input, the product of the hidden state and its weight, to which the bias is added, and the
   * states; and what `backward` needs, in one tensor where a kernel has computed it.
   */
  forward(
    input: AnyTensor,
    product: AnyTensor,
    bias: AnyTensor | undefined,
    states: readonly AnyTensor[],
  ): { states: AnyTensor[]; kept: AnyTensor[] };
  /**
   * The gradients of the projected input, of the product, and of the states before apart from what reaches the hidden state through
   * the product; undefined where nothing else does.
   */
  backward(
    dStates: readonly AnyTensor[],
    kept: readonly AnyTensor[],
    before: readonly AnyTensor[],
  ): { dInput: AnyTensor; dProduct: AnyTensor; dBefore: (AnyTensor | undefined)[] };
}

/** Long short-term memory: the gates are input, forget, cell and output (Hochreiter and Schmidhuber 1997). */
export const lstmCell: Cell = {
  name: "lstm",
  gates: 4,
  isSum: true,
  forward(input, product, bias, [, cell]) {
    if (canFuse("float32", input, product, cell!)) {
      const [hidden, next, kept] = kernels.lstmStep(input, product, bias, cell!) as AnyTensor[];
      return { states: [hidden!, next!], kept: [kept!] };
    }
    const [i, f, g, o] = parts(add(input, biased(product, bias)), 4);
    const [inputGate, forget, content, output] = [sigmoid(i!), sigmoid(f!), tanh(g!), sigmoid(o!)];
    const next = add(multiply(forget, cell!), multiply(inputGate, content));
    const squashed = tanh(next);
    return { states: [multiply(output, squashed), next], kept: [inputGate, forget, content, output, squashed] };
  },
  backward([dHidden, dCellAfter], kept, [, cell]) {
    if (kept.length === 1 && canFuse("float32", dHidden!, dCellAfter!, kept[0]!)) {
      const [dGates, dCell] = kernels.lstmStepGradient(dHidden!, dCellAfter!, kept[0]!, cell!) as AnyTensor[];
      return { dInput: dGates!, dProduct: dGates!, dBefore: [undefined, dCell] };
    }
    const [inputGate, forget, content, output, squashed] = kept.length === 1 ? parts(kept[0]!, 5) : kept;
    const dCell = add(dCellAfter!, tanhGradient(squashed!, multiply(dHidden!, output!)));
    const dGates = joined([
      sigmoidGradient(inputGate!, multiply(dCell, content!)),
      sigmoidGradient(forget!, multiply(dCell, cell!)),
      tanhGradient(content!, multiply(dCell, inputGate!)),
      sigmoidGradient(output!, multiply(dHidden!, squashed!)),
    ]);
    return { dInput: dGates, dProduct: dGates, dBefore: [undefined, multiply(dCell, forget!)] };
  },
};

/** A gated recurrent unit: the gates are reset, update and new (Cho et al. 2014). */
export const gruCell: Cell = {
  name: "gru",
  gates: 3,
  isSum: false,
  forward(input, product, bias, [hidden]) {
    if (canFuse("float32", input, product, hidden!)) {
      const [next, kept] = kernels.gruStep(input, product, bias, hidden!) as AnyTensor[];
      return { states: [next!], kept: [kept!] };
    }
    const [inputReset, inputUpdate, inputNew] = parts(input, 3);
    const [productReset, productUpdate, productNew] = parts(biased(product, bias), 3);
    const reset = sigmoid(add(inputReset!, productReset!));
    const update = sigmoid(add(inputUpdate!, productUpdate!));
    const content = tanh(add(inputNew!, multiply(reset, productNew!)));
    // (1 - update) * content + update * hidden.
    const next = add(content, multiply(update, subtract(hidden!, content)));
    return { states: [next], kept: [reset, update, content, productNew!] };
  },
  backward([dHidden], kept, [hidden]) {
    if (kept.length === 1 && canFuse("float32", dHidden!, kept[0]!)) {
      const [dInput, dProduct, dStay] = kernels.gruStepGradient(dHidden!, kept[0]!, hidden!) as AnyTensor[];
      return { dInput: dInput!, dProduct: dProduct!, dBefore: [dStay] };
    }
    const [reset, update, content, productNew] = kept.length === 1 ? parts(kept[0]!, 4) : kept;
    const dStay = multiply(dHidden!, update!);
    const dNew = tanhGradient(content!, subtract(dHidden!, dStay));
    const dReset = sigmoidGradient(reset!, multiply(dNew, productNew!));
    const dUpdate = sigmoidGradient(update!, multiply(dHidden!, subtract(hidden!, content!)));
    return {
      dInput: joined([dReset, dUpdate, dNew]),
      dProduct: joined([dReset, dUpdate, multiply(dNew, reset!)]),
      dBefore: [dStay],
    };
  },
};

const biased = (product: AnyTensor, bias: AnyTensor | undefined): AnyTensor =>
  bias ? addBias(product, bias) : product;

/** Equal parts of the columns. */
function parts(x: AnyTensor, count: number): AnyTensor[] {
  const size = x.shape[1]! / count;
  return run("SplitV", { x }, { numOrSizeSplits: Array<number>(count).fill(size), axis: 1 }) as unknown as AnyTensor[];
}

const joined = (columns: AnyTensor[]): AnyTensor => run("Concat", columns as never, { axis: 1 });

/** `dy * y * (1 - y)` for a sigmoid `y`. */
const sigmoidGradient = (y: AnyTensor, dy: AnyTensor): AnyTensor =>
  isDirect() ? native.sigmoidGradient(y, dy) : multiply(dy, multiply(y, subtract(one(), y)));

/** `dy * (1 - y * y)` for a hyperbolic tangent `y`. */
const tanhGradient = (y: AnyTensor, dy: AnyTensor): AnyTensor =>
  isDirect() ? native.tanhGradient(y, dy) : multiply(dy, subtract(one(), multiply(y, y)));

const one = (): AnyTensor => scalarOf(1, "float32");
