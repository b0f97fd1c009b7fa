import { inspect } from "node:util";
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import { checkPositiveInteger } from "../../base/checks.ts";
import { defineSummary, formatCount } from "../../display/define-summary.ts";
import { tf, uninterrupted } from "../../runtime/index.ts";
import { stepInput } from "../../runtime/native/capture/step-inputs.ts";
import { storageOf, to } from "../../storage/index.ts";
import { add, sub } from "../../tensor/arithmetic.ts";
import { checkRate } from "../../tensor/dropout-mask.ts";
import { countParameters, freeze, mapTree, parameterList, unfreeze } from "../../tensor/index.ts";
import { matchPaths } from "../../tensor/path-pattern.ts";
import { disposeTree } from "../../tensor/tree.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { parameter, randomFor, uniformWithin } from "../initialisers.ts";
import { type ApplyOptions, derivedOptions } from "../layer.ts";
import { dropoutAt } from "../layers/heads.ts";
import type { Decoding } from "../models/decoding.ts";
import { type Adapter, adaptedWeight, changeOf } from "../ops/adapter.ts";
import { isPure, markPure } from "../pure.ts";
import { foreignOf } from "./foreign-names.ts";
import { saveAdapter } from "./save.ts";
import { linearMaps, targetsOf } from "./targets.ts";
import type { AdaptableModel, AdaptedMap, Lora, LoraOptions, LoraParameters } from "./types.ts";

/**
 * Low-rank adaptation (Hu et al. 2022, arXiv 2106.09685; PEFT): the parameters of `model` are frozen, and each target, a linear
 * map of `[in, out]`, adds `alpha / rank * x @ a @ b` with `a: [in, rank]` and `b: [rank, out]`. `a` is drawn as in PEFT, uniform
 * within `1 / sqrt(in)`, and `b` is 0, so that the model computes the same at first.
 *
 *     const adapted = lora(model, { rank: 8, targets: ["query", "value"] });
 *     await train({ model: adapted, optimizer: adamW(adapted.parameters), batches, epochs: 1 });
 *
 * @throws RangeError for a rank that is not a positive integer, an alpha that is not positive, a dropout rate outside [0, 1), and a
 *   pattern that matches no linear map, with the nearest names; TypeError from `apply` for a target that no linear map reads, and in
 *   training while the adapter is merged
 */
export function lora<M extends AdaptableModel>(model: M, options: LoraOptions = {}): Lora<M> {
  const { rank = 8, targets, trainable } = options;
  checkPositiveInteger("lora: rank", rank);
  const settings = { ...options, rank, trainable: trainable ?? foreignOf(model.parameters)?.taskLayers };
  checkSettings(model.parameters, settings);
  const maps = targetsOf(linearMaps(model.parameters), targets);
  const rng = randomFor(options.from);
  const pairs = maps.map((map): AdaptedMap => {
    const [width] = map.weight.shape as [number, number];
    const a = parameter<[number, number]>("lora: a", uniformWithin(1 / Math.sqrt(width)), [width, rank], rng);
    return { ...map, pair: { a, b: parameter<[number, number]>("lora: b", 0, [rank, map.out]) } };
  });
  return adapted(model, pairs, settings);
}

/** The options of an adapter whose changes have been made. */
export type AdapterSettings = Omit<LoraOptions, "targets" | "from"> & { rank: number };

/** Refuses settings before anything is made or changed. */
export function checkSettings(parameters: object, { alpha = 8, dropout = 0, trainable = [] }: AdapterSettings): void {
  if (!(Number.isFinite(alpha) && alpha > 0))
    throw new RangeError(`lora: alpha must be a positive number, got ${inspect(alpha)}`);
  checkRate("lora", dropout);
  const names = parameterList(parameters).map(({ name }) => name);
  matchPaths("lora: trainable", trainable, names);
}

/** Masks of the adapter are others than those of the model under the same seed. */
const DROPOUT = 0x10fa;

