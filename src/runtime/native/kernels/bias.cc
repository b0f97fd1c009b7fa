// A float32 bias added to the last axis: beside halves it is neither rounded nor copied.
#include "convert.h"
#include "kernel.h"
#include "threads.h"

namespace halftone {
namespace {

EVERY_PROCESSOR void addRow(const float* x, const float* bias, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = x[i] + bias[i];
}

struct BiasAdd {
  explicit BiasAdd(Attributes&) {}
  void operator()(Run& run) const {
    const Tensor x = run.input(0), bias = run.input(1), y = run.output(0, x.type(), x.shape());
    require(x.rank() > 0 && bias.rank() == 1 && bias.size() == x.size(-1),
            "the bias must have one element for each feature");
    if (x.size() == 0) return;
    const int64_t width = bias.size();
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      inParts(x.size() / width, rowsPerPart(width), [&](int64_t from, int64_t to) {
        float xs[tile], ys[tile];
        for (int64_t i = from; i < to; i++)
          for (int64_t k = 0; k < width; k += tile) {
            const int64_t count = std::min(tile, width - k);
            T* out = y.data<T>() + i * width + k;
            addRow(readTile(x.data<T>() + i * width + k, xs, count), bias.data<float>() + k, tileOf(out, ys), count);
            writeTile(ys, out, count);
          }
      });
    });
  }
};

const Registration<BiasAdd> biasAdd({"HalftoneBiasAdd", {"T: " ANY_STORAGE}, {"x: T", "bias: float"}, {"y: T"}});

}  // namespace
}  // namespace halftone
