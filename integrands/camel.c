/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = (alpha sqrt(pi))^-d / 2 [exp(-sum_i (x_i - 1/3)^2 / alpha^2)
 *                               + exp(-sum_i (x_i - 2/3)^2 / alpha^2)]
 *
 * Both humps have the same share inside the unit cube, a product over the coordinates. */
#include "gaussian.h"

#include <math.h>

static double evaluate(double *x, size_t dim, void *state)
{
  return 0.5 *
         (gaussian_density(state, dim, x, 1.0 / 3) + gaussian_density(state, dim, x, 2.0 / 3));
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct gaussian *g = state;
  *value = pow(gaussian_share(1.0 / 3, g->alpha), (double)dim);
  return 1;
}

const struct integrand camel_integrand = {
    .name = "camel",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 4,
    .parameters = gaussian_parameters,
    .state_size = sizeof(struct gaussian),
    .setup = gaussian_setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "i-flow, arXiv:2001.05486, camel test function",
    .description = "two Gaussian peaks on the diagonal of the unit cube",
};
