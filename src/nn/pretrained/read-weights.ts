import { setImmediate } from "node:timers/promises";
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import type { Random } from "../../data/random.ts";
import { stopIfInterrupted, tf } from "../../runtime/index.ts";
import { type Storage, storageOf, to } from "../../storage/index.ts";
import { sameShape } from "../../tensor/engine.ts";
import { toTensor } from "../../tensor/files/array.ts";
import { randn } from "../../tensor/random.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { joined } from "../checkpoint-layout.ts";
import type { Backbone, HeadPlan } from "./architecture.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { bareName, mapWeights, type Weight, weightList } from "./weight.ts";

/** What becomes of the parameters of a model and of the tensors of a checkpoint. */
export interface WeightPlan {
  /** Of each weight the names in the checkpoint; an empty list for one that is initialised anew. Others are left out. */
  sources: ReadonlyMap<Weight, readonly string[]>;
  /** The paths of parameters that the checkpoint lacks. */
  initialised: readonly string[];
  /** Tensors of the checkpoint that the model has no use for. */
  unused: readonly string[];
}

interface PlanInputs {
  folder: string;
  backbone: Backbone;
  headPlan: HeadPlan | undefined;
  /** Whether a head that the checkpoint has is not read. */
  newHead: boolean;
  shapes: Checkpoint["shapes"];
}

/** Most names that a message lists. */
const SHOWN = 8;

/**
 * Compares the weights of a model with the tensors of a checkpoint.
 *
 * @throws Error that names every missing, unexpected and misshaped tensor
 */
export function planWeights({ folder, backbone, headPlan: head, newHead, shapes }: PlanInputs): WeightPlan {
  const { prefix, ignored } = backbone;
  // A checkpoint of a model without a head has names without the prefix.
  const isBare = ![...shapes.keys()].some((name) => name.startsWith(prefix));
  const nameOf = (name: string) => (isBare ? bareName(name, prefix) : name);
  const sources = new Map<Weight, readonly string[]>();
  const initialised: string[] = [];
  const missing: string[] = [];
  const misshaped: string[] = [];
  let isHeadMisshaped = false;
  const taken = new Set<string>();

  // A layer of the head itself, and not one like BERT's pooler, whose name has the prefix.
  const isOwn = (group: readonly { weight: Weight }[]) =>
    group.some(({ weight }) => weight.tensors.some(({ name }) => !name.startsWith(prefix)));
  const take = (weight: Weight) => {
    for (const { name, shape } of weight.tensors) {
      const found = shapes.get(nameOf(name));
      taken.add(nameOf(name));
      if (!found) missing.push(nameOf(name));
      else if (!sameShape(found, shape))
        misshaped.push(`${nameOf(name)} is [${found.join(", ")}], not [${shape.join(", ")}]`);
    }
    sources.set(
      weight,
      weight.tensors.map(({ name }) => nameOf(name)),
    );
  };
  for (const { weight } of weightList(backbone.weights)) take(weight);
  for (const group of head ? groupsOf(head.weights) : []) {
    const isThere = group.some(({ weight }) => weight.tensors.some(({ name }) => shapes.has(nameOf(name))));
    const isOld = isThere && !(newHead && isOwn(group));
    if (isOld) {
      const faultsBefore = misshaped.length;
      for (const { weight } of group) take(weight);
      if (isOwn(group) && misshaped.length > faultsBefore) isHeadMisshaped = true;
    } else if (!head!.isOptional)
      for (const { path, weight } of group) {
        sources.set(weight, []);
        initialised.push(`head.${path}`);
      }
  }
  const duplicates = new Set(head?.duplicates?.map(nameOf));
  const left = [...shapes.keys()].filter((name) => !taken.has(name) && !duplicates.has(name) && !ignored?.test(name));
  const isLayer = (name: string) => /(^|\.)(layers?|h|blocks)\.\d+\./.test(name);
  // The layers that a config does not count are a mistake; the tensors of another head are not.
  const unexpected = left.filter(isLayer);
  const faults = [
    listed("missing", missing),
    listed("unexpected", unexpected),
    listed("of another shape", misshaped),
  ].filter((text) => text !== undefined);
  const advice = isHeadMisshaped ? "; newHead: true makes a new head" : "";
  if (faults.length > 0)
    throw new Error(`pretrained: the tensors of ${folder} do not fit its config.json: ${faults.join("; ")}${advice}`);
  return { sources, initialised, unused: left };
}

const listed = (what: string, names: readonly string[]): string | undefined => {
  if (names.length === 0) return undefined;
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${names.length} ${what}: ${names.slice(0, SHOWN).join(", ")}${more}`;
};

/** The weights of a head by the linear map or norm that they belong to. */
function groupsOf(tree: object): { path: string; weight: Weight }[][] {
  const groups = new Map<string, { path: string; weight: Weight }[]>();
  for (const each of weightList(tree)) {
    const owner = each.path.split(".").slice(0, -1).join(".");
    groups.set(owner, [...(groups.get(owner) ?? []), each]);
  }
  return [...groups.values()];
}

/** How parameters are made. */
export interface ReadOptions {
  /** The storage type; "checkpoint" keeps that of each tensor. */
  dtype: Storage | "checkpoint";
  rng: Random;
  /** The standard deviation of new weights. */
  deviation: number;
}

/** Milliseconds after which reading yields to the event loop, where Stop reaches it. */
const YIELD_EVERY = 50;

/** A tree of variables from a tree of weights. When one cannot be made, those made before are disposed. */
export async function readWeights(
  tree: object,
  { sources }: WeightPlan,
  { read }: Checkpoint,
  options: ReadOptions,
): Promise<object> {
  const made = new Map<Weight, Variable>();
  let yielded = performance.now();
  try {
    for (const { weight } of weightList(tree)) {
      const names = sources.get(weight);
      if (!names) continue;
      const value = () => (names.length > 0 ? stored(weight, names, read, options) : fresh(weight, options));
      made.set(
        weight,
        tf.tidy(() => tf.variable(value())),
      );
      if (performance.now() - yielded < YIELD_EVERY) continue;
      await setImmediate();
      stopIfInterrupted();
      yielded = performance.now();
    }
    return (mapWeights(tree, (weight) => made.get(weight)) ?? {}) as object;
  } catch (error) {
    for (const variable of made.values()) variable.dispose();
    throw error;
  }
}

/** The tensors of a weight in this library's layout. */
function stored(weight: Weight, names: readonly string[], read: Checkpoint["read"], { dtype }: ReadOptions): AnyTensor {
  const parts = names.map((name) => {
    const array = read(name);
    if (array.dtype === "float32") return toTensor(array);
    throw new TypeError(`pretrained: ${name} is ${array.dtype}: weights must be float16, bfloat16, float32 or float64`);
  });
  const storage = dtype === "checkpoint" ? storageOf(parts[0]!) : dtype;
  const converted = parts.map((part) => to(part, storage) as AnyTensor);
  return joined(converted, weight);
}

function fresh({ shape, initial }: Weight, { dtype, rng, deviation }: ReadOptions): AnyTensor {
  const values =
    initial === "normal" ? randn(shape, { from: rng, std: deviation }) : tf.fill(shape, initial === "ones" ? 1 : 0);
  return to(values as AnyTensor, dtype === "checkpoint" ? "float32" : dtype);
}
