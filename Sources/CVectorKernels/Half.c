#include "CVectorKernels.h"
#include "Elementary.h"

DITC_MULTIVERSION void ditc_f16_to_f32(const uint16_t *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t magnitude = (uint32_t)(x[i] & 0x7FFF) << 13;
    uint32_t sign = (uint32_t)(x[i] & 0x8000) << 16;
    // Multiplying by 2^112 moves the bias from 15 to 127 and normalises subnormal halves.
    uint32_t bits = ditc_bits_from_float(ditc_float_from_bits(magnitude) * 0x1p112f);
    bits |= magnitude >= 0x0F800000u ? 0x7F800000u : 0;
    y[i] = ditc_float_from_bits(bits | sign);
  }
}

DITC_MULTIVERSION void ditc_bf16_to_f32(const uint16_t *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = ditc_float_from_bits((uint32_t)x[i] << 16);
}

DITC_MULTIVERSION void ditc_f32_to_f16(const float *x, uint16_t *y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = ditc_bits_from_float(x[i]);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t magnitude = bits & 0x7FFFFFFFu;
    // Adding 0.5 leaves a multiple of 2^-24, the subnormal spacing, rounded by the hardware.
    uint32_t subnormal =
        ditc_bits_from_float(ditc_float_from_bits(magnitude) + 0.5f) - 0x3F000000u;
    uint32_t normal = (magnitude + 0xFFFu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13;
    uint32_t half = magnitude < 0x38800000u ? subnormal : normal;
    half = magnitude >= 0x477FF000u ? 0x7C00u : half;
    half = magnitude > 0x7F800000u ? (0x7E00u | (magnitude >> 13 & 0x3FFu)) : half;
    y[i] = (uint16_t)(half | sign);
  }
}

DITC_MULTIVERSION void ditc_f32_to_bf16(const float *x, uint16_t *y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits = ditc_bits_from_float(x[i]);
    uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    uint32_t quiet = bits >> 16 | 0x40u;
    y[i] = (uint16_t)((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded);
  }
}

void ditc_widen(const void *x, int type, float *y, size_t count) {
  switch (type) {
    case DITC_F16: return ditc_f16_to_f32(x, y, count);
    case DITC_BF16: return ditc_bf16_to_f32(x, y, count);
    default: memmove(y, x, count * sizeof(float));
  }
}

void ditc_narrow(const float *x, void *y, int type, size_t count) {
  switch (type) {
    case DITC_F16: return ditc_f32_to_f16(x, y, count);
    case DITC_BF16: return ditc_f32_to_bf16(x, y, count);
    default: memmove(y, x, count * sizeof(float));
  }
}

void ditc_f64_to_f32_odd(const double *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float nearest = (float)x[i];
    uint32_t bits = ditc_bits_from_float(nearest);
    double back = (double)nearest;
    if (back != x[i] && x[i] == x[i] && isfinite(x[i])) {
      // Truncate towards zero, then set the last bit.
      if (fabs(back) > fabs(x[i])) bits -= 1;
      bits |= 1;
    }
    y[i] = ditc_float_from_bits(bits);
  }
}
