/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = cos^2(k sum_i x_i): stripes across the diagonal, nothing along any axis. */
#include "integrands.h"

#include <math.h>

static const struct parameter parameters[] = {
    {"k", NULL, 6, 0.1, 1000, "wave number along each axis, in radians"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct sinusoid {
  double k;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct sinusoid *s = state;
  (void)dim;
  s->k = values[0];
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct sinusoid *s = state;
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += x[i];
  double wave = cos(s->k * sum);
  return wave * wave;
}

/* The mean of exp(2 i k x) over one coordinate is exp(i k) sin(k) / k. */
static int exact(const void *state, size_t dim, double *value)
{
  const struct sinusoid *s = state;
  double n = (double)dim;
  *value = 0.5 + 0.5 * cos(n * s->k) * pow(sin(s->k) / s->k, n);
  return 1;
}

const struct integrand sinusoid_integrand = {
    .name = "sinusoid",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct sinusoid),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "ZuNIS, arXiv:2401.09069, sinusoid",
    .description = "stripes across the diagonal with zeros in between",
};
