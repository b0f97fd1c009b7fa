#include "philox.h"

#include <cstring>

#include "vectors.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace halftone {
namespace {

constexpr uint32_t factor0 = 0xD2511F53, factor1 = 0xCD9E8D57, step0 = 0x9E3779B9, step1 = 0xBB67AE85;

struct Block {
  uint32_t x[4];
};

Block blockOf(Block c, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = uint64_t{c.x[0]} * factor0, p1 = uint64_t{c.x[2]} * factor1;
    c = {{static_cast<uint32_t>(p1 >> 32) ^ c.x[1] ^ key0, static_cast<uint32_t>(p1),
          static_cast<uint32_t>(p0 >> 32) ^ c.x[3] ^ key1, static_cast<uint32_t>(p0)}};
    key0 += step0;
    key1 += step1;
  }
  return c;
}

// In loops of 64 counters, which the compiler makes vector instructions of.
void fillPortably(const Philox& philox, int64_t first, int64_t count, uint32_t* words) {
  for (int64_t group = 0; group < count; group += 8) {
    uint32_t x0[64], x1[64], x2[64], x3[64];
    for (int l = 0; l < 64; l++) {
      const uint64_t counter = static_cast<uint64_t>(first + group) * 8 + l;
      x0[l] = static_cast<uint32_t>(counter);
      x1[l] = static_cast<uint32_t>(counter >> 32);
      x2[l] = philox.counter[0];
      x3[l] = philox.counter[1];
    }
    uint32_t key0 = philox.key[0], key1 = philox.key[1];
    for (int round = 0; round < 10; round++) {
      for (int l = 0; l < 64; l++) {
        const uint32_t high0 = uint64_t{x0[l]} * factor0 >> 32, high1 = uint64_t{x2[l]} * factor1 >> 32;
        const uint32_t low0 = x0[l] * factor0, low1 = x2[l] * factor1;
        x0[l] = high1 ^ x1[l] ^ key0;
        x1[l] = low1;
        x2[l] = high0 ^ x3[l] ^ key1;
        x3[l] = low0;
      }
      key0 += step0;
      key1 += step1;
    }
    uint32_t ordered[256];
    for (int l = 0; l < 64; l++) {
      ordered[4 * l] = x0[l];
      ordered[4 * l + 1] = x1[l];
      ordered[4 * l + 2] = x2[l];
      ordered[4 * l + 3] = x3[l];
    }
    memcpy(words + group * 32, ordered, std::min<int64_t>(8, count - group) * 32 * sizeof(uint32_t));
  }
}

#if defined(__x86_64__)
// In the lower halves of 64-bit lanes: a product's lower half is then where it is needed, and its upper half one shift away.
__attribute__((target("avx512f" EVEX512))) void fill512(const Philox& philox, int64_t first, int64_t count, uint32_t* words) {
  const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i m0 = _mm512_set1_epi64(factor0), m1 = _mm512_set1_epi64(factor1);
  __m512i key0[10], key1[10];
  for (uint32_t round = 0; round < 10; round++) {
    key0[round] = _mm512_set1_epi64(philox.key[0] + round * step0);
    key1[round] = _mm512_set1_epi64(philox.key[1] + round * step1);
  }
  constexpr int xorOfThree = 0x96;
  for (int64_t group = 0; group < count; group++, words += 32) {
    const __m512i counter = _mm512_add_epi64(_mm512_set1_epi64((first + group) * 8), lanes);
    __m512i x0 = counter, x1 = _mm512_srli_epi64(counter, 32);
    __m512i x2 = _mm512_set1_epi64(philox.counter[0]), x3 = _mm512_set1_epi64(philox.counter[1]);
    for (int round = 0; round < 10; round++) {
      const __m512i p0 = _mm512_mul_epu32(x0, m0), p1 = _mm512_mul_epu32(x2, m1);
      x0 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p1, 32), x1, key0[round], xorOfThree);
      x2 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p0, 32), x3, key1[round], xorOfThree);
      x1 = p1;
      x3 = p0;
    }
    const __m512i a = _mm512_mask_blend_epi32(0xAAAA, x0, _mm512_slli_epi64(x1, 32));
    const __m512i b = _mm512_mask_blend_epi32(0xAAAA, x2, _mm512_slli_epi64(x3, 32));
    _mm512_storeu_si512(words, _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b));
    _mm512_storeu_si512(words + 16, _mm512_permutex2var_epi64(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b));
  }
}

