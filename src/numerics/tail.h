/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The upper tail of weights: the shape k-hat of a generalised Pareto distribution, as in Pareto
 * smoothed importance sampling (PSIS; Vehtari, Simpson, Gelman, Yao, Gabry, arXiv:1507.02646).
 * Moments of an order above 1/k do not exist.
 */
#ifndef NIS_TAIL_H
#define NIS_TAIL_H

#include "base/archive.h"

#include <stdint.h>

enum { TAIL_MOST = 16384 }; /* weights kept: 3 sqrt(n) up to n = 3e7, fewer than PSIS's above */

struct tail {
  uint64_t n;      /* weights seen, zeros too */
  int kept;        /* the largest ones */
  double *largest; /* [TAIL_MOST] heap, the smallest on top; owned with room to sort it in */
};

int nis_tail_init(struct tail *t);
void nis_tail_clear(struct tail *t);
void nis_tail_reset(struct tail *t);
void nis_tail_add(struct tail *t, double magnitude);
void nis_tail_merge(struct tail *into, const struct tail *from);

/* k-hat of the largest min(n/5, 3 sqrt n) weights; 0 when these are all equal, NaN below 25 weights
 * or 5 that are not 0. */
double nis_tail_shape(const struct tail *t);

/* The k-hat above which a mean of n weights is not to be believed, min(0.7, 1 - 1/log10 n) (Vehtari
 * et al., section 3.2) */
double nis_tail_threshold(uint64_t n);

void nis_tail_archive(struct archive *a, struct tail *t); /* reading: into an initialised one */

#endif
