// Products of small float32 matrices, in blocks of R rows that stay in registers. V is a vector type of the processor. Widths are
// multiples of a vector's lanes: what is beyond a matrix is 0.
#pragma once

#include "vectors.h"

namespace halftone {

// c[R][C vectors] (+)= a[R][depth] b[depth][C vectors]. The rows of a lie `aRow` floats apart or, for S > 0, in columns of S rows.
template <class V, int R, int C, int S = 0>
INLINE void block(const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, float* c, int64_t cRow, bool adds) {
  V sums[R][C] = {};
  if (adds)
#pragma GCC unroll 8
    for (int i = 0; i < R; i++)
#pragma GCC unroll 2
      for (int j = 0; j < C; j++) sums[i][j] = load<V>(c + i * cRow + j * lanes<V>);
  for (int64_t k = 0; k < depth; k++) {
    V row[C];
#pragma GCC unroll 2
    for (int j = 0; j < C; j++) row[j] = load<V>(b + k * bRow + j * lanes<V>);
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) {
      const V x = (S > 0 ? a[k * S + i] : a[i * aRow + k]) - V{};
#pragma GCC unroll 2
      for (int j = 0; j < C; j++) sums[i][j] += x * row[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; i++)
#pragma GCC unroll 2
    for (int j = 0; j < C; j++) store(c + i * cRow + j * lanes<V>, sums[i][j]);
}

// c[R][width] = a[R][depth] b[depth][width]
template <class V, int R>
INLINE void product(const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, int64_t width, float* c,
                    int64_t cRow) {
  int64_t j = 0;
  for (; j + 2 * lanes<V> <= width; j += 2 * lanes<V>) block<V, R, 2>(a, aRow, depth, b + j, bRow, c + j, cRow, false);
  if (j < width) block<V, R, 1>(a, aRow, depth, b + j, bRow, c + j, cRow, false);
}

// c[count][width] += a[R][count]^T b[R][width]
template <class V, int R>
INLINE void addTransposedProduct(const float* a, int64_t aRow, int64_t count, const float* b, int64_t bRow, int64_t width,
                                 float* c) {
  for (int64_t j = 0; j < width; j += lanes<V>) {
    V rows[R];
#pragma GCC unroll 8
    for (int i = 0; i < R; i++) rows[i] = load<V>(b + i * bRow + j);
    for (int64_t k = 0; k < count; k++) {
      V sum = load<V>(c + k * width + j);
#pragma GCC unroll 8
      for (int i = 0; i < R; i++) sum += (a[i * aRow + k] - V{}) * rows[i];
      store(c + k * width + j, sum);
    }
  }
}

// to[width][toRow] = from[count][width]^T, with zeros beyond count.
INLINE void transposeInto(const float* from, int64_t count, int64_t width, float* to, int64_t toRow) {
  for (int64_t start = 0; start < toRow; start += 16) {
    const int64_t rows = count - start < 16 ? (count - start < 0 ? 0 : count - start) : 16;
    const int64_t end = toRow - start < 16 ? toRow - start : 16;
    for (int64_t k = 0; k < width; k++) {
      float* row = to + k * toRow + start;
      for (int64_t j = 0; j < rows; j++) row[j] = from[(start + j) * width + k];
      for (int64_t j = rows; j < end; j++) row[j] = 0;
    }
  }
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

// to[count][toRow] = from[L][fromRow]^T
template <int L>
INLINE void turn(const float* from, int64_t fromRow, int64_t count, float* to, int64_t toRow) {
  int64_t k = 0;
  for (; k + 4 <= count; k += 4)
#pragma GCC unroll 4
    for (int j = 0; j < L; j += 4) turnFour(from + j * fromRow + k, fromRow, to + k * toRow + j, toRow);
  for (; k < count; k++)
    for (int j = 0; j < L; j++) to[k * toRow + j] = from[j * fromRow + k];
}

}  // namespace halftone
