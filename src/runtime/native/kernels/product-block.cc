#include "product-block.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "matrix.h"

namespace halftone {
namespace {

// What is left after whole blocks is done in blocks of half as many rows each time.
template <class V, int R, int C, int S>
INLINE void blocks(int64_t rows, const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, float* c, int64_t cRow,
                   bool adds) {
  for (; rows >= R; rows -= R, a += S > 0 ? R : R * aRow, c += R * cRow)
    block<V, R, C, S>(a, aRow, depth, b, bRow, c, cRow, adds);
  if constexpr (R > 1)
    if (rows > 0) blocks<V, R / 2, C, S>(rows, a, aRow, depth, b, bRow, c, cRow, adds);
}

#if defined(__x86_64__)
#define FOR_PAIRS __attribute__((target("arch=x86-64-v4,avx512bf16" EVEX512)))

template <int R, int C, int S>
FOR_PAIRS INLINE void pairBlock(const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, float* c, int64_t cRow,
                                bool adds) {
  __m512 sums[R][C];
#pragma GCC unroll 8
  for (int i = 0; i < R; i++)
#pragma GCC unroll 2
    for (int j = 0; j < C; j++) sums[i][j] = adds ? _mm512_loadu_ps(c + i * cRow + 16 * j) : _mm512_setzero_ps();
  for (int64_t k = 0; k < depth; k++) {
    __m512bh row[C];
#pragma GCC unroll 2
    for (int j = 0; j < C; j++) row[j] = (__m512bh)_mm512_loadu_si512(b + k * bRow + 16 * j);
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) {
      // As bits, because a float's move may change those of a NaN.
      const __m512bh x = (__m512bh)_mm512_set1_epi32(bitsAs<int32_t>(S > 0 ? a[k * S + i] : a[i * aRow + k]));
#pragma GCC unroll 2
      for (int j = 0; j < C; j++) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], x, row[j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; i++)
#pragma GCC unroll 2
    for (int j = 0; j < C; j++) _mm512_storeu_ps(c + i * cRow + 16 * j, sums[i][j]);
}

template <int R, int C, int S>
FOR_PAIRS INLINE void pairBlocks(int64_t rows, const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, float* c,
                                 int64_t cRow, bool adds) {
  for (; rows >= R; rows -= R, a += S > 0 ? R : R * aRow, c += R * cRow)
    pairBlock<R, C, S>(a, aRow, depth, b, bRow, c, cRow, adds);
  if constexpr (R > 1)
    if (rows > 0) pairBlocks<R / 2, C, S>(rows, a, aRow, depth, b, bRow, c, cRow, adds);
}
#endif

template <int W>
INLINE void spread(const float* row, int64_t columns, float* panels, int64_t panel) {
  int64_t j = 0;
  for (; j + W <= columns; j += W, panels += panel) memcpy(panels, row + j, W * sizeof(float));
  if (j == columns) return;
  for (int64_t i = 0; i < W; i++) panels[i] = j + i < columns ? row[j + i] : 0.f;
}

template <int W>
INLINE void zip(const bfloat16* row, const bfloat16* next, int64_t columns, float* panels, int64_t panel) {
  const auto pair = [&](int64_t j) {
    return bitsAs<float>(static_cast<uint32_t>(row[j].bits) | static_cast<uint32_t>(next[j].bits) << 16);
  };
  int64_t j = 0;
  if (next)
    for (; j + W <= columns; j += W, panels += panel)
      for (int i = 0; i < W; i++) panels[i] = pair(j + i);
  for (; j < columns; j += W, panels += panel)
    for (int i = 0; i < W; i++)
      panels[i] = j + i >= columns ? 0.f : next ? pair(j + i) : bitsAs<float>(static_cast<uint32_t>(row[j + i].bits));
}

// Four numbers of two vectors, by their places.
#if defined(__clang__)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t Int4 __attribute__((vector_size(16)));
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, Int4{i, j, k, l})
#endif

INLINE void turnFour(const float* from, int64_t fromRow, float* to, int64_t toRow) {
  const Float4 a = load<Float4>(from), b = load<Float4>(from + fromRow);
  const Float4 c = load<Float4>(from + 2 * fromRow), d = load<Float4>(from + 3 * fromRow);
  const Float4 ab = SHUFFLE(a, b, 0, 4, 1, 5), cd = SHUFFLE(c, d, 0, 4, 1, 5);
  const Float4 restAb = SHUFFLE(a, b, 2, 6, 3, 7), restCd = SHUFFLE(c, d, 2, 6, 3, 7);
  store(to, SHUFFLE(ab, cd, 0, 1, 4, 5));
  store(to + toRow, SHUFFLE(ab, cd, 2, 3, 6, 7));
  store(to + 2 * toRow, SHUFFLE(restAb, restCd, 0, 1, 4, 5));
  store(to + 3 * toRow, SHUFFLE(restAb, restCd, 2, 3, 6, 7));
}

template <int L>
INLINE void turn(const float* from, int64_t fromRow, int64_t count, float* to, int64_t toRow) {
  int64_t k = 0;
  for (; k + 4 <= count; k += 4)
#pragma GCC unroll 4
    for (int j = 0; j < L; j += 4) turnFour(from + j * fromRow + k, fromRow, to + k * toRow + j, toRow);
  for (; k < count; k++)
    for (int j = 0; j < L; j++) to[k * toRow + j] = from[j * fromRow + k];
}

#define STEPS(NAME, V, R, TARGET)                                                                                             \
  TARGET void multiply##NAME(int64_t rows, const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow,         \
                             bool isWide, float* c, int64_t cRow, bool adds) {                                                \
    if (aRow == 0 && isWide) return blocks<V, R, 2, R>(rows, a, aRow, depth, b, bRow, c, cRow, adds);                         \
    if (aRow == 0) return blocks<V, R, 1, R>(rows, a, aRow, depth, b, bRow, c, cRow, adds);                                   \
    if (isWide) return blocks<V, R, 2, 0>(rows, a, aRow, depth, b, bRow, c, cRow, adds);                                      \
    blocks<V, R, 1, 0>(rows, a, aRow, depth, b, bRow, c, cRow, adds);                                                         \
  }                                                                                                                           \
  TARGET void spreadA##NAME(const float* row, int64_t columns, float* panels, int64_t panel) {                                \
    spread<R>(row, columns, panels, panel);                                                                                   \
  }                                                                                                                           \
  TARGET void spreadB##NAME(const float* row, int64_t columns, float* panels, int64_t panel) {                                \
    spread<2 * lanes<V>>(row, columns, panels, panel);                                                                        \
  }                                                                                                                           \
  TARGET void turn##NAME(const float* from, int64_t fromRow, int64_t count, float* to, int64_t toRow) {                       \
    turn<lanes<V>>(from, fromRow, count, to, toRow);                                                                          \
  }                                                                                                                           \
  constexpr Steps steps##NAME{                                                                                                \
      lanes<V>, {R, spreadA##NAME, nullptr}, {2 * lanes<V>, spreadB##NAME, nullptr}, multiply##NAME, turn##NAME, nullptr};

#if defined(__aarch64__)
// It has twice as many registers as an x86-64 processor without AVX-512.
STEPS(Plain, Float4, 8, )
#else
STEPS(Plain, Float4, 4, )
#endif
#if defined(__x86_64__)
STEPS(256, Float8, 6, __attribute__((target("arch=x86-64-v3"))))
STEPS(512, Float16, 8, __attribute__((target("arch=x86-64-v4"))))

FOR_PAIRS void multiplyPairs(int64_t rows, const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, bool isWide,
                             float* c, int64_t cRow, bool adds) {
  if (aRow == 0 && isWide) return pairBlocks<8, 2, 8>(rows, a, aRow, depth, b, bRow, c, cRow, adds);
  if (aRow == 0) return pairBlocks<8, 1, 8>(rows, a, aRow, depth, b, bRow, c, cRow, adds);
  if (isWide) return pairBlocks<8, 2, 0>(rows, a, aRow, depth, b, bRow, c, cRow, adds);
  pairBlocks<8, 1, 0>(rows, a, aRow, depth, b, bRow, c, cRow, adds);
}
FOR_PAIRS void zipA(const bfloat16* row, const bfloat16* next, int64_t columns, float* panels, int64_t panel) {
  zip<8>(row, next, columns, panels, panel);
}
FOR_PAIRS void zipB(const bfloat16* row, const bfloat16* next, int64_t columns, float* panels, int64_t panel) {
  zip<32>(row, next, columns, panels, panel);
}
FOR_PAIRS void roundPairs(const float* sums, int64_t count, bfloat16* results) {
  int64_t j = 0;
  for (; j + 16 <= count; j += 16) {
    const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_loadu_ps(sums + j));
    memcpy(results + j, &rounded, sizeof rounded);
  }
  for (; j < count; j++) results[j] = Stored<bfloat16>::from(sums[j]);
}
constexpr Steps stepsPairs{16, {8, nullptr, zipA}, {32, nullptr, zipB}, multiplyPairs, turn512, roundPairs};
#endif

}  // namespace

const Steps& stepsOf(Vectors vectors) {
#if defined(__x86_64__)
  if (vectors == Vectors::eight) return steps256;
  if (vectors == Vectors::sixteen) return steps512;
#endif
  return stepsPlain;
}

const Steps* stepsOfPairs() {
#if defined(__x86_64__)
  if (multipliesBfloat16()) return &stepsPairs;
#endif
  return nullptr;
}

}  // namespace halftone
