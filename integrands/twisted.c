/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = G(x_0 - 1/2; sigma) product over i > 0 of G(x_i - c(x_0); width),
 * c(x_0) = 0.35 + bend (x_0 - 1/2)^2, G the normalised Gaussian of that standard deviation
 *
 * A Gaussian, sheared so that every other coordinate follows a parabola in the first. */
#include "gaussian.h"
#include "interval.h"

#include <math.h>

enum { SIGMA, WIDTH, BEND };

static const struct parameter parameters[] = {
    {"sigma", NULL, 0.15, 0.01, 1, "standard deviation of the first coordinate"},
    {"width", NULL, 0.0125, 1e-3, 1, "standard deviation of the others around the parabola"},
    {"bend", NULL, 1.5, -1, 2, "coefficient of the parabola"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct twisted {
  double sigma, width, bend;
  double log_norm;
  size_t dim;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct twisted *t = state;
  t->sigma = values[SIGMA];
  t->width = values[WIDTH];
  t->bend = values[BEND];
  t->log_norm =
      -log(t->sigma) - (double)(dim - 1) * log(t->width) - 0.5 * (double)dim * log(2 * M_PI);
  t->dim = dim;
}

static double parabola(const struct twisted *t, double x)
{
  return 0.35 + t->bend * (x - 0.5) * (x - 0.5);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct twisted *t = state;
  double along = (x[0] - 0.5) / t->sigma, centre = parabola(t, x[0]), across = 0;
  for (size_t i = 1; i < dim; i++) across += (x[i] - centre) * (x[i] - centre);
  return exp(t->log_norm - 0.5 * along * along - 0.5 * across / (t->width * t->width));
}

/* All coordinates but the first done: their shares inside the cube. */
static double slice(double x, void *params)
{
  const struct twisted *t = params;
  double along = (x - 0.5) / t->sigma;
  double share = gaussian_share(parabola(t, x), M_SQRT2 * t->width);
  return exp(-0.5 * along * along) / (t->sigma * sqrt(2 * M_PI)) * pow(share, (double)t->dim - 1);
}

static int exact(const void *state, size_t dim, double *value)
{
  struct twisted t = *(const struct twisted *)state;
  (void)dim;
  *value = 2 * integrate_interval(slice, &t, 0.5, fmin(0.5 + 10 * t.sigma, 1));
  return isfinite(*value);
}

const struct integrand twisted_integrand = {
    .name = "twisted",
    .dim_min = 2,
    .dim_max = 256,
    .dim_default = 6,
    .parameters = parameters,
    .state_size = sizeof(struct twisted),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "Haario, Saksman, Tamminen, Comput. Stat. 14 (1999) 375, twisted Gaussian",
    .description = "thin Gaussian bent along a parabola in all coordinates",
};
