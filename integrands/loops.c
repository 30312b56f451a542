/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scalar one-loop integrals with a heavy quark in the loop, the sectors of Feynman parameters
 * folded onto the unit cube. With M the mass in the loop, m = 125 GeV that of the one massive
 * leg, and t = x:
 *
 *     triangle(t) = -sum over u of 1 / ((1 + t0 + t1) ((1 + t0 + t1)^2 M^2 - m^2 u)),
 *                   u = t0 t1, t0, t1
 *     box(t)      =  sum over (p, q, u) of
 *                    1 / ((1 + t0 + t1 + t2)^2 M^2 - p t1 - q t0 t2 - m^2 u)^2,
 *                   (s23, s12, t1 t2), (s12, s23, t0 t1), (s23, s12, t0), (s12, s23, t2) */
#include "integrands.h"

#include <gsl/gsl_integration.h>
#include <math.h>

static const double s12 = 130 * 130, s23 = -0.5 * 130 * 130; /* GeV^2 */
static const double leg = 125;                               /* GeV */

static const struct parameter parameters[] = {
    {"mass", NULL, 175, 100, 1e4, "mass in the loop in GeV, above all thresholds"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct loop {
  double mass2; /* GeV^2 */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct loop *loop = state;
  (void)dim;
  loop->mass2 = values[0] * values[0];
}

/* ---- three legs ---------------------------------------------------------------- */

static double triangle(double *t, size_t dim, void *state)
{
  const struct loop *loop = state;
  const double sum = 1 + t[0] + t[1], heavy = sum * sum * loop->mass2, leg2 = leg * leg;
  (void)dim;
  return -(1 / (heavy - leg2 * t[0] * t[1]) + 1 / (heavy - leg2 * t[0]) +
           1 / (heavy - leg2 * t[1])) /
         sum;
}

static int triangle_exact(const void *state, size_t dim, double *value)
{
  const struct loop *loop = state;
  (void)dim;
  double angle = asin(leg / (2 * sqrt(loop->mass2)));
  *value = -2 * angle * angle / (leg * leg);
  return 1;
}

const struct integrand triangle_integrand = {
    .name = "triangle",
    .dim_min = 2,
    .dim_max = 2,
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct loop),
    .setup = setup,
    .f = triangle,
    .exact = triangle_exact,
    .unit = "GeV^-2",
    .source = "i-flow, arXiv:2001.05486, scalar one-loop triangle",
    .description = "scalar one-loop triangle; negative everywhere",
};

/* ---- four legs ----------------------------------------------------------------- */

static double box(double *t, size_t dim, void *state)
{
  const struct loop *loop = state;
  const double sum = 1 + t[0] + t[1] + t[2], leg2 = leg * leg;
  (void)dim;
  double odd = sum * sum * loop->mass2 - s23 * t[1] - s12 * t[0] * t[2];
  double even = sum * sum * loop->mass2 - s12 * t[1] - s23 * t[0] * t[2];
  double f[] = {odd - leg2 * t[1] * t[2], even - leg2 * t[0] * t[1], odd - leg2 * t[0],
                even - leg2 * t[2]};
  return 1 / (f[0] * f[0]) + 1 / (f[1] * f[1]) + 1 / (f[2] * f[2]) + 1 / (f[3] * f[3]);
}

enum { POINTS = 32 }; /* a side: one of the rules that GSL has to all digits */

static double box_line(const double x[POINTS], const double w[POINTS], double t0, double t1,
                       void *state)
{
  double sum = 0;
  for (int k = 0; k < POINTS; k++) sum += w[k] * box((double[]){t0, t1, x[k]}, 3, state);
  return sum;
}

static int box_exact(const void *state, size_t dim, double *value)
{
  struct loop loop = *(const struct loop *)state;
  double x[POINTS], w[POINTS];
  gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(POINTS);
  (void)dim;
  if (!table) return 0;
  for (size_t i = 0; i < POINTS; i++) gsl_integration_glfixed_point(0, 1, i, &x[i], &w[i], table);
  gsl_integration_glfixed_table_free(table);
  *value = 0;
  for (int i = 0; i < POINTS; i++)
    for (int j = 0; j < POINTS; j++) *value += w[i] * w[j] * box_line(x, w, x[i], x[j], &loop);
  return 1;
}

const struct integrand box_integrand = {
    .name = "box",
    .dim_min = 3,
    .dim_max = 3,
    .dim_default = 3,
    .parameters = parameters,
    .state_size = sizeof(struct loop),
    .setup = setup,
    .f = box,
    .exact = box_exact,
    .unit = "GeV^-4",
    .source = "i-flow, arXiv:2001.05486, scalar one-loop box",
    .description = "scalar one-loop box: smooth and nearly flat",
};
