#include "CVectorKernels.h"
#include "Finish.h"
#include "Multiversion.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define DITC_BF16_TARGET \
  __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512)))

enum { tileRows = 12, panelWidth = DITC_BF16_PANEL, depthBlock = 1536, rowBlock = 192 };

int ditc_has_bf16(void) {
  return ditc_level() == DITC_AVX512 && __builtin_cpu_supports("avx512bf16");
}

/// Up to 12 rows by 32 columns; two neighbours along the depth are multiplied at a time.
DITC_INLINE DITC_BF16_TARGET void tile(int rows, const uint16_t *a, ptrdiff_t aStride, size_t pairs,
                                       const uint16_t *panel, float *c, ptrdiff_t cStride,
                                       int accumulates) {
  __m512 sums[tileRows][2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = _mm512_setzero_ps();
  for (size_t k = 0; k < pairs; k++) {
    __m512bh left = (__m512bh)_mm512_loadu_si512(panel);
    __m512bh right = (__m512bh)_mm512_loadu_si512(panel + panelWidth);
    panel += 2 * panelWidth;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      int32_t pair;
      memcpy(&pair, a + r * aStride + 2 * (ptrdiff_t)k, sizeof pair);
      __m512bh factor = (__m512bh)_mm512_set1_epi32(pair);
      sums[r][0] = _mm512_dpbf16_ps(sums[r][0], factor, left);
      sums[r][1] = _mm512_dpbf16_ps(sums[r][1], factor, right);
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    float *row = c + r * cStride;
    if (accumulates) {
      sums[r][0] = _mm512_add_ps(_mm512_loadu_ps(row), sums[r][0]);
      sums[r][1] = _mm512_add_ps(_mm512_loadu_ps(row + 16), sums[r][1]);
    }
    _mm512_storeu_ps(row, sums[r][0]);
    _mm512_storeu_ps(row + 16, sums[r][1]);
  }
}

DITC_BF16_TARGET static void panel_product(const uint16_t *a, ptrdiff_t aStride, size_t rows,
                                           size_t pairs, const uint16_t *panel, float *c,
                                           ptrdiff_t cStride, int accumulates) {
#define CASE(n) \
  case n: return tile(n, a, aStride, pairs, panel, c, cStride, accumulates);
  for (; rows >= tileRows; rows -= tileRows) {
    tile(tileRows, a, aStride, pairs, panel, c, cStride, accumulates);
    a += tileRows * aStride;
    c += tileRows * cStride;
  }
  switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11)
    default: return;
  }
#undef CASE
}

DITC_BF16_TARGET void ditc_bf16_product(const uint16_t *a, ptrdiff_t aStride, size_t rows,
                                        size_t pairs, const uint16_t *panels, size_t panelStride,
                                        float *c, ptrdiff_t cStride, size_t columns,
                                        int accumulates) {
  for (size_t j = 0; j < columns; j += panelWidth) {
    const uint16_t *panel = panels + j * panelStride;
    if (columns - j >= panelWidth) {
      panel_product(a, aStride, rows, pairs, panel, c + j, cStride, accumulates);
      continue;
    }
    float whole[tileRows * panelWidth];
    for (size_t start = 0; start < rows; start += tileRows) {
      size_t count = rows - start < tileRows ? rows - start : tileRows;
      panel_product(a + (ptrdiff_t)start * aStride, aStride, count, pairs, panel, whole, panelWidth,
                    0);
      for (size_t r = 0; r < count; r++) {
        float *row = c + (ptrdiff_t)(start + r) * cStride;
        for (size_t n = j; n < columns; n++) {
          float sum = whole[r * panelWidth + n - j];
          row[n] = accumulates ? row[n] + sum : sum;
        }
      }
    }
  }
}

