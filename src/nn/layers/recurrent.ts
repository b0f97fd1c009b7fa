import { checkPositiveInteger } from "../../base/checks.ts";
import type { Random } from "../../data/random.ts";
import { defineSummary } from "../../display/define-summary.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { seededDropout } from "../../tensor/dropout.ts";
import { checkRate } from "../../tensor/dropout-mask.ts";
import { cast, checkTensor, run, sameShape } from "../../tensor/engine.ts";
import { ShapeError } from "../../tensor/errors.ts";
import { label, namesOf, shapeText } from "../../tensor/names.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { Multiply } from "../../tensor/types/number.ts";
import type { ShapeIn } from "../../tensor/types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { type Initialiser, type Parameter, parameter, randomFor, uniformWithin } from "../initialisers.ts";
import { type ApplyOptions, dropoutSeed } from "../layer.ts";
import { linear } from "../ops/linear.ts";
import { recur } from "../ops/recurrent.ts";
import { type Cell, gruCell, lstmCell } from "../ops/recurrent-cells.ts";
import { markPure } from "../pure.ts";
import { type Padded, type RecurrentShape, type StateShape, sequenceMask } from "./recurrent-sequence.ts";
import type { Ruled } from "./shape-rule.ts";
import { checkSequences, requireOptions, type ruleOf, settingsOf, summaryOf, type Taken } from "./tensor-layer.ts";

/** The options of `lstm` and `gru`. */
export interface RecurrentOptions<
  In extends number = number,
  Hidden extends number = number,
  Layers extends number = number,
  Bidirectional extends boolean = boolean,
> extends RandomOptions {
  /** The features of the input. */
  in: In;
  /** The size of the hidden state. */
  hidden: Hidden;
  /** Layers on top of each other; 1 by default. */
  layers?: Layers;
  /** Whether each layer also reads backwards; its outputs are then side by side, forwards first. False by default. */
  bidirectional?: Bidirectional;
  /** The rate of dropout between layers, in training; 0 by default. */
  dropout?: number;
  /** Whether biases are added; true by default. */
  bias?: boolean;
  /** The initial values; uniform within `1 / sqrt(hidden)` by default, as in PyTorch. */
  init?: { inputWeight?: Initialiser; hiddenWeight?: Initialiser; inputBias?: Initialiser; hiddenBias?: Initialiser };
}

/** The parameters of one layer in one direction; the gates stand side by side in PyTorch's order. */
export interface CellParameters {
  /** `[in, gates * hidden]`: PyTorch's `weight_ih`, transposed. */
  inputWeight: Parameter<[number, number]>;
  /** `[hidden, gates * hidden]`: `weight_hh`, transposed. */
  hiddenWeight: Parameter<[number, number]>;
  /** `[gates * hidden]`: `bias_ih`; absent without biases. */
  inputBias?: Parameter<[number]>;
  /** `[gates * hidden]`: `bias_hh`; absent without biases. */
  hiddenBias?: Parameter<[number]>;
}

/** The parameters of one layer: of its cell, or of two cells where it has two directions. */
export type LayerCells<Bidirectional> = [Bidirectional] extends [true]
  ? { forward: CellParameters; backward: CellParameters }
  : CellParameters;

/** The parameters of a recurrent network: those of its layer, or a list with several layers. */
export type RecurrentParameters<Layers, Bidirectional> = Layers extends 1
  ? LayerCells<Bidirectional>
  : LayerCells<Bidirectional>[];

/** What a recurrent network starts from, and which steps it skips. */
export interface Sequence<State> extends Padded {
  /** The states before the first step, zeros by default; the `state` of a result continues from there. */
  state?: State;
}

/** A recurrent network over sequences `[batch, time, in]`, whose states are `States`. */
export interface Recurrent<
  Name extends "lstm" | "gru",
  States extends string,
  In extends number,
  Hidden extends number,
  Layers extends number,
  Bidirectional extends boolean,
> {
  readonly parameters: RecurrentParameters<Layers, Bidirectional>;
  /** For types only: this property does not exist at run time. */
  readonly [ruleOf]: RecurrentShape<Name, In, Hidden, Bidirectional>;
  /**
   * The outputs of the last layer, `[batch, time, hidden]` (twice as wide with two directions), and the final states, each
   * `[layers, batch, hidden]` (with two directions `[2 * layers, batch, hidden]`: of each layer forwards, then backwards). At
   * padding outputs are 0, and the final states are those after a sequence's own last step.
   *
   * @throws ShapeError for another shape of the input, of the states or of the mask
   */
  apply<T extends TensorOperand>(
    parameters: RecurrentParameters<Layers, Bidirectional>,
    input: Taken<Ruled<RecurrentShape<Name, In, Hidden, Bidirectional>, ShapeOf<T>>, T>,
    options?: ApplyOptions,
    sequence?: Sequence<{ [S in States]: TensorOperand }>,
  ): {
    outputs: Tensor<ShapeIn<Ruled<RecurrentShape<Name, In, Hidden, Bidirectional>, ShapeOf<T>>>, "float32">;
    state: {
      [S in States]: Tensor<
        StateShape<[Bidirectional] extends [true] ? Multiply<Layers, 2> : Layers, ShapeOf<T>, Hidden>,
        "float32"
      >;
    };
  };
}

