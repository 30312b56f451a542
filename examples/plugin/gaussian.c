/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A plug-in for the command `nis`: correlated normal variables on all of space.
 *
 *     make && nis integrate ./gaussian.so:gaussian --lower=-inf --upper inf --histogram radius:20
 *
 * f = exp(-(x, A x) / 2) with 2 on A's diagonal and -1 beside it, det A = 4: the integral is
 * sqrt((2 pi)^3 / 4) = 7.874804972861209. */
#include <math.h>
#include <nis_histogram.h>
#include <stddef.h>

/* This many dimensions and no others; without it the command needs --dim. */
const size_t gaussian_dim = 3;

/* Called from several threads at once; params is NULL. */
double gaussian(double *x, size_t dim, void *params)
{
  double sum = x[dim - 1] * x[dim - 1];
  (void)params;
  for (size_t j = 0; j + 1 < dim; j++) sum += x[j] * (x[j] - x[j + 1]);
  return exp(-sum);
}

/* For --histogram; nis_histogram.h is only needed for these. */
static double radius(const double *x, size_t dim, const double *outputs, size_t extra, void *params)
{
  double square = 0;
  (void)outputs, (void)extra, (void)params;
  for (size_t j = 0; j < dim; j++) square += x[j] * x[j];
  return sqrt(square);
}

const nis_plugin_observable gaussian_observables[] = {
    {"radius", "", "distance from the origin", 0, 5, radius}, {0}};
