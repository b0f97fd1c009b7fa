// A tile of a tensor as float32 numbers, to compute with, and back. A float32 tensor is its own tile.
#pragma once

#include <algorithm>

#include "storage.h"

namespace halftone {

// How many elements a kernel converts at once; they stay in the nearest cache.
constexpr int64_t tile = 256;

void toFloats(const bfloat16* x, float* y, int64_t count);
void toFloats(const float16* x, float* y, int64_t count);
void fromFloats(const float* x, bfloat16* y, int64_t count);
void fromFloats(const float* x, float16* y, int64_t count);

inline const float* readTile(const float* x, float*, int64_t) { return x; }
template <class T>
const float* readTile(const T* x, float* space, int64_t count) {
  toFloats(x, space, count);
  return space;
}

// Where to compute a tile; `writeTile` then stores it.
inline float* tileOf(float* y, float*) { return y; }
template <class T>
float* tileOf(T*, float* space) {
  return space;
}
inline void writeTile(const float*, float*, int64_t) {}
template <class T>
void writeTile(const float* space, T* y, int64_t count) {
  fromFloats(space, y, count);
}

inline void writeRow(const float* row, float* y, int64_t count) { std::copy_n(row, count, y); }
template <class T>
void writeRow(const float* row, T* y, int64_t count) {
  fromFloats(row, y, count);
}

}  // namespace halftone
