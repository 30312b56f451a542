/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = (1 + c sum_i x_i)^-(d + 1), which has its peak in the corner at 0. */
#include "integrands.h"

#include <math.h>

static const struct parameter parameters[] = {
    {"c", NULL, 2, 0.01, 100, "steepness in each coordinate"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct corner_peak {
  double c, power;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct corner_peak *p = state;
  p->c = values[0];
  p->power = -(double)dim - 1;
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct corner_peak *p = state;
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += x[i];
  return pow(1 + p->c * sum, p->power);
}

/* The alternating sum over the corners, which for equal c is a beta function. */
static int exact(const void *state, size_t dim, double *value)
{
  const struct corner_peak *p = state;
  *value = 1;
  for (size_t k = 1; k <= dim; k++) *value /= 1 + p->c * (double)k;
  return 1;
}

const struct integrand corner_peak_integrand = {
    .name = "corner_peak",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 6,
    .parameters = parameters,
    .state_size = sizeof(struct corner_peak),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source =
        "Genz, Tools, Methods and Languages for Scientific and Engineering Computation (1984) 81",
    .description = "Genz's corner peak",
};