__attribute__((target("avx2"))) void fill256(const Philox& philox, int64_t first, int64_t count, uint32_t* words) {
  const __m256i m0 = _mm256_set1_epi64x(factor0), m1 = _mm256_set1_epi64x(factor1);
  for (int64_t group = 0; group < 2 * count; group++, words += 16) {
    const __m256i lanes = _mm256_setr_epi64x(0, 1, 2, 3);
    const __m256i counter = _mm256_add_epi64(_mm256_set1_epi64x(first * 8 + group * 4), lanes);
    __m256i x0 = counter, x1 = _mm256_srli_epi64(counter, 32);
    __m256i x2 = _mm256_set1_epi64x(philox.counter[0]), x3 = _mm256_set1_epi64x(philox.counter[1]);
    uint32_t key0 = philox.key[0], key1 = philox.key[1];
    for (int round = 0; round < 10; round++) {
      const __m256i p0 = _mm256_mul_epu32(x0, m0), p1 = _mm256_mul_epu32(x2, m1);
      x0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), x1), _mm256_set1_epi64x(key0));
      x2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), x3), _mm256_set1_epi64x(key1));
      x1 = p1;
      x3 = p0;
      key0 += step0;
      key1 += step1;
    }
    const __m256i a = _mm256_blend_epi32(x0, _mm256_slli_epi64(x1, 32), 0xAA);
    const __m256i b = _mm256_blend_epi32(x2, _mm256_slli_epi64(x3, 32), 0xAA);
    const __m256i even = _mm256_unpacklo_epi64(a, b), odd = _mm256_unpackhi_epi64(a, b);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words), _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + 8), _mm256_permute2x128_si256(even, odd, 0x31));
  }
}
#endif

using Fill = void (*)(const Philox&, int64_t, int64_t, uint32_t*);

Fill fastestFill() {
#if defined(__x86_64__)
  if (vectorsOfProcessor() == Vectors::sixteen) return fill512;
  if (vectorsOfProcessor() == Vectors::eight) return fill256;
#endif
  return fillPortably;
}

EVERY_PROCESSOR void decide(const uint32_t* words, int64_t count, int shift, int32_t threshold, float scale, float* factors) {
  for (int64_t i = 0; i < count; i++) factors[i] = static_cast<int32_t>(words[i] << shift) >= threshold ? scale : 0.f;
}

constexpr int64_t groupOf = 32;

// Enough words for a tile that begins anywhere in a group.
struct Words {
  Words(const Philox& philox, int64_t from, int64_t count) : start(from % groupOf) {
    philox.fill(from / groupOf, (start + count + groupOf - 1) / groupOf, words);
  }
  alignas(64) uint32_t words[tile + 2 * groupOf];
  int64_t start;
};

}  // namespace

Philox::Philox(const int32_t seed[2]) {
  const Block mixed = blockOf({{static_cast<uint32_t>(seed[0]), static_cast<uint32_t>(seed[0] >> 31),
                                static_cast<uint32_t>(seed[1]), static_cast<uint32_t>(seed[1] >> 31)}},
                              0x3EC8F720, 0x02461E29);
  key[0] = mixed.x[0];
  key[1] = mixed.x[1];
  counter[0] = mixed.x[2];
  counter[1] = mixed.x[3];
}

void Philox::fill(int64_t first, int64_t count, uint32_t* words) const {
  static const Fill chosen = fastestFill();
  chosen(*this, first, count, words);
}

void Dropout::factors(int64_t from, int64_t count, float* factors) const {
  for (int64_t done = 0, now; done < count; done += now) {
    const int64_t at = from + done;
    const bool isUpper = at < half;
    now = std::min({tile, count - done, isUpper ? half - at : count});
    const Words drawn(philox, isUpper ? at : at - half, now);
    decide(drawn.words + drawn.start, now, isUpper ? 0 : 16, threshold, scale, factors + done);
  }
}

void Dropout::bothFactors(int64_t from, int64_t count, float* upper, float* lower) const {
  const Words drawn(philox, from, count);
  decide(drawn.words + drawn.start, count, 0, threshold, scale, upper);
  decide(drawn.words + drawn.start, count, 16, threshold, scale, lower);
}

}  // namespace halftone
