import { checkPositiveInteger } from "../../base/checks.ts";
import { profileScope, tf } from "../../runtime/index.ts";
import { checkTensor, reshapeTo } from "../../tensor/engine.ts";
import { batchMatmul } from "../../tensor/matmul.ts";
import { label, namesOf } from "../../tensor/names.ts";
import type { RandomOptions } from "../../tensor/random.ts";
import type { ShapeIn } from "../../tensor/types/shape.ts";
import type { AnyTensor, ShapeOf, Tensor, TensorOperand } from "../../tensor/types/tensor.ts";
import { type Initialiser, type Parameter, parameter, randomFor, standardNormal } from "../initialisers.ts";
import { embedding as embeddingOp } from "../ops/embedding.ts";
import type { Features, Rows, Ruled } from "./shape-rule.ts";
import { areOptions, checkLastAxis, type Taken, type TensorLayer, tensorLayer } from "./tensor-layer.ts";

/** The options of the layer `embedding`. */
export interface EmbeddingOptions<Count extends number = number, F extends number = number> extends RandomOptions {
  /** The number of rows: ids are below it. */
  count: Count;
  features: F;
  /** The initial values; standard normal numbers by default, as in PyTorch. */
  init?: { weight?: Initialiser };
}

/** The parameters of an embedding: `weight: [count, features]`. */
export interface EmbeddingParameters<Count extends number = number, F extends number = number> {
  weight: Parameter<[Count, F]>;
}

/** An embedding: int32 ids `[...]` to `[..., features]`. */
export interface Embedding<Count extends number, F extends number>
  extends TensorLayer<EmbeddingParameters<Count, F>, Rows<F>> {
  /**
   * Scores of every row for `[..., features]`, as `[..., count]`: the product with the table's transpose, which ties the output
   * layer of a language model to its embedding (Press and Wolf 2017).
   *
   * @throws ShapeError for another number of features
   */
  logits<T extends TensorOperand>(
    parameters: EmbeddingParameters<Count, F>,
    input: Taken<Ruled<Features<"embedding", F, Count>, ShapeOf<T>>, T>,
  ): Tensor<ShapeIn<Ruled<Features<"embedding", F, Count>, ShapeOf<T>>>, "float32">;
}

/**
 * An embedding table, `embedding({ count: 1000, features: 64 })`: int32 ids `[...]` give rows `[..., features]` of its weight
 * `[count, features]` (`torch.nn.Embedding`). Its `logits` use the same table as an output layer.
 *
 * @throws RangeError for a size that is not a positive integer, and from `apply` for an id outside the table (on a GPU TensorFlow
 *   does not check ids); TypeError for ids that are not int32, or when `from` is neither a seed nor a generator; ShapeError when
 *   an initialiser gives another shape
 */
export function embedding<const Count extends number, const F extends number>(
  options: EmbeddingOptions<Count, F>,
): Embedding<Count, F>;
/**
 * The rows of `table: [vocabulary, features]` at `ids: [...]`, int32, as `[..., features]`.
 *
 * @throws RangeError for an id outside the table; on a GPU TensorFlow does not check it
 * @throws ShapeError for a table that is not a matrix; TypeError for ids that are not int32
 */
export function embedding<T extends TensorOperand, I extends TensorOperand>(
  table: T,
  ids: I,
): ReturnType<typeof embeddingOp<T, I>>;
export function embedding(...args: [EmbeddingOptions] | [AnyTensor, AnyTensor]): unknown {
  return areOptions("embedding", args)
    ? layer(args[0] as EmbeddingOptions)
    : embeddingOp(...(args as [AnyTensor, AnyTensor]));
}

function layer({ count, features, init = {}, from }: EmbeddingOptions) {
  checkPositiveInteger("embedding: count", count);
  checkPositiveInteger("embedding: features", features);
  const initial = init.weight ?? standardNormal;
  const parameters: EmbeddingParameters = {
    weight: parameter("embedding: weight", initial, [count, features], randomFor(from)),
  };
  const made = tensorLayer({
    name: "embedding",
    settings: { count, features },
    parameters,
    apply: (p, ids) => embeddingOp(p.weight, ids) as AnyTensor,
  });
  const logits = (p: EmbeddingParameters, x: AnyTensor) => {
    checkTensor("embedding", x);
    checkLastAxis("embedding", x, features);
    const names = namesOf(x);
    return profileScope("embedding", () => {
      const rows = reshapeTo(x, [x.size / features, features]);
      const scores = tf.tidy(() =>
        reshapeTo(batchMatmul(rows, p.weight, false, true), [...x.shape.slice(0, -1), count]),
      );
      return names ? label(scores, names.with(-1, undefined)) : scores;
    });
  };
  return Object.assign(made, { logits });
}
