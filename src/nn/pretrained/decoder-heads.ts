// What the heads of decoders have in common.
import { affine } from "../layers/heads.ts";
import { type HeadPlan, headPlan } from "./architecture.ts";
import type { Config } from "./config.ts";
import { tokenClassifier, tokenOfSequences, vocabularyScores } from "./heads.ts";
import { linearWeights } from "./weight.ts";

/** Scores of the next token, by the embedding table where the config ties the output layer to it. */
export function languageModelHead(
  config: Config,
  { vocabularySize, features }: { vocabularySize: number; features: number },
  className: string,
  isTiedByDefault: boolean,
): HeadPlan {
  const isTied = config.boolean("tie_word_embeddings", isTiedByDefault);
  const output = linearWeights("lm_head", { in: features, out: vocabularySize, bias: false });
  return headPlan({
    className,
    weights: { ...(!isTied && { output }) },
    duplicates: isTied ? ["lm_head.weight"] : [],
    apply: (p, { x, tokens }) => vocabularyScores(x, tokens, p.output),
  });
}

/** A linear map of each token after dropout. Decoders have the rate under various names, if any. */
export const decoderTokenClassifier = (config: Config, features: number, classes: number, name: string): HeadPlan =>
  tokenClassifier(features, classes, config.number("classifier_dropout", config.number("hidden_dropout", 0.1)), name);

/** A linear map of the last token of each sequence, `score`, which has seen the others. */
export const lastTokenClassifier = (features: number, classes: number): HeadPlan =>
  headPlan({
    className: "ForSequenceClassification",
    weights: { score: linearWeights("score", { in: features, out: classes, bias: false }) },
    apply: (p, context) => affine(tokenOfSequences(context, "last"), p.score),
  });
