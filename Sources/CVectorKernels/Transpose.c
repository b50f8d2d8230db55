#include "CVectorKernels.h"
#include "Multiversion.h"
#include <string.h>

typedef uint32_t Four __attribute__((ext_vector_type(4)));

DITC_INLINE Four ditc_load4(const uint32_t *x) {
  Four v;
  memcpy(&v, x, sizeof v);
  return v;
}

DITC_INLINE void ditc_transpose4x4(const uint32_t *x, ptrdiff_t xStride, uint32_t *y,
                                   ptrdiff_t yStride) {
  Four a = ditc_load4(x), b = ditc_load4(x + xStride);
  Four c = ditc_load4(x + 2 * xStride), d = ditc_load4(x + 3 * xStride);
  Four ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  Four ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  Four cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  Four cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  Four rows[4] = {
      __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5),
      __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7),
      __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5),
      __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7),
  };
  for (int i = 0; i < 4; i++) memcpy(y + i * yStride, &rows[i], sizeof rows[i]);
}

/// Sixteen columns of one row fill a cache line, so lines are read once, whole, and few rows at a
/// time: rows a power of two apart share cache sets.
void ditc_u32_transpose(const uint32_t *x, ptrdiff_t xStride, uint32_t *y, ptrdiff_t yStride,
                        size_t rows, size_t columns) {
  enum { side = 4, line = 16 };
  size_t wholeRows = rows - rows % side;
  for (size_t c0 = 0; c0 < columns; c0 += line) {
    size_t c1 = columns - c0 < line ? columns : c0 + line;
    size_t wholeColumns = c0 + (c1 - c0) / side * side;
    for (size_t r = 0; r < rows; r += r < wholeRows ? side : 1) {
      const uint32_t *in = x + (ptrdiff_t)r * xStride;
      size_t height = r < wholeRows ? side : 1;
      size_t c = c0;
      if (height == side) {
        for (; c < wholeColumns; c += side) {
          ditc_transpose4x4(in + c, xStride, y + (ptrdiff_t)c * yStride + r, yStride);
        }
      }
      for (; c < c1; c++) {
        for (size_t i = 0; i < height; i++) {
          y[(ptrdiff_t)c * yStride + (ptrdiff_t)(r + i)] = in[(ptrdiff_t)i * xStride + (ptrdiff_t)c];
        }
      }
    }
  }
}
