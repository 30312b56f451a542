/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of the unit cube with the density that they were drawn from and the integrand's values. */
#ifndef NIS_POINTS_H
#define NIS_POINTS_H

#include "mixture/mixture.h"

/* x[n][dim], with log-densities and the integrand's value times dx/du. */
struct points {
  size_t capacity, n;
  double *x, *log_q, *f; /* one block, owned through x */
  double *log_channel;   /* [n][CHANNELS] log-densities; -inf for a channel without share */
  double *components;    /* [n][ncomp] of f, not owned; NULL: not wanted */
  double *outputs;       /* [n][extra] of f besides, not owned; NULL: not wanted */
  float *view;           /* [n][] what the channel weight in f follows from, and ... */
  double *log_alpha;     /* [n] ... its log; not owned; NULL: not wanted */
  char *bad;             /* [n] 1 where f was not finite, not owned; NULL: not wanted */
};

/* Shown points that have values; NULL: those before had wrong ones */
typedef void points_observer(void *context, const struct points *p);

enum { BLOCK_POINTS = 16384 }; /* drawn at a time, so that memory does not grow with calls */

int nis_points_init(struct points *p, size_t capacity, size_t dim);
void nis_points_clear(struct points *p);

/* Points from .. from + n - 1 as points of their own, in the same memory; without components,
 * outputs, views and bad */
struct points nis_points_part(const struct points *p, size_t from, size_t n, size_t dim);

/* f/q of point i, 0 where f is 0 */
double nis_point_weight(const struct points *p, size_t i);

#endif
