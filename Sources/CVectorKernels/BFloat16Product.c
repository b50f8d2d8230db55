#include "CVectorKernels.h"
#include "Multiversion.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define DITC_BF16 __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512)))

enum { tileRows = 12, panelWidth = 32, depthBlock = 1536, rowBlock = 192 };

int ditc_has_bf16(void) {
  return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16");
}

/// Up to 12 rows by 32 columns; two neighbours along the depth are multiplied at a time.
DITC_INLINE DITC_BF16 void tile(int rows, const uint16_t *a, ptrdiff_t aStride, size_t pairs,
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

DITC_BF16 static void panel_product(const uint16_t *a, ptrdiff_t aStride, size_t rows, size_t pairs,
                                    const uint16_t *panel, float *c, ptrdiff_t cStride,
                                    int accumulates) {
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

/// Rounds 2 · pairs rows of 32 columns and puts the pairs of each column side by side.
DITC_BF16 static void pack_panel(const ditc_gemm *g, size_t row, size_t depth, size_t column,
                                 size_t columns, uint16_t *panel) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (size_t k = 0; k < depth; k += 2, panel += 2 * panelWidth) {
    for (size_t half = 0; half < 2; half++) {
      size_t first = 16 * half;
      size_t count = columns <= first ? 0 : columns - first < 16 ? columns - first : 16;
      __mmask16 mask = (__mmask16)((1u << count) - 1);
      __m512 rows[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
      for (size_t i = 0; i < 2 && k + i < depth; i++) {
        if (g->bIsTransposed) {
          float gathered[16] = {0};
          for (size_t j = 0; j < count; j++) {
            gathered[j] = g->b[(ptrdiff_t)(column + first + j) * g->bStride + (ptrdiff_t)(row + k + i)];
          }
          rows[i] = _mm512_loadu_ps(gathered);
        } else {
          rows[i] = _mm512_maskz_loadu_ps(
              mask, g->b + (ptrdiff_t)(row + k + i) * g->bStride + column + first);
        }
      }
      __m512i both = (__m512i)_mm512_cvtne2ps_pbh(rows[1], rows[0]);
      _mm512_storeu_si512(panel + half * panelWidth, _mm512_permutexvar_epi16(order, both));
    }
  }
}

size_t ditc_bf16_gemm_scratch(size_t depth, size_t columns) {
  size_t rows = depth < depthBlock ? (depth + 1) / 2 * 2 : depthBlock;
  return (columns + panelWidth - 1) / panelWidth * panelWidth * rows + 2 * rowBlock * panelWidth;
}

DITC_BF16 void ditc_bf16_gemm(const ditc_gemm *g, const uint16_t *a, ptrdiff_t aStride,
                              size_t firstColumn, size_t columns, uint16_t *scratch) {
  size_t padded = (columns + panelWidth - 1) / panelWidth * panelWidth;
  for (size_t k = 0; k < g->depth; k += depthBlock) {
    size_t depth = g->depth - k < depthBlock ? g->depth - k : depthBlock;
    size_t pairs = (depth + 1) / 2;
    float *narrow = (float *)(scratch + 2 * pairs * padded);
    for (size_t j = 0; j < columns; j += panelWidth) {
      size_t width = columns - j < panelWidth ? columns - j : panelWidth;
      pack_panel(g, k, depth, firstColumn + j, width, scratch + j * 2 * pairs);
    }
    for (size_t i = 0; i < g->rows; i += rowBlock) {
      size_t rows = g->rows - i < rowBlock ? g->rows - i : rowBlock;
      float *c = g->c + (ptrdiff_t)i * g->cStride + firstColumn;
      const uint16_t *left = a + (ptrdiff_t)i * aStride + k;
      for (size_t j = 0; j < columns; j += panelWidth) {
        const uint16_t *panel = scratch + j * 2 * pairs;
        if (columns - j >= panelWidth) {
          panel_product(left, aStride, rows, pairs, panel, c + j, g->cStride, k > 0);
          continue;
        }
        panel_product(left, aStride, rows, pairs, panel, narrow, panelWidth, 0);
        for (size_t r = 0; r < rows; r++) {
          float *row = c + (ptrdiff_t)r * g->cStride;
          for (size_t n = j; n < columns; n++) {
            float sum = narrow[r * panelWidth + n - j];
            row[n] = k > 0 ? row[n] + sum : sum;
          }
        }
      }
      for (size_t r = 0; k + depth == g->depth && g->epilogue && r < rows; r++) {
        ditc_f32_finish(c + (ptrdiff_t)r * g->cStride, g->epilogue->firstRow + i + r, firstColumn,
                        columns, g->epilogue);
      }
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
#endif
