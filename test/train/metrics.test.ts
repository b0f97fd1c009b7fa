import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { inspect } from "node:util";
import {
  type Average,
  accuracy,
  argMax,
  auc,
  type Batch,
  binaryCrossEntropy,
  concat,
  confusionMatrix,
  crossEntropy,
  displaySymbol,
  dynamicLengthBatches,
  evaluate,
  f1,
  freeUnreachable,
  metricCurve,
  nativeMemory,
  perplexity,
  precision,
  ready,
  recall,
  reshape,
  sigmoid,
  softmax,
  type Tensor,
  tensor,
  toTyped,
  train,
} from "../../src/index.ts";
import { optimizers, perceptron, rowBatches, rowsOf, taggedSequences, tagger } from "./small-models.ts";

interface ClassCase {
  predictions: number[];
  labels: number[];
  classes: number | null;
  accuracy: number;
  confusion: number[][];
  values: {
    metric: "precision" | "recall" | "f1";
    average: Average;
    zeroDivision: 0 | 1 | null;
    value: number | null | (number | null)[];
  }[];
}

/** What bench/reference/metrics.py wrote from scikit-learn; NaN is null. */
const expected = JSON.parse(
  readFileSync(new URL("../../../test/train/fixtures/metrics.json", import.meta.url), "utf8"),
) as {
  classes: ClassCase[];
  auc: { scores: number[]; labels: number[]; value: number }[];
  aucOfClasses: { scores: number[][]; labels: number[]; macro: number; weighted: number }[];
  perplexity: { logits: number[][]; labels: number[]; value: number };
};

const metrics = { precision, recall, f1 };

/** All rows in one batch. */
const allRows = () => rowsOf(Array.from({ length: 12 }, (_, i) => i));

const near = (actual: number, wanted: number, tolerance = 1e-12) =>
  assert.ok(
    Math.abs(actual - wanted) <= tolerance || (Number.isNaN(actual) && Number.isNaN(wanted)),
    `${actual}, not ${wanted}`,
  );

before(ready);

describe("metrics equal scikit-learn's", () => {
  for (const [i, each] of expected.classes.entries()) {
    const { predictions, labels } = each;
    const classes = each.classes === null ? {} : { classes: each.classes };
    test(`precision, recall and F1 of every average and zero division, accuracy and confusion matrix, case ${i}`, () => {
      for (const { metric, average, zeroDivision, value } of each.values) {
        const found = metrics[metric](predictions, labels, { average, zeroDivision: zeroDivision ?? NaN, ...classes });
        const wanted = [value].flat().map((number) => number ?? NaN);
        assert.equal([found].flat().length, wanted.length);
        for (const [j, number] of [found].flat().entries()) near(number, wanted[j]!);
      }
      near(accuracy(predictions, labels), each.accuracy);
      assert.deepEqual(confusionMatrix(predictions, labels, classes).counts, each.confusion);
    });
  }

  test("area under the ROC curve, with ties, and of several classes", () => {
    for (const { scores, labels, value } of expected.auc) {
      near(auc(scores, labels), value);
      near(auc(tensor(scores), tensor(labels, { dtype: "int32" })), value);
    }
    for (const { scores, labels, macro, weighted } of expected.aucOfClasses) {
      near(auc(scores, labels), macro);
      near(auc(scores, labels, { average: "weighted" }), weighted);
    }
  });

  test("perplexity, without ignored labels", () => {
    const { logits, labels, value } = expected.perplexity;
    near(perplexity(logits, labels), value, 1e-6 * value);
    near(perplexity(tensor(logits), Int32Array.from(labels)), value, 1e-6 * value);
    near(perplexity(reshape(tensor(logits), [5, 6, 7]), labels), value, 1e-6 * value);
  });
});