DITC_BF16_TARGET void ditc_bf16_round(const float *x, uint16_t *y, size_t count) {
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m512bh both = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + i + 16), _mm512_loadu_ps(x + i));
    _mm512_storeu_si512(y + i, (__m512i)both);
  }
  for (; i < count; i += 16) {
    size_t rest = count - i;
    __mmask16 mask = rest < 16 ? (__mmask16)((1u << rest) - 1) : (__mmask16)0xFFFF;
    __m256i rounded = (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, x + i));
    _mm256_mask_storeu_epi16(y + i, mask, rounded);
  }
}

/// Rounds one row of at most 32 elements of any type, zeros behind it.
DITC_INLINE DITC_BF16_TARGET __m512i rounded_row(const void *row, int type, size_t count) {
  __mmask32 mask = count < 32 ? (__mmask32)((1u << count) - 1) : (__mmask32)0xFFFFFFFF;
  if (type == DITC_BF16) return _mm512_maskz_loadu_epi16(mask, row);
  float wide[32];
  const float *source = row;
  if (type == DITC_F16) {
    ditc_widen(row, type, wide, count);
    source = wide;
  }
  __m512 low = _mm512_maskz_loadu_ps((__mmask16)mask, source);
  __m512 high = _mm512_maskz_loadu_ps((__mmask16)(mask >> 16), source + 16);
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/// One panel of a row-major matrix.
DITC_BF16_TARGET static void pack_rows(const char *source, int type, ptrdiff_t step, size_t depth,
                                       size_t columns, uint16_t *panel) {
  const __m512i first = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40,
                                         8, 39, 7, 38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
  const __m512i second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
  for (size_t k = 0; k < depth; k += 2, panel += 2 * panelWidth) {
    __m512i upper = rounded_row(source + (ptrdiff_t)k * step, type, columns);
    __m512i lower = k + 1 < depth ? rounded_row(source + (ptrdiff_t)(k + 1) * step, type, columns)
                                  : _mm512_setzero_si512();
    _mm512_storeu_si512(panel, _mm512_permutex2var_epi16(upper, first, lower));
    _mm512_storeu_si512(panel + panelWidth, _mm512_permutex2var_epi16(upper, second, lower));
  }
}

/// One panel of a matrix stored transposed: pairs lie together, and are transposed as wholes.
DITC_BF16_TARGET static void pack_columns(const char *source, int type, ptrdiff_t step,
                                          size_t depth, size_t columns, uint16_t *panel) {
  enum { block = 64 };
  uint32_t pairs[panelWidth * block / 2];
  if (columns < panelWidth) memset(panel, 0, (depth + 1) / 2 * 2 * panelWidth * sizeof *panel);
  size_t size = type == DITC_F32 ? sizeof(float) : sizeof(uint16_t);
  for (size_t k = 0; k < depth; k += block) {
    size_t length = depth - k < block ? depth - k : block;
    for (size_t j = 0; j < columns; j++) {
      for (size_t i = 0; i < length; i += panelWidth) {
        size_t count = length - i < panelWidth ? length - i : panelWidth;
        const char *row = source + (ptrdiff_t)j * step + (k + i) * size;
        _mm512_storeu_si512((uint16_t *)pairs + j * block + i, rounded_row(row, type, count));
      }
    }
    ditc_u32_transpose(pairs, block / 2, (uint32_t *)panel + k / 2 * panelWidth, panelWidth,
                       columns, (length + 1) / 2);
  }
}

void ditc_bf16_pack(const ditc_matrix *b, size_t row, size_t depth, size_t column, size_t columns,
                    uint16_t *panels) {
  size_t size = b->type == DITC_F32 ? sizeof(float) : sizeof(uint16_t);
  ptrdiff_t step = b->stride * (ptrdiff_t)size;
  for (size_t j = 0; j < columns; j += panelWidth) {
    size_t width = columns - j < panelWidth ? columns - j : panelWidth;
    uint16_t *panel = panels + j * ((depth + 1) / 2 * 2);
    const char *base = b->base;
    if (b->isTransposed) {
      base += (ptrdiff_t)(column + j) * step + row * size;
      pack_columns(base, b->type, step, depth, width, panel);
    } else {
      base += (ptrdiff_t)row * step + (column + j) * size;
      pack_rows(base, b->type, step, depth, width, panel);
    }
  }
}

void ditc_bf16_pack_whole(const ditc_matrix *b, size_t depth, size_t firstColumn, size_t columns,
                          size_t paddedColumns, uint16_t *packed) {
  for (size_t k = 0; k < depth; k += depthBlock) {
    size_t rows = depth - k < depthBlock ? depth - k : depthBlock;
    ditc_bf16_pack(b, k, rows, firstColumn, columns,
                   packed + k * paddedColumns + firstColumn * ((rows + 1) / 2 * 2));
  }
}

size_t ditc_bf16_gemm_scratch(size_t depth, size_t columns) {
  size_t rows = depth < depthBlock ? (depth + 1) / 2 * 2 : depthBlock;
  return (columns + panelWidth - 1) / panelWidth * panelWidth * rows;
}

void ditc_bf16_gemm(const ditc_gemm *g, const uint16_t *a, ptrdiff_t aStride, size_t firstColumn,
                    size_t columns, uint16_t *scratch) {
  for (size_t k = 0; k < g->depth; k += depthBlock) {
    size_t depth = g->depth - k < depthBlock ? g->depth - k : depthBlock;
    size_t pairs = (depth + 1) / 2;
    const uint16_t *panels = scratch;
    if (g->b.type == DITC_PANELS) {
      panels = (const uint16_t *)g->b.base + k * (size_t)g->b.stride + firstColumn * 2 * pairs;
    } else {
      ditc_bf16_pack(&g->b, k, depth, firstColumn, columns, scratch);
    }
    for (size_t i = 0; i < g->rows; i += rowBlock) {
      size_t rows = g->rows - i < rowBlock ? g->rows - i : rowBlock;
      ditc_bf16_product(a + (ptrdiff_t)i * aStride + k, aStride, rows, pairs, panels, 2 * pairs,
                        g->c + (ptrdiff_t)i * g->cStride, g->cStride, columns, k > 0);
      if (k + depth == g->depth) ditc_finish_rows(g, i, rows, firstColumn, columns);
    }
  }
}
#else
int ditc_has_bf16(void) { return 0; }
size_t ditc_bf16_gemm_scratch(size_t depth, size_t columns) {
  (void)depth, (void)columns;
  return 0;
}
void ditc_bf16_gemm(const ditc_gemm *g, const uint16_t *a, ptrdiff_t aStride, size_t firstColumn,
                    size_t columns, uint16_t *scratch) {
  (void)g, (void)a, (void)aStride, (void)firstColumn, (void)columns, (void)scratch;
}
void ditc_bf16_pack(const ditc_matrix *b, size_t row, size_t depth, size_t column, size_t columns,
                    uint16_t *panels) {
  (void)b, (void)row, (void)depth, (void)column, (void)columns, (void)panels;
}
void ditc_bf16_pack_whole(const ditc_matrix *b, size_t depth, size_t firstColumn, size_t columns,
                          size_t paddedColumns, uint16_t *packed) {
  (void)b, (void)depth, (void)firstColumn, (void)columns, (void)paddedColumns, (void)packed;
}
void ditc_bf16_product(const uint16_t *a, ptrdiff_t aStride, size_t rows, size_t pairs,
                       const uint16_t *panels, size_t panelStride, float *c, ptrdiff_t cStride,
                       size_t columns, int accumulates) {
  (void)a, (void)aStride, (void)rows, (void)pairs, (void)panels, (void)panelStride, (void)c;
  (void)cStride, (void)columns, (void)accumulates;
}
void ditc_bf16_round(const float *x, uint16_t *y, size_t count) { (void)x, (void)y, (void)count; }
#endif
