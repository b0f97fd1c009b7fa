import { profileScope, tf } from "../../runtime/index.ts";
import { mul } from "../../tensor/arithmetic.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { normalised } from "../layers/feed-forward.ts";
import { affine } from "../layers/heads.ts";
import { attentionPart } from "../layers/transformer-encoder-layer.ts";
import { layerSettings, residual } from "../layers/transformer-layer.ts";
import { throughLayers } from "../models/transformer-parts.ts";
import { embedding } from "../ops/embedding.ts";
import { rotaryRates, rotaryTable } from "../ops/rotary.ts";
import { type Architecture, backbone, type HeadContext, headPlan } from "./architecture.ts";
import { activationOf, type Config, configOf } from "./config.ts";
import { activate, predictionHead, transformed, transformWeights } from "./encoder-heads.ts";
import { dropped, meanOfSequences, tokenOfSequences } from "./heads.ts";
import { linearWeights, normWeights, table } from "./weight.ts";

const kinds = ["full_attention", "sliding_attention"] as const;
type Kind = (typeof kinds)[number];
const byKind = <T>(f: (kind: Kind) => T): Record<Kind, T> => ({
  full_attention: f("full_attention"),
  sliding_attention: f("sliding_attention"),
});

/**
 * ModernBERT (Warner et al. 2024, arXiv 2412.13663): norms before each part, rotary positions, a gated feed-forward part, and
 * layers that see only the tokens near each one.
 */
export const modernbert: Architecture = (config) => {
  const own = modernConfig(config);
  const { vocabularySize, features, heads, layers, hidden, epsilon, normBias, activation } = own;
  const settings = layerSettings("pretrained", {
    ...{ features, heads, hidden, epsilon, normFirst: true, dropout: own.attentionDropout, positions: "rotary" },
  });
  const feedForwardSettings = { ...settings, residualDropout: 0 };
  const of = byKind((kind) => ({ ...settings, rotary: rotaryRates(features / heads, own.bases[kind]) }));
  const norm = (name: string) => normWeights(name, features, normBias);
  const layer = (i: number) => {
    const name = (rest: string) => `model.layers.${i}.${rest}`;
    const { attentionBias: bias, feedForwardBias } = own;
    return {
      // The embedding has its norm already.
      ...(i > 0 && { attentionNorm: norm(name("attn_norm")) }),
      projection: linearWeights(name("attn.Wqkv"), { in: features, out: 3 * features, bias }),
      attentionOutput: linearWeights(name("attn.Wo"), { in: features, out: features, bias }),
      feedForwardNorm: norm(name("mlp_norm")),
      up: linearWeights(name("mlp.Wi"), { in: features, out: 2 * hidden, bias: feedForwardBias }),
      down: linearWeights(name("mlp.Wo"), { in: hidden, out: features, bias: feedForwardBias }),
    };
  };
  const transform = {
    ...{ dense: "head.dense", norm: "head.norm", features, epsilon, normBias },
    activation: activationOf(config, "classifier_activation", "gelu"),
    denseBias: config.boolean("classifier_bias", false),
  };
  const classifier = (classes: number, className: string, pool: (context: HeadContext) => AnyTensor) =>
    headPlan({
      className,
      weights: {
        ...transformWeights(transform),
        classifier: linearWeights("classifier", { in: features, out: classes }),
      },
      apply: (p, context) => {
        const seen = transformed(pool(context), p, transform);
        return affine(dropped(seen, own.classifierDropout, context.options), p.classifier);
      },
    });
  return backbone({
    ...{ className: "ModernBert", prefix: "model.", isCausal: false, window: own.window },
    sizes: { vocabularySize, maxLength: own.maxLength, features, heads, layers, hidden },
    weights: {
      tokens: table("model.embeddings.tok_embeddings.weight", vocabularySize, features),
      embeddingNorm: norm("model.embeddings.norm"),
      layers: Array.from({ length: layers }, (_, i) => layer(i)),
      norm: norm("model.final_norm"),
    },
    run(p, inputs, options) {
      const { rows, time } = inputs;
      const embedded = () =>
        dropped(
          normalised(embedding(p.tokens, inputs.ids) as AnyTensor, p.embeddingNorm, settings),
          own.embeddingDropout,
          options,
        );
      const at = tf.reshape(inputs.positions, [rows, time]);
      const places = byKind((kind) => ({
        ...{ rows, time, mask: (kind === "sliding_attention" && inputs.nearMask) || inputs.mask },
        positions: rotaryTable(at, of[kind].rotary),
      }));
      const gated = (x: AnyTensor, up: (typeof p.layers)[number]["up"]) => {
        const [active, gate] = tf.split(affine(x, up), 2, 1) as [AnyTensor, AnyTensor];
        return dropped(mul(activate(active, activation), gate) as AnyTensor, own.feedForwardDropout, options);
      };
      const last = throughLayers(
        profileScope("embedding", () => tf.tidy(embedded)),
        p.layers,
        (x, each, i) => {
          const kind = own.kinds[i]!;
          const attended = attentionPart(x, each, of[kind], places[kind], options);
          return profileScope("feedForward", () =>
            residual(attended, each.feedForwardNorm, each.down, feedForwardSettings, options, (normed) =>
              gated(normed, each.up),
            ),
          );
        },
        options,
        inputs.visit,
      );
      return normalised(last, p.norm, settings);
    },
    heads: {
      sequenceClassification: (classes) =>
        classifier(classes, "ForSequenceClassification", (context) =>
          own.pooling === "cls" ? tokenOfSequences(context, "first") : meanOfSequences(context.x, context.batch!),
        ),
      tokenClassification: (classes) => classifier(classes, "ForTokenClassification", ({ x }) => x),
      maskedLanguageModel: () =>
        predictionHead({
          ...{ config, vocabularySize, ...transform, output: "decoder" },
          outputBias: config.boolean("decoder_bias", true) ? "decoder.bias" : undefined,
        }),
    },
  });
};

