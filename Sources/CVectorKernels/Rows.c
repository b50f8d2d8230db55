#include "CVectorKernels.h"
#include "Elementary.h"

/// Sixteen independent accumulators: one register at the highest level, four at the lowest, and the
/// same order of additions at all of them.
typedef float Lanes __attribute__((ext_vector_type(16)));
enum { laneCount = 16, blockCount = 1024 };

typedef Lanes UnalignedLanes __attribute__((aligned(4), may_alias));
#define LOAD(x) (*(const UnalignedLanes *)(x))

#define SUM_OVER_BLOCKS(term)                                                \
  double total = 0;                                                          \
  for (size_t start = 0; start < count; start += blockCount) {               \
    size_t end = count - start < blockCount ? count : start + blockCount;    \
    Lanes lanes = 0;                                                         \
    size_t i = start;                                                        \
    for (; i + laneCount <= end; i += laneCount) {                           \
      Lanes v = LOAD(x + i);                                            \
      lanes += term;                                                         \
    }                                                                        \
    float lane[laneCount];                                                   \
    memcpy(lane, &lanes, sizeof lane);                                       \
    for (int j = 0; j < laneCount; j++) total += (double)lane[j];            \
    for (; i < end; i++) {                                                   \
      float v = x[i];                                                        \
      total += (double)(term);                                               \
    }                                                                        \
  }                                                                          \
  return total;

DITC_MULTIVERSION double ditc_f32_sum(const float *x, size_t count) { SUM_OVER_BLOCKS(v) }

DITC_MULTIVERSION double ditc_f32_sum_of_squares(const float *x, float center, size_t count) {
  SUM_OVER_BLOCKS((v - center) * (v - center))
}

/// Multiplying by zero keeps NaN and makes NaN of an infinity, so a found one is looked at again.
#define EXTREME_ELEMENT(worst, choose, beats)                  \
  float extreme = worst;                                      \
  int maybeNaN = 0;                                           \
  size_t i = 0;                                               \
  if (count >= laneCount) {                                   \
    Lanes lanes = LOAD(x);                                    \
    Lanes zeros = lanes * 0.0f;                               \
    for (i = laneCount; i + laneCount <= count; i += laneCount) { \
      Lanes v = LOAD(x + i);                                  \
      zeros += v * 0.0f;                                      \
      lanes = choose(lanes, v);                               \
    }                                                         \
    for (int j = 0; j < laneCount; j++) {                     \
      extreme = lanes[j] beats extreme ? lanes[j] : extreme;  \
      maybeNaN |= zeros[j] != zeros[j];                       \
    }                                                         \
  }                                                           \
  for (size_t j = i; j < count; j++) {                        \
    extreme = x[j] beats extreme ? x[j] : extreme;            \
    maybeNaN |= x[j] != x[j];                                 \
  }                                                           \
  if (!maybeNaN) return extreme;                              \
  for (size_t j = 0; j < count; j++) {                        \
    if (x[j] != x[j]) return x[j];                            \
  }                                                           \
  return extreme;

DITC_MULTIVERSION float ditc_f32_largest(const float *x, size_t count) {
  EXTREME_ELEMENT(-INFINITY, __builtin_elementwise_max, >)
}

DITC_MULTIVERSION float ditc_f32_smallest(const float *x, size_t count) {
  EXTREME_ELEMENT(INFINITY, __builtin_elementwise_min, <)
}

DITC_MULTIVERSION void ditc_f32_accumulate(const float *x, double *total, size_t count) {
  for (size_t i = 0; i < count; i++) total[i] += (double)x[i];
}

DITC_MULTIVERSION void ditc_f32_softmax(const float *x, float *y, size_t count) {
  float largest = ditc_f32_largest(x, count);
  DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) y[i] = ditc_exp(x[i] - largest);
  float factor = (float)(1.0 / ditc_f32_sum(y, count));
  for (size_t i = 0; i < count; i++) y[i] *= factor;
}

DITC_MULTIVERSION void ditc_f32_normalize(const float *x, float center, float factor,
                                          const float *scale, const float *bias, float *y,
                                          size_t count) {
  if (scale && bias) {
    DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) {
      y[i] = (x[i] - center) * factor * scale[i] + bias[i];
    }
  } else if (scale) {
    DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) y[i] = (x[i] - center) * factor * scale[i];
  } else if (bias) {
    DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) y[i] = (x[i] - center) * factor + bias[i];
  } else {
    DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) y[i] = (x[i] - center) * factor;
  }
}
