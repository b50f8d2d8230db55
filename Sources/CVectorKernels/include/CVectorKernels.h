/// The loops of ditcache that need a version per CPU level.
///
/// Arrays are dense. Inputs may equal the output, but must not overlap it otherwise. Every function
/// gives the same bits for the same input on the same CPU level.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// out[i] = a[i * aStride] op b[i * bStride]; each stride is 0 or 1.
typedef void (*ditc_f32_binary_function)(const float *a, ptrdiff_t aStride, const float *b,
                                ptrdiff_t bStride, float *out, size_t count);
void ditc_f32_add(const float *, ptrdiff_t, const float *, ptrdiff_t, float *, size_t);
void ditc_f32_subtract(const float *, ptrdiff_t, const float *, ptrdiff_t, float *, size_t);
void ditc_f32_multiply(const float *, ptrdiff_t, const float *, ptrdiff_t, float *, size_t);
void ditc_f32_divide(const float *, ptrdiff_t, const float *, ptrdiff_t, float *, size_t);
/// A NaN on either side gives NaN.
void ditc_f32_minimum(const float *, ptrdiff_t, const float *, ptrdiff_t, float *, size_t);
/// A NaN on either side gives NaN.
void ditc_f32_maximum(const float *, ptrdiff_t, const float *, ptrdiff_t, float *, size_t);
void ditc_f32_power(const float *, ptrdiff_t, const float *, ptrdiff_t, float *, size_t);

/// y[i] = f(x[i]).
typedef void (*ditc_f32_unary_function)(const float *x, float *y, size_t count);
void ditc_f32_negate(const float *, float *, size_t);
void ditc_f32_absolute(const float *, float *, size_t);
void ditc_f32_square_root(const float *, float *, size_t);
void ditc_f32_reciprocal(const float *, float *, size_t);
void ditc_f32_relu(const float *, float *, size_t);
void ditc_f32_exp(const float *, float *, size_t);
void ditc_f32_tanh(const float *, float *, size_t);
void ditc_f32_sigmoid(const float *, float *, size_t);
/// x * sigmoid(x)
void ditc_f32_silu(const float *, float *, size_t);
void ditc_f32_erf(const float *, float *, size_t);
/// 0.5 x (1 + erf(x / sqrt 2))
void ditc_f32_gelu(const float *, float *, size_t);
/// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
void ditc_f32_gelu_tanh(const float *, float *, size_t);

/// The sum, in blocks of float lanes gathered in double precision.
double ditc_f32_sum(const float *x, size_t count);
/// The sum of (x[i] - center)^2, gathered like `ditc_f32_sum`.
double ditc_f32_sum_of_squares(const float *x, float center, size_t count);
/// The largest element, NaN if there is one, minus infinity for none.
float ditc_f32_largest(const float *x, size_t count);
/// The smallest element, NaN if there is one, infinity for none.
float ditc_f32_smallest(const float *x, size_t count);
/// total[i] += x[i]
void ditc_f32_accumulate(const float *x, double *total, size_t count);

/// y = softmax(x). A row whose maximum is not finite gives NaN.
void ditc_f32_softmax(const float *x, float *y, size_t count);
/// y[i] = (x[i] - center) * factor * scale[i] + bias[i]; a null scale is 1, a null bias 0.
void ditc_f32_normalize(const float *x, float center, float factor, const float *scale,
                        const float *bias, float *y, size_t count);

/// Exact conversions to float32.
void ditc_f16_to_f32(const uint16_t *x, float *y, size_t count);
void ditc_bf16_to_f32(const uint16_t *x, float *y, size_t count);
/// Conversions that round to nearest, ties to even; NaN stays NaN.
void ditc_f32_to_f16(const float *x, uint16_t *y, size_t count);
void ditc_f32_to_bf16(const float *x, uint16_t *y, size_t count);
/// Double to float, rounding inexact results to an odd mantissa, so that a second rounding to a
/// half type is the rounding of the double.
void ditc_f64_to_f32_odd(const double *x, float *y, size_t count);

/// y[c * yStride + r] = x[r * xStride + c] for r < rows, c < columns.
void ditc_u32_transpose(const uint32_t *x, ptrdiff_t xStride, uint32_t *y, ptrdiff_t yStride,
                        size_t rows, size_t columns);
