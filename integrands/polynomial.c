/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = sum_i x_i (1 - x_i), which has no peak to find: each coordinate matters a little. */
#include "integrands.h"

static const struct parameter parameters[] = {
    {NULL, NULL, 0, 0, 0, NULL},
};

static void setup(void *state, size_t dim, const double *values)
{
  (void)state;
  (void)dim;
  (void)values;
}

static double evaluate(double *x, size_t dim, void *state)
{
  double sum = 0;
  (void)state;
  for (size_t i = 0; i < dim; i++) sum += x[i] * (1 - x[i]);
  return sum;
}

static int exact(const void *state, size_t dim, double *value)
{
  (void)state;
  *value = (double)dim / 6;
  return 1;
}

const struct integrand polynomial_integrand = {
    .name = "polynomial",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 18,
    .parameters = parameters,
    .state_size = 1,
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "i-flow, arXiv:2001.05486, polynomial",
    .description = "sum of parabolas, nearly flat in many dimensions",
};
