// Activations and their gradients, with the bias before and the dropout after them: the rectifier, the Gaussian error linear
// unit, exact and as BERT's tanh approximation (Hendrycks and Gimpel 2016), and the sigmoid linear unit (Ramachandran et al. 2017).
#include <optional>

#include "dropout-rule.h"
#include "functions.h"

namespace halftone {
namespace {

// Its gradient is a function of its value, dropped values included.
struct Relu {
  INLINE float value(float x) { return x > 0 ? x : x == x ? 0.f : x; }
  INLINE float derivative(float y) { return y > 0 ? 1.f : 0.f; }
};

struct Gelu {
  INLINE float phi(float x) { return 0.5f * (1.f + errorFunction(x * 0.70710678118654752f)); }
  INLINE float value(float x) { return x * phi(x); }
  INLINE float derivative(float x) { return phi(x) + x * 0.39894228040143268f * exponential(-0.5f * x * x); }
};

// The sigmoid of u and its derivative. In the exponential of a negative number, so that 1 minus the sigmoid does not cancel.
struct Slope {
  float share, slope;
};
INLINE Slope sigmoidAndSlope(float u) {
  const float e = exponential(u < 0 ? u : -u), rest = 1.f / (1.f + e);
  return {u < 0 ? e * rest : rest, e * rest * rest};
}

// (1 + tanh(u)) / 2 is the sigmoid of 2 u.
struct GeluTanh {
  static constexpr float bend = 0.044715f, steepness = 1.59576912160573071f;
  INLINE float value(float x) { return x * sigmoid(steepness * x * (1.f + bend * x * x)); }
  INLINE float derivative(float x) {
    const Slope s = sigmoidAndSlope(steepness * x * (1.f + bend * x * x));
    return s.share + x * steepness * (1.f + 3.f * bend * x * x) * s.slope;
  }
};

struct Silu {
  INLINE float value(float x) { return x * sigmoid(x); }
  INLINE float derivative(float x) {
    const Slope s = sigmoidAndSlope(x);
    return s.share + x * s.slope;
  }
};

// `bias` and `factors` may be null.
template <class Curve>
EVERY_PROCESSOR void values(const float* x, const float* bias, const float* factors, float* y, int64_t count) {
  if (bias)
    for (int64_t i = 0; i < count; i++) y[i] = Curve::value(x[i] + bias[i]);
  else
    for (int64_t i = 0; i < count; i++) y[i] = Curve::value(x[i]);
  if (factors)
    for (int64_t i = 0; i < count; i++) y[i] *= factors[i];
}

template <class Curve>
EVERY_PROCESSOR void gradients(const float* dy, const float* x, const float* factors, float scale, float* dx, int64_t count) {
  if (factors)
    for (int64_t i = 0; i < count; i++) dx[i] = dy[i] * factors[i] * Curve::derivative(x[i]);
  else
    for (int64_t i = 0; i < count; i++) dx[i] = dy[i] * scale * Curve::derivative(x[i]);
}

template <class Work>
void byCurve(int64_t curve, const Work& work) {
  if (curve == 0) work(Relu());
  if (curve == 1) work(Gelu());
  if (curve == 2) work(GeluTanh());
  if (curve == 3) work(Silu());
}

// The bias of elements [from, from + count) of rows of `width`.
const float* biasOf(const float* bias, int64_t width, int64_t from, int64_t count, float* space) {
  const int64_t at = from % width;
  if (at + count <= width) return bias + at;
  for (int64_t i = 0, k = at; i < count; i++, k = k + 1 == width ? 0 : k + 1) space[i] = bias[k];
  return space;
}

// Calls work(from, count, factors), which are null without a seed.
template <class Work>
void inTilesOf(int64_t size, const std::optional<Dropout>& dropout, const Work& work) {
  if (dropout) return inTiles(*dropout, work);
  inParts(size, 64 * tile, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i += tile) work(i, std::min(tile, to - i), nullptr);
  });
}

struct Activation : DropoutRule {
  explicit Activation(Attributes& attributes)
      : DropoutRule(attributes),
        curve(attributes.integer("curve")),
        biases(attributes.integer("biases") > 0),
        seeds(attributes.integer("seeds") > 0) {}
  void operator()(Run& run) const {
    const Tensor y = run.outputOver({0}, 0), x = run.input(0);
    std::optional<Tensor> bias;
    if (biases) {
      bias.emplace(run.input(1));
      require(x.rank() > 0 && bias->size() == x.size(-1), "the bias must have one element for each feature");
    }
    std::optional<Dropout> dropout;
    if (seeds) dropout.emplace(of(run.input(1 + biases), x.size()));
    byCurve(curve, [&](auto c) {
      using Curve = decltype(c);
      byStorage(x.type(), [&](auto* t) {
        using T = Pointee<decltype(t)>;
        inTilesOf(x.size(), dropout, [&](int64_t from, int64_t count, const float* factors) {
          float bs[tile], xs[tile], ys[tile];
          const float* own = bias ? biasOf(bias->data<float>(), bias->size(), from, count, bs) : nullptr;
          T* out = y.data<T>() + from;
          values<Curve>(readTile(x.data<T>() + from, xs, count), own, factors, tileOf(out, ys), count);
          writeTile(ys, out, count);
        });
      });
    });
  }
  int64_t curve;
  bool biases, seeds;
};

struct ActivationGrad : DropoutRule {
  explicit ActivationGrad(Attributes& attributes)
      : DropoutRule(attributes),
        curve(attributes.integer("curve")),
        seeds(attributes.integer("seeds") > 0) {}
  void operator()(Run& run) const {
    const Tensor dx = run.outputOver({0}, 0), dy = run.input(0), x = run.input(1);
    require(dy.size() == x.size(), "the gradient does not have the size of the input");
    std::optional<Dropout> dropout;
    if (seeds) dropout.emplace(of(run.input(2), x.size()));
    byCurve(curve, [&](auto c) {
      using Curve = decltype(c);
      byStorage(x.type(), [&](auto* t) {
        using T = Pointee<decltype(t)>;
        inTilesOf(x.size(), dropout, [&](int64_t from, int64_t count, const float* factors) {
          float gs[tile], xs[tile], ys[tile];
          T* out = dx.data<T>() + from;
          const float* g = readTile(dy.data<T>() + from, gs, count);
          gradients<Curve>(g, readTile(x.data<T>() + from, xs, count), factors, scale, tileOf(out, ys), count);
          writeTile(ys, out, count);
        });
      });
    });
  }
  int64_t curve;
  bool seeds;
};

const Registration<Activation> activation(
    {"HalftoneActivation",
     {"T: " ANY_STORAGE, "curve: int", "biases: int >= 0", "seeds: int >= 0", "dropped: int", "scale: float"},
     {"x: T", "bias: biases * float", "seed: seeds * int32"},
     {"y: T"}});
const Registration<ActivationGrad> activationGrad(
    {"HalftoneActivationGrad",
     {"T: " ANY_STORAGE, "curve: int", "seeds: int >= 0", "dropped: int", "scale: float"},
     {"dy: T", "x: T", "seed: seeds * int32"},
     {"dx: T"}});

}  // namespace
}  // namespace halftone
