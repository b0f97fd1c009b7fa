import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { broadcastTensor } from "../distributed/broadcast.ts";
import { place } from "../distributed/exchange.ts";
import { gatherValues } from "../distributed/gather.ts";
import { flatten, runtimeInfo, tf, unflatten, uninterrupted } from "../runtime/index.ts";
import { storageOf } from "../storage/to.ts";
import { parameterList } from "../tensor/index.ts";

/** What all workers of a training must have in common, by name. */
export type Common = Readonly<Record<string, string | number | undefined>>;

/** @throws Error in all workers, with what differs and the workers in which it does */
export function checkAgreement(own: Common, model: { readonly parameters: object }): void {
  if (place().size === 1) return;
  const parameters = parameterList(model.parameters).map(({ name, variable }) => `${name} [${variable.shape}]`);
  const all = gatherValues<Common>({ ...own, parameters: parameters.join(), TensorFlow: runtimeInfo().version });
  const [first] = all;
  for (const [worker, other] of all.entries()) {
    const name = Object.keys(first!).find((key) => other[key] !== first![key]);
    if (name === undefined) continue;
    const text = (value: string | number | undefined) => (`${value}`.length > 60 ? "another one" : `${value}`);
    throw new Error(
      `train: all workers must train the same: ${name} is ${text(first![name])} in worker 0 and ${text(other[name])} in worker ${worker}`,
    );
  }
}

/** Gives all workers the first one's parameters. */
export function shareParameters(model: { readonly parameters: object }): void {
  if (place().size === 1) return;
  const variables = parameterList(model.parameters).map(({ variable }) => variable);
  const isSingle = (variable: Variable) => variable.dtype === "float32" && storageOf(variable) === "float32";
  const single = variables.filter(isSingle);
  tf.tidy(() => {
    const values = single.length > 0 ? unflatten(broadcastTensor(flatten(single), 0) as never, single) : [];
    const others = variables.filter((variable) => !isSingle(variable));
    const made = [...values, ...others.map((variable) => broadcastTensor(variable, 0))];
    uninterrupted(() => {
      [...single, ...others].forEach((variable, i) => {
        variable.assign(made[i]!);
      });
    });
  });
}

/** Whether a signal is aborted in any worker; all of them must call it. */
export function abortedInAny(signals: boolean, signal: AbortSignal | undefined): boolean {
  return signals ? gatherValues(signal?.aborted ?? false).some(Boolean) : (signal?.aborted ?? false);
}
