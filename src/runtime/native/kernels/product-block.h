// A block of a matrix product: rows of a times panels of b, which stay in the nearer caches. A panel has the columns that one step
// computes, row by row.
#pragma once

#include "convert.h"
#include "vectors.h"

namespace halftone {

// How a row of a matrix gets to its place in each panel of `width` columns; the places are `panel` floats apart.
struct Packing {
  int64_t width;
  void (*spread)(const float* row, int64_t columns, float* panels, int64_t panel);
  // Two rows of bfloat16 numbers, a float of both for each column; 0 beside those of a row that is the last.
  void (*zip)(const bfloat16* row, const bfloat16* next, int64_t columns, float* panels, int64_t panel);
};

// What the processor's vectors compute; the rows and columns of a step fill its registers.
struct Steps {
  int64_t lanes;
  Packing a, b;
  // c[count][lanes or 2 lanes] (+)= a[count][depth] b[depth][...] for `rows` rows at most. Those of a lie `aRow` floats apart, or
  // in columns of `rows` where that is 0.
  void (*multiply)(int64_t count, const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, bool isWide, float* c,
                   int64_t cRow, bool adds);
  // to[count][toRow] = from[lanes][fromRow]^T
  void (*turn)(const float* from, int64_t fromRow, int64_t count, float* to, int64_t toRow);
  // Sums to results, for pairs.
  void (*round)(const float* sums, int64_t count, bfloat16* results);

  int64_t rows() const { return a.width; }
  int64_t width() const { return b.width; }
};

const Steps& stepsOf(Vectors);
// Steps whose floats of a and b are two bfloat16 numbers each, one after the other along the depth; null where the processor does not
// multiply them faster. They take subnormal numbers for 0.
const Steps* stepsOfPairs();

}  // namespace halftone
