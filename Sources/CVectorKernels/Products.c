#include "CVectorKernels.h"
#include "Elementary.h"
#include "Finish.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// Depth of a product before its sums go to memory: a panel of it fits in the first-level caches.
#define DITC_GEMM_DEPTH 768
/// Rows of the left matrix that stay in the second-level cache while panels pass by.
#define DITC_GEMM_ROWS 48

/// How many keys, from the first on, a query may see.
DITC_INLINE size_t ditc_seen(const ditc_attention *a, size_t query) {
  if (!a->isCausal) return a->keys;
  ptrdiff_t last = (ptrdiff_t)query + a->causalOffset + 1;
  return last < 0 ? 0 : last > (ptrdiff_t)a->keys ? a->keys : (size_t)last;
}

/// Bounds and masks one row of products of a query and keys, and returns what their differences
/// are multiplied by to be exponents of two.
static float ditc_mask_scores(const ditc_attention *a, size_t query, size_t firstKey, float *scores,
                              size_t count) {
  const float logarithm = 0x1.715476p0f;  // log2(e)
  size_t seen = ditc_seen(a, query);
  size_t visible = seen <= firstKey ? 0 : seen - firstKey < count ? seen - firstKey : count;
  for (size_t i = visible; i < count; i++) scores[i] = -INFINITY;
  if (a->softcap == 0 && !a->mask && !a->boolMask && a->scale > 0) return a->scale * logarithm;
  for (size_t i = 0; i < visible; i++) scores[i] *= a->scale;
  if (a->softcap > 0) {
    for (size_t i = 0; i < visible; i++) scores[i] /= a->softcap;
    ditc_f32_tanh(scores, scores, visible);
    for (size_t i = 0; i < visible; i++) scores[i] *= a->softcap;
  }
  ptrdiff_t start = (ptrdiff_t)query * a->maskQueryStride;
  ptrdiff_t step = a->maskKeyStride;
  if (a->mask) {
    const float *mask = a->mask + start + (ptrdiff_t)firstKey * step;
    if (step == 1) {
      for (size_t i = 0; i < visible; i++) scores[i] += mask[i];
    } else {
      for (size_t i = 0; i < visible; i++) scores[i] += mask[(ptrdiff_t)i * step];
    }
  } else if (a->boolMask) {
    const uint8_t *mask = a->boolMask + start + (ptrdiff_t)firstKey * step;
    for (size_t i = 0; i < visible; i++) {
      scores[i] = mask[(ptrdiff_t)i * step] ? scores[i] : -INFINITY;
    }
  }
  return logarithm;
}

/// The queries from a row on, as float32 or, for rounded products, in `narrow`, padded to an even
/// number of elements.
static const float *ditc_queries(const ditc_attention *a, size_t first, size_t rows, float *wide,
                                 uint16_t *narrow, ptrdiff_t *stride) {
  ptrdiff_t start = (ptrdiff_t)first * *stride;
  const float *query = (const float *)a->query + start;
  if (a->queryType != DITC_F32) {
    const uint16_t *stored = (const uint16_t *)a->query + start;
    for (size_t r = 0; r < rows; r++) {
      ditc_widen(stored + (ptrdiff_t)r * *stride, a->queryType, wide + r * a->headSize,
                 a->headSize);
    }
    query = wide;
    *stride = (ptrdiff_t)a->headSize;
  }
  size_t padded = (a->headSize + 1) / 2 * 2;
  for (size_t r = 0; a->isRounded && r < rows; r++) {
    uint16_t *row = narrow + r * padded;
    row[padded - 1] = 0;
    ditc_bf16_round(query + (ptrdiff_t)r * *stride, row, a->headSize);
  }
  return query;
}

void ditc_finish_rows(const ditc_gemm *g, size_t first, size_t rows, size_t firstColumn,
                      size_t columns) {
  for (size_t r = first; (g->epilogue || g->narrow) && r < first + rows; r++) {
    float *row = g->c + (ptrdiff_t)r * g->cStride;
    if (g->epilogue) {
      ditc_f32_finish(row, g->epilogue->firstRow + r, firstColumn, columns, g->epilogue);
    }
    if (!g->narrow) continue;
    ditc_narrow(row, (uint16_t *)g->narrow + (ptrdiff_t)r * g->narrowStride, g->narrowType, columns);
  }
}

#define LEVEL(name) ditc_baseline_##name
#if defined(__aarch64__)
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif
#define LANES 4
#include "Tile.h"
#include "Attend.h"
#undef LEVEL
#undef LANES
#undef TILE_ROWS

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL(name) ditc_avx2_##name
#define LANES 8
#define TILE_ROWS 6
#include "Tile.h"
#include "Attend.h"
#undef LEVEL
#undef LANES
#undef TILE_ROWS
#pragma clang attribute pop

