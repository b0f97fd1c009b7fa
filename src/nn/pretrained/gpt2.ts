import { profileScope } from "../../runtime/index.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { normalised } from "../layers/feed-forward.ts";
import { encoderLayer } from "../layers/transformer-encoder-layer.ts";
import { layerSettings } from "../layers/transformer-layer.ts";
import { throughLayers, withPositions } from "../models/transformer-parts.ts";
import { embedding } from "../ops/embedding.ts";
import { type Architecture, backbone } from "./architecture.ts";
import { activationOf, type Config } from "./config.ts";
import { decoderTokenClassifier, languageModelHead, lastTokenClassifier } from "./decoder-heads.ts";
import { linearWeights, normWeights, table } from "./weight.ts";

/** GPT-2 (Radford et al. 2019). Its linear maps are stored as `[in, out]`, with queries, keys and values side by side. */
export const gpt2: Architecture = (config) => {
  const own = gpt2Config(config);
  const { vocabularySize, maxLength, features, layers, hidden, dropout } = own;
  const settings = layerSettings("pretrained", {
    ...own,
    dropout: own.residualDropout,
    activationDropout: 0,
    normFirst: true,
  });
  const linear = (name: string, from: number, out: number) =>
    linearWeights(name, { in: from, out, isTransposed: false });
  const layer = (i: number) => {
    const name = (rest: string) => `transformer.h.${i}.${rest}`;
    return {
      attentionNorm: normWeights(name("ln_1"), features),
      projection: linear(name("attn.c_attn"), features, 3 * features),
      attentionOutput: linear(name("attn.c_proj"), features, features),
      feedForwardNorm: normWeights(name("ln_2"), features),
      up: linear(name("mlp.c_fc"), features, hidden),
      down: linear(name("mlp.c_proj"), hidden, features),
    };
  };
  return backbone({
    className: "GPT2",
    prefix: "transformer.",
    sizes: { vocabularySize, maxLength, features, heads: own.heads, layers, hidden },
    isCausal: true,
    // The causal masks of checkpoints before transformers 4.
    ignored: /\.attn\.(bias|masked_bias)$/,
    weights: {
      tokens: table("transformer.wte.weight", vocabularySize, features),
      positions: table("transformer.wpe.weight", maxLength, features),
      layers: Array.from({ length: layers }, (_, i) => layer(i)),
      norm: normWeights("transformer.ln_f", features),
    },
    run(p, { rows, time, ids, positions, mask, caches, visit }, options) {
      const at = positions as AnyTensor;
      const start = profileScope("embedding", () =>
        withPositions(() => embedding(p.tokens, ids) as AnyTensor, p.positions, at, dropout, options),
      );
      const through = (x: AnyTensor, each: (typeof p.layers)[number], i: number) =>
        encoderLayer(x, each, settings, { rows, time, mask, cache: caches?.[i] }, options);
      return normalised(throughLayers(start, p.layers, through, options, visit), p.norm, settings);
    },
    heads: {
      causalLanguageModel: () => languageModelHead(config, { vocabularySize, features }, "LMHeadModel", true),
      sequenceClassification: (classes) => lastTokenClassifier(features, classes),
      tokenClassification: (classes) => decoderTokenClassifier(config, features, classes, "classifier"),
    },
  });
};

function gpt2Config(config: Config) {
  config.only("add_cross_attention", false);
  config.only("scale_attn_weights", true);
  config.only("scale_attn_by_inverse_layer_idx", false);
  const features = config.integer(["n_embd", "hidden_size"]);
  return {
    vocabularySize: config.integer("vocab_size"),
    maxLength: config.integer(["n_positions", "max_position_embeddings", "n_ctx"]),
    features,
    heads: config.integer(["n_head", "num_attention_heads"]),
    layers: config.layers(["n_layer", "num_hidden_layers"]),
    hidden: config.integer("n_inner", 4 * features),
    activation: activationOf(config, "activation_function", "gelu_new"),
    epsilon: config.number("layer_norm_epsilon", 1e-5),
    dropout: config.number("embd_pdrop", 0.1),
    attentionDropout: config.number("attn_pdrop", 0.1),
    residualDropout: config.number("resid_pdrop", 0.1),
  };
}