describe("metrics take", () => {
  const labels = [2, 0, 1, 2];
  const logits = [
    [0.1, 0.2, 0.9],
    [3, 1, 1],
    [0, -1, -2],
    [1, 1, 5],
  ];

  test("arrays, typed arrays, tensors and scores of classes, whose largest counts, and keep no tensors", () => {
    for (const predictions of [
      [2, 0, 0, 2],
      Int32Array.of(2, 0, 0, 2),
      logits,
      logits.map((row) => Float32Array.from(row)),
    ])
      assert.equal(accuracy(predictions, labels), 0.75);
    const scores = tensor(logits);
    for (const predictions of [argMax(scores, -1), scores])
      assert.equal(accuracy(predictions, Int8Array.from(labels)), 0.75);
    assert.equal(accuracy([true, false], [1, 1]), 0.5);
    freeUnreachable();
    const { tensors } = nativeMemory();
    accuracy(scores, labels);
    perplexity(scores, labels);
    assert.equal(nativeMemory().tensors, tensors);
  });

  test("labels of tokens, of which -100 or another label does not count", () => {
    const tokens = tensor(
      [
        [2, -100],
        [0, 1],
      ],
      { dtype: "int32" },
    );
    const predictions = tensor(
      [
        [2, 2],
        [0, 0],
      ],
      { dtype: "int32" },
    );
    assert.equal(accuracy(predictions, tokens), 2 / 3);
    assert.equal(accuracy([1, 2, 3], [1, 0, 0], { ignoreIndex: 0 }), 1);
    assert.equal(recall([1, 0, 1], [1, 1, -100]), 0.5);
    assert.deepEqual(confusionMatrix(predictions, tokens).counts, [
      [1, 0, 0],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    assert.equal(auc([0.1, 0.9, 0.5], [0, 1, -100]), 1);
  });

  test("another positive class", () => {
    assert.equal(precision([4, 7, 7], [4, 4, 7], { positive: 7 }), 0.5);
    assert.equal(auc([0.1, 0.9], [7, 4], { positive: 4 }), 1);
  });

  test("a confusion matrix shows as a heat map and as a table with the classes' names", () => {
    const matrix = confusionMatrix([0, 1, 1], [0, 0, 1], { names: ["cat", "dog", "owl"] });
    assert.deepEqual(matrix.classes, [0, 1, 2]);
    assert.equal(
      inspect(matrix),
      [
        "label \\ prediction  cat  dog  owl",
        "------------------  ---  ---  ---",
        "cat                   1    1    0",
        "dog                   0    1    0",
        "owl                   0    0    0",
      ].join("\n"),
    );
    const bundle = matrix[displaySymbol]() as Record<string, unknown>;
    const { data } = bundle["application/vnd.plotly.v1+json"] as {
      data: { type: string; z: number[][]; x: string[] }[];
    };
    assert.deepEqual([data[0]!.type, data[0]!.z[0], data[0]!.x], ["heatmap", [0.5, 0.5, 0], ["cat", "dog", "owl"]]);
    assert.equal(bundle["text/plain"], inspect(matrix));
  });
});

describe("metrics refuse", () => {
  const cases: [string, () => unknown, RegExp][] = [
    ["unequal lengths", () => f1([1, 0, 1], [1, 0]), /f1: expected as many predictions as labels, got 3 and 2/],
    [
      "other shapes",
      () =>
        accuracy(
          tensor([
            [1, 2, 3],
            [1, 2, 3],
          ]),
          tensor([
            [1, 2],
            [1, 2],
            [1, 2],
          ]),
        ),
      /\[2, 3\].*\[3, 2\]/,
    ],
    [
      "probabilities as predictions",
      () => recall([0.2, 0.7], [0, 1]),
      /integers, got 0.2 at 0: .*greater\(scores, 0.5\)/,
    ],
    ["no labels", () => accuracy([], []), /expected at least one label, got none/],
    ["only ignored labels", () => precision([1], [-100]), /only -100, which is ignored/],
    [
      "more than two classes without an average",
      () => f1([0, 1, 2], [0, 1, 1]),
      /needs two classes, got 3 \(0, 1, 2\).*"macro"/,
    ],
    [
      "a positive class that does not occur",
      () => f1([3, 4], [3, 4]),
      /positive class 1 is none of the classes 3 and 4/,
    ],
    [
      "an unknown average",
      () => f1([0], [0], { average: "samples" as "macro" }),
      /average must be "binary", .* got "samples"/,
    ],
    [
      "a class beyond the number of classes",
      () => confusionMatrix([3], [0], { classes: 3 }),
      /3 is not one of the 3 classes/,
    ],
    ["one class only", () => auc([0.1, 0.2], [1, 1]), /auc: every label is 1, .*two classes/],
    [
      "a missing class",
      () =>
        auc(
          [
            [0.2, 0.3, 0.5],
            [0.2, 0.3, 0.5],
          ],
          [0, 1],
        ),
      /auc: no label is class 2/,
    ],
    ["logits in place of probabilities", () => auc([[2, -1, 0]], [0]), /probabilities, got 2 in row 0: pass softmax/],
    ["rows that do not sum to 1", () => auc([[0.5, 0.9, 0]], [0]), /row 0 sums to 1.4: pass softmax/],
    ["a score that is NaN", () => auc([0.5, NaN], [0, 1]), /score 1 is NaN/],
    [
      "one score for three classes",
      () => auc([1, 2, 3], [0, 1, 2]),
      /two classes, got 3 \(0, 1, 2\): give probabilities/,
    ],
    ["unequal lengths of scores", () => auc([1, 2, 3], [0, 1]), /as many scores as labels, got 3 and 2/],
    ["uneven rows", () => accuracy([[1, 2], [1]], [0, 1]), /row 1 of the predictions does not have 2 numbers/],
    ["logits of one axis", () => perplexity([1, 2], [0, 1]), /expected logits \[..., classes\], got \[2\]/],
    ["other labels than rows", () => perplexity([[1, 2]], [0, 1]), /as many rows of logits as labels, got 1 and 2/],
  ];
  for (const [name, call, message] of cases) test(name, () => assert.throws(call, message));
});

describe("train and evaluate compute named metrics", () => {
  const names = ["accuracy", "precision", "recall", "f1", "auc", "perplexity"] as const;

  test("over the whole validation set, for any division into batches", async () => {
    const all = allRows();
    const model = perceptron();
    const history = await train({
      model,
      batches: rowBatches(),
      optimizer: optimizers.adamW(model.parameters),
      steps: 4,
      validation: rowBatches(),
      evaluateEvery: 2,
      metrics: names,
      earlyStop: { patience: 5, by: "f1", restoreBest: false },
      progress: false,
    });
    const logits = model.apply(model.parameters, all);
    const average = { average: "macro" } as const;
    const wanted = {
      accuracy: accuracy(logits, all.labels),
      precision: precision(logits, all.labels, average),
      recall: recall(logits, all.labels, average),
      f1: f1(logits, all.labels, average),
      auc: auc(softmax(logits), all.labels),
      perplexity: perplexity(logits, all.labels),
    };
    const last = history.evaluations.at(-1)!;
    assert.deepEqual(Object.keys(last.metrics), [...names]);
    for (const name of names) near(last.metrics[name]!, wanted[name], 1e-5);
    near(last.metrics.perplexity!, Math.exp(last.loss), 1e-5);
    assert.equal(last.accuracy, last.metrics.accuracy);
    near(evaluate(model, [all], { metrics: ["f1"] }).metrics.f1!, last.metrics.f1!, 1e-6);
    const batches = rowBatches().map((batch) => f1(model.apply(model.parameters, batch), batch.labels, average));
    assert.notEqual(batches.reduce((sum, each) => sum + each / 3, 0).toFixed(6), last.metrics.f1!.toFixed(6));
    const curve = metricCurve(history, "f1");
    assert.deepEqual(
      curve.data.map((trace) => trace.name),
      ["validation"],
    );
  });

  test("of two classes for class 1, by two logits or by one", () => {
    const all = allRows();
    const labels = all.labels.map((label) => Number(label === 1));
    const two = perceptron();
    const batch = { x: all.x, labels };
    const model = {
      parameters: two.parameters,
      apply: (p: typeof two.parameters, { x }: typeof batch) => at2(two.apply(p, { ...all, x })),
    };
    const logits = model.apply(model.parameters, batch);
    const found = evaluate(model, [batch], { metrics: ["f1", "auc"] }).metrics;
    near(found.f1!, f1(logits, labels));
    near(found.auc!, auc(softmax(logits), labels), 1e-6);
    const one = {
      parameters: two.parameters,
      apply: (p: typeof two.parameters, own: typeof batch) => difference(model.apply(p, own)),
    };
    const metrics = evaluate(one, [batch], { loss: "binaryCrossEntropy", metrics: ["f1", "auc", "accuracy"] }).metrics;
    near(metrics.f1!, found.f1!);
    near(metrics.auc!, found.auc!, 1e-6);
    const scores = toTyped(sigmoid(difference(logits)));
    near(auc(scores, labels), metrics.auc!, 1e-6);
  });

  test("of tokens without padding, and with a loss function", () => {
    const model = tagger();
    const batches = dynamicLengthBatches(taggedSequences(), { batchSize: 2, seed: 1 });
    const loss = (outputs: Tensor<[number, number, number]>, batch: Batch) =>
      crossEntropy(outputs, tensor(batch.tokenLabels!, { shape: [batch.rows, batch.time], dtype: "int32" }));
    const named = evaluate(model, batches, { loss: "tokenCrossEntropy", metrics: ["accuracy", "f1", "perplexity"] });
    const own = evaluate(model, batches, { loss, metrics: ["accuracy", "f1", "perplexity"] });
    assert.deepEqual(own.metrics, named.metrics);
    near(named.metrics.perplexity!, Math.exp(named.loss), 1e-5);
  });

  test("and refuse names and losses that do not fit", async () => {
    const all = allRows();
    const model = perceptron();
    const given = {
      model,
      batches: rowBatches(),
      optimizer: optimizers.sgd(model.parameters),
      steps: 1,
      progress: false,
    } as const;
    const validation = rowBatches();
    await assert.rejects(train({ ...given, metrics: ["f1"] }), /metrics needs `validation` batches/);
    await assert.rejects(
      train({ ...given, validation, metrics: ["f2" as "f1"] }),
      /metrics must be among "accuracy", .*, got "f2"/,
    );
    await assert.rejects(
      train({ ...given, validation, loss: "meanSquaredError", metrics: ["f1"] }),
      /metrics f1 compare classes, which the loss "meanSquaredError" does not have/,
    );
    const unlabelled = [{ x: all.x }];
    const plain = {
      parameters: model.parameters,
      apply: (p: typeof model.parameters, { x }: { x: typeof all.x }) => model.apply(p, { ...all, x }),
    };
    assert.throws(
      () => evaluate(plain, unlabelled, { loss: (outputs) => binaryCrossEntropy(outputs, outputs), metrics: ["f1"] }),
      /the option "metrics" needs labels or tokenLabels in the batch, which has x: return metrics from the loss function/,
    );
  });
});

/** The first two of three logits. */
const at2 = (logits: Tensor<[number, number]>): Tensor<[number, number]> =>
  concat([reshape(columns(logits, 0), [-1, 1]), reshape(columns(logits, 1), [-1, 1])], 1);

const columns = (logits: Tensor<[number, number]>, column: number) =>
  tensor(Array.from(toTyped(logits)).filter((_, i) => i % 3 === column));

/** The logit of class 1 against class 0. */
const difference = (logits: Tensor<[number, number]>): Tensor<[number, 1]> => {
  const values = toTyped(logits);
  return tensor(
    Float32Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + 1]! - values[2 * i]!),
    {
      shape: [values.length / 2, 1],
    },
  );
};
