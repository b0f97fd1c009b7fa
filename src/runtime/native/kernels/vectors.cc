#include "vectors.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdlib>
#include <string>
#endif

namespace halftone {

#if defined(__x86_64__)
namespace {

// Asked of the processor directly, because __builtin_cpu_supports needs a part of libgcc that zig does not have.
Vectors askProcessor() {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return Vectors::four;
  const bool hasFma = c >> 12 & 1, hasSavedState = c >> 27 & 1;
  if (!hasFma || !hasSavedState || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return Vectors::four;
  // Which registers the operating system saves: those of 256 bits, and those of 512.
  uint32_t saved, high;
  asm volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  constexpr uint32_t avx2 = 1u << 5 | 1u << 8;  // with BMI2
  constexpr uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;  // F, DQ, CD, BW, VL
  if ((saved & 0x06) != 0x06 || (b & avx2) != avx2) return Vectors::four;
  return (saved & 0xe6) == 0xe6 && (b & avx512) == avx512 ? Vectors::sixteen : Vectors::eight;
}

// As PyTorch's ATEN_CPU_CAPABILITY: what is not to be used is not there.
Vectors atMost(Vectors own) {
  const char* asked = std::getenv("HALFTONE_CPU_CAPABILITY");
  const std::string most = asked ? asked : "";
  return most == "default" ? Vectors::four : most == "avx2" ? std::min(own, Vectors::eight) : own;
}

bool askForBfloat16() {
  uint32_t a, b, c, d;
  if (vectorsOfProcessor() != Vectors::sixteen || std::getenv("HALFTONE_CPU_CAPABILITY")) return false;
  const bool hasInstruction = __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
  return hasInstruction && __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx;
}

}  // namespace

Vectors vectorsOfProcessor() {
  static const Vectors vectors = atMost(askProcessor());
  return vectors;
}
bool multipliesBfloat16() {
  static const bool does = askForBfloat16();
  return does;
}
#else
Vectors vectorsOfProcessor() { return Vectors::four; }
bool multipliesBfloat16() { return false; }
#endif

}  // namespace halftone
