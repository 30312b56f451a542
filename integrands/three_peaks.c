/* SPDX-License-Identifier: GPL-3.0-or-later */
/* f(x) = C (width sqrt(pi))^-d / 3 sum_k exp(-|x - c_k|^2 / width^2)
 *
 * The centres differ in the first five coordinates only. C is 1 but for the factor in front
 * of the documented function, which is not quite the norm of its peaks. */
#include "gaussian.h"

#include <math.h>

enum { NPEAKS = 3, NAPART = 5 };
static const double apart[NPEAKS] = {0.23, 0.39, 0.74}, common = 0.45;
static const double documented = 356047712484621.56; /* for d = 20 and width 0.1 */

static const struct parameter parameters[] = {
    {"width", NULL, 0.1, 1e-3, 1, "width of a peak: sqrt(2) standard deviations"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct three_peaks {
  struct gaussian shape;
  double factor; /* C / 3 */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct three_peaks *p = state;
  gaussian_setup(&p->shape, dim, values);
  p->factor = documented / pow(100 / M_PI, 10);
}

static double distance2(const double *x, size_t n, double centre)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (x[i] - centre) * (x[i] - centre);
  return sum;
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct three_peaks *p = state;
  const struct gaussian *g = &p->shape;
  double rest = distance2(x + NAPART, dim - NAPART, common), sum = 0;
  for (int k = 0; k < NPEAKS; k++)
    sum += exp(g->log_norm - (rest + distance2(x, NAPART, apart[k])) / (g->alpha * g->alpha));
  return p->factor * sum;
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct three_peaks *p = state;
  const struct gaussian *g = &p->shape;
  double sum = 0;
  for (int k = 0; k < NPEAKS; k++) sum += pow(gaussian_share(apart[k], g->alpha), NAPART);
  *value = p->factor * sum * pow(gaussian_share(common, g->alpha), (double)(dim - NAPART));
  return 1;
}

const struct integrand three_peaks_integrand = {
    .name = "three_peaks",
    .dim_min = NAPART,
    .dim_max = 256,
    .dim_default = 20,
    .parameters = parameters,
    .state_size = sizeof(struct three_peaks),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .unit = "",
    .source = "documentation of vegas (vegas+, arXiv:2009.05112), three peaks in 20 dimensions",
    .description = "three Gaussians that differ in the first five coordinates",
};
