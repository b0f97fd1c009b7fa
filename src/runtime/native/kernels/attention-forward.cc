#include "attention-rows.h"
#include "matrix.h"

namespace halftone {
namespace {

// One head of keys and the query heads that it serves.
template <class V, int R>
INLINE void attendGroup(const Attention& a, const Forward& x, int64_t b, int64_t g) {
  const int64_t depth = roundedUp(a.features, lanes<V>), width = roundedUp(a.width, lanes<V>);
  const int64_t wide = roundedUp(a.keys, 2 * lanes<V>), group = a.heads / a.keyHeads;
  const int64_t most = std::max(depth, width);
  Workspace space(a.keys * (depth + width) + depth * wide + R * (wide + 2 * most) + wide, 7);
  float *keyRows = space.part(a.keys * depth), *values = space.part(a.keys * width), *keys = space.part(depth * wide);
  float *scores = space.part(R * wide), *queries = space.part(R * depth), *results = space.part(R * width);
  float* factors = space.part(wide);
  x.k.read(b * a.k.batch + g * a.k.head, a.k.row, a.keys, a.features, keyRows, depth);
  x.v.read(b * a.v.batch + g * a.v.head, a.v.row, a.keys, a.width, values, width);
  transposeInto(keyRows, a.keys, depth, keys, wide);
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    for (int64_t from = 0; from < a.queries; from += R) {
      const int64_t rows = std::min<int64_t>(R, a.queries - from);
      const Span any = a.seenByAny(b, h, from, rows, 2 * lanes<V>);
      const int64_t count = any.to - any.from, used = roundedUp(count, 2 * lanes<V>);
      x.q.read(b * a.q.batch + h * a.q.head + from * a.q.row, a.q.row, rows, a.features, queries, depth);
      for (int64_t i = rows * depth; i < R * depth; i++) queries[i] = 0;
      product<V, R>(queries, depth, a.features, keys + any.from, wide, used, scores, wide);
      float inverse[R];
      for (int64_t i = 0; i < rows; i++)
        inverse[i] = weightsOfRow(a, x, b, h, from + i, any, used, scores + i * wide, factors);
      product<V, R>(scores, wide, count, values + any.from * width, width, width, results, width);
      for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < width; k++) results[i * width + k] *= inverse[i];
      x.y.write(b * a.y.batch + h * a.y.head + from * a.y.row, a.y.row, rows, a.width, results, width);
    }
  }
}

struct Group {
  template <class V, int R>
  INLINE void run(const Attention& a, const Forward& x, int64_t b, int64_t g) {
    attendGroup<V, R>(a, x, b, g);
  }
};

}  // namespace

void attend(const Attention& a, const Forward& x) {
  if (!attendPairs(a, x)) inGroups<Group>(a, x);
}

}  // namespace halftone
