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
UNARY(gelu_tanh, 0.5f * x * (1.0f + ditc_tanh(0x1.988454p-1f * (x + 0.044715f * x * x * x))))

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

DITC_INLINE float ditc_power(float x, float y) {
  if (y == 2.0f) return x * x;
  if (y == 0.5f && x >= 0.0f) return sqrtf(x);
  return powf(x, y);
}

void ditc_f32_power(const float *a, ptrdiff_t aStride, const float *b, ptrdiff_t bStride,
                    float *out, size_t count) {
  if (bStride == 0 && *b == 2.0f && aStride != 0) {
    ditc_f32_multiply(a, 1, a, 1, out, count);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    out[i] = ditc_power(a[(ptrdiff_t)i * aStride], b[(ptrdiff_t)i * bStride]);
  }
}
