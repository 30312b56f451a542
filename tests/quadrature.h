/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integrals for tests, by routes that share nothing with the code under test. */
#ifndef QUADRATURE_H
#define QUADRATURE_H

#include <check.h>
#include <gsl/gsl_integration.h>
#include <math.h>

#define ck_assert_relative(value, expected, tolerance)                                             \
  ck_assert_double_eq_tol(value, expected, (tolerance)*fabs(expected))

/* Gauss-Legendre on (0, 1). */
struct rule {
  size_t n;
  double x[128], w[128];
};

static inline struct rule gauss_rule(size_t n)
{
  struct rule rule = {.n = n};
  gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(n);
  for (size_t i = 0; i < n; i++)
    gsl_integration_glfixed_point(0, 1, i, &rule.x[i], &rule.w[i], table);
  gsl_integration_glfixed_table_free(table);
  return rule;
}

/* GSL's adaptive rule */
static inline double qags_value(double (*f)(double, void *), void *params, double low, double high)
{
  gsl_integration_workspace *work = gsl_integration_workspace_alloc(1000);
  gsl_function function = {f, params};
  double value, error;
  gsl_integration_qags(&function, low, high, 0, 1e-11, 1000, work, &value, &error);
  gsl_integration_workspace_free(work);
  return value;
}

/* Equal weights: exact for trigonometric polynomials of degree below n. */
static inline struct rule periodic_rule(size_t n)
{
  struct rule rule = {.n = n};
  for (size_t i = 0; i < n; i++) {
    rule.x[i] = ((double)i + 0.3) / (double)n;
    rule.w[i] = 1 / (double)n;
  }
  return rule;
}

/* Point i of n of the Fibonacci lattice in the unit square: n = F_k, step = F_(k-1). */
static inline void fibonacci_point(size_t i, size_t n, size_t step, double x[2])
{
  x[0] = ((double)i + 0.5) / (double)n;
  x[1] = ((double)(i * step % n) + 0.5) / (double)n;
}

#endif
