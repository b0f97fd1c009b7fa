// A block of a matrix product: rows of a times panels of b, which stay in the nearer caches. A panel has the columns that one step
// computes, row by row.
#pragma once

#include "convert.h"
#include "vectors.h"

namespace halftone {

// What the processor's vectors compute; the rows and columns of a step fill its registers.
struct Steps {
  int64_t rows, lanes;
  // c[count][lanes or 2 lanes] (+)= a[count][depth] b[depth][...] for `rows` rows at most. Those of a lie `aRow` floats apart, or
  // in columns of `rows` where that is 0.
  void (*multiply)(int64_t count, const float* a, int64_t aRow, int64_t depth, const float* b, int64_t bRow, bool isWide, float* c,
                   int64_t cRow, bool adds);
  // Elements of one row of a matrix to its place in each panel, which are `panel` floats apart; of a and of b.
  void (*spreadA)(const float* row, int64_t columns, float* panels, int64_t panel);
  void (*spreadB)(const float* row, int64_t columns, float* panels, int64_t panel);
  // to[count][toRow] = from[lanes][fromRow]^T
  void (*turn)(const float* from, int64_t fromRow, int64_t count, float* to, int64_t toRow);

  int64_t width() const { return 2 * lanes; }
};

const Steps& stepsOf(Vectors);

}  // namespace halftone
