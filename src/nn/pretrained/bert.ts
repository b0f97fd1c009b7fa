import { affine } from "../layers/heads.ts";
import { type Architecture, headPlan } from "./architecture.ts";
import { activationOf, type Config } from "./config.ts";
import { type EncoderNames, type EncoderPlan, encoder } from "./encoder.ts";
import { pooled, poolerHead, predictionHead } from "./encoder-heads.ts";
import { dropped, tokenClassifier } from "./heads.ts";
import { linearWeights } from "./weight.ts";

/** BERT (Devlin et al. 2019, arXiv 1810.04805). */
export const bert: Architecture = (config) => {
  const plan = bertPlan(config);
  const { features } = plan.sizes;
  const pooler = linearWeights("bert.pooler.dense", { in: features, out: features });
  return encoder({
    ...plan,
    ...{ className: "Bert", prefix: "bert." },
    heads: {
      hiddenStates: () => poolerHead(pooler),
      sequenceClassification: (classes) =>
        headPlan({
          className: "ForSequenceClassification",
          weights: { pooler, classifier: linearWeights("classifier", { in: features, out: classes }) },
          apply: (p, context) =>
            affine(dropped(pooled(p.pooler, context), plan.classifierDropout, context.options), p.classifier),
        }),
      tokenClassification: (classes) => tokenClassifier(features, classes, plan.classifierDropout),
      maskedLanguageModel: () =>
        predictionHead({
          ...{ config, ...plan, ...plan.sizes },
          dense: "cls.predictions.transform.dense",
          norm: "cls.predictions.transform.LayerNorm",
          output: "cls.predictions.decoder",
          outputBias: "cls.predictions.bias",
          outputBiasAgain: "cls.predictions.decoder.bias",
        }),
    },
  });
};

const names: EncoderNames = {
  layers: "encoder.layer",
  projections: ["attention.self.query", "attention.self.key", "attention.self.value"],
  attentionOutput: "attention.output.dense",
  attentionNorm: "attention.output.LayerNorm",
  up: "intermediate.dense",
  down: "output.dense",
  feedForwardNorm: "output.LayerNorm",
};

/** What a config of BERT or RoBERTa says. */
export function bertPlan(
  config: Config,
): Omit<EncoderPlan, "className" | "prefix" | "heads"> & { classifierDropout: number } {
  config.only("position_embedding_type", "absolute");
  config.only("is_decoder", false);
  config.only("add_cross_attention", false);
  const dropout = config.number("hidden_dropout_prob", 0.1);
  return {
    sizes: {
      vocabularySize: config.integer("vocab_size"),
      positions: config.integer("max_position_embeddings"),
      tokenTypes: config.integer("type_vocab_size", 2),
      features: config.integer("hidden_size"),
      heads: config.integer("num_attention_heads"),
      layers: config.layers("num_hidden_layers"),
      hidden: config.integer("intermediate_size"),
    },
    activation: activationOf(config, "hidden_act", "gelu"),
    epsilon: config.number("layer_norm_eps", 1e-12),
    ...{ names, dropout, attentionOutputDropout: dropout },
    attentionDropout: config.number("attention_probs_dropout_prob", 0.1),
    classifierDropout: config.number("classifier_dropout", dropout),
  };
}
