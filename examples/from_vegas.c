/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From GSL VEGAS to libnis: the integrand stays as it is, one line does the work. */
#include <gsl/gsl_monte_vegas.h>
#include <math.h>
#include <nis.h>
#include <stdio.h>

enum { DIM = 4, CALLS = 400000 };

/* Two Gaussians on a diagonal (the camel of arXiv:2001.05486): no grid can follow it. */
static double camel(double *x, size_t dim, void *params)
{
  double width = *(double *)params, a = 0, b = 0;
  for (size_t j = 0; j < dim; j++) {
    a += pow((x[j] - 1. / 3) / width, 2);
    b += pow((x[j] - 2. / 3) / width, 2);
  }
  return 0.5 * (exp(-a) + exp(-b)) / pow(width * sqrt(M_PI), (double)dim);
}

/* Five iterations of each: a fifth of the calls to warm up, the rest for the result. */
static void vegas(double *width, double *value, double *error)
{
  double lower[DIM] = {0}, upper[DIM] = {1, 1, 1, 1};
  gsl_monte_function f = {camel, DIM, width};
  gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
  gsl_monte_vegas_state *state = gsl_monte_vegas_alloc(DIM);
  gsl_monte_vegas_integrate(&f, lower, upper, DIM, CALLS / 25, rng, state, value, error);
  gsl_monte_vegas_integrate(&f, lower, upper, DIM, CALLS * 4 / 25, rng, state, value, error);
  gsl_monte_vegas_free(state);
  gsl_rng_free(rng);
}

int main(void)
{
  double width = 0.2, value, error;
  double exact = pow(0.5 * (erf(1 / (3 * width)) + erf(2 / (3 * width))), DIM);

  vegas(&width, &value, &error);
  nis_result r = nis_integrate(camel, DIM, .params = &width, .calls = CALLS);

  printf("exact      %.6f\n", exact);
  printf("GSL VEGAS  %.6f +- %.6f\n", value, error);
  printf("libnis     %.6f +- %.6f\n", r.value, r.error);
  return r.status != NIS_OK || fabs(r.value - exact) > 6 * r.error;
}
