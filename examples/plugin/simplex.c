/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plug-in for the command `nis` that takes many points at once, in any number of dimensions.
 *
 *     make && nis integrate ./simplex.so:simplex --batch --dim 4
 *
 * f = max(0, 1 - sum_j x_j): the integral is 1 / (dim + 1)!, 1/120 for 4 dimensions. */
#include <stddef.h>

/* Coordinate j of point i is x[i * dim + j]. ncomp is 1. Not 0 would stop the run. */
int simplex(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++) {
    double rest = 1;
    for (size_t j = 0; j < dim; j++) rest -= x[i * dim + j];
    f[i * ncomp] = rest > 0 ? rest : 0;
  }
  return 0;
}
