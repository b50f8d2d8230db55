/// The loops of ditcache that need a version per CPU level.
///
/// Arrays are dense. Inputs may equal the output, but must not overlap it otherwise. Every function
/// gives the same bits for the same input on the same CPU level.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The instructions that products and attention use: those of every CPU, AVX2 and FMA, AVX-512.
enum { DITC_BASELINE, DITC_AVX2, DITC_AVX512 };
/// The level in use: the highest that the CPU has, unless `ditc_limit_level` or the environment
/// variable DITCACHE_VECTOR_LEVEL (baseline, avx2), which is read once, bound it.
int ditc_level(void);
/// Bounds the level; not while a kernel runs, nor between packing and multiplying.
void ditc_limit_level(int level);
/// The level in use in words, `neon` for the baseline of ARM.
const char *ditc_level_name(void);

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

/// Element types that kernels read and write.
enum { DITC_F32, DITC_F16, DITC_BF16, DITC_PANELS };
/// Tells the processor that a thread does nothing but look again.
static inline void ditc_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Asks for memory that will be read soon; any address will do.
void ditc_prefetch(const void *x, size_t byteCount);

/// Elements of a type as float32, exactly.
void ditc_widen(const void *x, int type, float *y, size_t count);
/// float32 rounded to a type, to nearest, ties to even.
void ditc_narrow(const float *x, void *y, int type, size_t count);

/// y[c * yStride + r] = x[r * xStride + c] for r < rows, c < columns.
void ditc_u32_transpose(const uint32_t *x, ptrdiff_t xStride, uint32_t *y, ptrdiff_t yStride,
                        size_t rows, size_t columns);

/// Functions that `ditc_epilogue` applies.
enum { DITC_LINEAR, DITC_GELU, DITC_GELU_TANH, DITC_SILU };

/// What happens to the rows of a product before they are done, in this order; null parts are
/// skipped, every part rounds on its own to float32.
typedef struct {
  /// Added to every row.
  const float *bias;
  /// DITC_LINEAR, DITC_GELU …
  int activation;
  /// The type that is rounded to before the factor and the addend; DITC_F32 for none.
  int sumType;
  /// The type that is rounded to behind the factor; DITC_F32 for none.
  int productType;
  /// The number of the product's first row, for the parts that differ between rows.
  size_t firstRow;
  /// Multiplied with; row r takes row r / factorRows of it.
  const float *factor;
  ptrdiff_t factorStride;
  size_t factorRows;
  /// Added.
  const void *addend;
  int addendType;
  ptrdiff_t addendStride;
} ditc_epilogue;

/// A matrix on the right of a product, row-major or stored transposed.
typedef struct {
  const void *base;
  /// DITC_F32, DITC_F16 or DITC_BF16; DITC_PANELS for what `ditc_bf16_pack_whole` gives.
  int type;
  /// Elements between rows, or between columns when transposed; for panels, columns with padding.
  ptrdiff_t stride;
  int isTransposed;
} ditc_matrix;

/// c = a b: a is rows × depth, b depth × columns, all row-major with strides between rows.
typedef struct {
  const float *a;
  ptrdiff_t aStride;
  size_t rows;
  size_t depth;
  ditc_matrix b;
  /// The sums of the first column that is computed.
  float *c;
  ptrdiff_t cStride;
  const ditc_epilogue *epilogue;
  /// Where finished rows are rounded to, from the first column that is computed; may be null.
  void *narrow;
  int narrowType;
  ptrdiff_t narrowStride;
} ditc_gemm;

/// Columns of a panel, the unit in which right-hand matrices are packed on this CPU.
size_t ditc_panel_width(void);
/// Floats of scratch memory that `columns` columns of a product need.
size_t ditc_f32_gemm_scratch(size_t depth, size_t columns);
/// Computes some columns of a product; the first is a multiple of the panel width.
///
/// An element's value does not depend on which rows and columns are computed with it.
void ditc_f32_gemm(const ditc_gemm *gemm, size_t firstColumn, size_t columns, float *scratch);

/// Nonzero where the CPU multiplies bfloat16 (AVX-512 BF16).
int ditc_has_bf16(void);
/// Elements of scratch memory that `columns` columns of a bfloat16 product need.
size_t ditc_bf16_gemm_scratch(size_t depth, size_t columns);
/// `ditc_f32_gemm` with b rounded to bfloat16 and `a` in place of the float32 one, its rows padded
/// with zeros to an even depth; sums are float32. Only where `ditc_has_bf16`, as all that follows
/// with `bf16` in its name: such products take numbers below the normal ones as zero.
void ditc_bf16_gemm(const ditc_gemm *gemm, const uint16_t *a, ptrdiff_t aStride, size_t firstColumn,
                    size_t columns, uint16_t *scratch);

