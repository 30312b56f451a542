/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = product over i of (power + 1) x_i^power, which for power 1 is that of 2 x_i */
#include "integrands.h"

#include <math.h>

static const struct parameter parameters[] = {
    {"power", NULL, 1, 0, 10, "of each coordinate"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct linear_product {
  double power;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct linear_product *p = state;
  (void)dim;
  p->power = values[0];
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct linear_product *p = state;
  double product = 1;
  for (size_t i = 0; i < dim; i++) product *= (p->power + 1) * pow(x[i], p->power);
  return product;
}

static int exact(const void *state, size_t dim, double *value)
{
  (void)state;
  (void)dim;
  *value = 1;
  return 1;
}

const struct integrand linear_product_integrand = {
    .name = "linear_product",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 4,
    .parameters = parameters,
    .state_size = sizeof(struct linear_product),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "documentation of MadNIS (arXiv:2311.01548), first steps",
    .description = "product of straight lines that grow towards a corner",
};
