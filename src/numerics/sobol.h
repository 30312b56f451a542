/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replicates of Sobol points that fill the cube more evenly than random ones, each scrambled at
 * random: a lower triangular matrix for the binary digits of each coordinate, and a shift
 * (Matousek, J. Complexity 14 (1998) 527). Every point is then uniform, so a mean over a replicate
 * is unbiased; its variance is that of Owen's nested scrambling, for any f at most a small multiple
 * of the one of random points (Owen, Ann. Statist. 25 (1997) 1541), and for smooth f far below it.
 * Whole replicates of 2^m points are the good ones.
 */
#ifndef NIS_SOBOL_H
#define NIS_SOBOL_H

#include "kernels/kernels.h"

enum { SOBOL_MOST_DIM = 65, SOBOL_BITS = 32 };

struct replicate {
  size_t dim;
  uint32_t *plain; /* [dim][SOBOL_BITS] direction numbers */
  uint64_t *v;     /* [dim][SOBOL_BITS] the same scrambled, 52 bits; owned */
  uint64_t *shift; /* [dim] */
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
void nis_replicate_tile(const struct replicate *replicate, size_t coordinate, uint64_t first,
                        double *u);

#endif
