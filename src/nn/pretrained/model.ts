import type { Batch } from "../../batching/batch.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { stepInput } from "../../runtime/native/capture/step-inputs.ts";
import { disposeTree } from "../../tensor/tree.ts";
import type { AnyTensor } from "../../tensor/types/tensor.ts";
import { idTensors } from "../batch-tensors.ts";
import { type ApplyOptions, copiedOptions } from "../layer.ts";
import { nameForeign } from "../lora/foreign-names.ts";
import { checkPrompts, decoding } from "../models/decoding.ts";
import { lastOfRows, sizeText, withParts } from "../models/transformer-parts.ts";
import { markPure } from "../pure.ts";
import type { TokenInputs } from "./architecture.ts";
import { foreignModel } from "./foreign-model.ts";
import type { ModelParts } from "./model-parts.ts";
import type { WeightPlan } from "./read-weights.ts";
import { savePretrained } from "./save.ts";
import { tokenInputs } from "./token-inputs.ts";
import type { PretrainedHead, PretrainedModel, PretrainedParameters, SavePretrainedOptions } from "./types.ts";

/** Heads with a result for each token. */
const ofTokens: readonly PretrainedHead[] = ["tokenClassification", "maskedLanguageModel", "causalLanguageModel"];

export function modelOfParts(parts: ModelParts): PretrainedModel {
  const { backbone, head, headPlan, parameters, plan, folder, config } = parts;
  const { sizes } = backbone;
  const rows = (p: PretrainedParameters, inputs: TokenInputs, options: ApplyOptions) =>
    backbone.run(p as never, inputs, options);
  const headed = (p: PretrainedParameters, x: AnyTensor, batch: Batch | undefined, options: ApplyOptions): unknown => {
    const context = { x, batch, tokens: p.tokens as AnyTensor, options };
    return headPlan && profileScope("head", () => headPlan.apply((p.head ?? {}) as never, context));
  };
  const inShape = (x: unknown, batch: Batch) =>
    tf.reshape(x as AnyTensor, [batch.rows, batch.time, (x as AnyTensor).shape.at(-1)!]) as AnyTensor;

  const apply = (p: PretrainedParameters, batch: Batch, given: ApplyOptions = {}): unknown => {
    const options = copiedOptions(given);
    return tf.tidy(() => {
      const x = rows(p, stepInput(tokenInputs, batch, backbone), options);
      const result = headed(p, x, batch, options);
      if (head === "hiddenStates") return { hidden: inShape(x, batch), ...(result as object | undefined) } as never;
      return (ofTokens.includes(head) ? inShape(result, batch) : result) as never;
    });
  };
  const hiddenStates = (p: PretrainedParameters, batch: Batch, given: ApplyOptions = {}): AnyTensor[] => {
    return tf.tidy(() => {
      const seen: AnyTensor[] = [];
      // Kept, because each layer's input is freed after it.
      const visit = (x: AnyTensor) => seen.push(tf.keep(inShape(x, batch)));
      visit(rows(p, { ...tokenInputs(batch, backbone), visit }, copiedOptions(given)));
      const states = seen.map((each) => tf.clone(each));
      for (const each of seen) each.dispose();
      return states;
    });
  };
  const startDecoding = (
    p: PretrainedParameters,
    prompts: readonly ArrayLike<number>[],
    { cache = true, maxNewTokens = 0 }: { cache?: boolean; maxNewTokens?: number } = {},
  ) => {
    checkPrompts(prompts, { ...sizes, maxNewTokens });
    return decoding({
      ...{ prompts, cache, layers: sizes.layers },
      forward: (step) => headed(p, lastOfRows(rows(p, idTensors(step), {}), step), undefined, {}) as never,
    });
  };
  nameForeign(parameters, foreignModel(parts));
  const architecture = String(config.values.model_type);
  const model = {
    ...{ architecture, head, config: config.values, sizes, folder, labels: parts.labels },
    ...{ initialised: plan.initialised, unused: plan.unused, parameters, apply: markPure(apply), hiddenStates },
    ...(head === "causalLanguageModel" && { startDecoding, stopTokens: parts.stopTokens }),
    save: (to: string, { parameters: own = parameters, ...options }: SavePretrainedOptions = {}) =>
      savePretrained(parts, own, to, options),
    dispose: () => disposeTree(parameters),
  };
  const { layers, features, heads } = sizes;
  return withParts(
    model,
    `${architecture} of ${sizeText(layers, features, heads)} with the head ${head}${newText(plan)}`,
  ) as never;
}

const newText = ({ initialised }: WeightPlan): string =>
  initialised.length === 0 ? "" : `, of which ${initialised.join(", ")} are new`;
