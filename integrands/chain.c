/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = Gaussian in which x_i - 1/2 is rho (x_(i-1) - 1/2) plus noise of standard deviation
 * `width`; all coordinates have the standard deviation width / sqrt(1 - rho^2). */
#include "integrands.h"

#include <math.h>

enum { WIDTH, RHO };

static const struct parameter parameters[] = {
    {"width", NULL, 0.03, 1e-3, 0.1, "standard deviation of a coordinate, given the one before"},
    {"rho", NULL, 0.7, 0, 0.99, "correlation of neighbours"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct chain {
  double width, rho;
  double first; /* sqrt(1 - rho^2) */
  double log_norm;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct chain *c = state;
  c->width = values[WIDTH];
  c->rho = values[RHO];
  c->first = sqrt((1 - c->rho) * (1 + c->rho));
  c->log_norm = log(c->first) - (double)dim * log(c->width * sqrt(2 * M_PI));
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct chain *c = state;
  double last = x[0] - 0.5, sum = c->first * c->first * last * last;
  for (size_t i = 1; i < dim; i++) {
    double here = x[i] - 0.5, noise = here - c->rho * last;
    sum += noise * noise;
    last = here;
  }
  return exp(c->log_norm - 0.5 * sum / (c->width * c->width));
}

/* One, as long as the tails of all coordinates together hold less than 1e-9. */
static int exact(const void *state, size_t dim, double *value)
{
  const struct chain *c = state;
  double sigma = c->width / c->first;
  *value = 1;
  return (double)dim * erfc(0.5 / (M_SQRT2 * sigma)) < 1e-9;
}

const struct integrand chain_integrand = {
    .name = "chain",
    .dim_min = 2,
    .dim_max = 256,
    .dim_default = 16,
    .parameters = parameters,
    .state_size = sizeof(struct chain),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "libnis; a Gaussian Markov chain",
    .description = "correlated Gaussian, a tiny part of the cube: 4e-16 in 16 dimensions",
};
