/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = E(x; 1/2 - distance) - ratio E(x; 1/2 + distance),
 * E(x; c) = exp(-sum_i (x_i - c)^2 / (2 sigma^2))
 *
 * With ratio 1 the peaks cancel, and no relative error can be reached. Two channels of it, in two
 * dimensions: number k maps x_i by logit y_i = logit x_i + k - 1/2 and has the share
 * alpha_k = E_k(y) / (E_0(y) + E_1(y)) of f(y) dy/dx, of either peak E_k without its sign. */
#include "gaussian.h"

#include <math.h>

enum { DISTANCE, SIGMA, RATIO };

static const struct parameter parameters[] = {
    {"distance", NULL, 0.3, 0, 0.5, "of either peak from the middle, in every coordinate"},
    {"sigma", NULL, 0.2, 0.01, 1, "standard deviation of the peaks"},
    {"ratio", NULL, 1, 0, 2, "size of the negative peak by that of the positive one"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct signed_gaussians {
  struct gaussian shape; /* not normalised */
  double distance, ratio;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct signed_gaussians *s = state;
  (void)dim;
  s->shape.alpha = M_SQRT2 * values[SIGMA];
  s->shape.log_norm = 0;
  s->distance = values[DISTANCE];
  s->ratio = values[RATIO];
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct signed_gaussians *s = state;
  return gaussian_density(&s->shape, dim, x, 0.5 - s->distance) -
         s->ratio * gaussian_density(&s->shape, dim, x, 0.5 + s->distance);
}

/* Either peak has the same share inside. */
static int exact(const void *state, size_t dim, double *value)
{
  const struct signed_gaussians *s = state;
  double alpha = s->shape.alpha;
  double side = alpha * sqrt(M_PI) * gaussian_share(0.5 - s->distance, alpha);
  *value = (1 - s->ratio) * pow(side, (double)dim);
  return 1;
}

/* ---- two channels ---------------------------------------------------------------------- */

enum { PLANE = 2 };

/* Moves y, towards 0 or 1; returns dy/dx. */
static double shift(double *y, double by)
{
  double grown = exp(by), all = 1 - *y + *y * grown;
  *y *= grown / all;
  return grown / (all * all);
}

static double evaluate_channel(double *x, size_t dim, void *state)
{
  const struct signed_gaussians *s = state;
  double slope = 1, between = 0, y[PLANE] = {x[0], x[1]}; /* log of E_1 over E_0 */
  int k = (int)x[PLANE];
  (void)dim;
  for (int i = 0; i < PLANE; i++) {
    slope *= shift(&y[i], k - 0.5);
    between += 4 * s->distance * (y[i] - 0.5) / (s->shape.alpha * s->shape.alpha);
  }
  return evaluate(y, PLANE, state) * slope / (1 + exp(k ? -between : between));
}

static int exact_channels(const void *state, size_t dim, double *value)
{
  (void)dim;
  return exact(state, PLANE, value);
}

static int values(const void *state, size_t coordinate)
{
  (void)state;
  return coordinate == PLANE ? 2 : 0;
}

const struct integrand signed_channels_integrand = {
    .name = "signed_channels",
    .dim_min = PLANE + 1,
    .dim_max = PLANE + 1,
    .dim_default = PLANE + 1,
    .parameters = parameters,
    .state_size = sizeof(struct signed_gaussians),
    .setup = setup,
    .f = evaluate_channel,
    .exact = exact_channels,
    .values = values,
    .channels = 1,
    .unit = "",
    .source = "documentation of MadNIS (arXiv:2311.01548), with its maps and channel weights",
    .description = "signed_gaussians in two dimensions, by two channels",
};

const struct integrand signed_gaussians_integrand = {
    .name = "signed_gaussians",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct signed_gaussians),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "documentation of MadNIS (arXiv:2311.01548), toy for several channels",
    .description = "a positive and a negative Gaussian peak, which cancel",
};
