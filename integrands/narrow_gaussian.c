/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = 2 C exp(-[(2 x_0 - 3/2)^2 + sum_{i > 0} (x_i - 1/2)^2] / width^2),
 * C such that a Gaussian in the middle of the unit cube would hold one there
 *
 * The first coordinate is on (-1, 1), with the peak at 1/2, so on the unit cube it is at 3/4 and
 * half as wide as in the others. */
#include "gaussian.h"

#include <math.h>

static const struct parameter parameters[] = {
    {"width", NULL, 0.1, 1e-3, 1, "width of the peak: sqrt(2) standard deviations"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct narrow_gaussian {
  struct gaussian others; /* of all coordinates but the first */
  double height;          /* of the first one's factor */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct narrow_gaussian *n = state;
  gaussian_setup(&n->others, dim - 1, values);
  double width = n->others.alpha;
  n->height = 2 / (width * sqrt(M_PI) * pow(gaussian_share(0.5, width), (double)dim));
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct narrow_gaussian *n = state;
  double z = (2 * x[0] - 1.5) / n->others.alpha;
  return n->height * exp(-z * z) * gaussian_density(&n->others, dim - 1, x + 1, 0.5);
}

/* One but for the tail in (-1, 0). */
static int exact(const void *state, size_t dim, double *value)
{
  const struct narrow_gaussian *n = state;
  double width = n->others.alpha;
  (void)dim;
  *value = 0.5 * (erf(1.5 / width) + erf(0.5 / width)) / gaussian_share(0.5, width);
  return 1;
}

const struct integrand narrow_gaussian_integrand = {
    .name = "narrow_gaussian",
    .dim_min = 1,
    .dim_max = 64, /* the value stays in double's range */
    .dim_default = 4,
    .parameters = parameters,
    .state_size = sizeof(struct narrow_gaussian),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "documentation of vegas (vegas+, arXiv:2009.05112), first example",
    .description = "one Gaussian peak, off the middle and thinner in the first coordinate",
};
