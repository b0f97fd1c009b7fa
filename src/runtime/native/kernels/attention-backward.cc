#include "attention-rows.h"
#include "matrix.h"

namespace halftone {
namespace {

template <class V, int R>
INLINE void attendGroupGradient(const Attention& a, const Backward& x, int64_t b, int64_t g) {
  const int64_t depth = roundedUp(a.features, lanes<V>), width = roundedUp(a.width, lanes<V>);
  const int64_t wide = roundedUp(a.keys, 2 * lanes<V>), group = a.heads / a.keyHeads;
  Workspace space(a.keys * 2 * (depth + width) + (depth + width) * wide + R * (2 * wide + 2 * depth + 2 * width) + wide, 13);
  float *keyRows = space.part(a.keys * depth), *valueRows = space.part(a.keys * width);
  float *keys = space.part(depth * wide), *values = space.part(width * wide);
  float *dKeys = space.part(a.keys * depth), *dValues = space.part(a.keys * width);
  float *weights = space.part(R * wide), *slopes = space.part(R * wide), *factors = space.part(wide);
  float *queries = space.part(R * depth), *dQueries = space.part(R * depth);
  float *results = space.part(R * width), *dResults = space.part(R * width);
  x.k.read(b * a.k.batch + g * a.k.head, a.k.row, a.keys, a.features, keyRows, depth);
  x.v.read(b * a.v.batch + g * a.v.head, a.v.row, a.keys, a.width, valueRows, width);
  transposeInto(keyRows, a.keys, depth, keys, wide);
  transposeInto(valueRows, a.keys, width, values, wide);
  std::fill_n(dKeys, a.keys * depth, 0.f);
  std::fill_n(dValues, a.keys * width, 0.f);
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    for (int64_t from = 0; from < a.queries; from += R) {
      const int64_t rows = std::min<int64_t>(R, a.queries - from);
      const Span any = a.seenByAny(b, h, from, rows, 2 * lanes<V>);
      const int64_t count = any.to - any.from, used = roundedUp(count, 2 * lanes<V>);
      const int64_t qAt = b * a.q.batch + h * a.q.head + from * a.q.row, yAt = b * a.y.batch + h * a.y.head + from * a.y.row;
      x.q.read(qAt, a.q.row, rows, a.features, queries, depth);
      x.y.read(yAt, a.y.row, rows, a.width, results, width);
      x.dy.read(yAt, a.y.row, rows, a.width, dResults, width);
      // Rows beyond the last query add nothing to the gradients of keys and values.
      for (int64_t i = rows * depth; i < R * depth; i++) queries[i] = 0;
      for (int64_t i = rows * width; i < R * width; i++) dResults[i] = 0;
      float rowSums[R];
      for (int64_t i = 0; i < rows; i++) {
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t k = 0; k < width; k++) sum += results[i * width + k] * dResults[i * width + k];
        rowSums[i] = sum;
      }
      product<V, R>(queries, depth, a.features, keys + any.from, wide, used, weights, wide);
      product<V, R>(dResults, width, a.width, values + any.from, wide, used, slopes, wide);
      for (int64_t i = 0; i < rows; i++)
        gradientsOfRow(a, x, b, h, from + i, any, used, rowSums[i], weights + i * wide, slopes + i * wide, factors);
      std::fill(weights + rows * wide, weights + R * wide, 0.f);
      std::fill(slopes + rows * wide, slopes + R * wide, 0.f);
      product<V, R>(slopes, wide, count, keyRows + any.from * depth, depth, depth, dQueries, depth);
      for (int64_t i = 0; i < rows * depth; i++) dQueries[i] *= a.scale;
      x.dq.write(qAt, a.q.row, rows, a.features, dQueries, depth);
      addTransposedProduct<V, R>(slopes, wide, count, queries, depth, depth, dKeys + any.from * depth);
      addTransposedProduct<V, R>(weights, wide, count, dResults, width, width, dValues + any.from * width);
    }
  }
  for (int64_t i = 0; i < a.keys * depth; i++) dKeys[i] *= a.scale;
  x.dk.write(b * a.k.batch + g * a.k.head, a.k.row, a.keys, a.features, dKeys, depth);
  x.dv.write(b * a.v.batch + g * a.v.head, a.v.row, a.keys, a.width, dValues, width);
}

struct Group {
  template <class V, int R>
  INLINE void run(const Attention& a, const Backward& x, int64_t b, int64_t g) {
    attendGroupGradient<V, R>(a, x, b, g);
  }
};

}  // namespace

void attendGradient(const Attention& a, const Backward& x) {
  if (!attendPairsGradient(a, x)) inGroups<Group>(a, x);
}

}  // namespace halftone
