// An adapter as files of PEFT.
import path from "node:path";
import { tf } from "../../runtime/index.ts";
import { fromTensor, type StoredArray } from "../../tensor/files/array.ts";
import { encodeSafetensors } from "../../tensor/files/safetensors.ts";
import { writeDurably } from "../../tensor/files/save.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { separated } from "../checkpoint-layout.ts";
import { foreignOf, moduleOf, storedParameters } from "./foreign-names.ts";
import type { AdaptedMap, LoraModel } from "./types.ts";

/** The names of the files, and what the names of the tensors begin with. */
export const files = { config: "adapter_config.json", weights: "adapter_model.safetensors" };
export const prefix = "base_model.model.";

interface Saved {
  /** The model's own parameters. */
  base: object;
  maps: readonly AdaptedMap[];
  /** The paths of parameters that are trained as a whole. */
  whole: readonly string[];
  config: LoraModel<object, never, unknown>["config"];
}

export function saveAdapter(folder: string, { base, maps, whole, config }: Saved): void {
  const foreign = foreignOf(base);
  const wholes = storedParameters(base).filter(({ path: at }) => whole.includes(at));
  const arrays = new Map<string, StoredArray>();
  const put = (name: string, x: AnyTensor) => arrays.set(`${prefix}${name}`, fromTensor(x, name));
  tf.tidy(() => {
    for (const { module, pair } of maps) {
      put(`${module}.lora_A.weight`, tf.transpose(pair.a));
      put(`${module}.lora_B.weight`, tf.transpose(pair.b));
    }
    for (const { tensor, layout } of wholes)
      for (const [i, part] of separated(tensor, layout).entries()) put(layout.tensors[i]!.name, part);
  });
  const saved = wholes.flatMap(({ layout }) => layout.tensors.map(({ name }) => name));
  // For a classification, PEFT expects the classifier in the file.
  const isComplete = foreign?.taskLayers.every((layer) => whole.includes(layer));
  const settings = {
    ...{
      peft_type: "LORA",
      task_type: (isComplete && foreign?.task) || null,
      base_model_name_or_path: foreign?.source ?? null,
    },
    ...{ r: config.rank, lora_alpha: config.alpha, lora_dropout: config.dropout, use_rslora: config.rankStabilized },
    target_modules: maps.map(({ module }) => module),
    rank_pattern: Object.fromEntries(
      maps.flatMap(({ module, pair }) => (pair.a.shape[1] === config.rank ? [] : [[module, pair.a.shape[1]]])),
    ),
    modules_to_save: saved.length > 0 ? [...new Set(saved.map(savedModule))] : null,
    fan_in_fan_out: maps.every(({ isConv1d }) => isConv1d),
    ...{ bias: "none", inference_mode: true, init_lora_weights: true },
  };
  const write = (file: string, bytes: Uint8Array) => writeDurably(path.join(folder, file), bytes);
  write(files.weights, encodeSafetensors(arrays, { format: "pt" }));
  write(files.config, Buffer.from(`${JSON.stringify(settings, undefined, 2)}\n`));
}

/** The classifiers that PEFT wraps as a whole where a task needs one. */
const classifiers = ["classifier", "score"];

/** The module that PEFT is to wrap for a tensor: a whole classifier, or else the one that has the tensor. */
function savedModule(tensor: string): string {
  const [first] = tensor.split(".");
  return classifiers.includes(first!) ? first! : moduleOf(tensor);
}
