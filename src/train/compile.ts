import { autocastType } from "../amp/index.ts";
import { isNative, tf } from "../runtime/index.ts";
import { StepCapture } from "../runtime/native/capture/step-capture.ts";

/** Options of `compile`. */
export interface CompileOptions<Call extends unknown[], Inputs> {
  /**
   * Makes what the step computes with from the arguments of a call: tensors of its batch, a rate, a seed. It runs before the step.
   * Its tensors are disposed after the step, unless they are a part of the result.
   */
  inputs?: (...call: Call) => Inputs;
  /**
   * Whether the step's JavaScript is left out where `inputs` are all that differs from call to call; true by default. With false it runs
   * at each call, for a step that counts, prints or reads what changes elsewhere.
   */
  replay?: boolean;
}

/** A compiled step: a function of the step's arguments, or of those of `inputs`. */
export interface Compiled<Call extends unknown[], Result> {
  (...call: Call): Result;
  /**
   * The number of functions of TensorFlow it has, and of the combinations of shapes for which it has seen that they serve; how many calls
   * they computed, and in how many of these the step's JavaScript did not run. `refusal` says why the last step that has no function was computed op by op, and
   * `replayRefusal` why the JavaScript of the last step that has one runs each time.
   */
  readonly state: {
    readonly functions: number;
    readonly shapes: number;
    readonly calls: number;
    readonly replays: number;
    readonly refusal?: string;
    readonly replayRefusal?: string;
  };
}

/**
 * A step that is computed as one function of TensorFlow once it has run three times, and once with inputs of these shapes and types. The
 * function may draw from generators, take an optimizer's step and call any ops; its result is a tensor, a tree of tensors
 * and other values, or nothing. Other tensors made in it are disposed, as in `tf.tidy`. The results are those of the
 * step itself, bit for bit; on WebAssembly it is called as it is.
 *
 *     const step = compile(({ images, labels }) => crossEntropy(model.apply(model.parameters, images), labels), {
 *       inputs: (batch) => ({ images: tensor(batch.images), labels: tensor(batch.labels, { dtype: "int32" }) }),
 *     });
 *
 * The step's JavaScript runs at each call, which costs a few microseconds an op, and its ops are compared with those of the
 * function. So a call with other shapes, or one that takes another path, is computed op by op, and has a function of its own later.
 *
 * @throws TypeError when `step` is not a function, or returns a promise
 */
export function compile<Call extends unknown[], Result>(
  step: (...call: Call) => Result,
  options?: { inputs?: undefined },
): Compiled<Call, Result>;
/**
 * The same with inputs that a function makes from the arguments of each call. Once a step with inputs of some shapes has a function,
 * its JavaScript does not run again for inputs of these shapes, as with `jax.jit`: what it reads from elsewhere stays as it was when the
 * function was made, except variables, the state of optimizers, their learning rates, and generators that dropout draws from; what
 * else it changes is not changed. Values among the inputs that are not tensors are a part of the step: with other ones its JavaScript
 * runs. It also runs, at each call, where the runs before the function was made differed in more than their inputs, or the step keeps
 * tensors that it does not return: `state.replayRefusal` says so. With `replay: false` it always runs.
 *
 * Calling the compiled step throws an error for what a function cannot contain: reading a result inside of the step, a random op
 * without a seeded generator, and an op whose result has a shape that depends on values. It names the op and its layer.
 *
 * @throws TypeError when `step` is not a function, or returns a promise
 */
export function compile<Call extends unknown[], Inputs, Result>(
  step: (inputs: Inputs) => Result,
  options: { inputs: (...call: Call) => Inputs; replay?: boolean },
): Compiled<Call, Result>;
export function compile(
  step: (...inputs: unknown[]) => unknown,
  { inputs, replay = true }: CompileOptions<unknown[], unknown> = {},
): Compiled<unknown[], unknown> {
  for (const [name, given] of Object.entries({ step, ...(inputs && { inputs }) })) {
    if (typeof given !== "function") throw new TypeError(`compile: ${name} must be a function, got ${typeof given}`);
  }
  const capture = isNative() ? new StepCapture("Step") : undefined;
  const tidied = (given: readonly unknown[]) =>
    tf.tidy(() => {
      const result = step(...given);
      if (result instanceof Promise) {
        throw new TypeError("compile: the step must not be async: await what it needs before the call");
      }
      return result as never;
    }) as unknown;
  const compiled = (...call: unknown[]) =>
    tf.tidy(() => {
      const given = inputs ? [inputs(...call)] : call;
      if (!capture) return tidied(given) as never;
      const declared = inputs && replay ? { key: [autocastType()], inputs: given[0] } : undefined;
      return capture.run(() => tidied(given), { isStrict: true, replay: declared }) as never;
    }) as unknown;
  return Object.defineProperty(compiled, "state", {
    get: (): Compiled<unknown[], unknown>["state"] => {
      if (!capture)
        return { functions: 0, shapes: 0, calls: 0, replays: 0, refusal: "steps are captured on TensorFlow only" };
      const { fault: refusal, replayFault: replayRefusal, ...counts } = capture.state;
      return {
        ...counts,
        ...(refusal !== undefined && { refusal }),
        ...(replayRefusal !== undefined && { replayRefusal }),
      };
    },
  }) as Compiled<unknown[], unknown>;
}
