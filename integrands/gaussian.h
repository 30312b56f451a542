/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Gaussian peak on the unit cube, the same width in every coordinate. */
#ifndef GAUSSIAN_H
#define GAUSSIAN_H

#include "integrands.h"

struct gaussian {
  double alpha;    /* exp(-r^2 / alpha^2) */
  double log_norm; /* -dim log(alpha sqrt(pi)): the power itself leaves double's range */
};

extern const struct parameter gaussian_parameters[]; /* alpha */

void gaussian_setup(void *state, size_t dim, const double *values);

/* Normalised over all space, with the same centre in every coordinate. */
double gaussian_density(const struct gaussian *g, size_t dim, const double *x, double centre);

/* Its share inside (0, 1) in one coordinate. */
double gaussian_share(double centre, double alpha);

#endif
