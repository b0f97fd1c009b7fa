// Dropout's random numbers, which are drawn again in the backward pass: Philox4x32-10 (Salmon et al. 2011, "Parallel random
// numbers: as easy as 1, 2, 3"), the same words as TensorFlow's StatelessRandomUniformFullInt and src/random/philox.ts give.
#pragma once

#include <algorithm>
#include <cstdint>

#include "convert.h"
#include "threads.h"

namespace halftone {

struct Philox {
  explicit Philox(const int32_t seed[2]);
  // The words of `count` groups of 8 counters, 32 words each, from the group at `first`.
  void fill(int64_t first, int64_t count, uint32_t* words) const;
  uint32_t key[2], counter[2];
};

// Which of `size` elements dropout keeps, as in keepMask of src/tensor/dropout-mask.ts: word i decides by its upper half about
// element i, and by its lower half about element i + size / 2.
struct Dropout {
  Dropout(const int32_t seed[2], int64_t dropped, float scale, int64_t size)
      : philox(seed),
        threshold(static_cast<int32_t>(dropped * 65536 - 2147483648)),
        scale(scale),
        size(size),
        half((size + 1) / 2) {}

  // For elements [from, from + count): `scale` where one is kept, else 0.
  void factors(int64_t from, int64_t count, float* factors) const;
  // The same for the elements from `from` and from `half + from`, at once.
  void bothFactors(int64_t from, int64_t count, float* upper, float* lower) const;

  Philox philox;
  int32_t threshold;
  float scale;
  int64_t size, half;
};

// Calls work(from, count, factors) for tiles of at most `tile` elements that together are [0, size), in several threads.
template <class Work>
void inTiles(const Dropout& dropout, const Work& work) {
  inParts(dropout.half, 32 * tile, [&](int64_t from, int64_t to) {
    alignas(64) float upper[tile], lower[tile];
    for (int64_t i = from; i < to; i += tile) {
      const int64_t count = std::min(tile, to - i);
      dropout.bothFactors(i, count, upper, lower);
      work(i, count, upper);
      const int64_t rest = std::min(count, dropout.size - dropout.half - i);
      if (rest > 0) work(dropout.half + i, rest, lower);
    }
  });
}

}  // namespace halftone
