// Attention at one CPU level; included after Tile.h.

/// 2^x for x <= 0; what is below the normal numbers may be zero, NaN stays NaN.
DITC_INLINE VECTOR LEVEL(power_of_two)(VECTOR x) {
#ifdef SCALED
  VECTOR clamped = (VECTOR)_mm512_max_ps(_mm512_set1_ps(-200.0f), (__m512)x);  // NaN passes
  VECTOR n = (VECTOR)_mm512_roundscale_ps((__m512)clamped, _MM_FROUND_NO_EXC);
  VECTOR r = clamped - n;
#else
  const float rounder = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  VECTOR clamped = x < -126.0f ? (VECTOR)-126.0f : x;
  VECTOR shifted = clamped + rounder;
  VECTOR r = clamped - (shifted - rounder);
#endif
  VECTOR p = 0x1.5bba0ep-10f;  // (2^r - 1) / r, |r| <= 1/2, weighted minimax
  p = p * r + 0x1.3cea88p-7f;
  p = p * r + 0x1.c6b752p-5f;
  p = p * r + 0x1.ebf9bcp-3f;
  p = p * r + 0x1.62e42ap-1f;
  p = p * r + 1.0f;
#ifdef SCALED
  return (VECTOR)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  LEVEL(Integers) exponent = ((LEVEL(Integers))shifted << 23) + 0x3F800000;
  return x < -126.0f ? (VECTOR)0.0f : p * (VECTOR)exponent;
#endif
}

DITC_INLINE float LEVEL(lane_sum)(VECTOR v) {
  float total = 0;
  UNROLLED for (int i = 0; i < LANES; i++) total += v[i];
  return total;
}

DITC_INLINE float LEVEL(lane_largest)(VECTOR v) {
  float largest = v[0];
  UNROLLED for (int i = 1; i < LANES; i++) largest = v[i] > largest ? v[i] : largest;
  return largest;
}

/// One row of a running softmax; see `ditc_attention`.
///
/// `scores` has `count` elements, a multiple of LANES, and becomes their weights. Differences are
/// taken before they are scaled: masks go down to the least float.
static void LEVEL(weigh)(float *scores, size_t count, float factor, float *largest, float *total,
                         float *sums, size_t sumCount) {
  VECTOR top = -INFINITY;
  for (size_t i = 0; i < count; i += LANES) {
    VECTOR s = READ(scores + i);
    top = s > top ? s : top;
  }
  float highest = LEVEL(lane_largest)(top);
  highest = highest > *largest ? highest : *largest;
  float base = highest == -INFINITY ? 0.0f : highest;
  VECTOR weight = 0.0f;
  for (size_t i = 0; i < count; i += LANES) {
    VECTOR w = LEVEL(power_of_two)((READ(scores + i) - base) * factor);
    AT(scores + i) = w;
    weight += w;
  }
  if (*largest < highest) {
    VECTOR change = (*largest - base) * factor;
    float shrunk = LEVEL(power_of_two)(change)[0];
    *total *= shrunk;
    for (size_t i = 0; i < sumCount; i += LANES) AT(sums + i) = READ(sums + i) * shrunk;
    *largest = highest;
  }
  *total += LEVEL(lane_sum)(weight);
}

/// `ditc_f32_attend` at this level.
static void LEVEL(attend)(const ditc_attention *a, size_t first, size_t queries, float *scratch) {
  enum { width = 2 * LANES };
  size_t valueWidth = (a->valueSize + width - 1) / width * width;
  size_t pairs = (a->headSize + 1) / 2;
  float *scores = scratch;
  float *sums = scores + DITC_ATTENTION_QUERIES * DITC_ATTENTION_KEYS;
  float *largest = sums + DITC_ATTENTION_QUERIES * valueWidth;
  float *total = largest + DITC_ATTENTION_QUERIES;
  float *wide = total + DITC_ATTENTION_QUERIES;
  uint16_t *narrow = (uint16_t *)(wide + DITC_ATTENTION_QUERIES * a->headSize);
  uint16_t *weights = narrow + DITC_ATTENTION_QUERIES * 2 * pairs;
  for (size_t q0 = 0; q0 < queries; q0 += DITC_ATTENTION_QUERIES) {
    size_t rows = queries - q0 < DITC_ATTENTION_QUERIES ? queries - q0 : DITC_ATTENTION_QUERIES;
    ptrdiff_t queryStride = a->queryStride;
    const float *query = ditc_queries(a, first + q0, rows, wide, narrow, &queryStride);
    memset(sums, 0, rows * valueWidth * sizeof(float));
    for (size_t r = 0; r < rows; r++) largest[r] = -INFINITY, total[r] = 0;
    for (size_t k0 = 0; k0 < a->keys; k0 += DITC_ATTENTION_KEYS) {
      size_t keys = a->keys - k0 < DITC_ATTENTION_KEYS ? a->keys - k0 : DITC_ATTENTION_KEYS;
      size_t padded = (keys + width - 1) / width * width;
      if (k0 > 0 && k0 >= ditc_seen(a, first + q0 + rows - 1)) break;
      if (a->isRounded) {
        ditc_bf16_product(narrow, (ptrdiff_t)(2 * pairs), rows, pairs,
                          (const uint16_t *)a->keyPanels + k0 * 2 * pairs, 2 * pairs, scores,
                          DITC_ATTENTION_KEYS, padded, 0);
      } else {
        LEVEL(product)(query, queryStride, rows, a->headSize,
                       (const float *)a->keyPanels + k0 * a->headSize, a->headSize, scores,
                       DITC_ATTENTION_KEYS, padded, 0);
      }
      for (size_t r = 0; r < rows; r++) {
        float *row = scores + r * DITC_ATTENTION_KEYS;
        for (size_t i = keys; i < padded; i++) row[i] = -INFINITY;
        float factor = ditc_mask_scores(a, first + q0 + r, k0, row, keys);
        LEVEL(weigh)(row, padded, factor, largest + r, total + r, sums + r * valueWidth,
                     valueWidth);
        if (a->isRounded) ditc_bf16_round(row, weights + r * DITC_ATTENTION_KEYS, padded);
      }
      if (a->isRounded) {
        size_t depth = (a->keys + 1) / 2 * 2;
        ditc_bf16_product(weights, DITC_ATTENTION_KEYS, rows, (keys + 1) / 2,
                          (const uint16_t *)a->valuePanels + k0 * DITC_BF16_PANEL, depth, sums,
                          (ptrdiff_t)valueWidth, valueWidth, 1);
      } else {
        LEVEL(product)(scores, DITC_ATTENTION_KEYS, rows, keys,
                       (const float *)a->valuePanels + k0 * width, a->keys, sums,
                       (ptrdiff_t)valueWidth, valueWidth, 1);
      }
    }
    for (size_t r = 0; r < rows; r++) {
      ptrdiff_t place = (ptrdiff_t)(first + q0 + r) * a->outputStride;
      float inverse = largest[r] == -INFINITY && total[r] == 0 ? a->hidden : 1 / total[r];
      float *sum = sums + r * valueWidth;
      if (a->outputType == DITC_F32) {
        float *out = (float *)a->output + place;
        for (size_t j = 0; j < a->valueSize; j++) out[j] = sum[j] * inverse;
      } else {
        for (size_t j = 0; j < a->valueSize; j++) sum[j] *= inverse;
        ditc_narrow(sum, (uint16_t *)a->output + place, a->outputType, a->valueSize);
      }
    }
  }
}
