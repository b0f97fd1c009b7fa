// The state of a model by path, as PyTorch's state_dict.
import { listNames } from "../base/list-names.ts";
import { tf, uninterrupted } from "../runtime/index.ts";
import { storageOf, to } from "../storage/index.ts";
import { sameShape } from "./engine.ts";
import { shapeText } from "./names.ts";
import { parameterList } from "./parameters.ts";
import { isTensor, leaves } from "./tree.ts";
import type { AnyTensor } from "./types/tensor.ts";

/** The tensors of a model by path, for instance `layers.0.weight`. */
export type StateDict = Record<string, AnyTensor>;

/** Options of `loadStateDict`. */
export interface LoadStateDictOptions {
  /** Whether every parameter must be in the state, and every value of the state in the parameters; true by default. */
  strict?: boolean;
}

/** The names that `loadStateDict` passed over, none with `strict`. */
export interface StateDictDifference {
  /** Parameters that the state does not have. They keep their values. */
  missing: string[];
  /** Values of the state for which there is no parameter. */
  unexpected: string[];
}

/**
 * The values of all parameters of any shape by path, those that are not trainable included (`module.state_dict()`). They do not
 * change with the parameters, and share their memory until then.
 *
 *     save("run.safetensors", { model: stateDict(model.parameters), optimizer: optimizer.stateDict() });
 *
 * @throws TypeError when there is no tensor
 */
export function stateDict(parameters: object): StateDict {
  const found = leaves(parameters);
  if (found.length === 0) throw new TypeError("stateDict: expected a tree of parameters, got one without tensors");
  return Object.fromEntries(found.map(({ path, tensor }) => [path, tensor.clone()]));
}

/**
 * Assigns saved values of any shape to parameters (`module.load_state_dict(state, strict)`), in the storage type of each
 * parameter. `state` is what `stateDict` gave, or a tree of the parameters' structure, of tensors or typed arrays. With
 * `strict: false` names may be missing or unexpected; they are returned.
 *
 * @throws RangeError, before anything is assigned, for names that are missing or unexpected, and for other shapes; TypeError for a
 *   parameter that is a plain tensor
 */
export function loadStateDict(
  parameters: object,
  state: object,
  { strict = true }: LoadStateDictOptions = {},
): StateDictDifference {
  const own = parameterList(parameters);
  const values = new Map<string, Value>();
  collect(state, "", values);
  const paths = new Set(own.map(({ name }) => name));
  const missing = own.filter(({ name }) => !values.has(name)).map(({ name }) => name);
  const unexpected = [...values.keys()].filter((path) => !paths.has(path));
  const misshaped = own.flatMap(({ name, variable }) => {
    const value = values.get(name);
    return value === undefined
      ? []
      : (difference(variable as unknown as AnyTensor, value) ?? []).map((why) => `${name} ${why}`);
  });
  const faults = [
    ...(strict && missing.length > 0 ? [`the state has nothing for ${listNames(missing)}`] : []),
    ...(strict && unexpected.length > 0 ? [`there is no parameter ${listNames(unexpected)}`] : []),
    ...(misshaped.length > 0 ? [listNames(misshaped)] : []),
  ];
  if (faults.length > 0) throw new RangeError(`loadStateDict: ${faults.join("; ")}`);
  uninterrupted(() => {
    for (const { name, variable } of own) {
      const value = values.get(name);
      if (value) tf.tidy(() => variable.assign(assignable(variable as unknown as AnyTensor, value) as never));
    }
  });
  return { missing, unexpected };
}

type Value = AnyTensor | Float32Array | Float64Array;

function collect(state: unknown, path: string, values: Map<string, Value>): void {
  if (isTensor(state) || state instanceof Float32Array || state instanceof Float64Array) values.set(path, state);
  else if (typeof state === "object" && state !== null && !ArrayBuffer.isView(state))
    for (const [key, child] of Object.entries(state)) collect(child, path === "" ? key : `${path}.${key}`, values);
}

/** What is wrong with a value for a parameter. */
function difference(variable: AnyTensor, value: Value): string[] | undefined {
  if (!isTensor(value))
    return value.length === variable.size ? undefined : [`has ${variable.size} elements, ${value.length} in the state`];
  if (value.isDisposed) return ["is disposed in the state"];
  if (value.dtype !== variable.dtype) return [`is ${variable.dtype}, ${value.dtype} in the state`];
  return sameShape(value.shape, variable.shape)
    ? undefined
    : [`has the shape ${shapeText(variable)}, ${shapeText(value)} in the state`];
}

function assignable(variable: AnyTensor, value: Value): AnyTensor {
  const given = isTensor(value) ? value : (tf.tensor(Float32Array.from(value), variable.shape) as AnyTensor);
  // A copy of the handle: `assign` takes over the tensor's data, and `to` may give the tensor itself.
  return to(given, storageOf(variable)).clone();
}
