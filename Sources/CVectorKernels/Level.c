#include "CVectorKernels.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"baseline", "avx2", "avx512"};
static _Atomic int limit = -1;

static int best_level(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return DITC_AVX512;
  if (__builtin_cpu_supports("x86-64-v3")) return DITC_AVX2;
#endif
  return DITC_BASELINE;
}

/// The level that the environment names, the highest for another word or none.
static int environment_limit(void) {
  const char *word = getenv("DITCACHE_VECTOR_LEVEL");
  for (int level = DITC_BASELINE; word && level < DITC_AVX512; level++) {
    if (strcmp(word, names[level]) == 0) return level;
  }
  return DITC_AVX512;
}

int ditc_level(void) {
  int level = atomic_load_explicit(&limit, memory_order_relaxed);
  if (level < 0) ditc_limit_level(level = environment_limit());
  int best = best_level();
  return level < best ? level : best;
}

void ditc_limit_level(int level) { atomic_store_explicit(&limit, level, memory_order_relaxed); }

const char *ditc_level_name(void) {
#if defined(__aarch64__)
  return "neon";
#else
  return names[ditc_level()];
#endif
}
