/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The best few of many scores, in order: a heap, so that a start costs as much as a look at all and
 * each one taken the logarithm of their number.
 */
#ifndef NIS_RANKING_H
#define NIS_RANKING_H

#include <stddef.h>

struct ranking {
  const double *score;
  size_t *order; /* a heap of numbers of scores, the best on top */
  size_t left;
};

/* score[n], none of them NaN, and order[n], whatever it holds, stay the caller's and are used until
 * the last one is taken. */
void nis_ranking_start(struct ranking *r, size_t n, const double *score, size_t *order);

/* The number of the highest score that is left, the smallest number where some are equal; it is
 * taken out. r->left must not be 0. */
size_t nis_ranking_take(struct ranking *r);

#endif
