// Gradients of functions.
import { observed, replayed } from "../random/index.ts";
import { checkTensor, differentiable, isTaping, needsGradient, revived, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { differentiate, noGrad, recordAlone } from "./tape.ts";
import { differentiableLeaves, type Gradients, isTensor, leaves, mapTree } from "./tree.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

type Loss = TensorOperand;
/** A loss, or a loss and an auxiliary value that is returned unchanged, for instance logits. */
type Outcome<A> = Loss | readonly [loss: Loss, aux: A];

/** The value of a function, its gradients in the structure of its first argument, and its auxiliary value. */
export interface ValueAndGrad<P, A> {
  value: Tensor<[], "float32">;
  gradients: Gradients<P>;
  aux: A;
}

/**
 * A function that gives the value of `f` and its gradients with respect to the tensors of its first argument (JAX's
 * `value_and_grad`). That argument is a tree of float32 tensors or variables of any shape; the gradients have its structure and
 * shapes. `f` returns a scalar, or `[scalar, aux]`. As in JAX, the gradient of a tensor that the value does not depend on is
 * zeros, even where the value depends on no tensor of the argument; `train` refuses such a loss.
 *
 * @throws TypeError when the first argument has no tensor or one that is not float32, or the value is not a float32 tensor;
 *   ShapeError when the value has more than one element
 */
export function valueAndGrad<P, Rest extends unknown[], A = undefined>(
  f: (parameters: P, ...rest: Rest) => Outcome<A>,
): (parameters: P, ...rest: Rest) => ValueAndGrad<P, A> {
  return (parameters, ...rest) => valueAndGradOf("valueAndGrad", f, parameters, rest);
}

/** `valueAndGrad` for the function `op`, which its errors name. */
function valueAndGradOf<P, Rest extends unknown[], A>(
  op: string,
  f: (parameters: P, ...rest: Rest) => Outcome<A>,
  parameters: P,
  rest: Rest,
): ValueAndGrad<P, A> {
  const found = differentiableLeaves(op, parameters);
  const { value, aux, gradients } = differentiate(
    () => readOutcome(op, f(parameters, ...rest)),
    found.map((leaf) => leaf.tensor),
  );
  const byPath = new Map(found.map(({ path }, i) => [path, gradients[i]]));
  const tree = mapTree(parameters, (tensor, path) =>
    label(byPath.get(path) ?? run("ZerosLike", { x: tensor }), namesOf(tensor)),
  );
  return { value, gradients: tree, aux } as never;
}

function readOutcome<A>(op: string, outcome: Outcome<A>): [AnyTensor, A] {
  const [loss, aux] = (Array.isArray(outcome) ? outcome : [outcome, undefined]) as [AnyTensor, A];
  if (!isTensor(loss))
    throw new TypeError(
      `${op}: the function must return a tensor, got ${(loss as unknown) instanceof Promise ? "a promise; gradients need a synchronous function" : typeof loss}`,
    );
  if (loss.size !== 1)
    throw new ShapeError(`${op}: the function must return one number, got ${shapeText(loss)}; take its sum or mean`);
  if (loss.dtype !== "float32") throw new TypeError(`${op}: the value must be float32, got ${loss.dtype}`);
  return [loss, aux];
}

/**
 * A function that gives the gradients of `f`, which returns a scalar, with respect to its first argument (JAX's `grad`), zeros
 * for a tensor that it does not use. See `valueAndGrad`.
 *
 * @throws TypeError and ShapeError as `valueAndGrad`
 */
export function grad<P, Rest extends unknown[]>(
  f: (parameters: P, ...rest: Rest) => Loss,
): (parameters: P, ...rest: Rest) => Gradients<P> {
  return gradAs("grad", f);
}

/** `grad` for the function `op`, which its errors name. */
export function gradAs<P, Rest extends unknown[]>(
  op: string,
  f: (parameters: P, ...rest: Rest) => Loss,
): (parameters: P, ...rest: Rest) => Gradients<P> {
  return (parameters, ...rest) => {
    const { value, gradients } = valueAndGradOf(op, f, parameters, rest);
    value.dispose();
    return gradients;
  };
}

interface Custom {
  value: AnyTensor;
  /** Tensors for the backward pass. */
  keep?: AnyTensor[];
  /** The gradient of each input, given that of the value and the kept tensors; null for an input without one. */
  gradients: (dy: AnyTensor, kept: AnyTensor[]) => readonly (AnyTensor | null)[];
}

/**
 * A function of tensors of any shape with its own gradient (JAX's `custom_vjp`). `f` gives the value, tensors to keep, and a
 * function from the value's gradient to those of the inputs. It runs once, and its ops are not recorded.
 *
 * @throws TypeError, in the backward pass, when the number of gradients is not that of the inputs
 */
export function customGrad<I extends AnyTensor[]>(f: (...inputs: I) => Custom): (...inputs: I) => Tensor {
  return (...inputs) => {
    let custom: Custom;
    return differentiable("customGrad", inputs, {
      forward: () => {
        custom = f(...inputs);
        return custom.value;
      },
      keep: () => custom.keep ?? [],
      backward: (dy, kept) => {
        const given = custom.gradients(dy, kept);
        if (given.length !== inputs.length)
          throw new TypeError(
            `customGrad: expected a gradient for each of the ${inputs.length} inputs, got ${given.length}`,
          );
        return inputs.map((x, i) => () => given[i] ?? run("ZerosLike", { x }));
      },
    }) as Tensor;
  };
}

/** The same values as a constant for gradients, for a tensor of any shape (JAX's `stop_gradient`, PyTorch's `detach`). */
export function stopGradient<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function stopGradient(x: AnyTensor): AnyTensor {
  checkTensor("stopGradient", x);
  return label(
    noGrad(() => run("Identity", { x })),
    namesOf(x),
  );
}

/**
 * A function that saves no intermediate tensors for the backward pass and recomputes them there, which trades time for memory
 * (Chen et al. 2016; `torch.utils.checkpoint`). Gradients reach its arguments, trees of tensors of any shape, and the tensors
 * that it captures. The seeded generators that `f` draws from give the same numbers in the second run and are restored after it.
 */
export function checkpoint<A extends unknown[], R extends AnyTensor>(f: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    if (!isTaping()) return f(...args);
    const { result: recorded, states } = observed(() => recordAlone(() => f(...args)));
    const { value, inputs } = recorded;
    const given = leaves(args).map((leaf) => leaf.tensor);
    const floats = (tensors: readonly AnyTensor[]) => tensors.filter((x) => x.dtype === "float32");
    const used = new Set(inputs.map((x) => x.id));
    const own = new Set(given.map((x) => x.id));
    const captured = inputs.filter((x) => !own.has(x.id));
    const explicit = given.filter((x, i) => used.has(x.id) && given.indexOf(x) === i);
    const xs = [...floats(explicit), ...floats(captured)].filter(needsGradient);
    if (xs.length === 0) return value;
    const result = differentiable("checkpoint", xs, {
      forward: () => value,
      keep: () => [...given, ...captured],
      backward: (dy, kept) => {
        const copies = new Map(given.map((x, i) => [x.id, kept[i]!]));
        const again = mapTree(args, (x) => copies.get(x.id)!) as unknown as A;
        const at = xs.map((x) => copies.get(x.id) ?? x);
        return revived(captured, kept.slice(given.length), () => {
          const gradients = scoped("checkpoint", () => {
            const forward = () => replayed(states, () => f(...again));
            const outcome = differentiate(() => [forward(), undefined], at, { dy });
            return outcome.gradients.map((gradient, i) => gradient ?? run("ZerosLike", { x: at[i]! }));
          });
          return gradients.map((gradient) => () => gradient);
        });
      },
    });
    return label(result, namesOf(value)) as R;
  };
}
