// A recurrent cell over all steps of a sequence as one op, whose backward pass goes through the steps in reverse (backpropagation
// through time). One op keeps the tape to what the gradient needs, and the weight's gradient is one matrix product.
import { autocastOp } from "../../amp/index.ts";
import { differentiable, run, scoped } from "../../tensor/engine.ts";
import {
  add,
  matMul,
  matMulTransposedA,
  matMulTransposedB,
  multiply,
  reshape,
  subtract,
  sumOfColumns,
  transpose,
} from "../../tensor/primitives.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import type { Cell } from "./recurrent-cells.ts";

/** A sequence and the weights of one layer in one direction. */
export interface Recurrence {
  /** The inputs times their weight, for all steps at once: `[batch, time, gates * hidden]`. */
  projected: AnyTensor;
  /** `[hidden, gates * hidden]` */
  weight: AnyTensor;
  /** `[gates * hidden]`, added to the product of the hidden state and the weight. */
  bias: AnyTensor | undefined;
  /** The initial states, each `[batch, hidden]`. */
  states: AnyTensor[];
  /** `[batch, time]`: 1 for a token, 0 for padding, where the states stay. */
  mask: AnyTensor | undefined;
  isReverse: boolean;
}

/**
 * The hidden state after each step in the order of time, `[time, batch, hidden]`, and after them the other final states of the
 * cell, as one tensor `[time + states - 1, batch, hidden]`. Autocast runs the op in half precision as a whole, as PyTorch's does.
 */
export const recur = (cell: Cell, given: Recurrence): AnyTensor => {
  const { projected, weight, bias, states, mask } = given;
  const inputs = bias ? [projected, weight, bias, ...states] : [projected, weight, ...states];
  return autocastOp("half", (...cast: AnyTensor[]) => recurrence(cell, cast, mask, given))(...inputs);
};

function recurrence(
  cell: Cell,
  inputs: AnyTensor[],
  mask: AnyTensor | undefined,
  { bias: given, isReverse }: Recurrence,
): AnyTensor {
  const [projected, weight, ...others] = inputs as [AnyTensor, AnyTensor, ...AnyTensor[]];
  const [bias, initial] = given ? [others[0], others.slice(1)] : [undefined, others];
  const [batch, time] = projected.shape as [number, number];
  const steps = [...Array(time).keys()];
  if (isReverse) steps.reverse();

  return differentiable(cell.name, inputs, {
    captured: mask ? [mask] : [],
    forward: (save) => {
      const byTime = transpose(projected, [1, 0, 2]);
      const rows = unpack(byTime);
      byTime.dispose();
      const masks = mask && masksOf(mask);
      const hiddens: AnyTensor[] = Array(time);
      const kept: AnyTensor[] = [];
      let states = initial;
      for (const t of steps) {
        const made = scoped(cell.name, () => {
          const product = matMul(states[0]!, weight);
          const next = cell.forward(rows[t]!, product, bias, states);
          const after = masks ? next.states.map((state, i) => blended(masks[t]!, state, states[i]!)) : next.states;
          return [...after, ...next.kept];
        });
        rows[t]!.dispose();
        states = made.slice(0, initial.length);
        hiddens[t] = states[0]!;
        kept.push(...made.slice(1));
      }
      const result = run("Pack", [...hiddens, ...states.slice(1)] as never, { axis: 0 });
      save([weight, ...initial, result, ...(mask ? [mask] : []), ...kept]);
      return result;
    },
    backward: (dy, saved) => {
      const [w, ...rest] = saved as [AnyTensor, ...AnyTensor[]];
      const first = rest.slice(0, initial.length);
      const all = unpack(rest[initial.length]!);
      const masks = mask && masksOf(rest[initial.length + 1]!);
      const kept = rest.slice(initial.length + (mask ? 2 : 1));
      const width = kept.length / time;
      const dAll = unpack(dy);
      /** The states before the step at a place of `steps`. */
      const before = (place: number) =>
        place === 0
          ? first
          : [all[steps[place - 1]!]!, ...kept.slice((place - 1) * width, (place - 1) * width + initial.length - 1)];

      const dProjected: AnyTensor[] = Array(time);
      const dProducts: AnyTensor[] = Array(time);
      // The result holds the hidden state of every step, but of the other states only the last.
      let dStates: AnyTensor[] = initial.map((_, i) =>
        i === 0 ? run("ZerosLike", { x: first[0]! }) : dAll[time + i - 1]!,
      );
      for (let place = time - 1; place >= 0; place--) {
        const t = steps[place]!;
        const made = scoped(cell.name, () => {
          const total = [add(dAll[t]!, dStates[0]!), ...dStates.slice(1)];
          const [dNew, dStay] = masks ? parted(masks[t]!, total) : [total, undefined];
          const own = kept.slice(place * width + initial.length - 1, (place + 1) * width);
          const { dInput, dProduct, dBefore } = cell.backward(dNew, own, before(place));
          const through = matMulTransposedB(dProduct, w);
          const toBefore = [dBefore[0] ? add(dBefore[0], through) : through, ...dBefore.slice(1)] as AnyTensor[];
          return [dInput, dProduct, ...toBefore.map((x, i) => (dStay ? add(x, dStay[i]!) : x))];
        });
        dProjected[t] = made[0]!;
        dProducts[place] = made[1]!;
        for (const each of dStates) each.dispose();
        dStates = made.slice(2);
      }
      const rowsOf = (list: AnyTensor[]) => {
        const packed = run("Pack", list as never, { axis: 0 });
        return reshape(packed, [time * batch, packed.shape[2]!]);
      };
      const dRows = rowsOf(dProducts);
      const ofWeight = () => matMulTransposedA(rowsOf(steps.map((_, place) => before(place)[0]!)), dRows);
      return [
        () => transpose(run("Pack", dProjected as never, { axis: 0 }), [1, 0, 2]),
        ofWeight,
        ...(bias ? [() => sumOfColumns(dRows)] : []),
        ...dStates.map((dState) => () => dState),
      ];
    },
  });
}

const unpack = (x: AnyTensor): AnyTensor[] => run("Unpack", { value: x }, { axis: 0 }) as unknown as AnyTensor[];

/** For a step: 1 for a token and 0 for padding, and the opposite, each `[batch, 1]`. */
interface StepMask {
  moves: AnyTensor;
  stays: AnyTensor;
}

function masksOf(mask: AnyTensor): StepMask[] {
  const [batch, time] = mask.shape as [number, number];
  const byTime = reshape(transpose(mask, [1, 0]), [time, batch, 1]);
  const opposite = subtract(run("OnesLike", { x: byTime }), byTime);
  const stays = unpack(opposite);
  return unpack(byTime).map((moves, t) => ({ moves, stays: stays[t]! }));
}

/** The new state at tokens, the old one at padding. */
const blended = ({ moves, stays }: StepMask, after: AnyTensor, before: AnyTensor): AnyTensor =>
  add(multiply(moves, after), multiply(stays, before));

/** The gradients of the new states and of the old ones that stayed. */
const parted = ({ moves, stays }: StepMask, gradients: AnyTensor[]): [AnyTensor[], AnyTensor[]] => [
  gradients.map((dy) => multiply(moves, dy)),
  gradients.map((dy) => multiply(stays, dy)),
];
