#include "CVectorKernels.h"
#include "Multiversion.h"

DITC_MULTIVERSION void ditc_f32_rotate_pairs(const float *x, const float *cosines,
                                             const float *sines, float *out, size_t pairs) {
  DITC_VECTOR_LOOP for (size_t i = 0; i < pairs; i++) {
    float a = x[2 * i], b = x[2 * i + 1];
    out[2 * i] = a * cosines[i] - b * sines[i];
    out[2 * i + 1] = a * sines[i] + b * cosines[i];
  }
}

DITC_MULTIVERSION void ditc_f32_rotate_pairs_twice(const float *x, const float *cosines,
                                                   const float *sines, float *out, size_t pairs) {
  DITC_VECTOR_LOOP for (size_t i = 0; i < pairs; i++) {
    float a = x[2 * i], b = x[2 * i + 1];
    out[2 * i] = a * cosines[2 * i] - b * sines[2 * i];
    out[2 * i + 1] = a * sines[2 * i + 1] + b * cosines[2 * i + 1];
  }
}

DITC_MULTIVERSION void ditc_f32_rotate_halves(const float *x, const float *cosines,
                                              const float *sines, float *out, size_t pairs) {
  DITC_VECTOR_LOOP for (size_t i = 0; i < pairs; i++) {
    float a = x[i], b = x[i + pairs];
    out[i] = a * cosines[i] - b * sines[i];
    out[i + pairs] = a * sines[i + pairs] + b * cosines[i + pairs];
  }
}
