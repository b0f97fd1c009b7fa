import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";
import { checkPositiveInteger } from "../../base/checks.ts";
import { refusing, writeWhole } from "../../base/files.ts";
import { makeFolder } from "../../base/folders.ts";
import { NewFile } from "../../base/new-file.ts";
import { tf } from "../../runtime/index.ts";
import { type Storage, storageOf } from "../../storage/index.ts";
import { checkTensor } from "../../tensor/engine.ts";
import { fromTensor, type StoredArray } from "../../tensor/files/array.ts";
import { encodeSafetensors } from "../../tensor/files/safetensors.ts";
import { shapeText } from "../../tensor/names.ts";
import { parameterList } from "../../tensor/parameters.ts";
import { leaves } from "../../tensor/tree.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { type CheckpointLayout, separated } from "../checkpoint-layout.ts";
import { foreignWeights } from "./foreign-model.ts";
import { markFloats, withFloats } from "./json-floats.ts";
import type { ModelParts } from "./model-parts.ts";
import type { PretrainedParameters, SavePretrainedOptions } from "./types.ts";

/** Files beside the weights that are copied to where a model is saved. */
const COMPANIONS = [
  ...["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt"],
  ...["vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "chat_template.jinja"],
  ...["generation_config.json", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"],
];

const SINGLE = "model.safetensors";
const INDEX = `${SINGLE}.index.json`;

/** A tensor of the checkpoint: the parameter that it is a part of, and which part. */
interface Saved {
  name: string;
  bytes: number;
  read(): StoredArray;
}

/**
 * Writes a model as transformers' `save_pretrained` does. Tensors that are tied are written once. What the folder had stays until all
 * weights are on the disk.
 */
export function savePretrained(
  parts: ModelParts,
  parameters: PretrainedParameters,
  folder: string,
  options: SavePretrainedOptions = {},
): void {
  const { maxShardBytes = 1e9 } = options;
  checkPositiveInteger("save: maxShardBytes", maxShardBytes);
  if (typeof folder !== "string" || folder === "")
    throw new TypeError(`save: folder must be the name of a folder, got ${inspect(folder)}`);
  checkParameters(parts, parameters);
  refusing(folder, () => write(parts, parameters, folder, maxShardBytes), "choose another folder");
}

function write(parts: ModelParts, parameters: PretrainedParameters, folder: string, maxShardBytes: number): void {
  makeFolder(folder);
  const tensors = savedTensors(parts, parameters);
  const shards = shardsOf(tensors, maxShardBytes);
  const nameOf = (i: number) =>
    shards.length === 1 ? SINGLE : `model-${padded(i + 1)}-of-${padded(shards.length)}.safetensors`;
  const files: NewFile[] = [];
  try {
    for (const [i, shard] of shards.entries()) {
      files.push(new NewFile(path.join(folder, nameOf(i))));
      const arrays = new Map(shard.map(({ name, read }) => [name, read()]));
      writeFileSync(files.at(-1)!.handle, encodeSafetensors(arrays, { format: "pt" }));
    }
    for (const file of files) file.commit({ durable: true });
  } finally {
    for (const file of files) file[Symbol.dispose]();
  }
  if (shards.length > 1) {
    const weightMap = shards.flatMap((shard, i) => shard.map(({ name }) => [name, nameOf(i)]));
    const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    writeJson(path.join(folder, INDEX), { metadata: { total_size: total }, weight_map: Object.fromEntries(weightMap) });
  }
  removeOthers(folder, [...shards.keys()].map(nameOf), shards.length > 1);
  copyCompanions(parts.folder, folder);
  writeJson(path.join(folder, "config.json"), configToSave(parts, storageOf(parameters.tokens as AnyTensor)));
}

const padded = (n: number): string => `${n}`.padStart(5, "0");

const writeJson = (file: string, content: object): void =>
  writeWhole(file, `${withFloats(JSON.stringify(content, null, 2))}\n`);

/** @throws TypeError unless the parameters have the paths and the shapes of the model's own; Error when one was disposed */
function checkParameters({ parameters: own }: ModelParts, parameters: PretrainedParameters): void {
  const shapesOf = (tree: object) => new Map(leaves(tree).map(({ path: at, tensor }) => [at, shapeText(tensor)]));
  const [expected, found] = [shapesOf(own), shapesOf(parameters)];
  const wrong = [...new Set([...expected.keys(), ...found.keys()])].find((at) => expected.get(at) !== found.get(at));
  if (wrong !== undefined)
    throw new TypeError(
      `save: parameters must be of the model's structure, but ${wrong} is ${found.get(wrong) ?? "not there"} and not ${expected.get(wrong) ?? "one of them"}`,
    );
  for (const { path: at, tensor } of leaves(parameters)) checkTensor(`save: ${at}`, tensor);
}

/** Every tensor in the order of the parameters. */
function savedTensors(parts: ModelParts, parameters: PretrainedParameters): Saved[] {
  const variables = new Map(parameterList(parameters).map(({ name, variable }) => [name, variable as AnyTensor]));
  return foreignWeights(parts).flatMap(({ path: at, ...layout }) => {
    const variable = variables.get(at);
    // A layer that the checkpoint did not have, such as BERT's pooler.
    if (!variable) return [];
    const bytesEach = { float64: 8, float32: 4, float16: 2, bfloat16: 2 }[storageOf(variable)];
    return layout.tensors.map(({ name, shape }, i) => ({
      name,
      bytes: bytesEach * shape.reduce((product, size) => product * size, 1),
      read: () => partOf(variable, layout, i),
    }));
  });
}

/** One tensor of a parameter, in the checkpoint's layout. */
function partOf(variable: AnyTensor, layout: CheckpointLayout, i: number): StoredArray {
  // A clone, because the only tensor of a parameter may be the variable itself.
  const part = tf.tidy(() => tf.clone(separated(variable, layout)[i]!)) as AnyTensor;
  const stored = fromTensor(part, layout.tensors[i]!.name);
  part.dispose();
  return stored;
}

function shardsOf(tensors: readonly Saved[], most: number): Saved[][] {
  const shards: Saved[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    if (size + tensor.bytes > most) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)!.push(tensor);
    size += tensor.bytes;
  }
  return shards;
}

/** Removes the weights of a model that the folder had before. */
function removeOthers(folder: string, written: readonly string[], hasIndex: boolean): void {
  for (const name of readdirSync(folder)) {
    const isOld = /^model(-\d{5}-of-\d{5})?\.safetensors$/.test(name) && !written.includes(name);
    if (isOld || (name === INDEX && !hasIndex)) rmSync(path.join(folder, name));
  }
}

function copyCompanions(from: string, folder: string): void {
  if (path.resolve(from) === path.resolve(folder)) return;
  const poolings = readdirSync(from, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^\d+_\w+$/.test(entry.name))
    .map(({ name }) => path.join(name, "config.json"));
  for (const name of [...COMPANIONS, ...poolings]) {
    if (!existsSync(path.join(from, name))) continue;
    makeFolder(path.dirname(path.join(folder, name)));
    copyFileSync(path.join(from, name), path.join(folder, name));
  }
}

function configToSave({ configText, backbone, headPlan, labels }: ModelParts, dtype: Storage): object {
  const { torch_dtype: _, ...values } = JSON.parse(markFloats(configText)) as Record<string, unknown>;
  const named = labels && {
    id2label: Object.fromEntries(labels.map((name, i) => [i, name])),
    label2id: Object.fromEntries(labels.map((name, i) => [name, i])),
  };
  return { ...values, ...named, architectures: [`${backbone.className}${headPlan?.className ?? "Model"}`], dtype };
}
