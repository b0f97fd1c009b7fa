import type { PathPattern } from "../../tensor/path-pattern.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { Parameter } from "../initialisers.ts";
import type { ApplyOptions, Layer } from "../layer.ts";
import type { GenerativeModel } from "../models/decoding.ts";
import type { LinearMap } from "./targets.ts";

/** Options of `lora`, with the defaults of PEFT. */
export interface LoraOptions extends RandomOptions {
  /** The rank of the changes; 8 by default. */
  rank?: number;
  /** The changes are multiplied by `alpha / rank`; 8 by default. */
  alpha?: number;
  /** Multiplies by `alpha / sqrt(rank)` (rsLoRA, Kalajdzievski 2023); false by default. */
  rankStabilized?: boolean;
  /**
   * The linear maps that are changed, by the path of the weight (`"layers.*.up"`), by transformers' name or the end of it (`"query"`),
   * or a regular expression. By default projections of attention: those of queries and values in most pretrained models.
   */
  targets?: PathPattern | readonly PathPattern[];
  /** The dropout rate of the input of the changes; 0 by default. */
  dropout?: number;
  /**
   * Parameters of the model that are trained as a whole and saved with the adapter; PEFT's `modules_to_save`. By default the
   * classifier of a pretrained classification model.
   */
  trainable?: PathPattern | readonly PathPattern[];
}

/** The change of a linear map: `alpha / rank * a @ b`. */
export interface LoraPair {
  /** `[in, rank]` */
  a: Parameter<[number, number]>;
  /** `[rank, out]` */
  b: Parameter<[number, number]>;
}

/** The parameters of a model with an adapter. */
export interface LoraParameters<P extends object = object> {
  /** The model's own, which are frozen. */
  base: P;
  /** By the name of the linear map. */
  adapters: Record<string, LoraPair>;
}

/** A model that `lora` takes. */
export interface AdaptableModel {
  readonly parameters: object;
  apply(parameters: never, input: never, options?: ApplyOptions): unknown;
}

/** A model with an adapter; it is trained, evaluated and, where the model does, generates as the model itself. */
export type Lora<M extends AdaptableModel> = LoraModel<
  M["parameters"],
  Parameters<M["apply"]>[1],
  ReturnType<M["apply"]>
> &
  (M extends { startDecoding(...args: never): unknown } ? GenerativeModel<LoraParameters<M["parameters"]>> : unknown);

/** The members of a model with an adapter. */
export interface LoraModel<P extends object, In, Out> extends Layer<LoraParameters<P>, In, Out> {
  readonly config: Readonly<Required<Pick<LoraOptions, "rank" | "alpha" | "rankStabilized" | "dropout">>>;
  /**
   * What the model computes with the adapter.
   *
   * @throws TypeError where a target is not the weight of a linear map, or in training while the adapter is merged
   */
  apply(parameters: LoraParameters<P>, input: In, options?: ApplyOptions): Out;
  /** Whether the changes are a part of the model's weights. */
  readonly isMerged: boolean;
  /** Adds the changes to the weights of the model, which then computes the same without the adapter, and as fast as before. */
  merge(): void;
  /** Subtracts the changes again, which restores the weights to the rounding of a sum. */
  unmerge(): void;
  /**
   * Writes PEFT's `adapter_config.json` and `adapter_model.safetensors` into a folder.
   *
   * @throws TypeError while the adapter is merged; Error when the folder cannot be written
   */
  save(folder: string): void;
  /** Disposes the adapter, and lets the model's own parameters be trained as before. */
  dispose(): void;
}

/** A linear map with its change. */
export interface AdaptedMap extends LinearMap {
  pair: LoraPair;
}
