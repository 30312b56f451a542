/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of the integrand table, for tests: made from "key=value" settings, all checked. */
#ifndef ROWS_H
#define ROWS_H

#include "integrands.h"
#include "quadrature.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

struct made {
  const struct integrand *row;
  size_t dim;
  void *state;
};

/* `settings` are words "key=value" with a space between; "" for none. */
static inline struct made make_row(const char *name, size_t dim, const char *settings)
{
  struct made made = {integrand_find(name), dim, NULL};
  double values[INTEGRAND_MAX_PARAMETERS];
  char message[256], words[256], *rest = words;
  ck_assert_msg(made.row != NULL, "no row '%s'", name);
  ck_assert_uint_lt(strlen(settings), sizeof words);
  strcpy(words, settings);
  integrand_defaults(made.row, values);
  for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
    ck_assert_msg(integrand_set(made.row, word, values, message, sizeof message) == 0, "%s",
                  message);
  made.state = integrand_make(made.row, dim, values);
  ck_assert_ptr_nonnull(made.state);
  return made;
}

/* In the dimension that it has by default */
static inline struct made make_usual(const char *name, const char *settings)
{
  ck_assert_msg(integrand_find(name) != NULL, "no row '%s'", name);
  return make_row(name, integrand_find(name)->dim_default, settings);
}

/* At a point of the unit cube, whose mean is the integral: discrete coordinates too */
static inline double call(const struct made *made, const double *x)
{
  double copy[256];
  memcpy(copy, x, made->dim * sizeof *x);
  double all = integrand_point(made->row, made->state, made->dim, copy);
  return all * made->row->f(copy, made->dim, made->state);
}

static inline double value_at(const char *name, size_t dim, const char *settings, const double *x)
{
  struct made made = make_row(name, dim, settings);
  double value = call(&made, x);
  free(made.state);
  return value;
}

static inline double exact_value(const char *name, size_t dim, const char *settings)
{
  struct made made = make_row(name, dim, settings);
  double value = NAN;
  ck_assert_int_eq(made.row->exact(made.state, dim, &value), 1);
  free(made.state);
  return value;
}

/* Whether a value is known for these settings */
static inline int has_value(const char *name, size_t dim, const char *settings)
{
  struct made made = make_row(name, dim, settings);
  double value;
  int known = made.row->exact(made.state, dim, &value);
  free(made.state);
  return known;
}

/* ---- product rules on the cube ------------------------------------------------- */

/* GSL has the rules with 1 to 20, 32, 64, 96, 100, 128 points to all digits, the others to
 * about 1e-11. */

/* Gauss-Legendre with n points on each of the pieces between neighbouring ends. */
static inline struct rule pieces_rule(size_t n, size_t npieces, const double *ends)
{
  struct rule one = gauss_rule(n), all = {.n = n * npieces};
  ck_assert_uint_le(all.n, LENGTH(all.x));
  for (size_t k = 0; k < all.n; k++) {
    double low = ends[k / n], length = ends[k / n + 1] - low;
    all.x[k] = low + length * one.x[k % n];
    all.w[k] = length * one.w[k % n];
  }
  return all;
}

/* All coordinates by the same rule. */
static inline double product_rule(const struct made *made, const struct rule *rule)
{
  size_t total = 1;
  double sum = 0;
  ck_assert_uint_le(made->dim, 8);
  for (size_t j = 0; j < made->dim; j++) total *= rule->n;
  for (size_t i = 0; i < total; i++) {
    double x[8], weight = 1;
    for (size_t j = 0, rest = i; j < made->dim; j++, rest /= rule->n) {
      x[j] = rule->x[rest % rule->n];
      weight *= rule->w[rest % rule->n];
    }
    sum += weight * call(made, x);
  }
  return sum;
}

static inline double gauss_value(const char *name, size_t dim, const char *settings, size_t n)
{
  struct made made = make_row(name, dim, settings);
  struct rule rule = gauss_rule(n);
  double value = product_rule(&made, &rule);
  free(made.state);
  return value;
}

/* The mean over n^2 points in the middle of equal squares: for functions with edges. */
static inline double midpoint_value(const char *name, const char *settings, size_t n)
{
  struct made made = make_row(name, 2, settings);
  double sum = 0;
  for (size_t i = 0; i < n * n; i++)
    sum += call(&made, (double[]){((double)(i % n) + 0.5) / (double)n,
                                  ((double)(i / n) + 0.5) / (double)n});
  free(made.state);
  return sum / ((double)n * (double)n);
}

#endif
