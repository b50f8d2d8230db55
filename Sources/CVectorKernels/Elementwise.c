#include "CVectorKernels.h"
#include "Elementary.h"

#define UNARY(name, expression)                                           \
  DITC_MULTIVERSION void ditc_f32_##name(const float *in, float *out, size_t count) { \
    DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) {                 \
      float x = in[i];                                                    \
      out[i] = expression;                                                \
    }                                                                     \
  }

UNARY(negate, -x)
UNARY(absolute, fabsf(x))
UNARY(square_root, sqrtf(x))
UNARY(reciprocal, 1.0f / x)
UNARY(relu, x < 0.0f ? 0.0f : x)
UNARY(exp, ditc_exp(x))
UNARY(tanh, ditc_tanh(x))
UNARY(sigmoid, ditc_sigmoid(x))
UNARY(silu, x * ditc_sigmoid(x))
UNARY(erf, ditc_erf(x))
UNARY(gelu, 0.5f * x * (1.0f + ditc_erf(x * 0x1.6a09e6p-1f)))
UNARY(gelu_tanh, ditc_gelu_tanh(x))

#define BINARY(name, expression)                                                       \
  DITC_MULTIVERSION void ditc_f32_##name(const float *a, ptrdiff_t aStride, const float *b, \
                                         ptrdiff_t bStride, float *out, size_t count) { \
    if (aStride != 0 && bStride != 0) {                                                \
      DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) {                            \
        float x = a[i], y = b[i];                                                      \
        out[i] = expression;                                                           \
      }                                                                                \
    } else if (aStride != 0) {                                                         \
      float y = *b;                                                                    \
      DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) {                            \
        float x = a[i];                                                                \
        out[i] = expression;                                                           \
      }                                                                                \
    } else {                                                                           \
      float x = *a;                                                                    \
      DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) {                            \
        float y = b[i * (size_t)bStride];                                              \
        out[i] = expression;                                                           \
      }                                                                                \
    }                                                                                  \
  }

BINARY(add, x + y)
BINARY(subtract, x - y)
BINARY(multiply, x *y)
BINARY(divide, x / y)
BINARY(minimum, x != x ? x : (y < x || y != y) ? y : x)
BINARY(maximum, x != x ? x : (y > x || y != y) ? y : x)

/// powf(-0, 0.5) is 0 and powf(-inf, 0.5) is inf, unlike their square roots.
DITC_INLINE float ditc_half_power(float x) {
  return x == -INFINITY ? INFINITY : sqrtf(x + 0.0f);
}

DITC_MULTIVERSION static void ditc_f32_cube(const float *a, float *out, size_t count) {
  DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) out[i] = a[i] * a[i] * a[i];
}

DITC_MULTIVERSION static void ditc_f32_half_power(const float *a, float *out, size_t count) {
  DITC_VECTOR_LOOP for (size_t i = 0; i < count; i++) out[i] = ditc_half_power(a[i]);
}

/// The same number wherever operands lie: exponents that have loops of their own are computed by the
/// same formulas one by one.
static float ditc_power(float x, float exponent) {
  if (exponent == 2.0f) return x * x;
  if (exponent == 3.0f) return x * x * x;
  if (exponent == 0.5f) return ditc_half_power(x);
  if (exponent == -1.0f) return 1.0f / x;
  return powf(x, exponent);
}

void ditc_f32_power(const float *a, ptrdiff_t aStride, const float *b, ptrdiff_t bStride,
                    float *out, size_t count) {
  if (bStride == 0 && aStride != 0) {
    if (*b == 2.0f) return ditc_f32_multiply(a, 1, a, 1, out, count);
    if (*b == 3.0f) return ditc_f32_cube(a, out, count);
    if (*b == 0.5f) return ditc_f32_half_power(a, out, count);
    if (*b == -1.0f) return ditc_f32_reciprocal(a, out, count);
  }
  for (size_t i = 0; i < count; i++) {
    out[i] = ditc_power(a[(ptrdiff_t)i * aStride], b[(ptrdiff_t)i * bStride]);
  }
}

void ditc_prefetch(const void *x, size_t byteCount) {
  const char *line = x;
  for (size_t i = 0; i < byteCount; i += 64) __builtin_prefetch(line + i);
}
