#include "product-block.h"

#include "matrix.h"
#include "pairs.h"

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

template <int W>
INLINE void spread(const float* row, int64_t columns, float* panels, int64_t panel) {
  int64_t j = 0;
  for (; j + W <= columns; j += W, panels += panel) memcpy(panels, row + j, W * sizeof(float));
  if (j == columns) return;
  for (int64_t i = 0; i < W; i++) panels[i] = j + i < columns ? row[j + i] : 0.f;
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
FOR_PAIRS void roundToHalves(const float* sums, int64_t count, bfloat16* results) { roundPairs(sums, count, results); }
constexpr Steps stepsPairs{16, {8, nullptr, zipA}, {32, nullptr, zipB}, multiplyPairs, turn512, roundToHalves};
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
