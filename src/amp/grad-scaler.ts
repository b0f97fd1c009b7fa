import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { checkPositiveInteger } from "../base/checks.ts";
import { tf } from "../runtime/index.ts";
import { stepNumbers, uploaded } from "../runtime/native/capture/step-inputs.ts";
import { flatten, unflatten } from "../runtime/native/flatten.ts";
import { storageOf, to } from "../storage/to.ts";

/** Options of `GradScaler`, with PyTorch's names and defaults. */
export interface GradScalerOptions {
  /** The initial loss scale; 65536 by default. */
  initScale?: number;
  /** Factor of the scale after `growthInterval` steps without an overflow; 2 by default. */
  growthFactor?: number;
  /** Factor of the scale after a step with an overflow; 0.5 by default. */
  backoffFactor?: number;
  /** Steps without an overflow before the scale grows; 2000 by default. */
  growthInterval?: number;
  /**
   * The smallest scale. An overflow at this scale is an error, because a smaller scale would not help (as in DeepSpeed's and
   * fairseq's loss scalers). 1 by default, or `initScale` where that is smaller.
   */
  minScale?: number;
  /** If false, every method passes its input through; true by default. */
  enabled?: boolean;
}

/** The state of a scaler with the keys of PyTorch's `GradScaler.state_dict()`; empty where it is disabled. */
export interface GradScalerState {
  scale: number;
  growth_factor: number;
  backoff_factor: number;
  growth_interval: number;
  _growth_tracker: number;
}

/** A list of tensors, or a tree of them. */
export type Gradients = readonly Tensor[] | object;

/** A step of an optimizer. */
export interface OptimizerStep<Given, Result> {
  (gradients: Given, learningRate?: number): Result;
  /**
   * The same with all gradients in one vector, used where it exists because it saves ops. It is a property of `step`, so that
   * an optimizer whose `step` is replaced does not keep the old one.
   */
  flat?(gradient: Tensor1D, learningRate?: number): Result;
}

/** An object with an optimizer's `step`, which consumes the gradients and may return anything. */
export interface Stepping<Result> {
  step: OptimizerStep<Tensor[], Result>;
}

const tensorsOf = (gradients: Gradients): Tensor[] =>
  gradients instanceof tf.Tensor ? [gradients] : Object.values(gradients).flatMap(tensorsOf);

/** The progress of an optimizer between two updates, and whether one of its gradients was not finite. */
interface Stage {
  at: "unscaled" | "stepped";
  foundInf: boolean;
}

/**
 * Loss scaling as in PyTorch's `torch.amp.GradScaler`, with its names, constants and order of calls. The loss is multiplied by
 * a scale so that small gradients do not become 0 in float16, and the gradients are divided by it before the optimizer uses
 * them. A step with a gradient that is not finite is skipped, and the scale halved, down to `minScale`.
 *
 *     const { value, gradients } = valueAndGradients(() => scaler.scale(autocast("float16", loss)), variables);
 *     scaler.step(optimizer, gradients);
 *     scaler.update();
 *
 * Micikevicius et al. 2018 (arXiv 1710.03740), section 3.2.
 */
export class GradScaler {
  #scale: number;
  #growthFactor: number;
  #backoffFactor: number;
  #growthInterval: number;
  readonly #minScale: number;
  #growthTracker = 0;
  #scaled = false;
  #stages = new Map<object, Stage>();
  readonly #enabled: boolean;
  readonly #scales = (): readonly number[] => [this.#scale];