/**
 * A long short-term memory, `lstm({ in: 8, hidden: 32 })`: `[batch, time, in]` gives outputs `[batch, time, hidden]` and the final
 * states `hidden` and `cell`, `[1, batch, hidden]` (Hochreiter and Schmidhuber 1997; `torch.nn.LSTM(batch_first=True)`). Its `apply`
 * takes a mask or lengths and an initial state as fourth argument: `lstm.apply(p, x, options, { mask })`.
 *
 * @throws RangeError for a size that is not a positive integer or a dropout rate outside [0, 1); TypeError when `from` is neither a
 *   seed nor a generator; ShapeError when an initialiser gives another shape, and from `apply` for shapes that do not fit
 */
export function lstm<
  const In extends number,
  const Hidden extends number,
  const Layers extends number = 1,
  const Bidirectional extends boolean = false,
>(
  options: RecurrentOptions<In, Hidden, Layers, Bidirectional>,
): Recurrent<"lstm", "hidden" | "cell", In, Hidden, Layers, Bidirectional>;
export function lstm(options: RecurrentOptions): unknown {
  return recurrent(lstmCell, ["hidden", "cell"], options);
}

/**
 * A gated recurrent unit, `gru({ in: 8, hidden: 32 })`: `[batch, time, in]` gives outputs `[batch, time, hidden]` and the final state
 * `hidden`, `[1, batch, hidden]` (Cho et al. 2014; `torch.nn.GRU(batch_first=True)`). Its `apply` takes a mask or lengths and an
 * initial state as fourth argument: `gru.apply(p, x, options, { mask })`.
 *
 * @throws RangeError for a size that is not a positive integer or a dropout rate outside [0, 1); TypeError when `from` is neither a
 *   seed nor a generator; ShapeError when an initialiser gives another shape, and from `apply` for shapes that do not fit
 */
export function gru<
  const In extends number,
  const Hidden extends number,
  const Layers extends number = 1,
  const Bidirectional extends boolean = false,
>(
  options: RecurrentOptions<In, Hidden, Layers, Bidirectional>,
): Recurrent<"gru", "hidden", In, Hidden, Layers, Bidirectional>;
export function gru(options: RecurrentOptions): unknown {
  return recurrent(gruCell, ["hidden"], options);
}

type Directions = CellParameters | { forward: CellParameters; backward: CellParameters };

function recurrent(cell: Cell, stateNames: readonly string[], options: RecurrentOptions) {
  const { name } = cell;
  requireOptions(name, options);
  const { in: size, hidden, layers = 1, bidirectional = false, dropout = 0 } = options;
  for (const [key, value] of Object.entries({ in: size, hidden, layers }))
    checkPositiveInteger(`${name}: ${key}`, value);
  checkRate(name, dropout);
  const rng = randomFor(options.from);
  const initialCell = (width: number) => cellParameters(cell, width, options, rng);
  const made = Array.from({ length: layers }, (_, layer): Directions => {
    const width = layer === 0 ? size : bidirectional ? 2 * hidden : hidden;
    return bidirectional ? { forward: initialCell(width), backward: initialCell(width) } : initialCell(width);
  });
  const directions = bidirectional ? 2 : 1;

  const through = (
    own: Directions | Directions[],
    x: AnyTensor,
    applied: ApplyOptions,
    sequence: Sequence<unknown>,
  ) => {
    const [batch, time] = x.shape as [number, number];
    const mask = sequenceMask(name, sequence, batch, time);
    const shape = [layers * directions, batch, hidden];
    const given = stateNames.map((state) => initialState(name, state, sequence.state, shape));
    const finals: AnyTensor[][] = stateNames.map(() => []);
    let value = cast(x, "float32");
    for (const [layer, both] of (Array.isArray(own) ? own : [own]).entries()) {
      const cells = "forward" in both ? [both.forward, both.backward] : [both];
      const outputs = cells.map((p, direction) => {
        const states = given.map((state) => part(state, layer * directions + direction));
        const result = direct(cell, p, value, { states, mask, isReverse: direction === 1 });
        for (const [i, final] of result.states.entries()) finals[i]!.push(final);
        return result.outputs;
      });
      value = outputs.length > 1 ? concatenated(outputs) : outputs[0]!;
      if (applied.training && dropout > 0 && layer < layers - 1)
        value = seededDropout(value, { rate: dropout, seed: dropoutSeed(applied) });
    }
    const state = Object.fromEntries(stateNames.map((key, i) => [key, stacked(finals[i]!)]));
    return { outputs: label(value, namesOf(x)?.with(-1, undefined)), state };
  };

  const parameters = layers === 1 ? made[0]! : made;
  const apply = (
    own: Directions | Directions[],
    x: AnyTensor,
    applied: ApplyOptions = {},
    sequence: Sequence<unknown> = {},
  ) => {
    checkSequences(name, x, size);
    if (x.shape[1] === 0) throw new ShapeError(`${name}: expected at least one step, got ${shapeText(x)}`);
    return profileScope(name, () => tf.tidy(name, () => through(own, x, applied, sequence) as never));
  };
  return defineSummary({ parameters, apply: markPure(apply) }, () => summaryOf(name, settingsOf(options), parameters));
}

