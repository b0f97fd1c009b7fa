// Adapters that PEFT, or `save` of a model with an adapter, has written.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Variable } from "@tensorflow/tfjs-node-gpu";
import * as v from "valibot";
import { readJsonFile } from "../../base/json-file.ts";
import { listNames } from "../../base/list-names.ts";
import { nearestNames } from "../../base/nearest-names.ts";
import { tf } from "../../runtime/index.ts";
import { storageOf, to } from "../../storage/index.ts";
import { sameShape } from "../../tensor/engine.ts";
import { type StoredArray, toTensor } from "../../tensor/files/array.ts";
import { decodeSafetensors } from "../../tensor/files/safetensors.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { type CheckpointLayout, joined } from "../checkpoint-layout.ts";
import { type Parameter, parameter } from "../initialisers.ts";
import { storedParameters } from "./foreign-names.ts";
import { adapted } from "./lora.ts";
import { files, prefix } from "./save.ts";
import { linearMaps } from "./targets.ts";
import type { AdaptableModel, AdaptedMap, Lora } from "./types.ts";

const number = v.pipe(v.number(), v.finite());
const positive = v.pipe(number, v.gtValue(0, "it must be above 0"));
const patterns = v.nullish(v.record(v.string(), number), {});

/** Here and not exported, so that the declarations do not bring valibot's into every user's program. */
const adapterConfig = v.looseObject({
  peft_type: v.literal("LORA", "it is no LoRA adapter"),
  r: v.pipe(positive, v.integer("it must be an integer")),
  lora_alpha: positive,
  lora_dropout: v.optional(v.pipe(number, v.minValue(0), v.ltValue(1, "it must be below 1")), 0),
  use_rslora: v.optional(v.boolean(), false),
  alpha_pattern: patterns,
  bias: v.optional(v.literal("none", "biases that are trained with the adapter are not supported"), "none"),
  use_dora: v.optional(v.literal(false, "DoRA is not supported"), false),
  lora_bias: v.optional(v.literal(false, "lora_bias is not supported"), false),
});

/**
 * A model with an adapter that PEFT has written, `loadLora(model, "adapters/spam")`: a folder with `adapter_config.json` and
 * `adapter_model.safetensors`. What PEFT saved as a whole (`modules_to_save`) is assigned to the model's own parameters, whose
 * others are frozen.
 *
 * @throws Error, before anything is changed, when a file cannot be read, the config asks for what is not supported, or a tensor does
 *   not fit the model, with the nearest names
 */
export function loadLora<M extends AdaptableModel>(model: M, folder: string): Lora<M> {
  for (const name of Object.values(files))
    if (!existsSync(path.join(folder, name)))
      throw new Error(`loadLora: ${folder} has no ${name}: give a folder that PEFT or the save of an adapter wrote`);
  const config = readConfig(path.join(folder, files.config));
  const file = path.join(folder, files.weights);
  const { arrays } = decodeSafetensors(new Uint8Array(readFileSync(file)), file);
  const fail = (why: string): never => {
    throw new Error(`loadLora: ${file} does not fit the model: ${why}`);
  };
  const maps = new Map(linearMaps(model.parameters).map((map) => [map.module, map]));
  const pairs = new Map<string, Partial<Record<"A" | "B", StoredArray>>>();
  const wholes = new Map<string, StoredArray>();
  for (const [name, array] of arrays) {
    const own = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const [, module, half] = own.match(/^(.+)\.lora_([AB])\.weight$/) ?? [];
    if (module === undefined) wholes.set(own, array);
    else pairs.set(module, { ...pairs.get(module), [half!]: array });
  }
  const unknown = [...pairs.keys()].filter((module) => !maps.has(module));
  if (unknown.length > 0)
    fail(
      `it has no linear map ${listNames(unknown)}; the nearest are ${nearestNames(unknown[0]!, maps.keys()).join(", ")}`,
    );
  for (const [module, { A, B }] of pairs) {
    const { weight, out } = maps.get(module)!;
    const expected = [weight.shape[0]!, out];
    if (!A || !B) fail(`${module} lacks its lora_${A ? "B" : "A"}`);
    if (A!.shape[1] !== expected[0] || B!.shape[0] !== out || A!.shape[0] !== B!.shape[1])
      fail(
        `${module} is [${expected.join(", ")}], its lora_A [${A!.shape.join(", ")}] and lora_B [${B!.shape.join(", ")}]`,
      );
  }
  const assignments = wholeParameters(model.parameters, wholes, fail);
  const made = [...pairs].map(([module, { A, B }]): AdaptedMap => {
    const pair = { a: transposed(A!), b: transposed(B!) };
    return { ...maps.get(module)!, pair };
  });
  for (const { variable, parts, layout } of assignments)
    tf.tidy(() => {
      variable.assign(to(joined(parts.map(toTensor), layout), storageOf(variable)));
    });
  return adapted(model, made, {
    ...{ rank: config.r, alpha: config.lora_alpha, dropout: config.lora_dropout, rankStabilized: config.use_rslora },
    trainable: assignments.map((each) => each.path),
  });
}

function readConfig(file: string): v.InferOutput<typeof adapterConfig> {
  const parsed = v.safeParse(adapterConfig, readJsonFile("loadLora", file));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new Error(`loadLora: ${file}: ${v.getDotPath(issue) ?? "the config"}: ${issue.message}`);
  }
  if (Object.keys(parsed.output.alpha_pattern ?? {}).length > 0)
    throw new Error(`loadLora: ${file}: alpha_pattern is not supported: every change has the same alpha`);
  return parsed.output;
}

interface Assignment {
  path: string;
  variable: Variable;
  parts: StoredArray[];
  layout: CheckpointLayout;
}

/** The parameters that tensors of the file hold as a whole. */
function wholeParameters(
  parameters: object,
  wholes: ReadonlyMap<string, StoredArray>,
  fail: (why: string) => never,
): Assignment[] {
  const left = new Set(wholes.keys());
  const found = storedParameters(parameters).flatMap(({ path: at, tensor, layout }) => {
    const { tensors } = layout;
    if (!tensors.every(({ name }) => wholes.has(name))) return [];
    const parts = tensors.map(({ name, shape }) => {
      const part = wholes.get(name)!;
      left.delete(name);
      if (!sameShape(part.shape, shape))
        fail(`${name} is [${shape.join(", ")}], in the file [${part.shape.join(", ")}]`);
      return part;
    });
    return [{ path: at, variable: tensor as unknown as Variable, parts, layout }];
  });
  if (left.size > 0) fail(`it has no parameter ${listNames(left)}`);
  return found;
}

function transposed(array: StoredArray): Parameter<[number, number]> {
  return tf.tidy(() => {
    const values = to(tf.transpose(toTensor(array)) as AnyTensor, "float32");
    return parameter<[number, number]>("lora", () => values.clone(), [...values.shape]) as never;
  });
}
