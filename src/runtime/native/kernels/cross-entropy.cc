// The cross-entropy of logits [rows, classes] and labels, with label smoothing (Szegedy et al. 2016), weights of the classes and
// an ignored label, and its gradient, without the probabilities in memory.
#include <optional>

#include "convert.h"
#include "kernel.h"
#include "rows.h"
#include "threads.h"
#include "workspace.h"

namespace halftone {
namespace {

// The target of a row is `hot` at its label and `even` elsewhere, each times the class's weight, which is 1 where `weight` is null.
struct Target {
  float hot, even;
  const float* weight;
  float of(int64_t k) const { return weight ? weight[k] : 1.f; }
};

// The logarithm of the sum of a row's exponentials in two parts, because their sum is less precise.
struct LogSum {
  float largest, rest;
};

EVERY_PROCESSOR LogSum logSumOf(const float* x, int64_t classes) {
  const float largest = largestOf(x, classes);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t k = 0; k < classes; k++) sum += exponentialOfNegative(x[k] - largest);
  return {largest, std::log(sum)};
}

EVERY_PROCESSOR float lossOf(const float* x, int64_t classes, int32_t label, LogSum s, Target target) {
  const float loss = target.hot * target.of(label) * (s.rest - (x[label] - s.largest));
  if (target.even == 0) return loss;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t k = 0; k < classes; k++) sum += (target.weight ? target.weight[k] : 1.f) * (s.rest - (x[k] - s.largest));
  return loss + target.even * sum;
}

// `total` is the sum of the weights of all classes.
EVERY_PROCESSOR void gradient(const float* x, int64_t classes, int32_t label, LogSum s, Target target, float total,
                              float factor, float* dx) {
  const float share = factor * (target.hot * target.of(label) + target.even * total);
  for (int64_t k = 0; k < classes; k++)
    dx[k] = share * exponentialOfNegative(smaller(0.f, (x[k] - s.largest) - s.rest));
  if (target.even != 0)
    for (int64_t k = 0; k < classes; k++) dx[k] -= factor * target.even * (target.weight ? target.weight[k] : 1.f);
  dx[label] -= factor * target.hot * target.of(label);
}

struct Rule {
  explicit Rule(Attributes& attributes)
      : ignored(attributes.integer("ignored")),
        smoothing(attributes.number("smoothing")),
        weights(attributes.integer("weights") > 0) {}

  Target target(int64_t classes, const std::optional<Tensor>& weight) const {
    return {1.f - smoothing, smoothing / static_cast<float>(classes), weight ? weight->data<float>() : nullptr};
  }
  void check(const Tensor& logits, const Tensor& labels, const std::optional<Tensor>& weight) const {
    require(logits.rank() == 2 && labels.size() == logits.size(0), "there must be one label for each row of the logits");
    require(!weight || weight->size() == logits.size(1), "there must be one weight for each class");
    for (int64_t i = 0; i < labels.size(); i++) {
      const int32_t label = labels.data<int32_t>()[i];
      require(label == ignored || (label >= 0 && label < logits.size(1)), "a label is not one of the classes");
    }
  }
  int64_t ignored;
  float smoothing;
  bool weights;
};

struct CrossEntropy : Rule {
  using Rule::Rule;
  void operator()(Run& run) const {
    const Tensor logits = run.input(0), labels = run.input(1);
    std::optional<Tensor> weight;
    if (weights) weight.emplace(run.input(2));
    check(logits, labels, weight);
    const int64_t rows = logits.size(0), classes = logits.size(1);
    const Tensor losses = run.output(0, TF_FLOAT, {rows}), logSums = run.output(1, TF_FLOAT, {rows, 2});
    const Target own = target(classes, weight);
    byStorage(logits.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      if (rows == 0) return;
      inParts(rows, rowsPerPart(classes), [&](int64_t from, int64_t to) {
        Workspace space(classes, 1);
        float* xs = space.part(classes);
        for (int64_t i = from; i < to; i++) {
          const int32_t label = labels.data<int32_t>()[i];
          LogSum& logSum = logSums.data<LogSum>()[i];
          losses.data<float>()[i] = 0;
          logSum = {0, 0};
          if (label == ignored) continue;
          const float* x = readTile(logits.data<T>() + i * classes, xs, classes);
          logSum = logSumOf(x, classes);
          losses.data<float>()[i] = lossOf(x, classes, label, logSum, own);
        }
      });
    });
  }
};

struct CrossEntropyGrad : Rule {
  explicit CrossEntropyGrad(Attributes& attributes) : Rule(attributes), isMean(attributes.flag("mean")) {}
  void operator()(Run& run) const {
    const Tensor dy = run.input(0), logits = run.input(1), labels = run.input(2), logSums = run.input(3);
    std::optional<Tensor> weight;
    if (weights) weight.emplace(run.input(4));
    check(logits, labels, weight);
    const int64_t rows = logits.size(0), classes = logits.size(1);
    require(logSums.size() == 2 * rows && (dy.size() == 1 || dy.size() == rows), "the gradient does not fit the losses");
    const Tensor dx = run.output(0, logits.type(), logits.shape());
    const Target own = target(classes, weight);
    const float share = isMean ? static_cast<float>(1. / rows) : 1.f;
    float total = 0;
    for (int64_t k = 0; k < classes; k++) total += own.of(k);
    byStorage(logits.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      if (rows == 0) return;
      inParts(rows, rowsPerPart(classes), [&](int64_t from, int64_t to) {
        Workspace space(2 * classes, 2);
        float *xs = space.part(classes), *ys = space.part(classes);
        for (int64_t i = from; i < to; i++) {
          const int32_t label = labels.data<int32_t>()[i];
          T* out = dx.data<T>() + i * classes;
          float* result = tileOf(out, ys);
          if (label == ignored) {
            std::fill_n(result, classes, 0.f);
          } else {
            const float factor = dy.data<float>()[dy.size() == 1 ? 0 : i] * share;
            const float* x = readTile(logits.data<T>() + i * classes, xs, classes);
            gradient(x, classes, label, logSums.data<LogSum>()[i], own, total, factor, result);
          }
          writeTile(ys, out, classes);
        }
      });
    });
  }
  bool isMean;
};

#define RULE "T: " ANY_STORAGE, "ignored: int", "smoothing: float", "weights: int >= 0"

const Registration<CrossEntropy> crossEntropy({"HalftoneCrossEntropy",
                                               {RULE},
                                               {"logits: T", "labels: int32", "weight: weights * float"},
                                               {"losses: float", "log_sums: float"}});
const Registration<CrossEntropyGrad> crossEntropyGrad(
    {"HalftoneCrossEntropyGrad",
     {RULE, "mean: bool"},
     {"dy: float", "logits: T", "labels: int32", "log_sums: float", "weight: weights * float"},
     {"dlogits: T"}});

}  // namespace
}  // namespace halftone
