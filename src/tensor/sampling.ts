// Random choices by given probabilities. They are drawn in JavaScript, so that a seed gives the same ones on every backend.
import type { Generator } from "../random/index.ts";
import { engine } from "../runtime/index.ts";
import { levelsOf, randomLevels } from "../runtime/levels.ts";
import { readFloat64 } from "../storage/index.ts";
import { axisIndex } from "./axes.ts";
import { checkTensor, permuteTo } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { lastPlace } from "./indices.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { generatorOf, next, type RandomOptions } from "./random.ts";
import { noGrad } from "./tape.ts";
import type { Axis, AxisOf, Reduced, WithDim } from "./types/axis.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";
import { oneByOne } from "./vmap/one-by-one.ts";

/**
 * Indices drawn by weights along the last axis, which need not sum to 1: `[..., n]` gives `[..., count]`, int32 (`torch.multinomial`). Without
 * `replacement`, the default, no index is drawn twice.
 *
 * @throws RangeError for weights that are negative, infinite, NaN or all 0, for fewer weights above 0 than `count` without replacement, or for a `count`
 *   that is not an integer of at least 0; ShapeError for a scalar; TypeError when `from` is neither a seed nor a generator
 */
export function multinomial<T extends TensorOperand, const N extends number>(
  weights: T,
  count: N,
  options?: RandomOptions & { replacement?: boolean },
): Tensor<WithDim<ShapeOf<T>, -1, N>, "int32">;
export function multinomial(
  weights: AnyTensor,
  count: number,
  { replacement = false, ...options }: RandomOptions & { replacement?: boolean } = {},
): AnyTensor {
  checkTensor("multinomial", weights);
  if (weights.rank === 0) throw new ShapeError("multinomial: expected at least one axis of weights, got a scalar");
  if (!Number.isInteger(count) || count < 0)
    throw new RangeError(`multinomial: count must be an integer of at least 0, got ${count}`);
  const random = generatorOf(options);
  const drawn = eachExample("multinomial", weights, (own) => drawnOf(own, count, replacement, random));
  return label(drawn, namesOf(weights));
}

/** Inside of a vmap each example has its own draws. */
function eachExample(op: string, x: AnyTensor, f: (x: AnyTensor) => AnyTensor): AnyTensor {
  const levels = randomLevels(op);
  if (levelsOf(x).some((level) => level.randomness === "same"))
    throw new TypeError(`${op}: a vmap with the randomness "same" cannot map the probabilities; use "different"`);
  return oneByOne(op, [x], f, levels);
}

function drawnOf(weights: AnyTensor, count: number, replacement: boolean, random: Generator): AnyTensor {
  const numbers = readFloat64(weights);
  const width = weights.shape.at(-1)!;
  const rows = width === 0 ? 0 : numbers.length / width;
  const drawn = new Int32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    const own = numbers.slice(row * width, (row + 1) * width);
    checkWeights(own, replacement ? 1 : count, shapeText(weights));
    for (let i = 0; i < count; i++) {
      const index = draw(own, next(random));
      drawn[row * count + i] = index;
      if (!replacement) own[index] = 0;
    }
  }
  const shape = [...weights.shape.slice(0, -1), count];
  return engine.makeTensor(drawn, shape, "int32") as AnyTensor;
}

function checkWeights(weights: Float64Array, least: number, shape: string): void {
  const wrong = weights.find((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (wrong !== undefined) throw new RangeError(`multinomial: the weights must be finite and at least 0, got ${wrong}`);
  const positive = weights.reduce((count, weight) => count + Number(weight > 0), 0);
  if (positive < Math.max(1, least))
    throw new RangeError(
      `multinomial: a row of ${shape} has ${positive} weights above 0, fewer than the ${Math.max(1, least)} to draw`,
    );
}

/** The index at which the running sum of the weights passes a part of their sum, `at` in [0, 1). */
export function draw(weights: Float64Array, at: number): number {
  const limit = at * weights.reduce((sum, weight) => sum + weight, 0);
  let [sum, last] = [0, 0];
  for (const [i, weight] of weights.entries()) {
    if (weight === 0) continue;
    sum += weight;
    last = i;
    if (sum > limit) return i;
  }
  return last;
}

/**
 * One class drawn by the softmax of logits along one axis, the last by default: `[..., classes]` gives `[...]`, int32 (`jax.random.categorical`). Divide
 * the logits by a temperature first; a logit of -Infinity is never drawn.
 *
 * @throws RangeError for logits that are NaN, Infinity or all -Infinity; ShapeError for an unknown axis; TypeError when `from` is neither a seed nor a
 *   generator
 */
export function categorical<T extends TensorOperand, const A extends Axis = -1>(
  logits: T,
  options?: RandomOptions & { axis?: AxisOf<"categorical", ShapeOf<T>, A> },
): Tensor<Reduced<ShapeOf<T>, A>, "int32">;
export function categorical(
  logits: AnyTensor,
  { axis = -1, ...options }: RandomOptions & { axis?: Axis } = {},
): AnyTensor {
  checkTensor("categorical", logits);
  const place = axisIndex("categorical", logits, axis);
  const random = generatorOf(options);
  const moved = noGrad(() => permuteTo(logits, lastPlace(logits.rank, place).last));
  const drawn = eachExample("categorical", moved, (own) => classesOf(own, random, shapeText(logits)));
  if (moved !== logits) moved.dispose();
  return label(drawn, namesOf(logits)?.toSpliced(place, 1));
}

/** The classes of logits along the last axis. */
function classesOf(logits: AnyTensor, random: Generator, shape: string): AnyTensor {
  const numbers = readFloat64(logits);
  const width = logits.shape.at(-1)!;
  const drawn = new Int32Array(width === 0 ? 0 : numbers.length / width);
  for (let row = 0; row < drawn.length; row++) {
    const own = numbers.subarray(row * width, (row + 1) * width);
    const largest = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    if (!Number.isFinite(largest))
      throw new RangeError(
        `categorical: a row of ${shape} has the largest logit ${largest}; it must be a finite number`,
      );
    drawn[row] = draw(
      own.map((logit) => Math.exp(logit - largest)),
      next(random),
    );
  }
  return engine.makeTensor(drawn, logits.shape.slice(0, -1), "int32") as AnyTensor;
}
