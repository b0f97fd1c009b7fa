// The Gaussian error linear unit, exact and as BERT's tanh approximation, and its gradient (Hendrycks and Gimpel 2016).
#include "kernel.h"
#include "functions.h"
#include "threads.h"

namespace halftone {
namespace {

struct Exact {
  INLINE float phi(float x) { return 0.5f * (1.f + errorFunction(x * 0.70710678118654752f)); }
  INLINE float value(float x) { return x * phi(x); }
  INLINE float derivative(float x) { return phi(x) + x * 0.39894228040143268f * exponential(-0.5f * x * x); }
};

// (1 + tanh(u)) / 2 is the sigmoid of 2 u.
struct Tanh {
  static constexpr float bend = 0.044715f, steepness = 1.59576912160573071f;
  INLINE float value(float x) { return x * sigmoid(steepness * x * (1.f + bend * x * x)); }
  INLINE float derivative(float x) {
    const float u = steepness * x * (1.f + bend * x * x), inner = steepness * (1.f + 3.f * bend * x * x);
    // In the exponential of a negative number, so that 1 minus the sigmoid does not cancel.
    const float e = exponential(u < 0 ? u : -u), rest = 1.f / (1.f + e), share = u < 0 ? e * rest : rest;
    return share + x * inner * e * rest * rest;
  }
};

template <class Curve, class T>
EVERY_PROCESSOR void values(const T* x, T* y, int64_t size) {
  for (int64_t i = 0; i < size; i++) y[i] = Stored<T>::from(Curve::value(toFloat(x[i])));
}

template <class Curve, class T>
EVERY_PROCESSOR void gradients(const T* dy, const T* x, T* dx, int64_t size) {
  for (int64_t i = 0; i < size; i++) dx[i] = Stored<T>::from(toFloat(dy[i]) * Curve::derivative(toFloat(x[i])));
}

constexpr int64_t part = 16384;

struct Gelu {
  explicit Gelu(Attributes& attributes) : isTanh(attributes.flag("tanh")) {}
  void operator()(Run& run) const {
    Tensor x = run.input(0), y = run.output(0, x.type(), x.shape());
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      auto* f = isTanh ? values<Tanh, T> : values<Exact, T>;
      inParts(x.size(), part, [&](int64_t from, int64_t to) { f(x.data<T>() + from, y.data<T>() + from, to - from); });
    });
  }
  bool isTanh;
};

struct GeluGrad {
  explicit GeluGrad(Attributes& attributes) : isTanh(attributes.flag("tanh")) {}
  void operator()(Run& run) const {
    Tensor dy = run.input(0), x = run.input(1), dx = run.output(0, x.type(), x.shape());
    require(dy.size() == x.size(), "the gradient does not have the size of the input");
    byStorage(x.type(), [&](auto* t) {
      using T = Pointee<decltype(t)>;
      auto* f = isTanh ? gradients<Tanh, T> : gradients<Exact, T>;
      inParts(x.size(), part, [&](int64_t from, int64_t to) {
        f(dy.data<T>() + from, x.data<T>() + from, dx.data<T>() + from, to - from);
      });
    });
  }
  bool isTanh;
};

const Registration<Gelu> gelu({"HalftoneGelu", {"T: " ANY_STORAGE, "tanh: bool"}, {"x: T"}, {"y: T"}});
const Registration<GeluGrad> geluGrad(
    {"HalftoneGeluGrad", {"T: " ANY_STORAGE, "tanh: bool"}, {"dy: T", "x: T"}, {"dx: T"}});

}  // namespace
}  // namespace halftone
