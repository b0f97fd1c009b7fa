// What the parameters of a model are called in transformers and PEFT.
import { leaves } from "../../tensor/tree.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import type { CheckpointLayout } from "../checkpoint-layout.ts";

/** A parameter, and the tensors of transformers that it consists of. */
export interface ForeignWeight extends CheckpointLayout {
  path: string;
}

/** A model of transformers. */
export interface ForeignModel {
  weights: readonly ForeignWeight[];
  /** PEFT's task, which decides what else of a model PEFT loads. */
  task: "SEQ_CLS" | "TOKEN_CLS" | "CAUSAL_LM" | "FEATURE_EXTRACTION" | undefined;
  /** The folder that it was read from. */
  source: string;
  /** Paths of the layers that are new for the task and are trained with an adapter. */
  taskLayers: readonly string[];
}

const models = new WeakMap<object, ForeignModel>();

/** Notes the names for the parameters of a model. */
export function nameForeign(parameters: object, model: ForeignModel): void {
  models.set(parameters, model);
}

export const foreignOf = (parameters: object): ForeignModel | undefined => models.get(parameters);

/** The layouts of a pretrained model's parameters by their paths; none for a model of this library. */
export const foreignLayouts = (parameters: object): ReadonlyMap<string, CheckpointLayout> =>
  new Map(foreignOf(parameters)?.weights.map((weight) => [weight.path, weight]));

/** A parameter, and how an adapter's file has it as a whole: as transformers does, or else as one tensor named by its path. */
export interface StoredParameter {
  path: string;
  tensor: AnyTensor;
  layout: CheckpointLayout;
}

export function storedParameters(parameters: object): StoredParameter[] {
  const layouts = foreignLayouts(parameters);
  return leaves(parameters).map(({ path, tensor }) => ({
    ...{ path, tensor },
    layout: layouts.get(path) ?? { tensors: [{ name: path, shape: tensor.shape }], isTransposed: false },
  }));
}

/** The module of a tensor, `classifier` of `classifier.weight`. */
export const moduleOf = (tensor: string): string => tensor.split(".").slice(0, -1).join(".");
