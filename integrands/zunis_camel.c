/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = exp(-sum_i (x_i - 1/4)^2 / sigma^2) + exp(-sum_i (x_i - 3/4)^2 / sigma^2)
 *
 * Not normalised, and the humps farther apart than in i-flow's camel. */
#include "gaussian.h"

#include <math.h>

static const struct parameter parameters[] = {
    {"sigma", NULL, 0.1, 1e-3, 1, "width of a hump: sqrt(2) standard deviations"},
    {NULL, NULL, 0, 0, 0, NULL},
};

static void setup(void *state, size_t dim, const double *values)
{
  struct gaussian *g = state;
  (void)dim;
  g->alpha = values[0];
  g->log_norm = 0;
}

static double evaluate(double *x, size_t dim, void *state)
{
  return gaussian_density(state, dim, x, 0.25) + gaussian_density(state, dim, x, 0.75);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct gaussian *g = state;
  *value = 2 * pow(g->alpha * sqrt(M_PI) * gaussian_share(0.25, g->alpha), (double)dim);
  return 1;
}

const struct integrand zunis_camel_integrand = {
    .name = "zunis_camel",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct gaussian),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "ZuNIS, arXiv:2401.09069, camel",
    .description = "two narrow Gaussian humps on the diagonal, not normalised",
};
