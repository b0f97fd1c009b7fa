// Attention of bfloat16 numbers as in attention-forward.cc and attention-backward.cc, by pairs. Queries, keys and values are not
// converted; weights and the gradients of scores are rounded to bfloat16 before they are multiplied, as PyTorch's are.
#include "attention-rows.h"
#include "matrix.h"
#include "pairs.h"

namespace halftone {

#if defined(__x86_64__)
namespace {

constexpr int64_t R = 8, lane = 16, step = 2 * lane;

const bfloat16* at(const Rows& x, int64_t element) { return static_cast<const bfloat16*>(x.data) + element; }
bfloat16* to(const Rows& x, int64_t element) { return static_cast<bfloat16*>(x.data) + element; }
const float* asPairs(const bfloat16* x) { return reinterpret_cast<const float*>(x); }

bool arePairs(const Rows& x) { return x.type == TF_BFLOAT16 && reinterpret_cast<uintptr_t>(x.data) % sizeof(float) == 0; }
bool fits(const Attention& a) { return multipliesBfloat16() && a.features % 2 == 0 && a.width % 2 == 0; }

// c[rows][width] = a[rows][depth] b[depth][width] for R rows at most
FOR_PAIRS INLINE void multiply(const float* a, int64_t aRow, int64_t rows, int64_t depth, const float* b, int64_t bRow, int64_t width,
                               float* c, int64_t cRow) {
  int64_t j = 0;
  for (; j + step <= width; j += step) pairBlocks<R, 2, 0>(rows, a, aRow, depth, b + j, bRow, c + j, cRow, false);
  if (j < width) pairBlocks<R, 1, 0>(rows, a, aRow, depth, b + j, bRow, c + j, cRow, false);
}

// to[depth][toRow] = from[count][2 * depth]^T, with zeros beyond count; `edge` is [lane][depth].
FOR_PAIRS INLINE void turnRows(const bfloat16* from, int64_t stride, int64_t count, int64_t depth, float* to, int64_t toRow,
                               float* edge) {
  int64_t j = 0;
  for (; j + lane <= count; j += lane) turn<lane>(asPairs(from + j * stride), stride / 2, depth, to + j, toRow);
  if (j < count) {
    std::fill_n(edge, lane * depth, 0.f);
    for (int64_t i = 0; j + i < count; i++) memcpy(edge + i * depth, from + (j + i) * stride, depth * sizeof(float));
    turn<lane>(edge, depth, depth, to + j, toRow);
    j += lane;
  }
  for (int64_t k = 0; k < depth; k++) std::fill(to + k * toRow + j, to + (k + 1) * toRow, 0.f);
}

// Rows of features to pairs of rows [(count + 1) / 2][features rounded up to vectors].
FOR_PAIRS INLINE void zipRows(const bfloat16* from, int64_t stride, int64_t count, int64_t features, float* to) {
  for (int64_t i = 0; i < count; i += 2, to += roundedUp(features, lane))
    zip<lane>(from + i * stride, i + 1 < count ? from + (i + 1) * stride : nullptr, features, to, lane);
}

FOR_PAIRS INLINE void writeScaled(const float* rows, int64_t width, float scale, int64_t count, int64_t features, bfloat16* to,
                                  int64_t stride) {
  for (int64_t i = 0; i < count; i++, rows += width, to += stride)
    for (int64_t k = 0; k < features; k++) to[k] = Stored<bfloat16>::from(rows[k] * scale);
}

FOR_PAIRS void attendGroup(const Attention& a, const Forward& x, int64_t b, int64_t g) {
  const int64_t depth = a.features / 2, width = roundedUp(a.width, lane), wide = roundedUp(a.keys, step);
  const int64_t group = a.heads / a.keyHeads;
  Workspace space(depth * wide + wide / 2 * width + R * (wide + wide / 2 + width) + wide + lane * depth, 7);
  float *keys = space.part(depth * wide), *values = space.part(wide / 2 * width), *scores = space.part(R * wide);
  float *weights = space.part(R * wide / 2), *results = space.part(R * width), *factors = space.part(wide);
  turnRows(at(x.k, b * a.k.batch + g * a.k.head), a.k.row, a.keys, depth, keys, wide, space.part(lane * depth));
  zipRows(at(x.v, b * a.v.batch + g * a.v.head), a.v.row, a.keys, a.width, values);
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    for (int64_t from = 0; from < a.queries; from += R) {
      const int64_t rows = std::min(R, a.queries - from);
      const Span any = a.seenByAny(b, h, from, rows, step);
      const int64_t count = any.to - any.from, used = roundedUp(count, step);
      const float* queries = asPairs(at(x.q, b * a.q.batch + h * a.q.head + from * a.q.row));
      multiply(queries, a.q.row / 2, rows, depth, keys + any.from, wide, used, scores, wide);
      bfloat16* y = to(x.y, b * a.y.batch + h * a.y.head + from * a.y.row);
      float inverse[R];
      for (int64_t i = 0; i < rows; i++) {
        inverse[i] = weightsOfRow(a, x, b, h, from + i, any, used, scores + i * wide, factors);
        roundPairs(scores + i * wide, used, reinterpret_cast<bfloat16*>(weights + i * wide / 2));
      }
      multiply(weights, wide / 2, rows, (count + 1) / 2, values + any.from / 2 * width, width, width, results, width);
      for (int64_t i = 0; i < rows; i++) writeScaled(results + i * width, width, inverse[i], 1, a.width, y + i * a.y.row, 0);
    }
  }
}

// c[count][width] += a[R][count]^T b[R][width]; a as numbers [R][aRow], b as pairs of rows.
FOR_PAIRS INLINE void addTransposed(const bfloat16* a, int64_t aRow, int64_t count, const float* b, int64_t width, float* c,
                                    float* space) {
  for (int64_t p = 0; p < R / 2; p++) {
    const bfloat16* row = a + 2 * p * aRow;
    zip<lane>(row, row + aRow, roundedUp(count, lane), space + p * aRow, lane);
  }
  for (int64_t j = 0; j < width; j += lane) {
    __m512bh rows[R / 2];
#pragma GCC unroll 4
    for (int p = 0; p < R / 2; p++) rows[p] = (__m512bh)_mm512_loadu_si512(b + p * width + j);
    for (int64_t k = 0; k < count; k++) {
      __m512 sum = _mm512_loadu_ps(c + k * width + j);
#pragma GCC unroll 4
      for (int p = 0; p < R / 2; p++)
        sum = _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32(bitsAs<int32_t>(space[p * aRow + k])), rows[p]);
      _mm512_storeu_ps(c + k * width + j, sum);
    }
  }
}

