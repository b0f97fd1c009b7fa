import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs-node-gpu";
import { checkPositiveInteger } from "../base/checks.ts";
import { tf } from "../runtime/index.ts";
import { flatten, unflatten } from "../runtime/native/flatten.ts";
import { storageOf, to } from "../storage/to.ts";

export interface GradScalerOptions {
  /** 65536 by default. */
  initScale?: number;
  /** What the scale is multiplied by after `growthInterval` steps without an overflow; 2 by default. */
  growthFactor?: number;
  /** What it is multiplied by after a step with one; 0.5 by default. */
  backoffFactor?: number;
  /** 2000 by default. */
  growthInterval?: number;
  /**
   * The scale never falls below it: an overflow there is an error, since no smaller scale would help (as in DeepSpeed's and
   * fairseq's loss scalers). 1 by default, or `initScale` where that is smaller.
   */
  minScale?: number;
  /** Where false, every method passes through what it gets; true by default. */
  enabled?: boolean;
}

/** As PyTorch's `GradScaler.state_dict()`, key by key; empty where the scaler is disabled. */
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
   * The same with all gradients one after the other in one vector; used where it is there, since it saves an op or two for
   * each. It belongs to the step and not to the optimizer, so that a step put in its place is taken.
   */
  flat?(gradient: Tensor1D, learningRate?: number): Result;
}

/** Changes its variables by their gradients, which it takes over; gives what it likes. */
export interface Stepping<Result> {
  step: OptimizerStep<Tensor[], Result>;
}

const tensorsOf = (gradients: Gradients): Tensor[] =>
  gradients instanceof tf.Tensor ? [gradients] : Object.values(gradients).flatMap(tensorsOf);

/** An optimizer's place between two updates, and whether a gradient of it was not finite. */
interface Stage {
  at: "unscaled" | "stepped";
  foundInf: boolean;
}

