/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With the angles t_i = 2 pi x_i and their sum T,
 *
 *     f = exp(kappa sum_i (cos(t_i - mean) - 1) + lambda (cos(T - dim mean) - 1))
 *
 * Each angle has a von Mises distribution around the mean, by default across the ends of its range;
 * the second term ties them together along a band that winds round the torus. The series
 * e^(k cos t) = sum_n I_n(k) cos(n t) gives the value sum_n I_n(lambda) I_n(kappa)^dim, scaled. */
#include "integrands.h"

#include <gsl/gsl_sf_bessel.h>
#include <math.h>

static const struct parameter parameters[] = {
    {"kappa", NULL, 1, 0, 1e4, "concentration of each angle"},
    {"lambda", NULL, 20, 0, 1e4, "concentration of the sum of all angles"},
    {"mean", NULL, 0, 0, 1, "of each angle, in turns"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct von_mises {
  double kappa, lambda, mean;
};

static void setup(void *state, size_t dim, const double *values)
{
  (void)dim;
  *(struct von_mises *)state = (struct von_mises){values[0], values[1], values[2]};
}

/* cos(2 pi x) - 1 without cancellation */
static double below_top(double x)
{
  double s = sin(M_PI * x);
  return -2 * s * s;
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct von_mises *v = state;
  double sum = 0, log_f = 0;
  for (size_t i = 0; i < dim; i++) {
    sum += x[i] - v->mean;
    log_f += v->kappa * below_top(x[i] - v->mean);
  }
  return exp(log_f + v->lambda * below_top(sum));
}

/* By n -> -n twice the terms from 1 on; they fall faster than any power. */
static int exact(const void *state, size_t dim, double *value)
{
  const struct von_mises *v = state;
  *value = gsl_sf_bessel_I0_scaled(v->lambda) * pow(gsl_sf_bessel_I0_scaled(v->kappa), (double)dim);
  for (int n = 1; n < 10000; n++) {
    gsl_sf_result band, angle;
    if (gsl_sf_bessel_In_scaled_e(n, v->lambda, &band) ||
        gsl_sf_bessel_In_scaled_e(n, v->kappa, &angle))
      break;
    double term = 2 * band.val * pow(angle.val, (double)dim);
    *value += term;
    if (!(term > 1e-17 * *value)) break;
  }
  return isfinite(*value) && *value > 0;
}

static int periodic(size_t coordinate)
{
  (void)coordinate;
  return 1;
}

const struct integrand von_mises_integrand = {
    .name = "von_mises",
    .dim_min = 1,
    .dim_max = 256,
    .dim_default = 4,
    .parameters = parameters,
    .state_size = sizeof(struct von_mises),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .periodic = periodic,
    .unit = "",
    .source = "Rezende et al., arXiv:2002.02428; von Mises, Phys. Z. 19 (1918) 490",
    .description = "angles around the ends of their range, correlated round the torus",
};
