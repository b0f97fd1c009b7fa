// Adam and AdamW over a list of parameters (Kingma and Ba 2015; Loshchilov and Hutter 2019), and the common norm of a list of
// gradients. The moments of all parameters are one vector each.
#include <cmath>
#include <vector>

#include "functions.h"
#include "kernel.h"
#include "threads.h"

namespace halftone {
namespace {

constexpr int64_t part = 16384;

// Pieces of at most `part` elements of a list of tensors, in their order.
struct Piece {
  int tensor;
  int64_t from, size, place;  // `place` counts the elements of the tensors before.
};

std::vector<Piece> piecesOf(const std::vector<Tensor>& tensors) {
  std::vector<Piece> pieces;
  int64_t place = 0;
  for (size_t i = 0; i < tensors.size(); i++)
    for (int64_t from = 0, size = tensors[i].size(); from < size; from += part) {
      const int64_t count = std::min(part, size - from);
      pieces.push_back({static_cast<int>(i), from, count, place});
      place += count;
    }
  return pieces;
}

// Groups of pieces that together are worth a thread.
template <class Work>
void inGroups(const std::vector<Piece>& pieces, const Work& work) {
  std::vector<size_t> ends;
  int64_t elements = 0;
  for (size_t i = 0; i < pieces.size(); i++) {
    elements += pieces[i].size;
    if (elements >= part || i + 1 == pieces.size()) {
      ends.push_back(i + 1);
      elements = 0;
    }
  }
  inThreads(static_cast<int64_t>(ends.size()), [&](int64_t g) {
    for (size_t i = g == 0 ? 0 : ends[g - 1]; i < ends[g]; i++) work(i);
  });
}

EVERY_PROCESSOR float sumOfSquares(const float* x, int64_t size) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < size; i++) sum += x[i] * x[i];
  return sum;
}

struct GlobalNorm {
  explicit GlobalNorm(Attributes&) {}
  void operator()(Run& run) const {
    std::vector<Tensor> gradients;
    for (int i = 0; i < run.inputs(); i++) gradients.push_back(run.input(i));
    const Tensor norm = run.output(0, TF_FLOAT, {});
    const std::vector<Piece> pieces = piecesOf(gradients);
    std::vector<float> sums(pieces.size());
    inGroups(pieces, [&](size_t i) {
      const Piece& piece = pieces[i];
      sums[i] = sumOfSquares(gradients[piece.tensor].data<float>() + piece.from, piece.size);
    });
    double sum = 0;
    for (float each : sums) sum += each;
    *norm.data<float>() = static_cast<float>(std::sqrt(sum));
  }
};

// In the order of the input `numbers`.
struct Numbers {
  float firstShare, secondDecay, secondShare, rate, epsilon, keptParameter, decay, maxNorm, limit;
};

struct Parameters {
  const float *parameter, *gradient, *first, *second;
  float *newParameter, *newFirst, *newSecond;
};

EVERY_PROCESSOR void step(const Numbers n, float factor, const Parameters p, int64_t size) {
  for (int64_t i = 0; i < size; i++) {
    const float clipped = larger(-n.limit, smaller(n.limit, p.gradient[i] * factor));
    const float gradient = clipped + n.decay * p.parameter[i];
    const float first = p.first[i] + (gradient - p.first[i]) * n.firstShare;
    const float second = p.second[i] * n.secondDecay + gradient * gradient * n.secondShare;
    p.newFirst[i] = first;
    p.newSecond[i] = second;
    p.newParameter[i] = p.parameter[i] * n.keptParameter - first / (__builtin_sqrtf(second) + n.epsilon) * n.rate;
  }
}

struct Adam {
  explicit Adam(Attributes& attributes)
      : count(static_cast<int>(attributes.integer("N"))),
        gradients(static_cast<int>(attributes.integer("G"))),
        hasNorm(attributes.integer("norms") > 0) {}

  void operator()(Run& run) const {
    std::vector<Tensor> parameters, slopes, results;
    int at = 0;
    for (int i = 0; i < count; i++) parameters.push_back(run.input(at++));
    for (int i = 0; i < gradients; i++) slopes.push_back(run.input(at++));
    const Tensor first = run.input(at++), second = run.input(at++), given = run.input(at++);
    require(given.size() * sizeof(float) == sizeof(Numbers), "there must be nine numbers");
    const Numbers numbers = *given.data<Numbers>();
    float factor = 1;
    // NaN stays NaN.
    if (hasNorm) factor = smaller(1.f, numbers.maxNorm / (*run.input(at++).data<float>() + 1e-6f));

    const std::vector<Piece> pieces = piecesOf(parameters);
    const int64_t total = pieces.empty() ? 0 : pieces.back().place + pieces.back().size;
    require(first.size() == total && second.size() == total, "the moments do not have the size of the parameters");
    const bool isFlat = gradients != count;
    if (isFlat) require(gradients == 1 && slopes[0].size() == total, "the gradient does not have the size of the parameters");
    for (int i = 0; i < count; i++) {
      if (!isFlat) require(slopes[i].size() == parameters[i].size(), "a gradient does not have the size of its parameter");
      results.push_back(run.output(i, TF_FLOAT, parameters[i].shape()));
    }
    const Tensor newFirst = run.output(count, TF_FLOAT, first.shape());
    const Tensor newSecond = run.output(count + 1, TF_FLOAT, second.shape());
    inGroups(pieces, [&](size_t i) {
      const auto [tensor, from, size, place] = pieces[i];
      const float* gradient = isFlat ? slopes[0].data<float>() + place : slopes[tensor].data<float>() + from;
      step(numbers, factor,
           {parameters[tensor].data<float>() + from, gradient, first.data<float>() + place, second.data<float>() + place,
            results[tensor].data<float>() + from, newFirst.data<float>() + place, newSecond.data<float>() + place},
           size);
    });
  }
  int count, gradients;
  bool hasNorm;
};

const Registration<GlobalNorm> globalNorm({"HalftoneGlobalNorm", {"N: int >= 1"}, {"gradients: N * float"}, {"norm: float"}});
const Registration<Adam> adam(
    {"HalftoneAdam",
     {"N: int >= 1", "G: int >= 1", "norms: int >= 0"},
     {"parameters: N * float", "gradients: G * float", "first: float", "second: float", "numbers: float", "norm: norms * float"},
     {"updated: N * float", "new_first: float", "new_second: float"}});

}  // namespace
}  // namespace halftone
