// Gradients of functions.
import { observed, replayed } from "../random/index.ts";
import { begin } from "../runtime/index.ts";
import { checkTensor, differentiable, isTaping, run, scoped } from "./engine.ts";
import { ShapeError } from "./errors.ts";
import { label, namesOf, shapeText } from "./names.ts";
import { differentiate, noGrad, recordAlone } from "./tape.ts";
import { differentiableLeaves, type Gradients, isTensor, leaves, mapTree } from "./tree.ts";
import type { AnyTensor, DTypeOf, ShapeOf, Tensor, TensorOperand } from "./types/tensor.ts";

type Loss = TensorOperand;
/** A loss, or a loss and something beside it that is handed back as it is (logits, say). */
type Outcome<A> = Loss | readonly [loss: Loss, aux: A];

export interface ValueAndGrad<P, A> {
  value: Tensor<[], "float32">;
  gradients: Gradients<P>;
  aux: A;
}

/**
 * A function that gives the value of `f` and its gradients with respect to every float32 tensor of its first argument,
 * a tree of tensors or variables, as a tree of the same form. `f` returns one number, or `[number, aux]`. Where the value
 * does not depend on a tensor the gradient is zeros.
 */
export function valueAndGrad<P, Rest extends unknown[], A = undefined>(
  f: (parameters: P, ...rest: Rest) => Outcome<A>,
): (parameters: P, ...rest: Rest) => ValueAndGrad<P, A> {
  return (parameters, ...rest) => {
    const found = differentiableLeaves("valueAndGrad", parameters);
    const { value, aux, gradients } = differentiate(
      () => readOutcome(f(parameters, ...rest)),
      found.map((leaf) => leaf.tensor),
    );
    const byPath = new Map(found.map(({ path }, i) => [path, gradients[i]]));
    const tree = mapTree(parameters, (tensor, path) =>
      label(byPath.get(path) ?? run("ZerosLike", { x: tensor }), namesOf(tensor)),
    );
    return { value, gradients: tree, aux } as never;
  };
}

function readOutcome<A>(outcome: Outcome<A>): [AnyTensor, A] {
  const [loss, aux] = (Array.isArray(outcome) ? outcome : [outcome, undefined]) as [AnyTensor, A];
  if (!isTensor(loss))
    throw new TypeError(
      `valueAndGrad: the function must return a tensor, got ${(loss as unknown) instanceof Promise ? "a promise; gradients need a synchronous function" : typeof loss}`,
    );
  if (loss.size !== 1)
    throw new ShapeError(
      `valueAndGrad: the function must return one number, got ${shapeText(loss)}; take its sum or mean`,
    );
  if (loss.dtype !== "float32") throw new TypeError(`valueAndGrad: the value must be float32, got ${loss.dtype}`);
  return [loss, aux];
}

/** A function that gives the gradients of `f` with respect to its first argument; see valueAndGrad. */
export function grad<P, Rest extends unknown[]>(
  f: (parameters: P, ...rest: Rest) => Loss,
): (parameters: P, ...rest: Rest) => Gradients<P> {
  const both = valueAndGrad(f);
  return (parameters, ...rest) => {
    const { value, gradients } = both(parameters, ...rest);
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

/** A function with a gradient of its own. `f` runs once and its operations are not recorded. */
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
          throw new TypeError(`customGrad: ${inputs.length} inputs need as many gradients, got ${given.length}`);
        return inputs.map((x, i) => () => given[i] ?? run("ZerosLike", { x }));
      },
    }) as Tensor;
  };
}

/** The tensor itself as far as values go, a constant as far as gradients go. */
export function stopGradient<T extends TensorOperand>(x: T): Tensor<ShapeOf<T>, DTypeOf<T>>;
export function stopGradient(x: AnyTensor): AnyTensor {
  checkTensor("stopGradient", x);
  return label(
    noGrad(() => run("Identity", { x })),
    namesOf(x),
  );
}

/**
 * A function that keeps none of its intermediate tensors for the backward pass and computes them again there (Chen et
 * al. 2016): memory for time. Gradients reach its arguments (trees of tensors) and the tensors that it uses from outside.
 * Whatever seeded generators `f` draws from give the same numbers the second time, and are then where they were before.
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
    const xs = [...floats(explicit), ...floats(captured)];
    const result = differentiable("checkpoint", xs, {
      forward: () => value,
      keep: () => [...given, ...captured],
      backward: (dy, kept) => {
        const copies = new Map(given.map((x, i) => [x.id, kept[i]!]));
        const again = mapTree(args, (x) => copies.get(x.id)!) as unknown as A;
        const at = xs.map((x) => copies.get(x.id) ?? x);
        // The tape kept the data of what the function uses from outside; the tensors themselves may be disposed of.
        const revived = captured.filter((x) => x.isDisposed) as unknown as { isDisposedInternal: boolean }[];
        const revival = (isDisposed: boolean) => () => {
          for (const x of revived) x.isDisposedInternal = isDisposed;
        };
        const open = begin(revival(false), revival(true));
        try {
          const gradients = scoped("checkpoint", () => {
            const forward = () => replayed(states, () => f(...again));
            const outcome = differentiate(() => [forward(), undefined], at, { dy });
            return outcome.gradients.map((gradient, i) => gradient ?? run("ZerosLike", { x: at[i]! }));
          });
          return gradients.map((gradient) => () => gradient);
        } finally {
          open.end();
        }
      },
    });
    return label(result, namesOf(value)) as R;
  };
}
