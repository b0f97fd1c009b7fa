// Softmax and its logarithm over the last axis, and their gradients.
#include "convert.h"
#include "kernel.h"
#include "rows.h"
#include "threads.h"
#include "workspace.h"

namespace halftone {
namespace {

EVERY_PROCESSOR void softmax(const float* x, float* y, int64_t width) {
  const float inverse = 1.f / exponentials(x, width, y).sum;
  for (int64_t k = 0; k < width; k++) y[k] *= inverse;
}

EVERY_PROCESSOR void logSoftmax(const float* x, float* y, int64_t width) {
  const ExponentialSum s = exponentials(x, width, y);
  const float logSum = std::log(s.sum);
  for (int64_t k = 0; k < width; k++) y[k] = (x[k] - s.largest) - logSum;
}

EVERY_PROCESSOR void softmaxGradient(const float* dy, const float* y, float* dx, int64_t width) {
  float along = 0;
#pragma omp simd reduction(+ : along)
  for (int64_t k = 0; k < width; k++) along += dy[k] * y[k];
  for (int64_t k = 0; k < width; k++) dx[k] = y[k] * (dy[k] - along);
}

EVERY_PROCESSOR void logSoftmaxGradient(const float* dy, const float* y, float* dx, int64_t width) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t k = 0; k < width; k++) sum += dy[k];
  for (int64_t k = 0; k < width; k++) dx[k] = dy[k] - exponential(y[k]) * sum;
}

int64_t widthOf(const Tensor& x) {
  require(x.rank() > 0, "a scalar has no rows");
  return x.size(-1);
}

struct Softmax {
  explicit Softmax(Attributes& attributes) : isLog(attributes.flag("log")) {}
  void operator()(Run& run) const {
    const Tensor x = run.input(0), y = run.output(0, x.type(), x.shape());
    const int64_t width = widthOf(x);
    if (x.size() == 0) return;
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      inParts(x.size() / width, rowsPerPart(width), [&](int64_t from, int64_t to) {
        Workspace space(2 * width, 2);
        float *xs = space.part(width), *ys = space.part(width);
        for (int64_t i = from; i < to; i++) {
          T* out = y.data<T>() + i * width;
          (isLog ? logSoftmax : softmax)(readTile(x.data<T>() + i * width, xs, width), tileOf(out, ys), width);
          writeTile(ys, out, width);
        }
      });
    });
  }
  bool isLog;
};

struct SoftmaxGrad {
  explicit SoftmaxGrad(Attributes& attributes) : isLog(attributes.flag("log")) {}
  void operator()(Run& run) const {
    const Tensor dy = run.input(0), y = run.input(1), dx = run.output(0, y.type(), y.shape());
    const int64_t width = widthOf(y);
    require(dy.size() == y.size(), "the gradient does not have the size of the result");
    if (y.size() == 0) return;
    byStorage(y.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      inParts(y.size() / width, rowsPerPart(width), [&](int64_t from, int64_t to) {
        Workspace space(3 * width, 3);
        float *gs = space.part(width), *ys = space.part(width), *xs = space.part(width);
        for (int64_t i = from; i < to; i++) {
          T* out = dx.data<T>() + i * width;
          const float* g = readTile(dy.data<T>() + i * width, gs, width);
          (isLog ? logSoftmaxGradient : softmaxGradient)(g, readTile(y.data<T>() + i * width, ys, width),
                                                         tileOf(out, xs), width);
          writeTile(xs, out, width);
        }
      });
    });
  }
  bool isLog;
};

const Registration<Softmax> softmax_({"HalftoneSoftmax", {"T: " ANY_STORAGE, "log: bool"}, {"x: T"}, {"y: T"}});
const Registration<SoftmaxGrad> softmaxGrad_(
    {"HalftoneSoftmaxGrad", {"T: " ANY_STORAGE, "log: bool"}, {"dy: T", "y: T"}, {"dx: T"}});

}  // namespace
}  // namespace halftone
