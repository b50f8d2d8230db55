// Matrix products at one CPU level; included once per level.
//
// The including file defines LEVEL(name), LANES (floats of a register) and TILE_ROWS. A tile of a
// product is up to TILE_ROWS rows by two registers of columns: as many sums as registers hold.

typedef float LEVEL(Vector) __attribute__((ext_vector_type(LANES)));
typedef LEVEL(Vector) LEVEL(Unaligned) __attribute__((aligned(4), may_alias));
typedef int32_t LEVEL(Integers) __attribute__((ext_vector_type(LANES)));

#define VECTOR LEVEL(Vector)
#define AT(pointer) (*(LEVEL(Unaligned) *)(pointer))
#define READ(pointer) (*(const LEVEL(Unaligned) *)(pointer))
#define UNROLLED _Pragma("clang loop unroll(full)")

DITC_INLINE void LEVEL(tile)(int rows, const float *a, ptrdiff_t aStride, size_t depth,
                             const float *panel, float *c, ptrdiff_t cStride, int accumulates) {
  VECTOR sums[TILE_ROWS][2];
  UNROLLED for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = 0.0f;
  for (size_t k = 0; k < depth; k++) {
    VECTOR left = READ(panel), right = READ(panel + LANES);
    panel += 2 * LANES;
    UNROLLED for (int r = 0; r < rows; r++) {
      VECTOR factor = a[r * aStride + (ptrdiff_t)k];
      sums[r][0] += factor * left;
      sums[r][1] += factor * right;
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    float *row = c + r * cStride;
    AT(row) = accumulates ? READ(row) + sums[r][0] : sums[r][0];
    AT(row + LANES) = accumulates ? READ(row + LANES) + sums[r][1] : sums[r][1];
  }
}

/// c (+)= a * panel for any number of rows; c has two whole registers of columns.
static void LEVEL(panel_product)(const float *a, ptrdiff_t aStride, size_t rows, size_t depth,
                                 const float *panel, float *c, ptrdiff_t cStride,
                                 int accumulates) {
#define CASE(n)                                                                  \
  case n:                                                                        \
    return LEVEL(tile)(n < TILE_ROWS ? n : TILE_ROWS, a, aStride, depth, panel, c, cStride, \
                       accumulates);
  for (; rows >= TILE_ROWS; rows -= TILE_ROWS) {
    LEVEL(tile)(TILE_ROWS, a, aStride, depth, panel, c, cStride, accumulates);
    a += TILE_ROWS * aStride;
    c += TILE_ROWS * cStride;
  }
  switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11)
    default: return;
  }
#undef CASE
}

/// Like `panel_product` for a panel whose last columns are padding.
static void LEVEL(narrow_product)(const float *a, ptrdiff_t aStride, size_t rows, size_t depth,
                                  const float *panel, float *c, ptrdiff_t cStride, size_t columns,
                                  int accumulates) {
  float whole[TILE_ROWS * 2 * LANES];
  for (size_t start = 0; start < rows; start += TILE_ROWS) {
    size_t count = rows - start < TILE_ROWS ? rows - start : TILE_ROWS;
    LEVEL(panel_product)(a + (ptrdiff_t)start * aStride, aStride, count, depth, panel, whole,
                         2 * LANES, 0);
    for (size_t r = 0; r < count; r++) {
      float *row = c + (ptrdiff_t)(start + r) * cStride;
      for (size_t j = 0; j < columns; j++) {
        row[j] = accumulates ? row[j] + whole[r * 2 * LANES + j] : whole[r * 2 * LANES + j];
      }
    }
  }
}

/// c (+)= a * panels, c of `columns` columns; column j of the panels is `j * panelStride` away.
static void LEVEL(product)(const float *a, ptrdiff_t aStride, size_t rows, size_t depth,
                           const float *panels, size_t panelStride, float *c, ptrdiff_t cStride,
                           size_t columns, int accumulates) {
  for (size_t j = 0; j < columns; j += 2 * LANES) {
    const float *panel = panels + j * panelStride;
    if (columns - j >= 2 * LANES) {
      LEVEL(panel_product)(a, aStride, rows, depth, panel, c + j, cStride, accumulates);
    } else {
      LEVEL(narrow_product)(a, aStride, rows, depth, panel, c + j, cStride, columns - j,
                            accumulates);
    }
  }
}