function cellParameters(
  { name, gates }: Cell,
  width: number,
  { hidden, bias = true, init = {} }: RecurrentOptions,
  rng: Random,
): CellParameters {
  const initial = uniformWithin(1 / Math.sqrt(hidden));
  const weight = (key: "inputWeight" | "hiddenWeight", rows: number) =>
    parameter<[number, number]>(`${name}: ${key}`, init[key] ?? initial, [rows, gates * hidden], rng);
  const vector = (key: "inputBias" | "hiddenBias") =>
    parameter<[number]>(`${name}: ${key}`, init[key] ?? initial, [gates * hidden], rng);
  const weights = { inputWeight: weight("inputWeight", width), hiddenWeight: weight("hiddenWeight", hidden) };
  return bias ? { ...weights, inputBias: vector("inputBias"), hiddenBias: vector("hiddenBias") } : weights;
}

/** One layer in one direction. The inputs of all steps are projected by one product. */
function direct(
  cell: Cell,
  p: CellParameters,
  x: AnyTensor,
  { states, mask, isReverse }: { states: AnyTensor[]; mask: AnyTensor | undefined; isReverse: boolean },
): { outputs: AnyTensor; states: AnyTensor[] } {
  const isJoined = cell.isSum && p.inputBias && p.hiddenBias;
  const bias = isJoined ? run("Add", { a: p.inputBias!, b: p.hiddenBias! }) : p.inputBias;
  const projected = linear(x, p.inputWeight, bias) as AnyTensor;
  const own = { projected, weight: p.hiddenWeight, bias: isJoined ? undefined : p.hiddenBias };
  const all = recur(cell, { ...own, states, mask, isReverse });
  projected.dispose();
  const time = x.shape[1]!;
  const [, batch, hidden] = all.shape as [number, number, number];
  const byTime = run("Slice", { x: all }, { begin: [0, 0, 0], size: [time, batch, hidden] });
  const carried = run("Transpose", { x: byTime }, { perm: [1, 0, 2] });
  const outputs = mask
    ? run("Multiply", { a: carried, b: run("Reshape", { x: mask }, { shape: [batch, time, 1] }) })
    : carried;
  const last = isReverse ? 0 : time - 1;
  return { outputs, states: states.map((_, i) => part(all, i === 0 ? last : time + i - 1)) };
}

/** The matrix at an index of the first axis, `[batch, hidden]`. */
function part(x: AnyTensor, index: number): AnyTensor {
  const [, batch, hidden] = x.shape as [number, number, number];
  const one = run("Slice", { x }, { begin: [index, 0, 0], size: [1, batch, hidden] });
  return run("Reshape", { x: one }, { shape: [batch, hidden] });
}

const concatenated = (sides: AnyTensor[]): AnyTensor => run("Concat", sides as never, { axis: 2 });
const stacked = (states: AnyTensor[]): AnyTensor => run("Pack", states as never, { axis: 0 });

function initialState(name: string, key: string, given: unknown, shape: number[]): AnyTensor {
  if (given === undefined) return tf.zeros(shape);
  const state = (given as Record<string, AnyTensor | undefined>)[key];
  if (state === undefined) throw new ShapeError(`${name}: the state has no ${key}`);
  checkTensor(name, state);
  if (!sameShape(state.shape, shape))
    throw new ShapeError(`${name}: expected the state ${key} to be [${shape.join(", ")}], got ${shapeText(state)}`);
  return state;
}
