import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { random } from "../../data/random.ts";
import { ready } from "../../runtime/index.ts";
import { type Backbone, type HeadPlan, modelWeights } from "./architecture.ts";
import { architectures } from "./architectures.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { type Config, checkCommon, readConfig } from "./config.ts";
import { stopTokensOf } from "./generation-config.ts";
import { modelOfParts } from "./model.ts";
import { checkOptions } from "./options.ts";
import { planWeights, readWeights } from "./read-weights.ts";
import { readPooling, sentenceHead } from "./sentence.ts";
import { folderOf } from "./source.ts";
import type { ClassCount, Pretrained, PretrainedHead, PretrainedOptions, PretrainedParameters } from "./types.ts";

/**
 * A model of Hugging Face's transformers with its weights, `await pretrained("models/bert", { head: "sequenceClassification", classes:
 * ["ham", "spam"] })`. Its batches are those of `batches`, with ids of the tokenizer of the same folder; sequences give
 * `[sequences, classes]`, tokens `[rows, time, classes]`.
 *
 * `source` is a folder with config.json and model.safetensors, or the index of several such files, as `save_pretrained` writes it;
 * a package of npm (`npm:NAME`) or Python (`pip:NAME`) with such a folder; or a name on the Hugging Face hub.
 *
 * @throws HubError when the hub cannot give the model; TypeError for an architecture, activation or other value of config.json that
 *   is not supported, or a head that the architecture does not have; Error that names every missing, unexpected and misshaped
 *   tensor; RangeError for a number of classes that is not a positive integer. Nothing is made then
 */
export async function pretrained<
  const H extends PretrainedHead = "hiddenStates",
  const C extends number | readonly string[] = number,
>(source: string, options: PretrainedOptions<H, C> = {}): Promise<Pretrained<H, ClassCount<C>>> {
  checkOptions(source, options as PretrainedOptions);
  await ready();
  const { head = "hiddenStates", dtype = "float32", seed = 0, newHead = false } = options as PretrainedOptions;
  const folder = await folderOf(source, (options as PretrainedOptions).hub);
  const config = readConfig(folder);
  checkCommon(config);
  const backbone = architectureOf(config)(config);
  const headPlan = headOf(head, backbone, config, folder, options as PretrainedOptions);
  // All that can be refused is read before the weights.
  const labels = labelsOf(head, config, options as PretrainedOptions);
  const stopTokens = head === "causalLanguageModel" ? stopTokensOf(folder, config) : undefined;
  using checkpoint = openCheckpoint(folder);
  const plan = planWeights({ folder, backbone, headPlan, newHead, shapes: checkpoint.shapes });
  const deviation = config.number("initializer_range", 0.02);
  const weights = modelWeights(backbone, headPlan);
  const parameters = await readWeights(weights, plan, checkpoint, { dtype, rng: random(seed), deviation });
  return modelOfParts({
    folder,
    configText: readFileSync(config.file, "utf8"),
    ...{ labels, stopTokens },
    config,
    backbone,
    head,
    headPlan,
    plan,
    parameters: parameters as PretrainedParameters,
  }) as never;
}

function architectureOf(config: Config) {
  const type = config.values.model_type;
  const found = typeof type === "string" && Object.hasOwn(architectures, type) ? architectures[type] : undefined;
  if (found) return found;
  return config.refuse(`model_type ${inspect(type)} is not supported, only ${Object.keys(architectures).join(", ")}`);
}

function headOf(
  head: PretrainedHead,
  { heads, className }: Backbone,
  config: Config,
  folder: string,
  options: PretrainedOptions,
): HeadPlan | undefined {
  if (head === "sentenceEmbedding") {
    const { pooling, normalize } = options;
    const own = pooling !== undefined && normalize !== undefined ? { pooling, normalize } : readPooling(folder);
    return sentenceHead({ pooling: pooling ?? own.pooling, normalize: normalize ?? own.normalize });
  }
  const make = Object.hasOwn(heads, head) ? heads[head] : undefined;
  if (make) return make(head.endsWith("Classification") ? classCount(config, options) : 0);
  if (head === "hiddenStates") return undefined;
  const known = ["hiddenStates", "sentenceEmbedding", ...Object.keys(heads)];
  throw new TypeError(`pretrained: ${className} has no head "${head}", only ${[...new Set(known)].join(", ")}`);
}

function classCount({ values, refuse }: Config, { classes }: PretrainedOptions): number {
  if (classes !== undefined) return typeof classes === "number" ? classes : classes.length;
  const { num_labels: own, id2label: names } = values;
  if (names !== undefined && (typeof names !== "object" || names === null))
    return refuse(`id2label must be an object of the classes' names, got ${JSON.stringify(names)}`);
  const count = own ?? (names && Object.keys(names).length);
  if (count === undefined) return refuse("it names no classes: give the option classes, their number or their names");
  if (Number.isInteger(count) && (count as number) > 0) return count as number;
  return refuse(`its number of classes must be a positive integer, got ${JSON.stringify(count)}`);
}

/** The names of the classes: of the option, of a config that has as many, or else transformers' `LABEL_0` and so on. */
function labelsOf(head: PretrainedHead, config: Config, options: PretrainedOptions): readonly string[] | undefined {
  if (!head.endsWith("Classification")) return undefined;
  if (typeof options.classes === "object") return options.classes;
  const names = Object.values((config.values.id2label ?? {}) as Readonly<Record<string, unknown>>).map(String);
  const count = classCount(config, options);
  return names.length === count ? names : Array.from({ length: count }, (_, i) => `LABEL_${i}`);
}
