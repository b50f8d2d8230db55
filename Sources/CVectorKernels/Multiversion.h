#pragma once

/// Compiles a function once per CPU level; the dynamic linker picks one at load time.
///
/// Levels: https://gitlab.com/x86-psABIs/x86-64-ABI (v3 = AVX2 and FMA, v4 = AVX-512).
#if defined(__x86_64__) && defined(__ELF__)
#define DITC_MULTIVERSION \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DITC_MULTIVERSION
#endif

#define DITC_INLINE static inline __attribute__((always_inline))

/// Lets exact aliases of input and output vectorise; partial overlap is excluded by contract.
#define DITC_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
