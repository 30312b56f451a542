/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = (width sqrt(pi))^-d / N sum_k exp(-|x - c_k|^2 / width^2), the N centres equally far
 * apart on the diagonal, both ends included.
 *
 * With m the mean of the coordinates, |x - c|^2 = sum_i (x_i - m)^2 + d (m - c)^2: the first
 * part is common to all terms, the second one-dimensional. The terms are added from the
 * nearest centre outwards; from one to the next the exponent changes by a first difference,
 * and that by a constant, so a term costs two products instead of an exponential. */
#include "gaussian.h"

#include <math.h>

enum { PEAKS, FROM, TO, WIDTH };

#define PARAMETERS(first, last)                                                                    \
  {"peaks", NULL, 1000, 1, 1e5, "number of Gaussians, rounded"},                                   \
      {"from", NULL, first, 0, 1, "first centre, in every coordinate"},                            \
      {"to", NULL, last, 0, 1, "last centre, in every coordinate"},                                \
      {"width", NULL, 0.1, 1e-3, 1, "width of a Gaussian: sqrt(2) standard deviations"},           \
      {NULL, NULL, 0, 0, 0, NULL},

static const struct parameter parameters[] = {PARAMETERS(0.25, 0.75)};
static const struct parameter short_parameters[] = {PARAMETERS(0.4, 0.6)};

struct ridge {
  double peaks, from, step, width;
  double log_norm; /* of one term */
  double steep;    /* dim / width^2 */
  double curve;    /* ratio of successive ratios of terms */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct ridge *r = state;
  r->peaks = round(values[PEAKS]);
  r->from = r->peaks > 1 ? values[FROM] : 0.5 * (values[FROM] + values[TO]);
  r->step = r->peaks > 1 ? (values[TO] - values[FROM]) / (r->peaks - 1) : 0;
  r->width = values[WIDTH];
  r->log_norm = -(double)dim * log(r->width * sqrt(M_PI)) - log(r->peaks);
  r->steep = (double)dim / (r->width * r->width);
  r->curve = exp(-2 * r->steep * r->step * r->step);
}

static double nearest(const struct ridge *r, double mean)
{
  if (r->step == 0) return 0;
  return fmin(fmax(round((mean - r->from) / r->step), 0), r->peaks - 1);
}

/* Terms to one side relative to the nearest one; those left out change no digit. */
static double side(double ratio, double curve, double count)
{
  double sum = 0, term = 1;
  for (; count > 0 && term > 1e-20; count--) {
    term *= ratio;
    ratio *= curve;
    sum += term;
  }
  return sum;
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct ridge *r = state;
  double mean = 0, across = 0;
  for (size_t i = 0; i < dim; i++) mean += x[i];
  mean /= (double)dim;
  for (size_t i = 0; i < dim; i++) across += (x[i] - mean) * (x[i] - mean);

  double k = nearest(r, mean), h = r->step, along = mean - (r->from + k * h);
  double up = side(exp(r->steep * h * (2 * along - h)), r->curve, r->peaks - 1 - k);
  double down = side(exp(-r->steep * h * (2 * along + h)), r->curve, k);
  return exp(r->log_norm - across / (r->width * r->width) - r->steep * along * along) *
         (1 + up + down);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct ridge *r = state;
  *value = 0;
  for (double k = 0; k < r->peaks; k++)
    *value += pow(gaussian_share(r->from + k * r->step, r->width), (double)dim) / r->peaks;
  return 1;
}

const struct integrand ridge_integrand = {
    .name = "ridge",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 4,
    .parameters = parameters,
    .state_size = sizeof(struct ridge),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "vegas+, arXiv:2009.05112, ridge of Gaussians along the diagonal",
    .description = "many Gaussians in a row on the diagonal of the cube",
};

const struct integrand short_ridge_integrand = {
    .name = "short_ridge",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 4,
    .parameters = short_parameters,
    .state_size = sizeof(struct ridge),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "documentation of vegas (vegas+, arXiv:2009.05112), short ridge",
    .description = "the same in the middle of the cube only",
};
