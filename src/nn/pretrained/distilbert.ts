import { relu } from "../../tensor/elementwise.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { affine } from "../layers/heads.ts";
import { type Architecture, headPlan } from "./architecture.ts";
import { activationOf } from "./config.ts";
import { encoder } from "./encoder.ts";
import { predictionHead } from "./encoder-heads.ts";
import { dropped, tokenClassifier, tokenOfSequences } from "./heads.ts";
import { linearWeights } from "./weight.ts";

/** DistilBERT (Sanh et al. 2019, arXiv 1910.01108): BERT without token types, and without dropout after attention. */
export const distilbert: Architecture = (config) => {
  config.only("sinusoidal_pos_embds", false);
  const features = config.integer("dim", 768);
  const vocabularySize = config.integer("vocab_size", 30522);
  const activation = activationOf(config, "activation", "gelu");
  const epsilon = 1e-12;
  const dropout = config.number("dropout", 0.1);
  const classifierDropout = config.number("seq_classif_dropout", 0.2);
  return encoder({
    ...{ className: "DistilBert", prefix: "distilbert.", activation, epsilon, dropout, attentionOutputDropout: 0 },
    attentionDropout: config.number("attention_dropout", 0.1),
    sizes: {
      ...{ vocabularySize, features },
      positions: config.integer("max_position_embeddings", 512),
      heads: config.integer("n_heads", 12),
      layers: config.layers("n_layers", 6),
      hidden: config.integer("hidden_dim", 3072),
    },
    names: {
      layers: "transformer.layer",
      projections: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
      attentionOutput: "attention.out_lin",
      attentionNorm: "sa_layer_norm",
      up: "ffn.lin1",
      down: "ffn.lin2",
      feedForwardNorm: "output_layer_norm",
    },
    heads: {
      sequenceClassification: (classes) =>
        headPlan({
          className: "ForSequenceClassification",
          weights: {
            dense: linearWeights("pre_classifier", { in: features, out: features }),
            classifier: linearWeights("classifier", { in: features, out: classes }),
          },
          apply(p, context) {
            const active = relu(affine(tokenOfSequences(context, "first"), p.dense)) as AnyTensor;
            return affine(dropped(active, classifierDropout, context.options), p.classifier);
          },
        }),
      tokenClassification: (classes) => tokenClassifier(features, classes, dropout),
      maskedLanguageModel: () =>
        predictionHead({
          ...{ config, features, vocabularySize, activation, epsilon },
          dense: "vocab_transform",
          norm: "vocab_layer_norm",
          output: "vocab_projector",
          outputBias: "vocab_projector.bias",
        }),
    },
  });
};
