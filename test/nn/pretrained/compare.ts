import type { Scalar, Tensor } from "@tensorflow/tfjs-node-gpu";
import { type HiddenStates, type PretrainedHead, pretrained } from "../../../src/nn/index.ts";
import { architectures } from "../../../src/nn/pretrained/architectures.ts";
import { readConfig } from "../../../src/nn/pretrained/config.ts";
import { tf } from "../../../src/runtime/index.ts";
import { crossEntropy, parameterList } from "../../../src/tensor/index.ts";
import { valueAndGradients } from "../../../src/train/index.ts";
import { assertGradients, assertNear, assertTokensClose, batchOf, type Fixture, fixture } from "./fixture.ts";

/**
 * Of hidden states and logits. The norms of queries and keys make Qwen 3's scores so large that transformers itself, in float32, is
 * 1.7e-6 away from its result in float64. Llama's hidden states are 1.2e-6 away on a CPU without fused multiply and add.
 */
const toleranceOf = (name: string): number => (name === "qwen3" || name === "llama" ? 2e-6 : 1e-6);

/** Compares hidden states, logits, the loss, and the gradients of all parameters. */
export async function compare(name: string, head: PretrainedHead): Promise<void> {
  const [expected, tolerance] = [fixture(name), toleranceOf(name)];
  const model = await pretrained(expected.folder, { head });
  const batch = batchOf(expected);
  const states = model.hiddenStates(model.parameters, batch);
  for (const [i, state] of states.entries())
    assertTokensClose(state, expected.tensors.get(`hiddenStates.${i}`), expected, tolerance, `hidden state ${i}`);
  const variables = parameterList(model.parameters);
  const { value, gradients } = valueAndGradients(
    () => lossOf(model.apply(model.parameters, batch), expected, head, tolerance),
    variables.map(({ variable }) => variable),
  );
  assertNear([value.dataSync()[0]!], [expected.loss], 1e-6, "loss");
  const config = readConfig(expected.folder);
  const plan = architectures[String(config.values.model_type)]!(config).heads[head as "causalLanguageModel"]?.(3);
  const byPath = new Map(variables.map(({ name: path }, i) => [path, gradients[i]!]));
  assertGradients(expected, plan, byPath, 1e-5);
  model.dispose();
}

function lossOf(output: unknown, expected: Fixture, head: PretrainedHead, tolerance: number): Scalar {
  if (head === "hiddenStates") return weightedSum(output as HiddenStates, expected, tolerance);
  const logits = output as Tensor;
  const reference = expected.tensors.get("logits")!;
  if (head === "sequenceClassification") {
    assertNear([...logits.dataSync()], reference.values, tolerance, "logits");
    return crossEntropy(logits, tf.tensor1d(expected.labels as number[], "int32")) as Scalar;
  }
  assertTokensClose(logits, reference, expected, tolerance, "logits");
  const labels = expected.labels as number[][];
  if (head === "tokenClassification" || head === "maskedLanguageModel")
    return crossEntropy(logits, tf.tensor2d(labels, undefined, "int32")) as Scalar;
  const next = labels.map((row) => row.slice(1));
  const before = tf.slice(logits, [0, 0, 0], [-1, logits.shape[1]! - 1, -1]);
  return crossEntropy(before, tf.tensor2d(next, undefined, "int32")) as Scalar;
}

function weightedSum({ hidden, pooled }: HiddenStates, { tensors }: Fixture, tolerance: number): Scalar {
  if (pooled) assertNear([...pooled.dataSync()], tensors.get("pooled")!.values, tolerance, "pooled");
  const { values, shape } = tensors.get("lossWeights")!;
  return tf.mean(tf.mul(hidden, tf.tensor(values, shape)));
}
