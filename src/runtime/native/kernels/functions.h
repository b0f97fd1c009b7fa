// Functions of float32 numbers, accurate to a few units in the last place, without branches or calls: loops over them become
// vector instructions.
#pragma once

#include "storage.h"

namespace halftone {

// The second one where either is NaN.
INLINE float smaller(float a, float b) { return a < b ? a : b; }
INLINE float larger(float a, float b) { return a > b ? a : b; }

// The exponential of a number between -87.3 and 88.7 is `factor` times 2^power; the factor is a polynomial (Cephes, expf).
struct Exponential {
  float factor;
  int32_t power;
};
INLINE Exponential exponentialParts(float x) {
  // Adding 1.5 * 2^23 rounds to an integer, which the low bits then hold.
  const float shifted = x * 1.44269504088896341f + 12582912.f;
  const float n = shifted - 12582912.f;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  return {p, bitsAs<int32_t>(shifted) - 0x4B400000};
}
INLINE float powerOfTwo(int32_t power) { return bitsAs<float>((power + 127) << 23); }

// 0 below -87.3; NaN stays NaN.
INLINE float exponential(float x) {
  const Exponential e = exponentialParts(x < -87.3f ? -87.3f : x > 88.7f ? 88.7f : x);
  // In two halves, because 2^128 is no float32 although the result may be one.
  const int32_t half = e.power >> 1;
  const float result = e.factor * powerOfTwo(half) * powerOfTwo(e.power - half);
  return x < -87.3f ? 0.f : x > 88.7f ? x * bitsAs<float>(0x7F000000) : result;
}

// The same for numbers that are 0 at most.
INLINE float exponentialOfNegative(float x) {
  const Exponential e = exponentialParts(x < -87.3f ? -87.3f : x);
  return x < -87.3f ? 0.f : e.factor * powerOfTwo(e.power);
}

// Eigen's rational approximation (generic_fast_erf_float).
INLINE float errorFunction(float x) {
  // Beyond this the nearest float32 is 1.
  const float end = 3.832506856900711f;
  const float z = x < -end ? -end : x > end ? end : x;
  const float z2 = z * z;
  float p = -2.72614225801306e-10f;
  p = p * z2 + 2.77068142495902e-08f;
  p = p * z2 + -2.10102402082508e-06f;
  p = p * z2 + -5.69250639462346e-05f;
  p = p * z2 + -7.34990630326855e-04f;
  p = p * z2 + -2.95459980854025e-03f;
  p = p * z2 + -1.60960333262415e-02f;
  float q = -1.45660718464996e-05f;
  q = q * z2 + -2.13374055278905e-04f;
  q = q * z2 + -1.68282697438203e-03f;
  q = q * z2 + -7.37332916720468e-03f;
  q = q * z2 + -1.42647390514189e-02f;
  return x <= -end ? -1.f : x >= end ? 1.f : z * p / q;
}

// Eigen's rational approximation (generic_fast_tanh_float). NaN stays NaN.
INLINE float hyperbolicTangent(float x) {
  // Beyond this the nearest float32 is 1.
  const float end = 7.90531110763549805f;
  const float z = x < -end ? -end : x > end ? end : x;
  const float z2 = z * z;
  float p = -2.76076847742355e-16f;
  p = p * z2 + 2.00018790482477e-13f;
  p = p * z2 + -8.60467152213735e-11f;
  p = p * z2 + 5.12229709037114e-08f;
  p = p * z2 + 1.48572235717979e-05f;
  p = p * z2 + 6.37261928875436e-04f;
  p = p * z2 + 4.89352455891786e-03f;
  float q = 1.19825839466702e-06f;
  q = q * z2 + 1.18534705686654e-04f;
  q = q * z2 + 2.26843463243900e-03f;
  q = q * z2 + 4.89352518554385e-03f;
  return x < -end ? -1.f : x > end ? 1.f : z * p / q;
}

INLINE float sigmoid(float x) { return 1.f / (1.f + exponential(-x)); }

}  // namespace halftone
