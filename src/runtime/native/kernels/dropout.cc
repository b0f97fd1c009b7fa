// Dropout (Srivastava et al. 2014), alone and added to a residual.
#include "dropout-rule.h"

namespace halftone {
namespace {

EVERY_PROCESSOR void drop(const float* x, const float* factors, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = x[i] * factors[i];
}

EVERY_PROCESSOR void dropAndAdd(const float* x, const float* factors, const float* residual, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = residual[i] + x[i] * factors[i];
}

struct Drop : DropoutRule {
  using DropoutRule::DropoutRule;
  void operator()(Run& run) const {
    const Tensor y = run.outputOver({0}, 0), x = run.input(0), seed = run.input(1);
    const Dropout dropout = of(seed, x.size());
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      inTiles(dropout, [&](int64_t from, int64_t count, const float* factors) {
        float xs[tile], ys[tile];
        T* out = y.data<T>() + from;
        drop(readTile(x.data<T>() + from, xs, count), factors, tileOf(out, ys), count);
        writeTile(ys, out, count);
      });
    });
  }
};

struct DropAndAdd : DropoutRule {
  using DropoutRule::DropoutRule;
  void operator()(Run& run) const {
    const Tensor x = run.input(0), residual = run.input(1), seed = run.input(2);
    require(residual.size() == x.size(), "the residual does not have the size of the input");
    const Tensor y = run.output(0, residual.type(), x.shape());
    const Dropout dropout = of(seed, x.size());
    byStorage(x.type(), [&](auto* t) {
      byStorage(residual.type(), [&](auto* r) {
        using T = Pointee<decltype(t)>;
        using R = Pointee<decltype(r)>;
        inTiles(dropout, [&](int64_t from, int64_t count, const float* factors) {
          float xs[tile], rs[tile], ys[tile];
          R* out = y.data<R>() + from;
          const float* added = readTile(residual.data<R>() + from, rs, count);
          dropAndAdd(readTile(x.data<T>() + from, xs, count), factors, added, tileOf(out, ys), count);
          writeTile(ys, out, count);
        });
      });
    });
  }
};

const Registration<Drop> dropout(
    {"HalftoneDropout", {"T: " ANY_STORAGE, "dropped: int", "scale: float"}, {"x: T", "seed: int32"}, {"y: T"}});
const Registration<DropAndAdd> dropoutAndAdd({"HalftoneDropoutAndAdd",
                                            {"T: " ANY_STORAGE, "R: " ANY_STORAGE, "dropped: int", "scale: float"},
                                            {"x: T", "residual: R", "seed: int32"},
                                            {"y: R"}});

}  // namespace
}  // namespace halftone
