/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replicates of Sobol points that fill the cube more evenly than random ones, each scrambled at
 * random: a lower triangular matrix for the binary digits of each coordinate, and a shift
 * (Matousek, J. Complexity 14 (1998) 527), and then Owen's nested scrambling. Every point is
 * uniform, so a mean over a replicate is unbiased; its variance is for any f at most a small
 * multiple of the one of random points (Owen, Ann. Statist. 25 (1997) 1541), and for smooth f far
 * below it. Whole replicates of 2^m points are the good ones.
 *
 * The matrix alone has the same variance, but made of rare large errors where f is smooth: in one
 * dimension nearly all replicates agree on a value that is slightly wrong, and few say so.
 */
#ifndef NIS_SOBOL_H
#define NIS_SOBOL_H

#include "kernels/kernels.h"

enum { SOBOL_MOST_DIM = 65, SOBOL_BITS = 32 };

struct replicate {
  size_t dim;
  uint32_t *plain; /* [dim][SOBOL_BITS] direction numbers */
  uint32_t *v;     /* [dim][SOBOL_BITS] the same scrambled, the first digit lowest; owned */
  uint32_t *shift; /* [dim] likewise */
  uint32_t *key;   /* [dim][2] of the nested scrambling */
  double *random;  /* [dim][LANES] room for the numbers that scramble; owned */
};

/* dim <= SOBOL_MOST_DIM */
int nis_replicate_init(struct replicate *replicate, size_t dim);
void nis_replicate_clear(struct replicate *replicate);

/* Makes it the randomisation of this number: another replicate, independent of all others. */
void nis_replicate_scramble(struct replicate *replicate, const struct kernels *kernels,
                            uint64_t seed, uint64_t number);

/* One coordinate, in (0,1), of the points first .. first + LANES - 1; `first` is a multiple of
 * LANES, below 2^SOBOL_BITS. */
void nis_replicate_tile(const struct replicate *replicate, const struct kernels *kernels,
                        size_t coordinate, uint64_t first, double *u);

#endif
