/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = share C(x; c1, w1) + (1 - share) C(x; c2, w2),
 * C(x; c, w) = prod_i w / (pi ((x_i - c)^2 + w^2))
 *
 * As two_gaussians, with tails that fall as a power: a weight there is never small. */
#include "integrands.h"

#include <math.h>

enum { W1, W2, C1, C2, SHARE };

static const struct parameter parameters[] = {
    {"w1", NULL, 0.02, 1e-3, 1, "half width of the first peak at half its height"},
    {"w2", NULL, 0.02, 1e-3, 1, "of the second"},
    {"c1", NULL, 0.7, 0, 1, "centre of the first, in every coordinate"},
    {"c2", NULL, 0.3, 0, 1, "centre of the second"},
    {"share", NULL, 0.5, 0, 1, "of the first; the second has the rest"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct two_resonances {
  double width[2], centre[2], share[2];
};

static void setup(void *state, size_t dim, const double *values)
{
  (void)dim;
  *(struct two_resonances *)state =
      (struct two_resonances){.width = {values[W1], values[W2]},
                              .centre = {values[C1], values[C2]},
                              .share = {values[SHARE], 1 - values[SHARE]}};
}

static double peak(const struct two_resonances *two, int k, size_t dim, const double *x)
{
  double product = two->share[k], w = two->width[k];
  for (size_t j = 0; j < dim; j++) {
    double off = x[j] - two->centre[k];
    product *= w / (M_PI * (off * off + w * w));
  }
  return product;
}

static double evaluate(double *x, size_t dim, void *state)
{
  return peak(state, 0, dim, x) + peak(state, 1, dim, x);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct two_resonances *two = state;
  *value = 0;
  for (int k = 0; k < 2; k++) {
    double c = two->centre[k], w = two->width[k];
    *value += two->share[k] * pow((atan((1 - c) / w) + atan(c / w)) / M_PI, (double)dim);
  }
  return 1;
}

const struct integrand two_resonances_integrand = {
    .name = "two_resonances",
    .dim_min = 1,
    .dim_max = 64,
    .dim_default = 4,
    .parameters = parameters,
    .state_size = sizeof(struct two_resonances),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "libnis; products of Cauchy densities, closed form by the arc tangent",
    .description = "two peaks with heavy tails, far apart",
};
