#pragma once
#include "CVectorKernels.h"

/// What follows a product: the epilogue on rows of its sums, then their rounding.
void ditc_finish_rows(const ditc_gemm *gemm, size_t first, size_t rows, size_t firstColumn,
                      size_t columns);

/// Rounds elements to a type and widens them again.
static inline void ditc_round_row(float *elements, size_t count, int type) {
  uint16_t narrow[256];
  for (size_t start = 0; type != DITC_F32 && start < count; start += 256) {
    size_t part = count - start < 256 ? count - start : 256;
    ditc_narrow(elements + start, narrow, type, part);
    ditc_widen(narrow, type, elements + start, part);
  }
}
