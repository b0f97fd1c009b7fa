// The sum of rows over every axis but the last, such as the gradient of a bias: in float32, without a copy of a half tensor.
#include <vector>

#include "convert.h"
#include "kernel.h"
#include "threads.h"

namespace halftone {
namespace {

EVERY_PROCESSOR void add(const float* x, float* sums, int64_t count) {
  for (int64_t i = 0; i < count; i++) sums[i] += x[i];
}

struct ColumnSums {
  explicit ColumnSums(Attributes&) {}
  void operator()(Run& run) const {
    const Tensor x = run.input(0);
    require(x.rank() > 0, "a scalar has no columns");
    const int64_t width = x.size(-1), rows = width == 0 ? 0 : x.size() / width;
    const Tensor y = run.output(0, x.type(), {width});
    const int64_t part = rowsPerPart(width, 65536), parts = (rows + part - 1) / part;
    std::vector<float> sums((parts + 1) * width, 0.f);
    float* total = sums.data() + parts * width;
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      if (parts > 0)
        inParts(rows, part, [&](int64_t from, int64_t to) {
          float space[tile];
          float* own = sums.data() + from / part * width;
          for (int64_t i = from; i < to; i++)
            for (int64_t k = 0; k < width; k += tile) {
              const int64_t count = std::min(tile, width - k);
              add(readTile(x.data<T>() + i * width + k, space, count), own + k, count);
            }
        });
      for (int64_t i = 0; i < parts; i++) add(sums.data() + i * width, total, width);
      writeRow(total, y.data<T>(), width);
    });
  }
};

const Registration<ColumnSums> columnSums({"HalftoneColumnSums", {"T: " ANY_STORAGE}, {"x: T"}, {"y: T"}});

}  // namespace
}  // namespace halftone
