#pragma once
#include <cblas.h>
#include <stddef.h>

/*
 * LAPACK's divide-and-conquer solver of symmetric eigenproblems, which OpenBLAS contains and cblas.h
 * does not declare (https://netlib.org/lapack/explore-html, dsyevd). The last two arguments are the
 * lengths of the first two, as Fortran compilers pass them.
 */
void dsyevd_(
    const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w,
    double *work, const blasint *lwork, blasint *iwork, const blasint *liwork, blasint *info,
    size_t jobz_length, size_t uplo_length);