FOR_PAIRS INLINE float sumOfProducts(const bfloat16* x, const bfloat16* y, int64_t count) {
  __m512 sums = _mm512_setzero_ps();
  for (int64_t i = 0; i < count; i += 2 * lane) {
    const __mmask32 inside = count - i < 2 * lane ? (1u << (count - i)) - 1 : ~0u;
    sums = _mm512_dpbf16_ps(sums, (__m512bh)_mm512_maskz_loadu_epi16(inside, x + i), (__m512bh)_mm512_maskz_loadu_epi16(inside, y + i));
  }
  return _mm512_reduce_add_ps(sums);
}

FOR_PAIRS void attendGroupGradient(const Attention& a, const Backward& x, int64_t b, int64_t g) {
  const int64_t depth = a.features / 2, half = a.width / 2, wide = roundedUp(a.keys, step), group = a.heads / a.keyHeads;
  const int64_t features = roundedUp(a.features, lane), width = roundedUp(a.width, lane), most = std::max(depth, half);
  Workspace space((depth + half) * wide + wide / 2 * features + a.keys * (features + width) + R * 3 * wide + wide +
                      R / 2 * (wide + features + width) + R * features + lane * most,
                  14);
  float *keys = space.part(depth * wide), *values = space.part(half * wide), *keyPairs = space.part(wide / 2 * features);
  float *dKeys = space.part(a.keys * features), *dValues = space.part(a.keys * width);
  float *weights = space.part(R * wide), *slopes = space.part(R * wide), *factors = space.part(wide);
  auto* halfWeights = reinterpret_cast<bfloat16*>(space.part(R * wide / 2));
  auto* halfSlopes = reinterpret_cast<bfloat16*>(space.part(R * wide / 2));
  float *turned = space.part(R / 2 * wide), *dQueries = space.part(R * features);
  float *queryPairs = space.part(R / 2 * features), *dyPairs = space.part(R / 2 * width), *edge = space.part(lane * most);
  const bfloat16 *k = at(x.k, b * a.k.batch + g * a.k.head), *v = at(x.v, b * a.v.batch + g * a.v.head);
  turnRows(k, a.k.row, a.keys, depth, keys, wide, edge);
  turnRows(v, a.v.row, a.keys, half, values, wide, edge);
  zipRows(k, a.k.row, a.keys, a.features, keyPairs);
  std::fill_n(dKeys, a.keys * features, 0.f);
  std::fill_n(dValues, a.keys * width, 0.f);
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    for (int64_t from = 0; from < a.queries; from += R) {
      const int64_t rows = std::min(R, a.queries - from);
      const Span any = a.seenByAny(b, h, from, rows, step);
      const int64_t count = any.to - any.from, used = roundedUp(count, step);
      const int64_t qAt = b * a.q.batch + h * a.q.head + from * a.q.row, yAt = b * a.y.batch + h * a.y.head + from * a.y.row;
      const bfloat16 *q = at(x.q, qAt), *y = at(x.y, yAt), *dy = at(x.dy, yAt);
      multiply(asPairs(q), a.q.row / 2, rows, depth, keys + any.from, wide, used, weights, wide);
      multiply(asPairs(dy), a.y.row / 2, rows, half, values + any.from, wide, used, slopes, wide);
      // Rows beyond the last query add nothing to the gradients of keys and values.
      std::fill_n(queryPairs, R / 2 * features, 0.f);
      std::fill_n(dyPairs, R / 2 * width, 0.f);
      zipRows(q, a.q.row, rows, a.features, queryPairs);
      zipRows(dy, a.y.row, rows, a.width, dyPairs);
      for (int64_t i = 0; i < rows; i++) {
        const float rowSum = sumOfProducts(y + i * a.y.row, dy + i * a.y.row, a.width);
        gradientsOfRow(a, x, b, h, from + i, any, used, rowSum, weights + i * wide, slopes + i * wide, factors);
        roundPairs(weights + i * wide, used, halfWeights + i * wide);
        roundPairs(slopes + i * wide, used, halfSlopes + i * wide);
      }
      std::fill(halfWeights + rows * wide, halfWeights + R * wide, bfloat16{0});
      std::fill(halfSlopes + rows * wide, halfSlopes + R * wide, bfloat16{0});
      multiply(asPairs(halfSlopes), wide / 2, rows, (count + 1) / 2, keyPairs + any.from / 2 * features, features, features, dQueries,
               features);
      writeScaled(dQueries, features, a.scale, rows, a.features, to(x.dq, qAt), a.q.row);
      addTransposed(halfSlopes, wide, count, queryPairs, features, dKeys + any.from * features, turned);
      addTransposed(halfWeights, wide, count, dyPairs, width, dValues + any.from * width, turned);
    }
  }
  writeScaled(dKeys, features, a.scale, a.keys, a.features, to(x.dk, b * a.k.batch + g * a.k.head), a.k.row);
  writeScaled(dValues, width, 1, a.keys, a.width, to(x.dv, b * a.v.batch + g * a.v.head), a.v.row);
}

}  // namespace

bool attendPairs(const Attention& a, const Forward& x) {
  if (!fits(a) || !arePairs(x.q) || !arePairs(x.k) || !arePairs(x.v)) return false;
  forGroups(a, x, attendGroup);
  return true;
}

bool attendPairsGradient(const Attention& a, const Backward& x) {
  if (!fits(a) || !arePairs(x.q) || !arePairs(x.k) || !arePairs(x.v) || !arePairs(x.dy)) return false;
  forGroups(a, x, attendGroupGradient);
  return true;
}
#else
bool attendPairs(const Attention&, const Forward&) { return false; }
bool attendPairsGradient(const Attention&, const Backward&) { return false; }
#endif

}  // namespace halftone
