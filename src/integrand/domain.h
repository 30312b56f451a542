/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the user integrates over; everything else lives on the unit cube. One coordinate x of u:
 *   [a, b]        x = a + (b - a) u
 *   [a, inf)      x = a + u/(1-u)          dx/du = 1/(1-u)^2
 *   (-inf, b]     x = b - (1-u)/u          dx/du = 1/u^2
 *   (-inf, inf)   x = tan(pi (u - 1/2))    dx/du = pi (1 + x^2)
 *   n values      x = floor(n u)           dx/du counts as n: the integral is the sum over values
 * Limits in reversed order change the sign of the integral, equal ones make it 0.
 *
 * Before that an end where f is singular may be stretched, u(v) of the cube's v: near 0 u falls as
 * v^p, near 1 1-u as (1-v)^q,
 *   u = v^p / (v^p + (1-v)^q),   or v^p and 1 - (1-v)^q where only one end is,
 * and f = u^-a, whose weights have no variance for a >= 1/2, becomes flat for p = 1/(1-a).
 */
#ifndef NIS_DOMAIN_H
#define NIS_DOMAIN_H

#include "base/archive.h"

#include <stddef.h>

/* p and q, at least 1 */
struct stretch {
  double low, high;
};

struct domain {
  size_t dim;
  struct axis *axes; /* [dim], owned */
  double volume;     /* of the finite coordinates, with the sign of the reversed ones */
  int empty, curved; /* 1: dx/du is no constant */
};

/* NULL is 0 and 1. Says which limits are wrong: NaN, the same infinity twice, or a width that is
 * not a double. */
int nis_domain_init(struct domain *d, size_t dim, const double *lower, const double *upper);
void nis_domain_clear(struct domain *d);

/* values[dim], 0 for those that are not: of coordinates between 0 and 1 that become discrete */
void nis_domain_set_discrete(struct domain *d, const int *values);

/* NIS_OK if x[dim] lies strictly inside, else a sentence that names it: `what` number i. */
int nis_domain_check_point(const struct domain *d, const char *what, size_t i, const double *x);

/* One point from the cube and back; results are strictly inside, for a box that is not narrower
 * than the spacing of doubles. */
void nis_domain_out(const struct domain *d, const double *cube, double *x);
void nis_domain_in(const struct domain *d, const double *x, double *cube);

/* Of coordinate j, from where it changes every point's coordinates in the cube */
struct stretch nis_domain_stretch(const struct domain *d, size_t j);
void nis_domain_set_stretch(struct domain *d, size_t j, struct stretch to);

/* A point of the cube of d, where the stretches are others, in place: x stays what it was. Returns
 * log |d cube before / d cube now|, which is added to log-densities and to log |f dx/du|. */
double nis_domain_restretch(const struct domain *d, const struct stretch *to, double *cube);

/* The share of the cube that is so near to a stretched end that all of it has the end's double or
 * the next one for x, and what stretching rounds elsewhere: 0 without a stretched end */
double nis_domain_blurred(const struct domain *d);

/* dx/du at a point of the cube, with the domain's sign: f dx/du is integrated over the cube. */
double nis_domain_jacobian(const struct domain *d, const double *cube);

/* log |dx/du|: what a log-density loses on the way out of the cube */
double nis_domain_log_jacobian(const struct domain *d, const double *cube);

/* The stretches; the limits are the owner's to keep. */
void nis_domain_archive(struct archive *a, struct domain *d);

#endif
