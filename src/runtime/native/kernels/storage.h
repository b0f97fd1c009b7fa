// The storage types of a tensor: what they are as bits, and how they become float32 and back. Every function is written
// without branches, so that a loop over it becomes vector instructions.
#pragma once

#include <cstdint>
#include <cstring>

#include "tensorflow.h"

#define INLINE static inline __attribute__((always_inline))

// One binary for every processor: the function is compiled three times, and the loader chooses. What it calls must be INLINE.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_PROCESSOR
#endif

// The loop after it reads each element before it writes over the same one, and touches no other: it can take several at once.
#if defined(__clang__)
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#else
#define IN_PLACE _Pragma("GCC ivdep")
#endif

namespace halftone {

struct bfloat16 {
  uint16_t bits;
};
struct float16 {
  uint16_t bits;
};

template <class To, class From>
INLINE To bitsAs(From from) {
  static_assert(sizeof(To) == sizeof(From), "");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

INLINE float toFloat(float x) { return x; }

INLINE float toFloat(bfloat16 x) { return bitsAs<float>(static_cast<uint32_t>(x.bits) << 16); }

// Fabian Giesen, "Float to half conversion": a subnormal half is normalized by a subtraction.
INLINE float toFloat(float16 x) {
  const uint32_t magnitude = static_cast<uint32_t>(x.bits & 0x7FFF) << 13;
  const uint32_t exponent = magnitude & 0x0F800000;
  const uint32_t normal = magnitude + 0x38000000;
  const uint32_t large = magnitude + 0x70000000;
  const uint32_t small = bitsAs<uint32_t>(bitsAs<float>(magnitude + 0x38800000) - bitsAs<float>(0x38800000u));
  const uint32_t result = exponent == 0x0F800000 ? large : exponent == 0 ? small : normal;
  return bitsAs<float>(result | static_cast<uint32_t>(x.bits & 0x8000) << 16);
}

template <class T>
struct Stored;

template <>
struct Stored<float> {
  static constexpr TF_DataType type = TF_FLOAT;
  INLINE float from(float x) { return x; }
};

template <>
struct Stored<bfloat16> {
  static constexpr TF_DataType type = TF_BFLOAT16;
  INLINE bfloat16 from(float x) {
    const uint32_t bits = bitsAs<uint32_t>(x);
    const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    const bool isNan = (bits & 0x7FFFFFFF) > 0x7F800000;
    return {static_cast<uint16_t>(isNan ? bits >> 16 | 0x40 : rounded)};
  }
};

template <>
struct Stored<float16> {
  static constexpr TF_DataType type = TF_HALF;
  INLINE float16 from(float x) {
    const uint32_t bits = bitsAs<uint32_t>(x), magnitude = bits & 0x7FFFFFFF;
    const uint32_t normal = (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13;
    const uint32_t small = bitsAs<uint32_t>(bitsAs<float>(magnitude) + 0.5f) - 0x3F000000;
    const uint32_t large = magnitude > 0x7F800000 ? 0x7E00 : 0x7C00;
    const uint32_t result = magnitude >= 0x47800000 ? large : magnitude < 0x38800000 ? small : normal;
    return {static_cast<uint16_t>(result | (bits >> 16 & 0x8000))};
  }
};

}  // namespace halftone
