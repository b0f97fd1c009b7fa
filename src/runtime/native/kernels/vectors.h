// Which vectors a processor has.
#pragma once

#include <cstdint>
#include <cstring>

#include "storage.h"

namespace halftone {

typedef float Float4 __attribute__((vector_size(16)));
typedef float Float8 __attribute__((vector_size(32)));
typedef float Float16 __attribute__((vector_size(64)));
enum class Vectors { four, eight, sixteen };
Vectors vectorsOfProcessor();

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
