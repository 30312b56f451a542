/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = 1 where x_i < frac for the first `axes` coordinates, 0 elsewhere.
 *
 * The authors' program cuts one axis, whatever the dimension, and that is the default here; with
 * as many axes as dimensions it is a cube in the corner. */
#include "integrands.h"

#include <math.h>

enum { FRAC, AXES, MOST_AXES = 64 };

static const struct parameter parameters[] = {
    {"frac", NULL, 0.5, 0.01, 1, "length of each side that is cut"},
    {"axes", NULL, 1, 1, MOST_AXES, "number of axes that are cut, rounded; at most all"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct hyperrectangle {
  double frac;
  size_t axes;
};

static void setup(void *state, size_t dim, const double *values)
{
  struct hyperrectangle *h = state;
  h->frac = values[FRAC];
  h->axes = (size_t)fmin(round(values[AXES]), (double)dim);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct hyperrectangle *h = state;
  (void)dim;
  for (size_t i = 0; i < h->axes; i++)
    if (x[i] >= h->frac) return 0;
  return 1;
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct hyperrectangle *h = state;
  (void)dim;
  *value = pow(h->frac, (double)h->axes);
  return 1;
}

const struct integrand hyperrectangle_integrand = {
    .name = "hyperrectangle",
    .dim_min = 1,
    .dim_max = MOST_AXES, /* the value stays in double's range */
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct hyperrectangle),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "program of ZuNIS, arXiv:2401.09069, volume of a hyperrectangle",
    .description = "one on a side of the cube, zero on the other: a hard edge along the axes",
};
