import { profileScope, tf } from "../../runtime/index.ts";
import { add } from "../../tensor/arithmetic.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { normalised } from "../layers/feed-forward.ts";
import { attentionPart } from "../layers/transformer-encoder-layer.ts";
import { feedForward, layerSettings } from "../layers/transformer-layer.ts";
import { throughLayers } from "../models/transformer-parts.ts";
import { embedding } from "../ops/embedding.ts";
import { type Backbone, backbone } from "./architecture.ts";
import type { Activation } from "./config.ts";
import { dropped } from "./heads.ts";
import { linearWeights, normWeights, sideBySide, table } from "./weight.ts";

/** What BERT, DistilBERT and RoBERTa differ in. */
export interface EncoderPlan extends Pick<Backbone, "className" | "prefix" | "heads"> {
  sizes: EncoderSizes;
  epsilon: number;
  activation: Activation;
  /** Dropout rates of the embedding and of the feed-forward part, of attention weights, and after attention. */
  dropout: number;
  attentionDropout: number;
  attentionOutputDropout: number;
  /** The number of the first position; 0 by default. */
  firstPosition?: number;
  /** The names of a layer's tensors. */
  names: EncoderNames;
}

/** The sizes of an encoder. */
export interface EncoderSizes {
  vocabularySize: number;
  /** Rows of the table of positions. */
  positions: number;
  /** Rows of the table of token types; without one there is none. */
  tokenTypes?: number;
  features: number;
  heads: number;
  layers: number;
  hidden: number;
}

/** The names of the tensors of a layer, after that of the layers and their number. */
export interface EncoderNames {
  /** For instance `encoder.layer`. */
  layers: string;
  projections: readonly [query: string, key: string, value: string];
  attentionOutput: string;
  attentionNorm: string;
  up: string;
  down: string;
  feedForwardNorm: string;
}

/** Embeddings of tokens, positions and types, and layers with their norms after each part (Devlin et al. 2019). */
export function encoder(plan: EncoderPlan): Backbone {
  const { className, prefix, heads: headPlans, sizes, dropout, attentionOutputDropout, firstPosition = 0 } = plan;
  const { vocabularySize, positions, tokenTypes, features, heads, layers, hidden } = sizes;
  const settings = layerSettings("pretrained", {
    ...{ features, heads, hidden, dropout, activationDropout: 0 },
    ...{ activation: plan.activation, epsilon: plan.epsilon, attentionDropout: plan.attentionDropout },
  });
  const attentionSettings = { ...settings, residualDropout: attentionOutputDropout };
  if (firstPosition >= positions)
    throw new RangeError(
      `pretrained: config.json has ${positions} positions (max_position_embeddings), but its first one is ${firstPosition}, after that of padding (pad_token_id)`,
    );
  const ofEmbeddings = (name: string) => `${prefix}embeddings.${name}`;
  return backbone({
    ...{ className, prefix, isCausal: false, firstPosition, heads: headPlans },
    sizes: { vocabularySize, maxLength: positions - firstPosition, features, heads, layers, hidden },
    ignored: /(^|\.)embeddings\.(position_ids|token_type_ids)$/,
    weights: {
      tokens: table(ofEmbeddings("word_embeddings.weight"), vocabularySize, features),
      positions: table(ofEmbeddings("position_embeddings.weight"), positions, features),
      ...(tokenTypes && { tokenTypes: table(ofEmbeddings("token_type_embeddings.weight"), tokenTypes, features) }),
      norm: normWeights(ofEmbeddings("LayerNorm"), features),
      layers: Array.from({ length: layers }, (_, i) => layerWeights(`${prefix}${plan.names.layers}.${i}`, plan)),
    },
    run(p, inputs, options) {
      const { rows, time, mask, typeIds } = inputs;
      const place = { rows, time, mask };
      const embedded = () => {
        const placed = add(embedding(p.tokens, inputs.ids), embedding(p.positions, inputs.positions)) as AnyTensor;
        const sum = p.tokenTypes ? (add(placed, typeRows(p.tokenTypes, typeIds)) as AnyTensor) : placed;
        return dropped(normalised(sum, p.norm, settings), dropout, options);
      };
      return throughLayers(
        profileScope("embedding", () => tf.tidy(embedded)),
        p.layers,
        (x, each) => feedForward(attentionPart(x, each, attentionSettings, place, options), each, settings, options),
        options,
        inputs.visit,
      );
    },
  });
}

function layerWeights(layer: string, { names, sizes: { features, hidden } }: EncoderPlan) {
  const name = (rest: string) => `${layer}.${rest}`;
  return {
    projection: sideBySide(names.projections.map(name), { in: features, out: features }),
    attentionOutput: linearWeights(name(names.attentionOutput), { in: features, out: features }),
    attentionNorm: normWeights(name(names.attentionNorm), features),
    up: linearWeights(name(names.up), { in: features, out: hidden }),
    down: linearWeights(name(names.down), { in: hidden, out: features }),
    feedForwardNorm: normWeights(name(names.feedForwardNorm), features),
  };
}

/** Where all types are 0 their row is broadcast, because the gradient is a sum then. */
const typeRows = (types: AnyTensor, ids: AnyTensor | undefined): AnyTensor =>
  ids ? (embedding(types, ids) as AnyTensor) : (tf.slice(types, [0, 0], [1, -1]) as AnyTensor);
