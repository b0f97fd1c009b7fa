import { activated } from "../../tensor/activated.ts";
import { exactGelu, tanhGelu } from "../../tensor/curves.ts";
import { relu, tanh } from "../../tensor/elementwise.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { normalised } from "../layers/feed-forward.ts";
import { affine } from "../layers/heads.ts";
import { type HeadContext, type HeadPlan, headPlan } from "./architecture.ts";
import type { Activation, Config } from "./config.ts";
import { tokenOfSequences, vocabularyScores } from "./heads.ts";
import { type LinearWeights, linearWeights, normWeights, type ParametersOfWeights, vector } from "./weight.ts";

/** The first token of each sequence through a linear map and a hyperbolic tangent. */
export const pooled = (pooler: ParametersOfWeights<LinearWeights>, context: HeadContext): AnyTensor =>
  tanh(affine(tokenOfSequences(context, "first"), pooler)) as AnyTensor;

/** The output `pooled` of a model without a head, where a checkpoint has the layer for it. */
export const poolerHead = (pooler: LinearWeights): HeadPlan =>
  headPlan({
    className: "Model",
    weights: { pooler },
    isOptional: true,
    apply: (p, context) => p.pooler && { pooled: pooled(p.pooler, context) },
  });

/** The transform before a prediction: a linear map, an activation and a norm. */
export interface TransformPlan {
  /** The names of the linear map and of the norm. */
  dense: string;
  norm: string;
  features: number;
  activation: Activation;
  epsilon: number;
  /** Whether the linear map and the norm have biases; true by default. */
  denseBias?: boolean;
  normBias?: boolean;
}

interface PredictionPlan extends TransformPlan {
  config: Config;
  vocabularySize: number;
  /** The output layer, which is tied to the embedding table unless the config says otherwise. */
  output: string;
  /** The whole name of the output layer's bias; without one it has none. */
  outputBias?: string | undefined;
  /** Another name under which a checkpoint may have that bias again. */
  outputBiasAgain?: string;
}

/** The head of masked language models: a transform, and scores of the vocabulary for each token. */
export function predictionHead(plan: PredictionPlan): HeadPlan {
  const { config, features, vocabularySize, output, outputBias, outputBiasAgain } = plan;
  const isTied = config.boolean("tie_word_embeddings", true);
  return headPlan({
    className: "ForMaskedLM",
    weights: {
      ...transformWeights(plan),
      output: {
        ...(!isTied && linearWeights(output, { in: features, out: vocabularySize, bias: false })),
        ...(outputBias !== undefined && { bias: vector(outputBias, vocabularySize, "zeros") }),
      },
    },
    duplicates: [...(outputBiasAgain ? [outputBiasAgain] : []), ...(isTied ? [`${output}.weight`] : [])],
    apply: (p, { x, tokens }) => vocabularyScores(transformed(x, p, plan), tokens, p.output),
  });
}

/** The weights of a transform. */
export const transformWeights = ({ dense, norm, features, denseBias = true, normBias = true }: TransformPlan) => ({
  dense: linearWeights(dense, { in: features, out: features, bias: denseBias }),
  norm: normWeights(norm, features, normBias),
});

/** `[rows, features]` through a transform. */
export const transformed = (
  x: AnyTensor,
  p: { dense: Parameters<typeof affine>[1]; norm: Parameters<typeof normalised>[1] },
  { activation, epsilon }: TransformPlan,
): AnyTensor => normalised(activate(affine(x, p.dense), activation), p.norm, { norm: "layerNorm", epsilon });

/** An activation of a config. */
export function activate(x: AnyTensor, activation: Activation): AnyTensor {
  if (activation === "relu") return relu(x) as AnyTensor;
  return activated("gelu", x, activation === "gelu" ? exactGelu : tanhGelu);
}
