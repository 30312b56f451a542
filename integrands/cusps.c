/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = C / 2 (exp(-decay |x - c1|) + exp(-decay |x - c2|)), both centres on the diagonal,
 * C such that a cusp holds one in all of space. */
#include "gaussian.h"
#include "interval.h"
#include "sphere.h"

#include <math.h>

enum { DECAY, C1, C2 };

static const struct parameter parameters[] = {
    {"decay", NULL, 50, 1, 1000, "slope of the logarithm"},
    {"c1", NULL, 0.45, 0, 1, "centre of the first cusp, in every coordinate"},
    {"c2", NULL, 0.7, 0, 1, "centre of the second"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct cusps {
  double decay, centre[2];
  double log_norm; /* log(C / 2) */
  size_t dim;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct cusps *c = state;
  c->decay = values[DECAY];
  c->centre[0] = values[C1];
  c->centre[1] = values[C2];
  c->log_norm = (double)dim * log(c->decay) - lgamma((double)dim) - log_sphere_area(dim) - log(2);
  c->dim = dim;
}

static double distance(const double *x, size_t dim, double centre)
{
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += (x[i] - centre) * (x[i] - centre);
  return sqrt(sum);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct cusps *c = state;
  return exp(c->log_norm - c->decay * distance(x, dim, c->centre[0])) +
         exp(c->log_norm - c->decay * distance(x, dim, c->centre[1]));
}

/* A cusp is a mixture of Gaussians of all widths, with the density
 * decay / sqrt(pi) exp(-(decay width / 2)^2); each of them is a product. */
static double mixture(double width, void *params)
{
  const struct cusps *c = params;
  double d = (double)c->dim, z = 0.5 * c->decay * width, sum = 0;
  for (int k = 0; k < 2; k++) sum += pow(gaussian_share(c->centre[k], width), d);
  return sum * c->decay / sqrt(M_PI) * exp(c->log_norm - z * z + d * log(width * sqrt(M_PI)));
}

static int exact(const void *state, size_t dim, double *value)
{
  struct cusps c = *(const struct cusps *)state;
  *value = integrate_interval(mixture, &c, 0, (16 + 2 * sqrt((double)dim)) / c.decay);
  return isfinite(*value);
}

const struct integrand cusps_integrand = {
    .name = "cusps",
    .dim_min = 1,
    .dim_max = 64,
    .dim_default = 5,
    .parameters = parameters,
    .state_size = sizeof(struct cusps),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "documentation of vegas (vegas+, arXiv:2009.05112), two cusps",
    .description = "two points with steep exponential walls",
};
