/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One ball: f(x) = B(x; centre) + floor; two of them: f(x) = B(x; 1/4) + B(x; 3/4) + 2 floor,
 * B(x; c) = 1 where sum_i (x_i - c)^2 <= radius^2, 0 elsewhere
 *
 * As in the authors' program, where each ball brings a floor of its own. */
#include "integrands.h"
#include "sphere.h"

enum { RADIUS, FLOOR, CENTRE };

struct balls {
  double radius, floor;
  double centre; /* of a single one */
};

static int inside(const struct balls *b, size_t dim, const double *x, double centre)
{
  double sum = 0;
  for (size_t i = 0; i < dim; i++) sum += (x[i] - centre) * (x[i] - centre);
  return sum <= b->radius * b->radius;
}

static double volume(const struct balls *b, size_t dim)
{
  double d = (double)dim;
  return exp(log_sphere_area(dim) + d * log(b->radius)) / d;
}

/* ---- one ----------------------------------------------------------------------- */

static const struct parameter one_parameters[] = {
    {"radius", NULL, 0.49, 0.01, 0.5, "radius of the ball"},
    {"floor", NULL, 0, 0, 1, "added everywhere; 1e-6 in the authors' runs"},
    {"centre", NULL, 0.5, 0, 1, "centre of the ball, in every coordinate"},
    {NULL, NULL, 0, 0, 0, NULL},
};

static void one_setup(void *state, size_t dim, const double *values)
{
  struct balls *b = state;
  (void)dim;
  b->radius = values[RADIUS];
  b->floor = values[FLOOR];
  b->centre = values[CENTRE];
}

static double one(double *x, size_t dim, void *state)
{
  const struct balls *b = state;
  return b->floor + inside(b, dim, x, b->centre);
}

/* Only for a ball that does not stick out. */
static int one_exact(const void *state, size_t dim, double *value)
{
  const struct balls *b = state;
  if (b->radius > fmin(b->centre, 1 - b->centre)) return 0;
  *value = volume(b, dim) + b->floor;
  return 1;
}

const struct integrand hypersphere_integrand = {
    .name = "hypersphere",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 4,
    .parameters = one_parameters,
    .state_size = sizeof(struct balls),
    .setup = one_setup,
    .f = one,
    .exact = one_exact,
    .unit = "",
    .source = "program of ZuNIS, arXiv:2401.09069, volume of a hypersphere",
    .description = "one inside a ball, zero outside",
};

/* ---- two ----------------------------------------------------------------------- */

static const struct parameter two_parameters[] = {
    {"radius", NULL, 0.24, 0.01, 0.25, "radius of either ball"},
    {"floor", NULL, 1e-6, 0, 1, "added everywhere, once for each ball"},
    {NULL, NULL, 0, 0, 0, NULL},
};

static void two_setup(void *state, size_t dim, const double *values)
{
  struct balls *b = state;
  (void)dim;
  b->radius = values[RADIUS];
  b->floor = values[FLOOR];
  b->centre = NAN;
}

static double two(double *x, size_t dim, void *state)
{
  const struct balls *b = state;
  return 2 * b->floor + inside(b, dim, x, 0.25) + inside(b, dim, x, 0.75);
}

static int two_exact(const void *state, size_t dim, double *value)
{
  const struct balls *b = state;
  *value = 2 * (volume(b, dim) + b->floor);
  return 1;
}

const struct integrand two_balls_integrand = {
    .name = "two_balls",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 4,
    .parameters = two_parameters,
    .state_size = sizeof(struct balls),
    .setup = two_setup,
    .f = two,
    .exact = two_exact,
    .unit = "",
    .source = "program of ZuNIS, arXiv:2401.09069, regulated camel of two hyperspheres",
    .description = "two balls on the diagonal and next to nothing elsewhere",
};
