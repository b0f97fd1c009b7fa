import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import type { Rank, Scalar, Tensor, Tensor2D, Variable } from "@tensorflow/tfjs-node-gpu";
import {
  autocast,
  autocastLists,
  autocastOp,
  autocastType,
  type HalfType,
  registerAutocast,
} from "../../src/amp/index.ts";
import { fixedLengthBatches } from "../../src/batching/index.ts";
import { listOps, listOpsVocabulary } from "../../src/data/index.ts";
import { labelTensor, linear, transformerClassifier } from "../../src/nn/index.ts";
import { collect, interceptOps, nativeMemory, ready, resetPeak, tf } from "../../src/runtime/index.ts";
import { storageOf, to } from "../../src/storage/index.ts";
import { crossEntropy, parameterList } from "../../src/tensor/index.ts";
import { valueAndGradients } from "../../src/train/index.ts";
import { deferred } from "../deferred.ts";

await ready();
const native = tf.getBackend() === "tensorflow";

describe("autocast", { skip: !native && "needs the native runtime" }, () => {
  const x = tf.keep(tf.randomNormal([4, 8], 0, 1, "float32", 1)) as Tensor2D;
  const weight = tf.variable(tf.randomNormal([8, 3], 0, 1, "float32", 2)) as Variable<Rank.R2>;
  afterEach(() => assert.equal(autocastType(), undefined));

  for (const type of ["float16", "bfloat16"] as const) {
    test(`${type}: matrix products run in half precision, sums and exponentials in float32, other ops in their inputs' type`, () => {
      autocast(type, () => {
        const product = tf.matMul(x, weight);
        assert.equal(storageOf(product), type);
        assert.equal(storageOf(tf.relu(product)), type);
        assert.equal(storageOf(product.add(1)), type);
        assert.equal(storageOf(product.add(tf.ones([3]))), "float32");
        for (const y of [tf.exp(product), tf.sum(product), tf.mean(product), tf.softmax(product), tf.pow(product, 2)])
          assert.equal(storageOf(y), "float32");
      });
      assert.equal(storageOf(tf.matMul(x, weight)), "float32");
    });
  }

  test("float64 stays float64, as in PyTorch", () => {
    const wide = to(x, "float64");
    autocast("float16", () => assert.equal(storageOf(tf.matMul(wide, to(weight, "float64"))), "float64"));
  });

  test("regions nest, and false switches it off within", () => {
    const types: (HalfType | undefined)[] = [];
    const product = () => {
      types.push(autocastType());
      return storageOf(tf.matMul(x, weight));
    };
    const found = autocast("float16", () => [
      product(),
      autocast("bfloat16", product),
      autocast(false, product),
      autocast(false, () => autocast("bfloat16", product)),
      product(),
    ]);
    assert.deepEqual(found, ["float16", "bfloat16", "float32", "bfloat16", "float16"]);
    assert.deepEqual(types, ["float16", "bfloat16", undefined, "bfloat16", "float16"]);
  });

  test("an async region includes what it awaits and nothing that runs meanwhile", async () => {
    const [first, second] = [deferred(), deferred()];
    const product = async (until: Promise<void>) => {
      await until;
      return storageOf(tf.matMul(x, weight));
    };
    const outer = autocast("float16", () => product(first.promise));
    const other = autocast("bfloat16", () => product(second.promise));
    assert.equal(storageOf(tf.matMul(x, weight)), "float32");
    // The region that began last computes first.
    second.resolve();
    assert.equal(await other, "bfloat16");
    assert.equal(storageOf(tf.matMul(x, weight)), "float32");
    first.resolve();
    assert.equal(await outer, "float16");
    await assert.rejects(
      autocast("float16", async () => {
        throw new Error("inside");
      }),
      /inside/,
    );
  });

  test("an error ends the region", () => {
    assert.throws(() => autocast("float16", () => tf.matMul(x, x)), /incompatible/);
    assert.equal(storageOf(tf.matMul(x, weight)), "float32");
  });

  test("a parameter is cast once per outermost region, and again when it has changed", () => {
    let casts = 0;
    const leave = interceptOps((op, next) => {
      if (op.name === "Cast" && op.inputs[0]!.shape.join() === "8,3") casts++;
      return next(op);
    });
    try {
      const three = () => [1, 2, 3].map(() => tf.matMul(x, weight));
      autocast("float16", () => [three(), autocast("float16", three)]);
      assert.equal(casts, 1);
      autocast("float16", () => {
        three();
        weight.assign(weight.mul(1));
        three();
      });
      assert.equal(casts, 3);
    } finally {
      leave();
    }
  });

  test("gradients of float32 parameters are float32, computed in half precision, inside and outside of the region", () => {
    const seen = new Map<string, string[]>();
    const leave = interceptOps((op, next) => {
      const out = next(op);
      if (op.name.endsWith("MatMul")) seen.set("MatMul", [...(seen.get("MatMul") ?? []), storageOf(out[0]!)]);
      return out;
    });
    const bias = tf.variable(tf.zeros([3])) as Variable<Rank.R1>;
    const loss = () => tf.sum(linear(x, weight, bias)) as Scalar;
    try {
      for (const run of [
        () => valueAndGradients(() => autocast("float16", loss), [weight, bias]),
        () => autocast("float16", () => valueAndGradients(loss, [weight, bias])),
      ]) {
        const { gradients } = run();
        assert.deepEqual(gradients.map(storageOf), ["float32", "float32"]);
        assert.deepEqual([...gradients[1]!.dataSync()], [4, 4, 4]);
      }
    } finally {
      leave();
    }
    // One product forward, one for the gradient of the weight; that of x is not asked for.
    assert.equal(seen.get("MatMul")!.length, 4);
    assert.deepEqual(new Set(seen.get("MatMul")), new Set(["float16"]));
  });

  test("second derivatives are supported", () => {
    const cube = (v: Tensor) =>
      tf.sum(autocast("float16", () => tf.matMul(v as Tensor2D, v as Tensor2D)).square()) as Tensor;
    const one = tf.tensor2d([
      [1, 0],
      [0, 2],
    ]);
    const second = tf.grad((v: Tensor) => tf.grad(cube)(v).sum())(one);
    assert.equal(storageOf(second), "float32");
    // f = sum of (v v)^2. Its second derivative, summed over one index, by float64 finite differences in NumPy.
    assert.deepEqual(
      [...second.dataSync()],
      [
        ...tf
          .grad((v: Tensor) =>
            tf
              .grad((w: Tensor) =>
                tf
                  .matMul(w as Tensor2D, w as Tensor2D)
                  .square()
                  .sum(),
              )(v)
              .sum(),
          )(one)
          .dataSync(),
      ],
    );
  });

  test("a step leaves no tensor behind, and its activations take at most 55% of float32's bytes", () => {
    const [rows, time] = [8, 256];
    const config = { vocabularySize: listOpsVocabulary.size, classes: 10, maxLength: time, heads: 4 };
    const model = transformerClassifier({ ...config, features: 32, layers: 3, dropout: 0 });
    const examples = listOps({ count: rows, seed: 1, minLength: 64, maxLength: time });
    const [batch] = fixedLengthBatches(examples, { batchSize: rows, maxLength: time });
    const variables = parameterList(model.parameters).map(({ variable }) => variable);
    const forward = () => crossEntropy(model.apply(model.parameters, batch!, { training: true }), labelTensor(batch!));
    const step = (run: () => Scalar) => {
      tf.tidy(() => tf.dispose(valueAndGradients(run, variables) as unknown as Tensor[]));
      // What earlier tests let go of must not be freed while this is measured.
      collect();
      const { live } = nativeMemory();
      resetPeak();
      tf.tidy(() => tf.dispose(valueAndGradients(run, variables) as unknown as Tensor[]));
      assert.equal(nativeMemory().live, live);
      return nativeMemory().peak - live;
    };
    const full = step(forward);
    const half = step(() => autocast("float16", forward));
    assert.ok(half <= 0.55 * full, `${half} is ${half / full} of ${full}`);
    model.dispose();
  });

  test("an op can be moved to another list and back", () => {
    const back = registerAutocast("Relu", "float32");
    assert.equal(storageOf(autocast("float16", () => tf.relu(tf.matMul(x, weight)))), "float32");
    assert.ok(autocastLists().some(({ op, list }) => op === "Relu" && list === "float32"));
    back();
    assert.equal(storageOf(autocast("float16", () => tf.relu(tf.matMul(x, weight)))), "float16");
    assert.throws(() => registerAutocast("Relu", "fp16" as "half"), /"half", "float32" or "widest", got "fp16"/);
  });

  test("autocastOp runs a user's function in one type throughout", () => {
    const spread = (lists: "half" | "float32" | "widest") =>
      autocastOp(lists, (v: Tensor) => {
        assert.equal(autocastType(), undefined);
        return tf.exp(v).mul(v) as Tensor;
      });
    const run = (lists: "half" | "float32" | "widest", v: Tensor) =>
      storageOf(autocast("float16", () => spread(lists)(v)));
    assert.deepEqual(
      [run("half", x), run("float32", to(x, "float16")), run("widest", to(x, "float16"))],
      ["float16", "float32", "float16"],
    );
    const gradient = tf.grad((v: Tensor) => autocast("float16", () => spread("half")(v)).sum())(x);
    assert.equal(storageOf(gradient), "float32");
  });

  test("the table has PyTorch's and TensorFlow's list for each op", () => {
    const lists = new Map(autocastLists().map((row) => [row.op, row]));
    assert.equal(new Set(lists.keys()).size, autocastLists().length);
    assert.deepEqual(lists.get("Softmax")?.tensorflow, "infer");
    assert.equal(lists.get("MatMul")?.list, "half");
    for (const { list, tensorflow, why, op } of lists.values())
      if ((list === "float32" && tensorflow === "infer") || (list === "half" && tensorflow === "none"))
        assert.ok(why || lists.get(op)?.pytorch, `${op} differs from TensorFlow's list without a reason`);
  });

  test("rejects other types, and a value that is not a function", () => {
    assert.throws(
      () => autocast("float64" as HalfType, () => 1),
      /autocast: expected "float16" or "bfloat16", got "float64"/,
    );
    assert.throws(() => autocast("float32" as HalfType, () => 1), /autocast\(false, fn\) switches it off/);
    assert.throws(() => autocast("float16", 3 as never), /must be a function, got number/);
  });
});
