/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = (alpha sqrt(pi))^-d exp(-sum_i (x_i - 1/2)^2 / alpha^2)
 *
 * The part of it inside the unit cube is erf(1 / (2 alpha))^d. */
#include "gaussian.h"

#include <math.h>

const struct parameter gaussian_parameters[] = {
    {"alpha", NULL, 0.2, 1e-3, 1, "width of a peak: sqrt(2) standard deviations"},
    {NULL, NULL, 0, 0, 0, NULL},
};

void gaussian_setup(void *state, size_t dim, const double *values)
{
  struct gaussian *g = state;
  g->alpha = values[0];
  g->log_norm = -(double)dim * log(g->alpha * sqrt(M_PI));
}

double gaussian_density(const struct gaussian *g, size_t dim, const double *x, double centre)
{
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += (x[i] - centre) * (x[i] - centre);
  return exp(g->log_norm - sum / (g->alpha * g->alpha));
}

double gaussian_share(double centre, double alpha)
{
  return 0.5 * (erf(centre / alpha) + erf((1 - centre) / alpha));
}

static double evaluate(double *x, size_t dim, void *state)
{
  return gaussian_density(state, dim, x, 0.5);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct gaussian *g = state;
  *value = pow(gaussian_share(0.5, g->alpha), (double)dim);
  return 1;
}

const struct integrand gaussian_integrand = {
    .name = "gaussian",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 4,
    .parameters = gaussian_parameters,
    .state_size = sizeof(struct gaussian),
    .setup = gaussian_setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "i-flow, arXiv:2001.05486, Gaussian test function",
    .description = "one Gaussian peak in the middle of the unit cube",
};
