/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Easy: what any method integrates, and an elaborate one must not be worse at.
 *
 *     ramp   prod_i 2 x_i
 *     sine   prod_i pi/2 sin(pi x_i) */
#include "integrands.h"

#include <math.h>

static const struct parameter parameters[] = {
    {NULL, NULL, 0, 0, 0, NULL},
};

static void setup(void *state, size_t dim, const double *values)
{
  (void)state;
  (void)dim;
  (void)values;
}

static double ramp(double *x, size_t dim, void *state)
{
  double product = 1;
  (void)state;
  for (size_t i = 0; i < dim; i++) product *= 2 * x[i];
  return product;
}

static double sine(double *x, size_t dim, void *state)
{
  double product = 1;
  (void)state;
  for (size_t i = 0; i < dim; i++) product *= M_PI_2 * sin(M_PI * x[i]);
  return product;
}

static int one(const void *state, size_t dim, double *value)
{
  (void)state;
  (void)dim;
  *value = 1;
  return 1;
}

const struct integrand ramp_integrand = {
    .name = "ramp",
    .dim_min = 1,
    .dim_max = 64,
    .dim_default = 1,
    .parameters = parameters,
    .state_size = 1,
    .setup = setup,
    .f = ramp,
    .exact = one,
    .unit = "",
    .source = "first examples of manuals",
    .description = "product of 2 x",
};

const struct integrand sine_integrand = {
    .name = "sine",
    .dim_min = 1,
    .dim_max = 64,
    .dim_default = 1,
    .parameters = parameters,
    .state_size = 1,
    .setup = setup,
    .f = sine,
    .exact = one,
    .unit = "",
    .source = "first examples of manuals",
    .description = "product of half waves",
};
