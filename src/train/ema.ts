import type { Tensor, Variable } from "@tensorflow/tfjs-node-gpu";
import { tf, uninterrupted } from "../runtime/index.ts";
import {
  loadStateDict,
  mapTree,
  type ParametersOf,
  parameterList,
  type StateDict,
  stateDict,
  type Trainable,
} from "../tensor/index.ts";

/** Options of `ema`. */
export interface EmaOptions {
  /** The average's share in each update; 0.999 by default, as `get_ema_multi_avg_fn`. */
  decay?: number;
}

/** An exponential moving average of parameters. */
export interface Ema<P> {
  /**
   * The averages, in the structure and shapes of the parameters: `model.apply(average.parameters, batch)`. `stateDict` and `save`
   * take it as they take a model's parameters.
   */
  readonly parameters: ParametersOf<P>;
  /** Updates so far. */
  readonly updates: number;
  /** Takes the parameters' values into the average; call it after each step of the optimizer. */
  update(): void;
  /** Exchanges the values of the parameters and of the average; a second call exchanges them back. */
  swap(): void;
  /** The updates so far and the averages by path, to be saved. */
  stateDict(): EmaState;
  /** Continues from a saved state. Throws RangeError when a parameter is missing or has another shape, TypeError for what is no state. */
  loadStateDict(state: EmaState): void;
  dispose(): void;
}

/** The state of an average. */
export interface EmaState {
  updates: number;
  parameters: StateDict;
}

/**
 * An exponential moving average of a model's parameters, `average = decay * average + (1 - decay) * parameters` after each update
 * but the first, which copies them (`torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`). Variables that are not
 * trainable are copied at each update.
 *
 *     const average = ema(model.parameters);
 *     await train({ model, batches, optimizer, steps, onStep: () => average.update() });
 *     evaluate({ ...model, parameters: average.parameters }, validation);
 *
 * @throws RangeError for a decay outside [0, 1]; TypeError when a parameter is a plain tensor
 */
export function ema<P extends object>(parameters: P & Trainable<P>, { decay = 0.999 }: EmaOptions = {}): Ema<P> {
  if (!(decay >= 0 && decay <= 1)) throw new RangeError(`ema: decay must lie between 0 and 1, got ${decay}`);
  const sources = parameterList(parameters).map(({ variable }) => variable);
  if (sources.length === 0) throw new TypeError("ema: expected at least one parameter, got none");
  const averages: Variable[] = [];
  const averaged = mapTree(parameters as object, (source) => {
    const copy = tf.variable(source as Tensor, (source as unknown as Variable).trainable);
    averages.push(copy);
    return copy;
  });
  let updates = 0;

  const moved = (average: Variable, source: Variable): Tensor =>
    updates === 0 || !source.trainable ? source.clone() : tf.add(average, tf.mul(tf.sub(source, average), 1 - decay));
  return {
    parameters: averaged as unknown as ParametersOf<P>,
    get updates() {
      return updates;
    },
    update: () =>
      uninterrupted(() => {
        averages.forEach((average, i) => {
          tf.tidy(() => average.assign(moved(average, sources[i]!)));
        });
        updates++;
      }),
    swap: () =>
      uninterrupted(() => {
        averages.forEach((average, i) => {
          tf.tidy(() => {
            const before = average.clone();
            average.assign(sources[i]!.clone());
            sources[i]!.assign(before);
          });
        });
      }),
    stateDict: () => ({ updates, parameters: stateDict(averaged as object) }),
    loadStateDict(state) {
      checkState(state);
      loadStateDict(averaged as object, state.parameters);
      updates = state.updates;
    },
    dispose: () => tf.dispose(averages),
  };
}

function checkState(state: unknown): void {
  const { updates, parameters } = (state ?? {}) as Partial<EmaState>;
  if (Number.isInteger(updates) && typeof parameters === "object" && parameters !== null) return;
  const found = typeof state === "object" && state !== null ? `{ ${Object.keys(state).join(", ")} }` : String(state);
  throw new TypeError(
    `ema: loadStateDict expects what stateDict gave, { updates, parameters }, updates an integer, got ${found}`,
  );
}
