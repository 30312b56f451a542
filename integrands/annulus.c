/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x, y) = 1 between two circles around the middle of the square, 0 elsewhere.
 *
 * The radii may come in either order, and a circle may reach beyond the square. */
#include "integrands.h"

#include <math.h>

static const struct parameter parameters[] = {
    {"r1", NULL, 0.45, 0, 0.75, "radius of one circle"},
    {"r2", NULL, 0.2, 0, 0.75, "radius of the other, larger or smaller"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct annulus {
  double inner, outer; /* radii */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct annulus *a = state;
  (void)dim;
  a->inner = fmin(values[0], values[1]);
  a->outer = fmax(values[0], values[1]);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct annulus *a = state;
  (void)dim;
  double dx = x[0] - 0.5, dy = x[1] - 0.5, square = dx * dx + dy * dy;
  return square > a->inner * a->inner && square < a->outer * a->outer;
}

/* Area of the disc inside the square: four caps stick out of a large one. */
static double disc(double r)
{
  if (r >= M_SQRT1_2) return 1;
  double area = M_PI * r * r;
  if (r <= 0.5) return area;
  return area - 4 * (r * r * acos(0.5 / r) - 0.5 * sqrt((r - 0.5) * (r + 0.5)));
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct annulus *a = state;
  (void)dim;
  *value = disc(a->outer) - disc(a->inner);
  return 1;
}

const struct integrand annulus_integrand = {
    .name = "annulus",
    .dim_min = 2,
    .dim_max = 2,
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct annulus),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "i-flow, arXiv:2001.05486, annulus with cuts",
    .description = "one between two circles, zero elsewhere: hard edges",
};
