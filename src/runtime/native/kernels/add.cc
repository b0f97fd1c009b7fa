// Sums: of two tensors of one shape, as TensorFlow's AddV2 computes them, but in this pool, because in a captured step the threads of the
// other would take the cores from it; and of the last axis and a float32 bias, which beside halves is neither rounded nor copied.
#include "convert.h"
#include "kernel.h"
#include "threads.h"

namespace halftone {
namespace {

EVERY_PROCESSOR void add(const float* x, const float* y, float* sums, int64_t count) {
  for (int64_t i = 0; i < count; i++) sums[i] = x[i] + y[i];
}

// At most `tile` numbers; the sums may lie over x or y.
template <class T>
void addTile(const T* x, const float* y, T* sums, int64_t count) {
  float xs[tile], space[tile];
  add(readTile(x, xs, count), y, tileOf(sums, space), count);
  writeTile(space, sums, count);
}

struct Add {
  explicit Add(Attributes&) {}
  void operator()(Run& run) const {
    const Tensor sums = run.outputOver({0, 1}, 0), x = run.input(0), y = run.input(1);
    require(x.shape() == y.shape(), "the terms must have the same shape");
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      inParts(x.size(), 64 * tile, [&](int64_t from, int64_t to) {
        float ys[tile];
        for (int64_t i = from; i < to; i += tile) {
          const int64_t count = std::min(tile, to - i);
          addTile(x.data<T>() + i, readTile(y.data<T>() + i, ys, count), sums.data<T>() + i, count);
        }
      });
    });
  }
};

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
        for (int64_t i = from; i < to; i++)
          for (int64_t k = 0; k < width; k += tile)
            addTile(x.data<T>() + i * width + k, bias.data<float>() + k, y.data<T>() + i * width + k,
                    std::min(tile, width - k));
      });
    });
  }
};

const Registration<Add> add_({"HalftoneAdd", {"T: " ANY_STORAGE}, {"x: T", "y: T"}, {"sums: T"}});
const Registration<BiasAdd> biasAdd({"HalftoneBiasAdd", {"T: " ANY_STORAGE}, {"x: T", "bias: float"}, {"y: T"}});

}  // namespace
}  // namespace halftone
