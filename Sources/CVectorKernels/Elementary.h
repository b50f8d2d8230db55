#pragma once

#include "Multiversion.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma clang fp contract(fast)

// Polynomial coefficients are weighted minimax fits (Lawson iteration on Chebyshev nodes) of the
// quantity named beside them, made for this project. Error bounds are tested in KernelsTests.

DITC_INLINE float ditc_float_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

DITC_INLINE uint32_t ditc_bits_from_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// e^x with two factors 2^n so that results near both ends of the range do not overflow early.
DITC_INLINE float ditc_exp(float x) {
  const float rounder = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  float shifted = x * 0x1.715476p0f + rounder;  // log2(e)
  float n = shifted - rounder;
  float r = x - n * 0x1.63p-1f;  // ln 2 in two parts; the first has nine bits, so n * it is exact
  r = r - n * -0x1.bd0106p-13f;
  float p = 0x1.a1b47ep-13f;  // (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2
  p = p * r + 0x1.6d9e86p-10f;
  p = p * r + 0x1.11108p-7f;
  p = p * r + 0x1.555478p-5f;
  p = p * r + 0x1.555556p-3f;
  p = p * r + 0.5f;
  float e = p * (r * r) + r + 1.0f;
  int32_t exponent = (int32_t)(ditc_bits_from_float(shifted) - 0x4B400000u);
  int32_t half = exponent >> 1;
  float first = ditc_float_from_bits((uint32_t)(half + 127) << 23);
  float second = ditc_float_from_bits((uint32_t)(exponent - half + 127) << 23);
  return e * first * second;
}

DITC_INLINE float ditc_tanh(float x) {
  float magnitude = fabsf(x);
  float z = x * x;
  float p = 0x1.163b3cp-9f;  // (tanh x - x) / x^3 in x^2, |x| <= 0.63
  p = p * z - 0x1.0b43cp-7f;
  p = p * z + 0x1.63695ep-6f;
  p = p * z - 0x1.b9eba8p-5f;
  p = p * z + 0x1.111058p-3f;
  p = p * z - 0x1.555554p-2f;
  float small = p * (z * x) + x;
  float large = copysignf(1.0f - 2.0f / (ditc_exp(2.0f * magnitude) + 1.0f), x);
  large = x != x ? x : large;
  return magnitude < 0.625f ? small : large;
}

DITC_INLINE float ditc_sigmoid(float x) {
  float e = ditc_exp(-fabsf(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/// 0.5 x (1 + tanh u) is x / (1 + e^-2u), here with u = sqrt(2 / pi) (x + 0.044715 x^3).
DITC_INLINE float ditc_gelu_tanh(float x) {
  return x / (1.0f + ditc_exp(-0x1.988454p0f * (x + 0.044715f * x * x * x)));
}

DITC_INLINE float ditc_erf(float x) {
  float magnitude = fabsf(x);
  float z = x * x;
  float p = 0x1.4ae4b6p-14f;  // erf(x) / x - 1 in x^2, |x| <= 1
  p = p * z - 0x1.a485e2p-11f;
  p = p * z + 0x1.5419f4p-8f;
  p = p * z - 0x1.b7fbb4p-6f;
  p = p * z + 0x1.ce2d2p-4f;
  p = p * z - 0x1.81273ep-2f;
  p = p * z + 0x1.06eba8p-3f;
  float small = p * x + x;
  float m = magnitude > 3.95f ? 3.95f : magnitude;  // erf rounds to 1 beyond
  float q = 0x1.68a5a4p-16f;                         // -log(erfc x), 0.95 <= x <= 3.95
  q = q * m - 0x1.cc7018p-12f;
  q = q * m + 0x1.12d53ap-8f;
  q = q * m - 0x1.9c885p-6f;
  q = q * m + 0x1.bbe4cep-4f;
  q = q * m + 0x1.443afep-1f;
  q = q * m + 0x1.212aa4p0f;
  q = q * m - 0x1.80b6eap-13f;
  float large = copysignf(1.0f - ditc_exp(-q), x);
  large = x != x ? x : large;
  return magnitude < 0.98f ? small : large;
}