function modernConfig(config: Config) {
  const layers = config.layers("num_hidden_layers");
  const window = Math.floor(config.integer("local_attention", 128) / 2);
  return {
    vocabularySize: config.integer("vocab_size"),
    maxLength: config.integer("max_position_embeddings", 8192),
    features: config.integer("hidden_size"),
    heads: config.integer("num_attention_heads"),
    layers,
    hidden: config.integer("intermediate_size"),
    epsilon: config.number("norm_eps", 1e-5),
    normBias: config.boolean("norm_bias", false),
    attentionBias: config.boolean("attention_bias", false),
    feedForwardBias: config.boolean("mlp_bias", false),
    activation: activationOf(config, "hidden_activation", "gelu"),
    embeddingDropout: config.number("embedding_dropout", 0),
    attentionDropout: config.number("attention_dropout", 0),
    feedForwardDropout: config.number("mlp_dropout", 0),
    classifierDropout: config.number("classifier_dropout", 0),
    pooling: config.oneOf("classifier_pooling", ["cls", "mean"], "cls"),
    kinds: kindsOf(config, layers),
    bases: {
      full_attention: baseOf(config, "full_attention", "global_rope_theta", 160_000),
      sliding_attention: baseOf(config, "sliding_attention", "local_rope_theta", 10_000),
    },
    window,
  };
}

/** Which layers see all tokens: named one by one, or every so many of them. */
function kindsOf(config: Config, layers: number): Kind[] {
  const named = config.values.layer_types as Kind[] | null | undefined;
  const every = config.integer("global_attn_every_n_layers", 3);
  const found = named ?? Array.from({ length: layers }, (_, i) => kinds[i % every === 0 ? 0 : 1]);
  if (found.length !== layers || !found.every((kind) => kinds.includes(kind)))
    config.refuse(
      `layer_types must name ${layers} layers, each one of ${kinds.join(", ")}, got ${JSON.stringify(named)}`,
    );
  return found;
}

/** The base of rotary positions; configs before transformers 5 have it under a name of its own. */
function baseOf(config: Config, kind: Kind, oldName: string, otherwise: number): number {
  config.only("rope_scaling", null);
  const all = config.values.rope_parameters as Readonly<Record<string, unknown>> | null | undefined;
  const own = configOf(config.file, (all?.[kind] ?? {}) as Readonly<Record<string, unknown>>);
  own.only("rope_type", "default");
  return own.positive("rope_theta", config.number(oldName, otherwise));
}