  /** @throws RangeError for a scale that is not positive and finite, a factor on the wrong side of 1, or an invalid interval */
  constructor(options: GradScalerOptions = {}) {
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000, enabled = true } = options;
    this.#enabled = enabled;
    this.#scale = checkScale("initScale", initScale);
    this.#minScale = checkScale("minScale", options.minScale ?? Math.min(1, this.#scale));
    this.#growthFactor = checkGrowth(growthFactor);
    this.#backoffFactor = checkBackoff(backoffFactor);
    this.#growthInterval = checkInterval(growthInterval);
  }

  /** The loss times the scale, in float32, elementwise. */
  scale<T extends Tensor>(loss: T): T {
    if (!this.#enabled) return loss;
    this.#scaled = true;
    const scale = stepNumbers(this.#scales);
    return tf.tidy(() => tf.mul(to(loss, "float32"), uploaded(scale, [], "float32"))) as T;
  }

  /**
   * Divides the gradients by the scale and checks whether all are finite. `step` calls it; call it before `step` only where
   * something else needs the unscaled gradients, for instance clipping. The given gradients are disposed, new ones returned.
   *
   * @throws Error when called twice for an optimizer between two updates or after its step, or for a disposed gradient;
   *   TypeError for a float16 gradient
   */
  unscale(optimizer: Stepping<unknown>, given: Gradients): Tensor[] {
    const gradients = tensorsOf(given);
    if (!this.#enabled) return gradients;
    const flat = this.#unscaleFlat(optimizer, gradients);
    return flat ? takenApart(flat, gradients) : [];
  }

  /** All gradients divided by the scale, as one vector; undefined where there are none. */
  #unscaleFlat(optimizer: Stepping<unknown>, gradients: Tensor[]): Tensor1D | undefined {
    this.#needScale("unscale");
    const stage = this.#stages.get(optimizer);
    if (stage?.at === "unscaled")
      throw new Error("unscale() has already been called on this optimizer since the last update()");
    if (stage) throw new Error("unscale() is being called after step(); call update() first");
    for (const [i, gradient] of gradients.entries()) {
      if (gradient.isDisposed) throw new Error(`unscale: gradient ${i} has already been disposed.`);
      if (storageOf(gradient) === "float16")
        throw new TypeError(
          `unscale: gradient ${i} is float16, which may underflow when divided; parameters must be float32`,
        );
    }
    const { flat, foundInf } = unscaledBy(gradients, this.#scale);
    tf.dispose(gradients);
    this.#stages.set(optimizer, { at: "unscaled", foundInf });
    return flat;
  }

  /**
   * Runs the optimizer's step unless a gradient is not finite; then the step is skipped and the result undefined. The gradients
   * are unscaled first unless `unscale` did so, and are disposed in any case. A step that throws counts as not taken: it does
   * not count towards `growthInterval`, and `step` may be called again with new gradients.
   *
   * @throws Error when called twice for an optimizer between two updates; then the gradients are not disposed
   */
  step<Result>(optimizer: Stepping<Result>, given: Gradients, learningRate?: number): Result | undefined {
    const gradients = tensorsOf(given);
    if (!this.#enabled) return optimizer.step(gradients, learningRate);
    this.#needScale("step");
    const before = this.#stages.get(optimizer);
    if (before?.at === "stepped") throw new Error("step() has already been called since the last update()");
    const flat = before ? undefined : this.#unscaleFlat(optimizer, gradients);
    const { foundInf } = this.#stages.get(optimizer)!;
    this.#stages.set(optimizer, { at: "stepped", foundInf });
    if (foundInf) {
      tf.dispose(flat ?? gradients);
      return undefined;
    }
    try {
      if (flat && optimizer.step.flat) return optimizer.step.flat(flat, learningRate);
      return optimizer.step(flat ? takenApart(flat, gradients) : gradients, learningRate);
    } catch (error) {
      this.#stages.delete(optimizer);
      throw error;
    }
  }

  /**
   * Multiplies the scale by `backoffFactor` if a gradient of any optimizer was not finite since the last update, and by
   * `growthFactor` after `growthInterval` updates in a row without one. `newScale` sets it instead.
   *
   * @throws Error when nothing was unscaled or stepped since the last update, or a gradient is not finite at the smallest
   *   scale; RangeError for a scale that is not positive and finite
   */
  update(newScale?: number): void {
    if (!this.#enabled) return;
    this.#needScale("update");
    if (newScale !== undefined) this.#scale = checkScale("newScale", newScale);
    else {
      if (this.#stages.size === 0)
        throw new Error("update: no gradients were checked since the last update(); call step() first");
      const foundInf = [...this.#stages.values()].some((stage) => stage.foundInf);
      this.#stages.clear();
      this.#grow(foundInf);
    }
    this.#stages.clear();
  }

  /** The text that `inspect` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    if (!this.#enabled) return "GradScaler, disabled";
    return `GradScaler: scale ${this.#scale}, times ${this.#growthFactor} after ${this.#growthInterval} finite steps (${this.#growthTracker} so far)`;
  }

  #grow(foundInf: boolean): void {
    if (foundInf) {
      this.#growthTracker = 0;
      if (this.#scale <= this.#minScale)
        throw new Error(
          `GradScaler: a gradient is not finite at a loss scale of ${this.#scale}, the smallest that minScale (${this.#minScale}) allows: ` +
            "lower the learning rate, clip the gradients, or set a smaller minScale",
        );
      this.#scale = Math.max(this.#minScale, Math.fround(this.#scale * this.#backoffFactor));
      return;
    }
    if (++this.#growthTracker < this.#growthInterval) return;
    const grown = Math.fround(this.#scale * this.#growthFactor);
    if (Number.isFinite(grown)) this.#scale = grown;
    this.#growthTracker = 0;
  }

  #needScale(method: string): void {
    if (!this.#scaled)
      throw new Error(`${method}() was called before scale(): was the loss multiplied by scaler.scale(loss)?`);
  }

  /** The loss scale; 1 where disabled. */
  getScale(): number {
    return this.#enabled ? this.#scale : 1;
  }

  /** The factor of the scale after `growthInterval` steps without an overflow. */
  getGrowthFactor(): number {
    return this.#growthFactor;
  }

  /** @throws RangeError for a factor that is not above 1 */
  setGrowthFactor(factor: number): void {
    this.#growthFactor = checkGrowth(factor);
  }

  /** The factor of the scale after a step with an overflow. */
  getBackoffFactor(): number {
    return this.#backoffFactor;
  }

  /** @throws RangeError for a factor outside (0, 1) */
  setBackoffFactor(factor: number): void {
    this.#backoffFactor = checkBackoff(factor);
  }

  /** Steps without an overflow before the scale grows. */
  getGrowthInterval(): number {
    return this.#growthInterval;
  }

  /** @throws RangeError for an interval that is not a positive integer */
  setGrowthInterval(interval: number): void {
    this.#growthInterval = checkInterval(interval);
  }

  /** Whether the scaler scales. */
  isEnabled(): boolean {
    return this.#enabled;
  }

  /** The state to save between two steps, after `update`. */
  stateDict(): GradScalerState | Record<string, never> {
    if (!this.#enabled) return {};
    return {
      scale: this.#scale,
      growth_factor: this.#growthFactor,
      backoff_factor: this.#backoffFactor,
      growth_interval: this.#growthInterval,
      _growth_tracker: this.#growthTracker,
    };
  }

  /**
   * Restores a saved state; changes nothing where it throws.
   *
   * @throws Error for the empty state of a disabled scaler; RangeError for invalid values
   */
  loadStateDict(state: GradScalerState | Record<string, never>): void {
    if (!this.#enabled) return;
    if (Object.keys(state).length === 0)
      throw new Error("loadStateDict: the state is empty. It may have been saved from a disabled GradScaler.");
    const { scale, growth_factor, backoff_factor, growth_interval, _growth_tracker } = state as GradScalerState;
    const tracker = _growth_tracker;
    if (!Number.isInteger(tracker) || tracker < 0)
      throw new RangeError(`loadStateDict: _growth_tracker must be an integer of at least 0, got ${tracker}`);
    const checked = [
      checkScale("scale", scale),
      checkGrowth(growth_factor),
      checkBackoff(backoff_factor),
      checkInterval(growth_interval),
    ] as const;
    [this.#scale, this.#growthFactor, this.#backoffFactor, this.#growthInterval] = checked;
    this.#growthTracker = tracker;
  }
}

/** All gradients as one vector: divided in one op and checked in two, of which one number is read back. */
function unscaledBy(gradients: Tensor[], scale: number): { flat?: Tensor1D; foundInf: boolean } {
  if (gradients.length === 0) return { foundInf: false };
  let foundInf = false;
  const flat = tf.tidy(() => {
    // The inverse of a scale above 2^126 is subnormal, which a processor may flush to 0, so it divides.
    const unscaled = tf.div(flatten(gradients), scale) as Tensor1D;
    // Checked after the division, because a scale below 1 can make an infinity.
    const allFinite = tf.all(tf.isFinite(unscaled)) as Scalar;
    foundInf = allFinite.dataSync()[0] === 0;
    return unscaled;
  });
  return { flat, foundInf };
}

function takenApart(flat: Tensor1D, gradients: Tensor[]): Tensor[] {
  const parts = unflatten(flat, gradients);
  flat.dispose();
  return parts;
}

function checkScale(name: string, value: number): number {
  const single = Math.fround(value);
  if (!(Number.isFinite(single) && single >= 2 ** -126))
    throw new RangeError(`${name} must be positive and finite in float32 (at least 2^-126), got ${value}`);
  return single;
}

function checkGrowth(value: number): number {
  if (!(value > 1 && Number.isFinite(value))) throw new RangeError(`growthFactor must be above 1, got ${value}`);
  return value;
}

function checkBackoff(value: number): number {
  if (!(value > 0 && value < 1)) throw new RangeError(`backoffFactor must lie between 0 and 1, got ${value}`);
  return value;
}

function checkInterval(value: number): number {
  checkPositiveInteger("growthInterval", value);
  return value;
}
