// How sentence-transformers makes one vector of a sequence: the modules of a folder's modules.json.
import path from "node:path";
import { tf } from "../../runtime/index.ts";
import { to } from "../../storage/index.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { type HeadPlan, headPlan } from "./architecture.ts";
import { readJson, readJsonList } from "./config.ts";
import { meanOfSequences, tokenOfSequences } from "./heads.ts";

/** How vectors are made: of all tokens, of the first, or of the last, which in a decoder has seen the others. */
export interface SentencePooling {
  pooling: "mean" | "cls" | "last";
  normalize: boolean;
}

/**
 * What the modules.json of a folder says, or else the mean without normalization.
 *
 * @throws TypeError for a module or a pooling that is not supported, naming it
 */
export function readPooling(folder: string): SentencePooling {
  const file = path.join(folder, "modules.json");
  const modules = readJsonList(file) ?? [];
  const found: SentencePooling = { pooling: "mean", normalize: false };
  for (const { type, path: own = "" } of modules as { type?: string; path?: string }[]) {
    const kind = String(type).split(".").at(-1);
    if (kind === "Transformer") continue;
    if (kind === "Normalize") found.normalize = true;
    else if (kind === "Pooling") found.pooling = poolingOf(path.join(folder, own, "config.json"));
    else
      throw new TypeError(
        `pretrained: ${file} has the module ${type}, which is not supported (only Transformer, Pooling and Normalize)`,
      );
  }
  return found;
}

/** By the names of sentence-transformers. */
const poolings: Readonly<Record<string, SentencePooling["pooling"]>> = {
  ...{ mean_tokens: "mean", mean: "mean", cls_token: "cls", cls: "cls", lasttoken: "last" },
};

function poolingOf(file: string): SentencePooling["pooling"] {
  const values = readJson(file) ?? {};
  const modes = Object.entries(values)
    .filter(([name, value]) => name.startsWith("pooling_mode_") && value === true)
    .map(([name]) => name.slice("pooling_mode_".length));
  if (typeof values.pooling_mode === "string") modes.push(values.pooling_mode);
  const [mode, ...others] = modes;
  if (mode !== undefined && others.length === 0 && Object.hasOwn(poolings, mode)) return poolings[mode]!;
  throw new TypeError(
    `pretrained: ${file} pools by ${modes.join(" and ") || "nothing"}, which is not supported (only ${Object.keys(poolings).join(", ")})`,
  );
}

/** The head of sentence embeddings, which has no parameters. */
export const sentenceHead = ({ pooling, normalize }: SentencePooling): HeadPlan =>
  headPlan({
    className: "Model",
    weights: {},
    apply(_, context) {
      const pooled =
        pooling === "mean"
          ? meanOfSequences(context.x, context.batch!)
          : tokenOfSequences(context, pooling === "cls" ? "first" : "last");
      return normalize ? unit(pooled) : pooled;
    },
  });

/** Rows of length 1, as PyTorch's `normalize`. */
function unit(x: AnyTensor): AnyTensor {
  const full = to(x, "float32");
  const length = tf.sqrt(tf.sum(tf.square(full), -1, true));
  return tf.div(full, tf.maximum(length, 1e-12)) as AnyTensor;
}
