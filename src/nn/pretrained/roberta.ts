import { tanh } from "../../tensor/elementwise.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { affine } from "../layers/heads.ts";
import { type Architecture, headPlan } from "./architecture.ts";
import { bertPlan } from "./bert.ts";
import { encoder } from "./encoder.ts";
import { poolerHead, predictionHead } from "./encoder-heads.ts";
import { dropped, tokenClassifier, tokenOfSequences } from "./heads.ts";
import { linearWeights } from "./weight.ts";

/** RoBERTa (Liu et al. 2019, arXiv 1907.11692), of which XLM-RoBERTa and CamemBERT have other names. */
export const robertaNamed =
  (className: string): Architecture =>
  (config) => {
    const plan = bertPlan(config);
    const { features } = plan.sizes;
    const { classifierDropout } = plan;
    const pooler = linearWeights("roberta.pooler.dense", { in: features, out: features });
    return encoder({
      ...plan,
      ...{ className, prefix: "roberta." },
      // Positions begin after that of padding.
      firstPosition: config.whole("pad_token_id", 1) + 1,
      heads: {
        hiddenStates: () => poolerHead(pooler),
        sequenceClassification: (classes) =>
          headPlan({
            className: "ForSequenceClassification",
            weights: {
              dense: linearWeights("classifier.dense", { in: features, out: features }),
              output: linearWeights("classifier.out_proj", { in: features, out: classes }),
            },
            apply(p, context) {
              const drop = (x: AnyTensor) => dropped(x, classifierDropout, context.options);
              const active = tanh(affine(drop(tokenOfSequences(context, "first")), p.dense)) as AnyTensor;
              return affine(drop(active), p.output);
            },
          }),
        tokenClassification: (classes) => tokenClassifier(features, classes, classifierDropout),
        maskedLanguageModel: () =>
          predictionHead({
            ...{ config, ...plan, ...plan.sizes },
            // Whatever the activation of the layers is.
            activation: "gelu",
            dense: "lm_head.dense",
            norm: "lm_head.layer_norm",
            output: "lm_head.decoder",
            outputBias: "lm_head.bias",
            outputBiasAgain: "lm_head.decoder.bias",
          }),
      },
    });
  };
