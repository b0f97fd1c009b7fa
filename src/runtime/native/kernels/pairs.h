// Products of bfloat16 numbers by a processor that multiplies pairs of them: each float of a and b is two numbers, one after the other
// along the depth.
#pragma once

#include "vectors.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define FOR_PAIRS __attribute__((target("arch=x86-64-v4,avx512bf16" EVEX512)))

namespace halftone {

// As `block` of matrix.h, with 16 columns in a vector.
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

// Two rows of bfloat16 numbers to panels of W columns, a float of both for each column; 0 beside those of a row that is the last.
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

// Sums as bfloat16 numbers; subnormal ones become 0.
FOR_PAIRS INLINE void roundPairs(const float* sums, int64_t count, bfloat16* results) {
  int64_t j = 0;
  for (; j + 16 <= count; j += 16) {
    const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_loadu_ps(sums + j));
    memcpy(results + j, &rounded, sizeof rounded);
  }
  for (; j < count; j++) results[j] = Stored<bfloat16>::from(sums[j]);
}

}  // namespace halftone
#endif
