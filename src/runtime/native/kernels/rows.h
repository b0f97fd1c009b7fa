// What kernels compute of a row of float32 numbers.
#pragma once

#include <cmath>
#include <limits>

#include "functions.h"

namespace halftone {

// The largest number of a row, 0 where that is -Infinity, and the sum of the exponentials of the others minus it.
struct ExponentialSum {
  float largest, sum;
  float logarithm() const { return largest + std::log(sum); }
};

INLINE float largestOf(const float* row, int64_t count) {
  const float least = -std::numeric_limits<float>::infinity();
  float largest = least;
#pragma omp simd reduction(max : largest)
  for (int64_t j = 0; j < count; j++) largest = larger(largest, row[j]);
  return largest == least ? 0.f : largest;
}

// Also writes the exponentials to `powers`, which may be the row itself.
INLINE ExponentialSum exponentials(const float* row, int64_t count, float* powers) {
  const float largest = largestOf(row, count);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < count; j++) {
    powers[j] = exponentialOfNegative(row[j] - largest);
    sum += powers[j];
  }
  return {largest, sum};
}

}  // namespace halftone
