// Matrix products of every storage type, with sums in float32.
#pragma once

#include "kernel.h"

namespace halftone {

// y[rows][columns] = a[rows][depth] b[depth][columns], for each batch. A transposed operand lies in memory with its axes swapped.
struct Product {
  TF_DataType type;
  int64_t rows, depth, columns;
  bool transposesA, transposesB;
  // Where the matrices of each batch begin, in elements; those of y lie one after the other.
  std::vector<int64_t> aBegins, bBegins;
  const void *a, *b;
  void* y;
  // Added to each row of y [columns], or null; then negative numbers become 0 where `rectifies`.
  const float* bias;
  bool rectifies;

  int64_t batches() const { return static_cast<int64_t>(aBegins.size()); }
};

// Every element of y is a sum in the order of the depth, of parts that the sizes alone decide: neither the threads nor the other
// elements change it.
void multiply(const Product&);

}  // namespace halftone