/// Applies an epilogue to `columns` elements of row `row`, from column `first` on.
void ditc_f32_finish(float *elements, size_t row, size_t first, size_t columns,
                     const ditc_epilogue *epilogue);

/// Packs depth × columns elements, from a row and a column on, into panels padded with zeros to a
/// multiple of the width.
void ditc_f32_pack(const ditc_matrix *b, size_t row, size_t depth, size_t column, size_t columns,
                   float *panels);
/// Columns of a panel of bfloat16.
enum { DITC_BF16_PANEL = 32 };
/// Rounds depth × columns elements into panels of bfloat16, whose depth is padded to an even one:
/// column j begins at j * depth, and neighbours along the depth stand side by side.
void ditc_bf16_pack(const ditc_matrix *b, size_t row, size_t depth, size_t column, size_t columns,
                    uint16_t *panels);
/// Packs some columns, from a multiple of the panel width on, of a right matrix of `depth` rows for
/// `ditc_bf16_gemm`: into depth × paddedColumns elements, both padded to whole panels and pairs.
void ditc_bf16_pack_whole(const ditc_matrix *b, size_t depth, size_t firstColumn, size_t columns,
                          size_t paddedColumns, uint16_t *packed);
/// c (+)= a * panels, of `pairs` pairs along the depth; column j of the panels is at
/// j * panelStride.
void ditc_bf16_product(const uint16_t *a, ptrdiff_t aStride, size_t rows, size_t pairs,
                       const uint16_t *panels, size_t panelStride, float *c, ptrdiff_t cStride,
                       size_t columns, int accumulates);
/// Rounds to bfloat16; numbers below the normal ones become zero.
void ditc_bf16_round(const float *x, uint16_t *y, size_t count);

/// Queries and keys that are looked at together.
enum { DITC_ATTENTION_QUERIES = 24, DITC_ATTENTION_KEYS = 512 };

/// One head of softmax(scale Q K^T + mask) V, computed with a running softmax (Milakov and
/// Gimelshein, "Online normalizer calculation for softmax", arXiv:1805.02867).
typedef struct {
  const void *query;
  int queryType;
  ptrdiff_t queryStride;
  size_t headSize;
  /// Nonzero when both products are of bfloat16: panels are from `ditc_bf16_pack`, queries and
  /// weights are rounded.
  int isRounded;
  /// K^T, from `ditc_f32_pack`.
  const void *keyPanels;
  size_t keys;
  /// V, from `ditc_f32_pack`.
  const void *valuePanels;
  size_t valueSize;
  void *output;
  int outputType;
  ptrdiff_t outputStride;
  float scale;
  /// Scores are bounded by softcap * tanh(score / softcap); 0 leaves them alone.
  float softcap;
  int isCausal;
  ptrdiff_t causalOffset;
  /// Added to scores, or null.
  const float *mask;
  /// Nonzero where a key is seen, or null.
  const uint8_t *boolMask;
  ptrdiff_t maskQueryStride;
  ptrdiff_t maskKeyStride;
  /// What becomes of a query that sees no key: 0 or NaN.
  float hidden;
} ditc_attention;

/// Floats of scratch memory that `ditc_f32_attend` needs.
size_t ditc_f32_attend_scratch(size_t headSize, size_t valueSize);
/// Computes some queries of a head.
void ditc_f32_attend(const ditc_attention *attention, size_t firstQuery, size_t queries,
                     float *scratch);

/// Rotates the pairs (x[2i], x[2i + 1]) by angles of which there is a cosine and a sine each.
void ditc_f32_rotate_pairs(const float *x, const float *cosines, const float *sines, float *out,
                           size_t pairs);
/// Rotates pairs with a cosine and a sine for each of their two elements.
void ditc_f32_rotate_pairs_twice(const float *x, const float *cosines, const float *sines,
                                 float *out, size_t pairs);
/// Rotates the pairs (x[i], x[i + pairs]) with a cosine and a sine for each element.
void ditc_f32_rotate_halves(const float *x, const float *cosines, const float *sines, float *out,
                            size_t pairs);
