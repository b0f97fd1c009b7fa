// One step of Adam or AdamW whose moments are stored in 8 bits (Dettmers et al. 2022, "8-bit Optimizers via Block-wise Quantization"):
// a code for each number, and the largest magnitude of each block of 256. Tensors below 4096 elements keep float32 moments.
// src/train/block-quantization.ts has the same in TypeScript.
#include <algorithm>
#include <cmath>

#include "update.h"

namespace halftone {
namespace {

constexpr int64_t block = 256, leastSize = 4096;

// The 256 numbers that codes stand for, in order, and the middles between them.
struct Codebook {
  float values[256], middles[255];

  explicit Codebook(bool isSigned) {
    int count = 0;
    for (int i = 0; i < 7; i++) {
      const int items = (isSigned ? 1 : 2) << i;
      const double scale = std::pow(10., i - 6);
      for (int k = 0; k < items; k++) {
        // The middle of the k-th of `items` equal parts of 0.1 to 1.
        const double value = scale * (0.1 + 0.9 * (k + 0.5) / items);
        values[count++] = static_cast<float>(value);
        if (isSigned) values[count++] = static_cast<float>(-value);
      }
    }
    values[count++] = 0;
    values[count++] = 1;
    std::sort(values, values + 256);
    for (int i = 0; i < 255; i++) middles[i] = (values[i] + values[i + 1]) / 2;
  }
  uint8_t code(float x) const { return static_cast<uint8_t>(std::upper_bound(middles, middles + 255, x) - middles); }
};

const Codebook signedCodes(true), unsignedCodes(false);

void encode(const Codebook& book, const float* x, int64_t size, uint8_t* codes, float* scale) {
  float largest = 0;
  for (int64_t i = 0; i < size; i++) largest = larger(largest, std::fabs(x[i]));
  *scale = largest;
  const float inverse = largest > 0 ? 1 / largest : 0;
  for (int64_t i = 0; i < size; i++) codes[i] = book.code(x[i] * inverse);
}

// The new moments and parameters of some elements.
EVERY_PROCESSOR void step(const AdamConstants c, float factor, float limit, const float* parameter, const float* gradient,
                          float* first, float* second, float* newParameter, int64_t size) {
  IN_PLACE for (int64_t i = 0; i < size; i++) {
    const AdamElement e = AdamElement::after({parameter[i], first[i], second[i]}, clipped(gradient[i], factor, limit), c);
    first[i] = e.first;
    second[i] = e.second;
    newParameter[i] = e.parameter;
  }
}

// The state: codes and scales of both moments, and float32 moments of small tensors.
enum { firstCodes, firstScales, secondCodes, secondScales, firstMoments, secondMoments, slotCount };

struct Adam8 : UpdateAttributes {
  explicit Adam8(Attributes& attributes) : UpdateAttributes(attributes) {
    require(slots == slotCount, "the state must have six vectors");
  }

  void operator()(Run& run) const {
    const UpdateStep<AdamConstants> s(run, *this);
    const AdamConstants& constants = s.numbers.constants;
    const float factor = s.factor, limit = s.numbers.limit;
    // Where the blocks, or the float32 moments, of each tensor begin.
    std::vector<int64_t> starts;
    int64_t blocks = 0, small = 0;
    for (const Tensor& each : s.parameters) {
      const bool isSmall = each.size() < leastSize;
      starts.push_back(isSmall ? small : blocks);
      (isSmall ? small : blocks) += isSmall ? each.size() : (each.size() + block - 1) / block;
    }
    const int64_t sizes[slotCount] = {blocks * block / 4, blocks, blocks * block / 4, blocks, small, small};
    for (int i = 0; i < slotCount; i++)
      require(s.state[i].size() == std::max<int64_t>(1, sizes[i]), "the state does not have the size of the parameters");
    for (int i = 0; i < slotCount; i++)
      if (sizes[i] == 0) *s.newState[i].data<float>() = 0;
    const auto codesOf = [](const Tensor& each) { return reinterpret_cast<uint8_t*>(each.data<float>()); };

    inGroups(s.pieces, [&](size_t p) {
      const auto [tensor, from, size, place] = s.pieces[p];
      const float* parameter = s.parameters[tensor].data<float>() + from;
      const float* gradient = s.gradientOf(s.pieces[p]);
      float* result = s.newParameters[tensor].data<float>() + from;
      if (s.parameters[tensor].size() < leastSize) {
        const int64_t own = starts[tensor] + from;
        float* first = s.newState[firstMoments].data<float>() + own;
        float* second = s.newState[secondMoments].data<float>() + own;
        std::copy_n(s.state[firstMoments].data<float>() + own, size, first);
        std::copy_n(s.state[secondMoments].data<float>() + own, size, second);
        step(constants, factor, limit, parameter, gradient, first, second, result, size);
        return;
      }
      // A piece begins with a block, because its length is a multiple of theirs.
      for (int64_t done = 0; done < size; done += block) {
        const int64_t own = starts[tensor] + (from + done) / block, length = std::min(block, size - done);
        float first[block], second[block];
        const uint8_t *c1 = codesOf(s.state[firstCodes]) + own * block, *c2 = codesOf(s.state[secondCodes]) + own * block;
        const float s1 = s.state[firstScales].data<float>()[own], s2 = s.state[secondScales].data<float>()[own];
        for (int64_t i = 0; i < length; i++) {
          first[i] = signedCodes.values[c1[i]] * s1;
          second[i] = unsignedCodes.values[c2[i]] * s2;
        }
        step(constants, factor, limit, parameter + done, gradient + done, first, second, result + done, length);
        uint8_t *new1 = codesOf(s.newState[firstCodes]) + own * block, *new2 = codesOf(s.newState[secondCodes]) + own * block;
        encode(signedCodes, first, length, new1, s.newState[firstScales].data<float>() + own);
        encode(unsignedCodes, second, length, new2, s.newState[secondScales].data<float>() + own);
        std::fill(new1 + length, new1 + block, uint8_t{0});
        std::fill(new2 + length, new2 + block, uint8_t{0});
      }
    });
  }
};

const Registration<Adam8> adam8(updateDeclaration("HalftoneAdam8"));

}  // namespace
}  // namespace halftone
