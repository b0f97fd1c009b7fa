// The sum of two tensors of one shape, as TensorFlow's AddV2 computes it, but in this pool: in a captured step the threads of the other
// would take the cores from it.
#include "convert.h"
#include "kernel.h"
#include "threads.h"
#include "vectors.h"

namespace halftone {
namespace {

EVERY_PROCESSOR void add(const float* x, const float* y, float* sums, int64_t count) {
  for (int64_t i = 0; i < count; i++) sums[i] = x[i] + y[i];
}

struct Add {
  explicit Add(Attributes&) {}
  void operator()(Run& run) const {
    const Tensor sums = run.outputOver({0, 1}, 0), x = run.input(0), y = run.input(1);
    require(x.shape() == y.shape(), "the terms must have the same shape");
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      inParts(x.size(), 64 * tile, [&](int64_t from, int64_t to) {
        float xs[tile], ys[tile], space[tile];
        for (int64_t i = from; i < to; i += tile) {
          const int64_t count = std::min(tile, to - i);
          T* out = sums.data<T>() + i;
          add(readTile(x.data<T>() + i, xs, count), readTile(y.data<T>() + i, ys, count), tileOf(out, space), count);
          writeTile(space, out, count);
        }
      });
    });
  }
};

const Registration<Add> add_({"HalftoneAdd", {"T: " ANY_STORAGE}, {"x: T", "y: T"}, {"sums: T"}});

}  // namespace
}  // namespace halftone
