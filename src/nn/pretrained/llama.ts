import { profileScope, tf } from "../../runtime/index.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { normalised } from "../layers/feed-forward.ts";
import { encoderLayer } from "../layers/transformer-encoder-layer.ts";
import { layerSettings } from "../layers/transformer-layer.ts";
import { throughLayers } from "../models/transformer-parts.ts";
import { windowed } from "../ops/attention-mask.ts";
import { embedding } from "../ops/embedding.ts";
import { rotaryTable } from "../ops/rotary.ts";
import { type Architecture, backbone } from "./architecture.ts";
import type { Config } from "./config.ts";
import { decoderTokenClassifier, languageModelHead, lastTokenClassifier } from "./decoder-heads.ts";
import { rotaryRatesOf } from "./rotary-scaling.ts";
import { linearWeights, normWeights, sideBySide, table, vector } from "./weight.ts";

/** How a model of Llama's shape differs from the others. */
interface Variant {
  /** The start of transformers' class names. */
  className: string;
  /** Which linear maps have biases. */
  biases: { projection: boolean; attentionOutput: boolean; feedForward: boolean };
  /** Whether the queries and keys of each head have norms. */
  hasHeadNorms?: boolean;
  /** The size of a head where the config has none; features / heads by default. */
  headSize?: number;
  window?: Window | undefined;
}

/** A sliding window. */
interface Window {
  /** How many tokens a token sees, itself included. */
  size: number;
  isOf(layer: number): boolean;
}

const noBiases = { projection: false, attentionOutput: false, feedForward: false };

/** Llama 1 to 3 (Touvron et al. 2023, arXiv 2302.13971; Grattafiori et al. 2024, arXiv 2407.21783). */
export const llama: Architecture = (config) => {
  const bias = config.boolean("attention_bias", false);
  const feedForward = config.boolean("mlp_bias", false);
  return decoder(config, {
    className: "Llama",
    biases: { projection: bias, attentionOutput: bias, feedForward },
  });
};

/** Mistral (Jiang et al. 2023, arXiv 2310.06825), which is Llama with a sliding window. */
export const mistral: Architecture = (config) => {
  config.only("layer_types", null);
  const size = windowSize(config);
  const window = size === undefined ? undefined : { size, isOf: () => true };
  return decoder(config, { className: "Mistral", biases: noBiases, window });
};

/** Qwen 2 and 2.5 (Yang et al. 2024, arXiv 2407.10671), which have biases of queries, keys and values. */
export const qwen2: Architecture = (config) =>
  decoder(config, {
    className: "Qwen2",
    biases: { ...noBiases, projection: true },
    window: qwenWindow(config),
  });

/** Qwen 3 (Yang et al. 2025, arXiv 2505.09388), which norms the queries and keys of each head. */
export const qwen3: Architecture = (config) => {
  const bias = config.boolean("attention_bias", false);
  return decoder(config, {
    className: "Qwen3",
    biases: { projection: bias, attentionOutput: bias, feedForward: false },
    hasHeadNorms: true,
    headSize: 128,
    window: qwenWindow(config),
  });
};

const windowSize = (config: Config): number | undefined =>
  config.values.sliding_window === null ? undefined : config.integer("sliding_window", 4096);

/** The layers that `layer_types` names, or those from `max_window_layers` on. */
function qwenWindow(config: Config): Window | undefined {
  const size = config.boolean("use_sliding_window", false) ? windowSize(config) : undefined;
  if (size === undefined) return undefined;
  const types = config.values.layer_types;
  const first = config.number("max_window_layers", 28);
  return { size, isOf: (layer) => (Array.isArray(types) ? types[layer] === "sliding_attention" : layer >= first) };
}

