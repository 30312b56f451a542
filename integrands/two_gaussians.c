/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = share G(x; c1, w1) + (1 - share) G(x; c2, w2),
 * G(x; c, w) = (w sqrt(pi))^-d exp(-sum_i (x_i - c)^2 / w^2)
 *
 * The broad peak is found at once; the narrow one holds as much and hides beside it. */
#include "gaussian.h"

#include <math.h>

enum { W1, W2, C1, C2, SHARE };

static const struct parameter parameters[] = {
    {"w1", NULL, 0.025, 1e-3, 1, "width of the first peak: sqrt(2) standard deviations"},
    {"w2", NULL, 0.12, 1e-3, 1, "width of the second"},
    {"c1", NULL, 0.7, 0, 1, "centre of the first, in every coordinate"},
    {"c2", NULL, 0.35, 0, 1, "centre of the second"},
    {"share", NULL, 0.5, 0, 1, "of the first; the second has the rest"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct two_gaussians {
  struct gaussian shape[2];
  double centre[2], share[2];
};

static void setup(void *state, size_t dim, const double *values)
{
  struct two_gaussians *two = state;
  gaussian_setup(&two->shape[0], dim, &values[W1]);
  gaussian_setup(&two->shape[1], dim, &values[W2]);
  two->centre[0] = values[C1];
  two->centre[1] = values[C2];
  two->share[0] = values[SHARE];
  two->share[1] = 1 - values[SHARE];
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct two_gaussians *two = state;
  return two->share[0] * gaussian_density(&two->shape[0], dim, x, two->centre[0]) +
         two->share[1] * gaussian_density(&two->shape[1], dim, x, two->centre[1]);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct two_gaussians *two = state;
  *value = 0;
  for (int k = 0; k < 2; k++)
    *value += two->share[k] * pow(gaussian_share(two->centre[k], two->shape[k].alpha), (double)dim);
  return 1;
}

const struct integrand two_gaussians_integrand = {
    .name = "two_gaussians",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 5,
    .parameters = parameters,
    .state_size = sizeof(struct two_gaussians),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "libnis; the normalised Gaussian of i-flow, arXiv:2001.05486, in two widths",
    .description = "a narrow peak that hides beside a broad one",
};
