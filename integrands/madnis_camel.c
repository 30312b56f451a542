/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = 6 [share G(y - mean1; sigma1) + (1 - share) G(y - mean2; sigma2)], y = 6 x in (0, 6),
 * and 0 where y <= cut; G the normalised Gaussian of that standard deviation
 *
 * The authors' program also has a truncated one: share=0.5 sigma2=0.2 cut=2. */
#include "integrands.h"

#include <math.h>

enum { MEAN1, MEAN2, SIGMA1, SIGMA2, SHARE, CUT };

static const struct parameter parameters[] = {
    {"mean1", NULL, 2, 0, 6, "centre of the first peak; the range is (0, 6)"},
    {"mean2", NULL, 5, 0, 6, "centre of the second"},
    {"sigma1", NULL, 0.5, 1e-3, 10, "standard deviation of the first peak"},
    {"sigma2", NULL, 0.1, 1e-3, 10, "standard deviation of the second"},
    {"share", NULL, 0.35, 0, 1, "of the first peak; the second has the rest"},
    {"cut", NULL, 0, 0, 5, "nothing up to here"},
    {NULL, NULL, 0, 0, 0, NULL},
};

static const double end = 6;

struct madnis_camel {
  double mean[2], sigma[2], share[2];
  double cut;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct madnis_camel *c = state;
  (void)dim;
  for (int k = 0; k < 2; k++) {
    c->mean[k] = values[MEAN1 + k];
    c->sigma[k] = values[SIGMA1 + k];
  }
  c->share[0] = values[SHARE];
  c->share[1] = 1 - values[SHARE];
  c->cut = values[CUT];
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct madnis_camel *c = state;
  double y = end * x[0], sum = 0;
  (void)dim;
  if (y <= c->cut) return 0;
  for (int k = 0; k < 2; k++) {
    double z = (y - c->mean[k]) / c->sigma[k];
    sum += c->share[k] / c->sigma[k] * exp(-0.5 * z * z);
  }
  return end / sqrt(2 * M_PI) * sum;
}

/* Of peak k beyond y. */
static double tail(const struct madnis_camel *c, int k, double y)
{
  return 0.5 * erfc((y - c->mean[k]) / (M_SQRT2 * c->sigma[k]));
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct madnis_camel *c = state;
  (void)dim;
  *value = 0;
  for (int k = 0; k < 2; k++) *value += c->share[k] * (tail(c, k, c->cut) - tail(c, k, end));
  return 1;
}

const struct integrand madnis_camel_integrand = {
    .name = "madnis_camel",
    .dim_min = 1,
    .dim_max = 1,
    .dim_default = 1,
    .parameters = parameters,
    .state_size = sizeof(struct madnis_camel),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "program of MadNIS, arXiv:2212.06172, one-dimensional camel",
    .description = "a broad and a narrow Gaussian peak in one dimension",
};