/** A model with an adapter of these changes, whose settings have been checked. */
export function adapted<M extends AdaptableModel>(
  model: M,
  maps: readonly AdaptedMap[],
  { rank, alpha = 8, rankStabilized = false, dropout = 0, trainable = [] }: AdapterSettings,
): Lora<M> {
  const thawed = parameterList(model.parameters).filter(({ variable }) => variable.trainable);
  freeze(model.parameters);
  const whole = [trainable].flat().length > 0 ? unfreeze(model.parameters, trainable) : [];
  const scaleOf = (own: number) => alpha / (rankStabilized ? Math.sqrt(own) : own);
  const parameters: LoraParameters = {
    base: model.parameters,
    adapters: Object.fromEntries(maps.map(({ module, pair }) => [module, pair])),
  };
  const byPath = new Map<string, AdaptedMap[]>();
  for (const map of maps) byPath.set(map.path, [...(byPath.get(map.path) ?? []), map]);
  const state = { isMerged: false };
  let isChecked = false;

  /** The model's parameters with stand-ins for the targets. */
  const standIns = (p: LoraParameters, draw: Adapter["dropout"] = () => undefined) => {
    const adapters = new Map<string, Adapter>();
    const tree = mapTree(p.base, (weight, path) => {
      const parts = byPath.get(path)?.map(({ module, start }) => {
        const { a, b } = p.adapters[module]! as unknown as Record<"a" | "b", AnyTensor>;
        return { a, b, start, scale: scaleOf(b.shape[0]!) };
      });
      if (!parts) return weight;
      const adapter = { weight, parts, dropout: draw, isUsed: false };
      adapters.set(path, adapter);
      return adaptedWeight(adapter);
    });
    return { tree, adapters };
  };

  const apply = (p: LoraParameters, input: never, options: ApplyOptions = {}) => {
    if (options.training) stepInput(refuseMerged, state);
    if (state.isMerged) return model.apply(p.base as never, input, options);
    const own = derivedOptions(options, DROPOUT);
    const { tree, adapters } = standIns(p, () => dropoutAt(dropout, own));
    const result = model.apply(tree as never, input, options);
    if (!isChecked) checkUse(adapters);
    isChecked = true;
    return result;
  };
  const shift = (by: typeof add | typeof sub) =>
    uninterrupted(() => {
      for (const adapter of standIns(parameters).adapters.values())
        tf.tidy(() => {
          const changed = by(adapter.weight, changeOf(adapter)) as AnyTensor;
          (adapter.weight as unknown as Variable).assign(to(changed, storageOf(adapter.weight)));
        });
      state.isMerged = !state.isMerged;
    });
  const made = {
    ...{
      parameters,
      apply: isPure(model.apply) ? markPure(apply) : apply,
      config: { rank, alpha, rankStabilized, dropout },
    },
    get isMerged() {
      return state.isMerged;
    },
    merge() {
      if (!state.isMerged) shift(add);
    },
    unmerge() {
      if (state.isMerged) shift(sub);
    },
    save(folder: string) {
      if (state.isMerged) throw new TypeError("lora: the adapter is merged: unmerge it before it is saved");
      saveAdapter(folder, { base: model.parameters, maps, whole, config: made.config });
    },
    dispose() {
      disposeTree(parameters.adapters);
      for (const { variable } of thawed) variable.trainable = true;
    },
    ...("startDecoding" in model && {
      startDecoding: (p: LoraParameters, ...rest: unknown[]) =>
        (model.startDecoding as (...args: unknown[]) => Decoding)(state.isMerged ? p.base : standIns(p).tree, ...rest),
    }),
  };
  return defineSummary(made, () => {
    const count = countParameters(parameters.adapters);
    return `LoRA of rank ${rank} for ${maps.length} linear maps: ${formatCount(count)} parameters beside ${formatCount(countParameters(model.parameters))} of the model`;
  }) as never;
}

/** In a replayed step too, which does not run the rest of `apply`. */
function refuseMerged({ isMerged }: { isMerged: boolean }): void {
  if (isMerged) throw new TypeError("lora: the adapter is merged: unmerge it before training");
}

function checkUse(adapters: ReadonlyMap<string, Adapter>): void {
  const unused = [...adapters].filter(([, { isUsed }]) => !isUsed).map(([path]) => path);
  if (unused.length > 0)
    throw new TypeError(`lora: no linear map reads ${unused.join(", ")}: leave it out of the targets`);
}
