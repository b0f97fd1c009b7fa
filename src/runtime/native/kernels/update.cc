// One step of an optimizer over a list of parameters, with clipping. Each vector of its state is one for all parameters.
#include "update.h"

namespace halftone {
namespace {

// The numbers of one piece. `slots` are the state, in the order of the rule.
struct Numbers {
  const float *parameter, *gradient;
  const float* slots[3];
  float* newParameter;
  float* newSlots[3];
  int64_t size;
  float factor, limit;

  INLINE float clippedAt(const Numbers& n, int64_t i) { return clipped(n.gradient[i], n.factor, n.limit); }
};

// A rule has the number of its slots, or the most of them, its constants in the order of the input `numbers`, and the function.

struct Adam {
  static constexpr int slots = 2;
  using Constants = AdamConstants;
  EVERY_PROCESSOR static void step(const Constants c, const Numbers n) {
    IN_PLACE for (int64_t i = 0; i < n.size; i++) {
      const AdamElement e = AdamElement::after({n.parameter[i], n.slots[0][i], n.slots[1][i]}, Numbers::clippedAt(n, i), c);
      n.newSlots[0][i] = e.first;
      n.newSlots[1][i] = e.second;
      n.newParameter[i] = e.parameter;
    }
  }
};

// Gradient descent, with a velocity where it has momentum (Sutskever et al. 2013 for Nesterov's).
struct Sgd {
  static constexpr int slots = 1;
  struct Constants {
    float decay, momentum, gradientShare, directGradient, directVelocity, rate;
  };
  EVERY_PROCESSOR static void step(const Constants c, const Numbers n) {
    if (!n.slots[0]) {
      IN_PLACE for (int64_t i = 0; i < n.size; i++) {
        const float gradient = Numbers::clippedAt(n, i) + c.decay * n.parameter[i];
        n.newParameter[i] = n.parameter[i] - gradient * c.rate;
      }
      return;
    }
    IN_PLACE for (int64_t i = 0; i < n.size; i++) {
      const float gradient = Numbers::clippedAt(n, i) + c.decay * n.parameter[i];
      const float velocity = n.slots[0][i] * c.momentum + gradient * c.gradientShare;
      n.newSlots[0][i] = velocity;
      n.newParameter[i] = n.parameter[i] - (gradient * c.directGradient + velocity * c.directVelocity) * c.rate;
    }
  }
};

// Lion (Chen et al. 2023).
struct Lion {
  static constexpr int slots = 1;
  struct Constants {
    float directionDecay, directionShare, momentumDecay, momentumShare, rate, keptParameter;
  };
  EVERY_PROCESSOR static void step(const Constants c, const Numbers n) {
    IN_PLACE for (int64_t i = 0; i < n.size; i++) {
      const float gradient = Numbers::clippedAt(n, i), momentum = n.slots[0][i];
      const float mean = momentum * c.directionDecay + gradient * c.directionShare;
      // 0 stays 0, and NaN stays NaN.
      const float sign = mean > 0 ? 1.f : mean < 0 ? -1.f : mean;
      n.newSlots[0][i] = momentum * c.momentumDecay + gradient * c.momentumShare;
      n.newParameter[i] = n.parameter[i] * c.keptParameter - sign * c.rate;
    }
  }
};

// RMSprop (Tieleman and Hinton 2012; centred as in Graves 2013). Its slots are the mean square, the mean where it is centred,
// and a velocity where it has momentum.
struct RmsProp {
  static constexpr int slots = 3;
  struct Constants {
    float isCentred, decay, squareDecay, squareShare, epsilon, momentum, rate;
  };
  EVERY_PROCESSOR static void step(const Constants c, const Numbers n) {
    const bool isCentred = c.isCentred > 0;
    const float* mean = isCentred ? n.slots[1] : nullptr;
    const float* velocity = n.slots[isCentred ? 2 : 1];
    float *newMean = n.newSlots[1], *newVelocity = n.newSlots[isCentred ? 2 : 1];
    IN_PLACE for (int64_t i = 0; i < n.size; i++) {
      const float gradient = Numbers::clippedAt(n, i) + c.decay * n.parameter[i];
      float square = n.slots[0][i] * c.squareDecay + gradient * gradient * c.squareShare;
      n.newSlots[0][i] = square;
      if (mean) {
        const float next = mean[i] * c.squareDecay + gradient * c.squareShare;
        newMean[i] = next;
        square -= next * next;
      }
      float change = gradient / (__builtin_sqrtf(square) + c.epsilon);
      if (velocity) newVelocity[i] = change = velocity[i] * c.momentum + change;
      n.newParameter[i] = n.parameter[i] - change * c.rate;
    }
  }
};

// Adagrad (Duchi et al. 2011).
struct Adagrad {
  static constexpr int slots = 1;
  struct Constants {
    float decay, start, epsilon, rate;
  };
  EVERY_PROCESSOR static void step(const Constants c, const Numbers n) {
    IN_PLACE for (int64_t i = 0; i < n.size; i++) {
      const float gradient = Numbers::clippedAt(n, i) + c.decay * n.parameter[i];
      const float sum = n.slots[0][i] + c.start + gradient * gradient;
      n.newSlots[0][i] = sum;
      n.newParameter[i] = n.parameter[i] - gradient / (__builtin_sqrtf(sum) + c.epsilon) * c.rate;
    }
  }
};

template <class Rule>
struct Update : UpdateAttributes {
  using UpdateAttributes::UpdateAttributes;
  void operator()(Run& run) const {
    require(slots <= Rule::slots, "the rule has fewer vectors of state");
    const UpdateStep<typename Rule::Constants> s(run, *this);
    for (const Tensor& each : s.state) require(each.size() == s.total, "the state does not have the size of the parameters");
    inGroups(s.pieces, [&](size_t i) {
      const Piece& piece = s.pieces[i];
      Numbers n = {s.parameters[piece.tensor].template data<float>() + piece.from,
                   s.gradientOf(piece),
                   {},
                   s.newParameters[piece.tensor].template data<float>() + piece.from,
                   {},
                   piece.size,
                   s.factor,
                   s.numbers.limit};
      for (int k = 0; k < slots; k++) {
        n.slots[k] = s.state[k].template data<float>() + piece.place;
        n.newSlots[k] = s.newState[k].template data<float>() + piece.place;
      }
      Rule::step(s.numbers.constants, n);
    });
  }
};

const Registration<Update<Adam>> adam(updateDeclaration("HalftoneAdam"));
const Registration<Update<Sgd>> sgd(updateDeclaration("HalftoneSgd"));
const Registration<Update<Lion>> lion(updateDeclaration("HalftoneLion"));
const Registration<Update<RmsProp>> rmsProp(updateDeclaration("HalftoneRmsProp"));
const Registration<Update<Adagrad>> adagrad(updateDeclaration("HalftoneAdagrad"));

}  // namespace
}  // namespace halftone
