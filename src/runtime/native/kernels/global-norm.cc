// The common norm of a list of gradients.
#include <cmath>

#include "pieces.h"

namespace halftone {
namespace {

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

const Registration<GlobalNorm> globalNorm({"HalftoneGlobalNorm", {"N: int >= 1"}, {"gradients: N * float"}, {"norm: float"}});

}  // namespace
}  // namespace halftone
