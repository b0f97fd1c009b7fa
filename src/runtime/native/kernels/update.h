// What the steps of all optimizers have in common: their declaration, inputs and outputs, clipping, and Adam's rule.
#pragma once

#include "functions.h"
#include "pieces.h"

namespace halftone {

inline Declaration updateDeclaration(const char* name) {
  return {name,
          {"N: int >= 1", "G: int >= 1", "S: int >= 0", "norms: int >= 0"},
          {"parameters: N * float", "gradients: G * float", "state: S * float", "numbers: float", "norm: norms * float"},
          {"updated: N * float", "new_state: S * float"}};
}

struct UpdateAttributes {
  explicit UpdateAttributes(Attributes& attributes)
      : count(static_cast<int>(attributes.integer("N"))),
        gradients(static_cast<int>(attributes.integer("G"))),
        slots(static_cast<int>(attributes.integer("S"))),
        hasNorm(attributes.integer("norms") > 0) {}
  int count, gradients, slots;
  bool hasNorm;
};

// The input `numbers`. A gradient is multiplied by the norm's factor, and then clipped to plus or minus `limit`.
template <class Constants>
struct UpdateNumbers {
  float maxNorm, limit;
  Constants constants;
};
INLINE float clipped(float gradient, float factor, float limit) { return larger(-limit, smaller(limit, gradient * factor)); }

// The tensors of one step. The sizes of the state are not checked.
template <class Constants>
struct UpdateStep {
  UpdateStep(Run& run, const UpdateAttributes& a) : isFlat(a.gradients != a.count) {
    // Over the old ones, if the running op is the last that uses them. Nothing is changed before all are there.
    for (int i = 0; i < a.count; i++) newParameters.push_back(run.outputOver({i}, i));
    for (int i = 0; i < a.slots; i++) newState.push_back(run.outputOver({a.count + a.gradients + i}, a.count + i));
    int at = 0;
    for (int i = 0; i < a.count; i++) parameters.push_back(run.input(at++));
    for (int i = 0; i < a.gradients; i++) gradients.push_back(run.input(at++));
    for (int i = 0; i < a.slots; i++) state.push_back(run.input(at++));
    const Tensor given = run.input(at++);
    require(given.size() * sizeof(float) == sizeof(numbers), "there is another number of constants than the rule has");
    numbers = *given.data<UpdateNumbers<Constants>>();
    // NaN stays NaN.
    if (a.hasNorm) factor = smaller(1.f, numbers.maxNorm / (*run.input(at++).data<float>() + 1e-6f));

    pieces = piecesOf(parameters);
    total = pieces.empty() ? 0 : pieces.back().place + pieces.back().size;
    if (isFlat) require(a.gradients == 1 && gradients[0].size() == total, "the gradient does not have the size of the parameters");
    for (int i = 0; i < a.count && !isFlat; i++)
      require(gradients[i].size() == parameters[i].size(), "a gradient does not have the size of its parameter");
  }

  const float* gradientOf(const Piece& piece) const {
    return isFlat ? gradients[0].template data<float>() + piece.place : gradients[piece.tensor].template data<float>() + piece.from;
  }

  // One gradient for each parameter, or a vector of all.
  bool isFlat;
  std::vector<Tensor> parameters, gradients, state, newParameters, newState;
  UpdateNumbers<Constants> numbers;
  float factor = 1;
  std::vector<Piece> pieces;
  // Elements of all parameters.
  int64_t total;
};

struct AdamConstants {
  float firstShare, secondDecay, secondShare, rate, epsilon, keptParameter, decay;
};
// One element of Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019).
struct AdamElement {
  float parameter, first, second;
  INLINE AdamElement after(const AdamElement& e, float clippedGradient, const AdamConstants& c) {
    const float gradient = clippedGradient + c.decay * e.parameter;
    const float first = e.first + (gradient - e.first) * c.firstShare;
    const float second = e.second * c.secondDecay + gradient * gradient * c.secondShare;
    return {e.parameter * c.keptParameter - first / (__builtin_sqrtf(second) + c.epsilon) * c.rate, first, second};
  }
};

}  // namespace halftone