function decoder(config: Config, variant: Variant) {
  const { className, biases, window } = variant;
  const own = decoderConfig(config, variant);
  const { vocabularySize, maxLength, features, heads, keyValueHeads, size, layers, hidden, rotary } = own;
  const settings = {
    ...layerSettings("pretrained", {
      ...{ features, heads, keyValueHeads, hidden, epsilon: own.epsilon, activation: "swiGLU", norm: "rmsNorm" },
      ...{ normFirst: true, dropout: 0, attentionDropout: own.attentionDropout },
    }),
    ...{ size, rotary },
  };
  const layer = (i: number) => {
    const name = (rest: string) => `model.layers.${i}.${rest}`;
    const up = { in: features, out: hidden, bias: biases.feedForward };
    return {
      attentionNorm: normWeights(name("input_layernorm"), features, false),
      projection: sideBySide(
        ["q", "k", "v"].map((each) => name(`self_attn.${each}_proj`)),
        {
          in: features,
          out: [heads, keyValueHeads, keyValueHeads].map((count) => count * size),
          bias: biases.projection,
        },
      ),
      ...(variant.hasHeadNorms && {
        queryNorm: vector(name("self_attn.q_norm.weight"), size, "ones"),
        keyNorm: vector(name("self_attn.k_norm.weight"), size, "ones"),
      }),
      attentionOutput: linearWeights(name("self_attn.o_proj"), {
        ...{ in: heads * size, out: features, bias: biases.attentionOutput },
      }),
      feedForwardNorm: normWeights(name("post_attention_layernorm"), features, false),
      gate: linearWeights(name("mlp.gate_proj"), up),
      up: linearWeights(name("mlp.up_proj"), up),
      down: linearWeights(name("mlp.down_proj"), { in: hidden, out: features, bias: biases.feedForward }),
    };
  };
  return backbone({
    ...{ className, prefix: "model.", isCausal: true },
    sizes: { vocabularySize, maxLength, features, heads, layers, hidden },
    // The rates of checkpoints before transformers 4.32.
    ignored: /\.rotary_emb\.inv_freq$/,
    weights: {
      tokens: table("model.embed_tokens.weight", vocabularySize, features),
      layers: Array.from({ length: layers }, (_, i) => layer(i)),
      norm: normWeights("model.norm", features, false),
    },
    run(p, { rows, time, ids, positions: at, mask, caches, visit }, options) {
      const positions = rotaryTable(tf.reshape(at, [rows, time]), rotary);
      const start = profileScope("embedding", () => embedding(p.tokens, ids) as AnyTensor);
      const keys = time + (caches?.[0]?.length ?? 0);
      const inWindow = window && windowed(mask, { queries: time, keys, window: window.size });
      const through = (x: AnyTensor, each: (typeof p.layers)[number], i: number) => {
        const place = { rows, time, positions, cache: caches?.[i], mask: window?.isOf(i) ? inWindow : mask };
        return encoderLayer(x, each, settings, place, options);
      };
      return normalised(throughLayers(start, p.layers, through, options, visit), p.norm, settings);
    },
    heads: {
      causalLanguageModel: () => languageModelHead(config, own, "ForCausalLM", false),
      sequenceClassification: (classes) => lastTokenClassifier(features, classes),
      tokenClassification: (classes) => decoderTokenClassifier(config, features, classes, "score"),
    },
  });
}

function decoderConfig(config: Config, { headSize }: Variant) {
  config.oneOf("hidden_act", ["silu"], "silu");
  const features = config.integer("hidden_size");
  const heads = config.integer("num_attention_heads");
  const size = config.integer("head_dim", headSize ?? features / heads);
  return {
    vocabularySize: config.integer("vocab_size"),
    maxLength: config.integer("max_position_embeddings", 2048),
    ...{ features, heads, size },
    keyValueHeads: config.integer("num_key_value_heads", heads),
    layers: config.layers("num_hidden_layers"),
    hidden: config.integer("intermediate_size"),
    epsilon: config.number("rms_norm_eps", 1e-6),
    attentionDropout: config.number("attention_dropout", 0),
    rotary: rotaryRatesOf(config, size),
  };
}