// Without the second attribute the compiler splits 512-bit vectors in halves.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#pragma clang attribute push(__attribute__((min_vector_width(512))), apply_to = function)
#define LEVEL(name) ditc_avx512_##name
#define LANES 16
#define TILE_ROWS 12
#define SCALED
#include "Tile.h"
#include "Attend.h"
#undef LEVEL
#undef LANES
#undef TILE_ROWS
#undef SCALED
#pragma clang attribute pop
#pragma clang attribute pop

#define DISPATCH(call)                               \
  switch (ditc_level()) {                            \
    case DITC_AVX512: return ditc_avx512_##call;     \
    case DITC_AVX2: return ditc_avx2_##call;         \
    default: return ditc_baseline_##call;            \
  }
#else
#define DISPATCH(call) return ditc_baseline_##call;
#endif

static size_t ditc_baseline_panel(void) { return 8; }
#if defined(__x86_64__)
static size_t ditc_avx2_panel(void) { return 16; }
static size_t ditc_avx512_panel(void) { return 32; }
#endif

size_t ditc_panel_width(void) { DISPATCH(panel()) }

size_t ditc_f32_gemm_scratch(size_t depth, size_t columns) {
  size_t width = ditc_panel_width();
  size_t rows = depth < DITC_GEMM_DEPTH ? depth : DITC_GEMM_DEPTH;
  return (columns + width - 1) / width * width * rows;
}

void ditc_f32_gemm(const ditc_gemm *gemm, size_t firstColumn, size_t columns, float *scratch) {
  DISPATCH(gemm(gemm, firstColumn, columns, scratch))
}

void ditc_f32_finish(float *elements, size_t row, size_t first, size_t columns,
                     const ditc_epilogue *epilogue) {
  DISPATCH(finish_row(elements, row, first, columns, epilogue))
}

/// Panels of a transposed matrix, or of another type than float32.
static void ditc_pack_panels(const ditc_matrix *b, size_t row, size_t depth, size_t column,
                             size_t columns, float *panels) {
  enum { block = 64, widest = 32 };
  size_t width = ditc_panel_width();
  size_t size = b->type == DITC_F32 ? sizeof(float) : sizeof(uint16_t);
  for (size_t j = 0; j < columns; j += width) {
    size_t count = columns - j < width ? columns - j : width;
    float *panel = panels + j * depth;
    if (count < width) memset(panel, 0, depth * width * sizeof(float));
    ptrdiff_t step = b->stride * (ptrdiff_t)size;
    if (!b->isTransposed) {
      const char *source = (const char *)b->base + (ptrdiff_t)row * step + (column + j) * size;
      for (size_t k = 0; k < depth; k++) {
        ditc_widen(source + (ptrdiff_t)k * step, b->type, panel + k * width, count);
      }
      continue;
    }
    const char *source = (const char *)b->base + (ptrdiff_t)(column + j) * step + row * size;
    if (b->type == DITC_F32) {
      ditc_u32_transpose((const uint32_t *)source, b->stride, (uint32_t *)panel, (ptrdiff_t)width,
                         count, depth);
      continue;
    }
    uint32_t wide[widest * block];
    for (size_t k = 0; k < depth; k += block) {
      size_t length = depth - k < block ? depth - k : block;
      for (size_t i = 0; i < count; i++) {
        ditc_widen(source + (ptrdiff_t)i * step + k * size, b->type, (float *)(wide + i * block),
                   length);
      }
      ditc_u32_transpose(wide, block, (uint32_t *)panel + k * width, (ptrdiff_t)width, count,
                         length);
    }
  }
}

void ditc_f32_pack(const ditc_matrix *b, size_t row, size_t depth, size_t column, size_t columns,
                   float *panels) {
  if (b->type != DITC_F32 || b->isTransposed) {
    return ditc_pack_panels(b, row, depth, column, columns, panels);
  }
  const float *source = (const float *)b->base + (ptrdiff_t)row * b->stride + column;
  DISPATCH(pack(source, b->stride, depth, columns, panels))
}

size_t ditc_f32_attend_scratch(size_t headSize, size_t valueSize) {
  size_t width = ditc_panel_width();
  size_t padded = (valueSize + width - 1) / width * width;
  return DITC_ATTENTION_QUERIES * (DITC_ATTENTION_KEYS / 2 * 3 + padded + 2 + 2 * headSize + 1);
}

void ditc_f32_attend(const ditc_attention *attention, size_t firstQuery, size_t queries,
                     float *scratch) {
  DISPATCH(attend(attention, firstQuery, queries, scratch))
}