/**
 * Loss scaling, as PyTorch's `torch.amp.GradScaler`, with its names, constants and order of calls: the loss is
 * multiplied so that small gradients do not vanish in float16; the gradients are divided again before the optimizer sees
 * them; a step in which one of them is not finite is left out, and the scale halved, down to `minScale`.
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

  /** @throws RangeError for a scale that is not positive and finite, factors on the wrong side of 1, or a bad interval */
  constructor(options: GradScalerOptions = {}) {
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000, enabled = true } = options;
    this.#enabled = enabled;
    this.#scale = checkScale("initScale", initScale);
    this.#minScale = checkScale("minScale", options.minScale ?? Math.min(1, this.#scale));
    this.#growthFactor = checkGrowth(growthFactor);
    this.#backoffFactor = checkBackoff(backoffFactor);
    this.#growthInterval = checkInterval(growthInterval);
  }

  /** The loss times the scale, in float32. */
  scale<T extends Tensor>(loss: T): T {
    if (!this.#enabled) return loss;
    this.#scaled = true;
    return tf.mul(to(loss, "float32"), this.#scale) as T;
  }

  /**
   * Divides the gradients by the scale and notes whether one is not finite. Called by `step`; to be called before it
   * only where something else needs the true gradients, as clipping does. Takes the gradients over and gives new ones.
   * @throws Error when called twice for an optimizer between two updates, or after its step
   */
  unscale(optimizer: Stepping<unknown>, given: Gradients): Tensor[] {
    const gradients = tensorsOf(given);
    if (!this.#enabled) return gradients;
    const flat = this.#unscaleFlat(optimizer, gradients);
    return flat ? takenApart(flat, gradients) : [];
  }

  /** All gradients divided, as one vector; undefined where there are none. */
  #unscaleFlat(optimizer: Stepping<unknown>, gradients: Tensor[]): Tensor1D | undefined {
    this.#needScale("unscale");
    const stage = this.#stages.get(optimizer);
    if (stage?.at === "unscaled")
      throw new Error("unscale() has already been called on this optimizer since the last update()");
    if (stage) throw new Error("unscale() is being called after step(); call update() first");
    for (const [i, gradient] of gradients.entries()) {
      if (gradient.isDisposed) throw new Error(`unscale: gradient ${i} was disposed before this use`);
      if (storageOf(gradient) === "float16")
        throw new TypeError(
          `unscale: gradient ${i} is float16, which may lose it when it is divided; parameters must be float32`,
        );
    }
    const { flat, foundInf } = unscaledBy(gradients, this.#scale);
    tf.dispose(gradients);
    this.#stages.set(optimizer, { at: "unscaled", foundInf });
    return flat;
  }

  /**
   * Lets the optimizer take its step, unless a gradient was not finite: then nothing changes and the result is
   * undefined. The gradients are unscaled first, if `unscale` has not done so, and are freed in any case.
   * @throws Error when called twice for an optimizer between two updates; the gradients are then left alone
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
    if (flat && optimizer.step.flat) return optimizer.step.flat(flat, learningRate);
    return optimizer.step(flat ? takenApart(flat, gradients) : gradients, learningRate);
  }

  /**
   * Halves the scale if a gradient of any optimizer was not finite since the last update; doubles it after
   * `growthInterval` updates in a row without one. `newScale` sets it instead.
   * @throws Error when nothing was unscaled or stepped since the last update, and when a gradient was not finite at the
   *   smallest scale; RangeError for a scale that is not finite
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

  /** As it is shown. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    if (!this.#enabled) return "GradScaler, disabled";
    return `GradScaler: scale ${this.#scale}, times ${this.#growthFactor} after ${this.#growthInterval} finite steps (${this.#growthTracker} so far)`;
  }

  #grow(foundInf: boolean): void {
    if (foundInf) {
      this.#growthTracker = 0;
      if (this.#scale <= this.#minScale)
        throw new Error(
          `GradScaler: a gradient is not finite at a loss scale of ${this.#scale}, and the smallest is ${this.#minScale}: ` +
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

  getScale(): number {
    return this.#enabled ? this.#scale : 1;
  }

  getGrowthFactor(): number {
    return this.#growthFactor;
  }

  setGrowthFactor(factor: number): void {
    this.#growthFactor = checkGrowth(factor);
  }

  getBackoffFactor(): number {
    return this.#backoffFactor;
  }

  setBackoffFactor(factor: number): void {
    this.#backoffFactor = checkBackoff(factor);
  }

  getGrowthInterval(): number {
    return this.#growthInterval;
  }

  setGrowthInterval(interval: number): void {
    this.#growthInterval = checkInterval(interval);
  }

  isEnabled(): boolean {
    return this.#enabled;
  }

  /** What to save between two steps, after `update`. */
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

  /** @throws Error for the empty state of a disabled scaler; RangeError for values that cannot be. Then nothing changes */
  loadStateDict(state: GradScalerState | Record<string, never>): void {
    if (!this.#enabled) return;
    if (Object.keys(state).length === 0)
      throw new Error("loadStateDict: the state is empty, perhaps saved from a disabled GradScaler");
    const { scale, growth_factor, backoff_factor, growth_interval, _growth_tracker } = state as GradScalerState;
    const tracker = _growth_tracker;
    if (!Number.isInteger(tracker) || tracker < 0)
      throw new RangeError(`loadStateDict: _growth_tracker must be a whole number from 0 on, got ${tracker}`);
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

/** All gradients as one vector: divided in one op, checked in two, and one number is read back. */
function unscaledBy(gradients: Tensor[], scale: number): { flat?: Tensor1D; foundInf: boolean } {
  if (gradients.length === 0) return { foundInf: false };
  let foundInf = false;
  const flat = tf.tidy(() => {
    // Not multiplied by the inverse: that of a scale above 2^126 is subnormal, which processors set to work fast take for 0.
    const unscaled = tf.div(flatten(gradients), scale) as Tensor1D;
    // Looked at afterwards, because a scale below 1 can make an infinity.
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
    throw new RangeError(`${name} must be positive and finite in float32, got ${value} (from 2^-126 on)`);
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
