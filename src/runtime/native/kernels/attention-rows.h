// What attention computes of the scores of one query, whatever its products are computed by.
#pragma once

#include "attention.h"
#include "rows.h"

namespace halftone {

// The keys of `any` that a query sees, as places in a row of scores whose first is that of any.from.
struct Seen {
  __attribute__((always_inline)) Seen(const Attention& a, int64_t b, int64_t h, int64_t query, Span any)
      : keys(a.seen(b, h, query, any)), size(keys.to - keys.from), start(size == 0 ? 0 : keys.from - any.from) {}
  Span keys;
  int64_t size, start;
};

// The bias of the keys of a span added to their scores, which begin at row[0].
INLINE void addBias(const Attention& a, const float* bias, Span keys, float* row) {
  const int64_t count = keys.to - keys.from;
  if (a.biasKey == 0)
    for (int64_t j = 0; j < count; j++) row[j] += bias[0];
  else
    for (int64_t j = 0; j < count; j++) row[j] += bias[keys.from + j];
}

INLINE float seesOf(const Attention& a, int64_t b, int64_t h, int64_t query) {
  return a.sees[b * a.seesBy.batch + h * a.seesBy.head + query * a.seesBy.row];
}

// The products of a query and the keys of `any` to weights, `used` of them, which are to be multiplied by the factor that it gives.
INLINE float weightsOfRow(const Attention& a, const Forward& x, int64_t b, int64_t h, int64_t query, Span any, int64_t used,
                          float* all, float* factors) {
  constexpr float hidden = -std::numeric_limits<float>::infinity();
  const int64_t place = (b * a.heads + h) * a.queries + query;
  const Seen seen(a, b, h, query, any);
  float* row = all + seen.start;
  for (int64_t j = 0; j < seen.size; j++) row[j] *= a.scale;
  if (a.bias) addBias(a, a.biasOf(b, h, query), seen.keys, row);
  for (int64_t j = 0; j < seen.start; j++) all[j] = hidden;
  for (int64_t j = seen.size; j < used - seen.start; j++) row[j] = hidden;
  const ExponentialSum s = exponentials(all, used, all);
  const bool isBlind = s.sum == 0;
  x.logSums[place] = isBlind ? -hidden : s.logarithm();
  if (a.dropout) {
    a.dropout->factors(place * a.keys + seen.keys.from, seen.size, factors);
    for (int64_t j = 0; j < seen.size; j++) row[j] *= factors[j];
  }
  return isBlind ? 0.f : a.sees ? seesOf(a, b, h, query) / s.sum : 1.f / s.sum;
}

// The products of a query and the keys of `any` to weights, and those of the result's gradient and the values to the gradients of the
// scores; `rowSum` is the product of the result and its gradient.
INLINE void gradientsOfRow(const Attention& a, const Backward& x, int64_t b, int64_t h, int64_t query, Span any, int64_t used,
                           float rowSum, float* allWeights, float* allSlopes, float* factors) {
  const int64_t place = (b * a.heads + h) * a.queries + query;
  const Seen seen(a, b, h, query, any);
  const int64_t count = seen.size;
  float *weights = allWeights + seen.start, *slopes = allSlopes + seen.start;
  for (int64_t j = 0; j < count; j++) weights[j] *= a.scale;
  if (a.bias) addBias(a, a.biasOf(b, h, query), seen.keys, weights);
  if (a.dropout) a.dropout->factors(place * a.keys + seen.keys.from, count, factors);
  const float logSum = x.logSums[place], sees = a.sees ? seesOf(a, b, h, query) : 1.f;
  if (a.dropout) {
    for (int64_t j = 0; j < count; j++) {
      const float weight = exponentialOfNegative(smaller(0.f, weights[j] - logSum));
      slopes[j] = weight * (slopes[j] * sees * factors[j] - rowSum);
      weights[j] = weight * sees * factors[j];
    }
  } else {
    for (int64_t j = 0; j < count; j++) {
      const float weight = exponentialOfNegative(smaller(0.f, weights[j] - logSum));
      slopes[j] = weight * (slopes[j] * sees - rowSum);
      weights[j] = weight * sees;
    }
  }
  for (int64_t j = 0; j < seen.start; j++) allWeights[j] = allSlopes[j] = 0;
  for (int64_t j = seen.start + count; j < used; j++) allWeights[j] = allSlopes[j] = 0;
  if (!x.scores) return;
  std::fill_n(x.scores + place * a.keys, a.keys, 0.f);
  std::copy_n(slopes, count, x.scores + place * a.keys + seen.keys.from);
}

}  // namespace halftone