/// Packs rows `0 ..< depth` of a row-major matrix into panels.
static void LEVEL(pack)(const float *b, ptrdiff_t rowStride, size_t depth, size_t columns,
                        float *panels) {
  size_t whole = columns - columns % (2 * LANES);
  for (size_t k = 0; k < depth; k++) {
    const float *row = b + (ptrdiff_t)k * rowStride;
    float *out = panels + k * 2 * LANES;
    for (size_t j = 0; j < whole; j += 2 * LANES, out += depth * 2 * LANES) {
      AT(out) = READ(row + j);
      AT(out + LANES) = READ(row + j + LANES);
    }
    for (size_t j = whole; j < columns; j++) out[j - whole] = row[j];
    for (size_t j = columns; whole < columns && j < whole + 2 * LANES; j++) out[j - whole] = 0;
  }
}

/// bias, activation, factor and addend of one row of a product, `columns` of them from `first` on.
static void LEVEL(finish_row)(float *c, size_t row, size_t first, size_t columns,
                              const ditc_epilogue *e) {
#pragma clang fp contract(off)
  if (e->bias) {
    const float *bias = e->bias + first;
    DITC_VECTOR_LOOP for (size_t j = 0; j < columns; j++) c[j] += bias[j];
  }
  switch (e->activation) {
    case DITC_GELU: ditc_f32_gelu(c, c, columns); break;
    case DITC_GELU_TANH: ditc_f32_gelu_tanh(c, c, columns); break;
    case DITC_SILU: ditc_f32_silu(c, c, columns); break;
    default: break;
  }
  ditc_round_row(c, columns, e->sumType);
  if (e->factor) {
    const float *factor = e->factor + (ptrdiff_t)(row / e->factorRows) * e->factorStride + first;
    DITC_VECTOR_LOOP for (size_t j = 0; j < columns; j++) c[j] *= factor[j];
    ditc_round_row(c, columns, e->productType);
  }
  if (e->addend && e->addendType == DITC_F32) {
    const float *addend = (const float *)e->addend + (ptrdiff_t)row * e->addendStride + first;
    DITC_VECTOR_LOOP for (size_t j = 0; j < columns; j++) c[j] += addend[j];
  } else if (e->addend) {
    const uint16_t *addend = (const uint16_t *)e->addend + (ptrdiff_t)row * e->addendStride + first;
    float wide[256];
    for (size_t start = 0; start < columns; start += 256) {
      size_t count = columns - start < 256 ? columns - start : 256;
      ditc_widen(addend + start, e->addendType, wide, count);
      DITC_VECTOR_LOOP for (size_t j = 0; j < count; j++) c[start + j] += wide[j];
    }
  }
}

/// `ditc_f32_gemm` at this level.
static void LEVEL(gemm)(const ditc_gemm *g, size_t firstColumn, size_t columns, float *panels) {
  for (size_t k = 0; k < g->depth; k += DITC_GEMM_DEPTH) {
    size_t depth = g->depth - k < DITC_GEMM_DEPTH ? g->depth - k : DITC_GEMM_DEPTH;
    int isLast = k + depth == g->depth;
    ditc_f32_pack(&g->b, k, depth, firstColumn, columns, panels);
    for (size_t i = 0; i < g->rows; i += DITC_GEMM_ROWS) {
      size_t rows = g->rows - i < DITC_GEMM_ROWS ? g->rows - i : DITC_GEMM_ROWS;
      float *c = g->c + (ptrdiff_t)i * g->cStride;
      LEVEL(product)(g->a + (ptrdiff_t)i * g->aStride + k, g->aStride, rows, depth, panels, depth,
                     c, g->cStride, columns, k > 0);
      if (isLast) ditc_finish_rows(g, i, rows, firstColumn, columns);
    }
  }
}
