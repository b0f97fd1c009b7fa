import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Scalar, Tensor, Tensor1D, Tensor2D, Variable } from "@tensorflow/tfjs-node-gpu";
import { fixedPad } from "../../src/batching/index.ts";
import { labelTensor, linearRelu, type TransformerConfig, transformerClassifier } from "../../src/nn/index.ts";
import { ready, tf } from "../../src/runtime/index.ts";
import { crossEntropy, gelu, layerNorm, parameterList } from "../../src/tensor/index.ts";
import { valueAndGradients } from "../../src/train/index.ts";
import { assertClose, type ReferenceArray, reference, tensorOf } from "./reference.ts";

interface ModelReference {
  config: TransformerConfig;
  sequences: number[][];
  labels: number[];
  logits: ReferenceArray;
  loss: number;
  parameters: Record<string, ReferenceArray>;
  gradients: Record<string, ReferenceArray>;
}

interface OperationReference {
  inputs: ReferenceArray[];
  output: ReferenceArray;
  outputGradient: ReferenceArray;
  inputGradients: ReferenceArray[];
}

const operations = reference<
  Record<"layerNorm" | "gelu" | "linearRelu", OperationReference> & {
    crossEntropy: OperationReference & { labels: number[] };
  }
>("operations");

await ready();
const chosen = tf.getBackend();

// "cpu" is tfjs' own JavaScript backend: it takes the portable path that WebAssembly takes.
for (const backend of new Set([chosen, "cpu"])) {
  describe(`on the ${backend} backend, compared with PyTorch`, () => {
    before(() => tf.setBackend(backend));
    after(() => tf.setBackend(chosen));

    for (const name of ["relu-sinusoidal", "gelu-learned"]) {
      test(`a padded batch's logits, loss and every parameter's gradient (${name})`, () => {
        const expected = reference<ModelReference>(name);
        const model = transformerClassifier(expected.config);
        for (const { name: path, variable } of parameterList(model.parameters)) {
          variable.assign(tensorOf(expected.parameters[path]!));
        }
        const batch = fixedPad(expected.sequences, { maxLength: 7 });
        batch.labels = Float32Array.from(expected.labels);
        const parameters = parameterList(model.parameters);
        assert.deepEqual(parameters.map(({ name: path }) => path).sort(), Object.keys(expected.gradients).sort());

        assertClose(model.apply(model.parameters, batch), expected.logits, 2e-5, "logits");
        const { value, gradients } = valueAndGradients(
          () => crossEntropy(model.apply(model.parameters, batch), labelTensor(batch)),
          parameters.map(({ variable }) => variable),
        );
        assertClose(value, { shape: [], values: [expected.loss] }, 1e-5, "loss");
        parameters.forEach(({ name: path }, i) => {
          assertClose(gradients[i]!, expected.gradients[path]!, 2e-5, `gradient of ${path}`);
        });
        model.dispose();
      });
    }

    const cases: [string, OperationReference, (...inputs: Tensor[]) => Tensor][] = [
      ["layerNorm", operations.layerNorm, (x, s, o) => layerNorm(x as Tensor2D, s as Tensor1D, o as Tensor1D)],
      ["gelu", operations.gelu, (x) => gelu(x!)],
      [
        "linearRelu",
        operations.linearRelu,
        (x, w, b) => linearRelu(x as Tensor2D, w as Tensor2D, b as Tensor1D, undefined),
      ],
      [
        "crossEntropy",
        operations.crossEntropy,
        (x) => crossEntropy(x as Tensor2D, tf.tensor1d(operations.crossEntropy.labels, "int32")),
      ],
    ];
    for (const [name, expected, op] of cases) {
      test(`${name} and its gradients`, () => {
        const inputs = expected.inputs.map((input) => tf.variable(tensorOf(input))) as Variable[];
        const weights = tensorOf(expected.outputGradient);
        assertClose(op(...inputs), expected.output, 1e-5, "output");
        const { gradients } = valueAndGradients(() => tf.sum(tf.mul(op(...inputs), weights)) as Scalar, inputs);
        expected.inputGradients.forEach((gradient, i) => {
          assertClose(gradients[i]!, gradient, 2e-5, `gradient ${i}`);
        });
      });
    }
  });
}
