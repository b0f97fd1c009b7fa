// Which vectors a processor has.
#pragma once

#include <cstdint>
#include <cstring>

#include "storage.h"

// These versions of clang have a name of its own for the vectors of 512 bits, beside those of the instructions.
#if defined(__clang__) && __clang_major__ >= 18 && __clang_major__ < 22
#define EVEX512 ",evex512"
#else
#define EVEX512
#endif

namespace halftone {

typedef float Float4 __attribute__((vector_size(16)));
typedef float Float8 __attribute__((vector_size(32)));
typedef float Float16 __attribute__((vector_size(64)));
enum class Vectors { four, eight, sixteen };
// At most what the environment variable HALFTONE_CPU_CAPABILITY says: default, avx2 or avx512, which is without bfloat16.
Vectors vectorsOfProcessor();
// Whether it multiplies pairs of bfloat16 numbers faster than float32: AMD's AVX512-BF16. Intel's is slower.
bool multipliesBfloat16();

template <class V>
constexpr int64_t lanes = sizeof(V) / sizeof(float);

INLINE int64_t roundedUp(int64_t size, int64_t to) { return (size + to - 1) / to * to; }

template <class V>
INLINE V load(const float* p) {
  V v;
  memcpy(&v, p, sizeof v);
  return v;
}
template <class V>
INLINE void store(float* p, V v) {
  memcpy(p, &v, sizeof v);
}

}  // namespace halftone
