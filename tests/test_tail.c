/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shape of the weights' tail: against a plain fit, and on samples whose shape is known. */
#include "numerics/tail.h"

#include "noise.h"
#include "suite.h"

#include <gsl/gsl_sort.h>
#include <math.h>

enum { MOST = 100000 };

static double w[MOST], sorted[MOST];
static uint64_t noise_state = 7;

/* in (0, 1) */
static double noise(void)
{
  return next_uniform(&noise_state);
}

static double shape_of(int n)
{
  struct tail t;
  ck_assert_int_eq(nis_tail_init(&t), 0);
  for (int i = 0; i < n; i++) nis_tail_add(&t, w[i]);
  double shape = nis_tail_shape(&t);
  nis_tail_clear(&t);
  return shape;
}

/* Zhang and Stephens' estimate of the excesses over the (n - m)-th weight, as their paper has it
 * (with k the negative of theirs), and the prior of PSIS: 10 observations of 1/2. */
static double plain_shape(int n)
{
  int m = (int)fmin(ceil(n / 5.0), ceil(3 * sqrt(n))), grid = 30 + (int)sqrt(m);
  double theta[1000], l[1000], total = 0, mean = 0;
  memcpy(sorted, w, (size_t)n * sizeof *w);
  gsl_sort(sorted, 1, (size_t)n);
  double below = sorted[n - m - 1], *x = sorted + n - m;
  for (int i = 0; i < m; i++) x[i] -= below;
  double quarter = x[(int)floor(m / 4.0 + 0.5) - 1];
  for (int j = 0; j < grid; j++) {
    theta[j] = 1 / x[m - 1] + (1 - sqrt(grid / (j + 0.5))) / (3 * quarter);
    double k = 0;
    for (int i = 0; i < m; i++) k += log(1 - theta[j] * x[i]) / m;
    l[j] = m * (log(-theta[j] / k) - k - 1);
  }
  for (int j = 0; j < grid; j++) {
    double inverse = 0;
    for (int i = 0; i < grid; i++) inverse += exp(l[i] - l[j]);
    total += 1 / inverse;
    mean += theta[j] / inverse;
  }
  double k = 0;
  for (int i = 0; i < m; i++) k += log(1 - mean / total * x[i]) / m;
  return (m * k + 10 * 0.5) / (m + 10);
}

/* A generalised Pareto variable of shape k over 1 */
static void draw(int n, double k)
{
  for (int i = 0; i < n; i++) w[i] = 1 + (k == 0 ? -log(noise()) : (pow(noise(), -k) - 1) / k);
}

START_TEST(as_the_plain_fit)
{
  static const int sizes[] = {25, 100, 1000, 30000};
  for (int i = 0; i < 4; i++)
    for (double k = -0.5; k < 2; k += 0.25) {
      draw(sizes[i], k);
      ck_assert_double_eq_tol(shape_of(sizes[i]), plain_shape(sizes[i]), 1e-9);
    }
}
END_TEST

/* The spread of an estimate is (1 + k) / sqrt(m), m = 3 sqrt(n) the tail: six of them and the
 * prior's pull, below 10 |k - 1/2| / m. */
START_TEST(finds_the_shape)
{
  double m = 3 * sqrt(MOST);
  for (double k = 0; k < 1.6; k += 0.5) {
    draw(MOST, k);
    ck_assert_double_eq_tol(shape_of(MOST), k, 6 * (1 + k) / sqrt(m) + 10 * fabs(k - 0.5) / m);
  }
}
END_TEST

START_TEST(scale_and_order_do_not_matter)
{
  static double kept[2000];
  draw(2000, 0.6);
  memcpy(kept, w, sizeof kept);
  double shape = shape_of(2000);
  for (int i = 0; i < 2000; i++) w[i] = kept[1999 - i];
  ck_assert_double_eq(shape_of(2000), shape);
  for (double scale = 1e-300; scale < 1e301; scale *= 1e300) {
    for (int i = 0; i < 2000; i++) w[i] = kept[i] * scale;
    ck_assert_double_eq_tol(shape_of(2000), shape, 1e-9);
  }
}
END_TEST

/* Zeros count as points, not as weights; equal weights have no tail. */
START_TEST(zeros_constants_and_few)
{
  for (int i = 0; i < 1000; i++) w[i] = 0;
  ck_assert(isnan(shape_of(1000)));
  for (int i = 0; i < 4; i++) w[i] = 1;
  ck_assert(isnan(shape_of(1000)));
  for (int i = 0; i < 1000; i++) w[i] = 2.5;
  ck_assert_double_le(shape_of(1000), 0.5);
  ck_assert(isnan(shape_of(24)) && !isnan(shape_of(25)));
  for (int i = 0; i < 1000; i++) w[i] = i == 500 ? 1e9 : 1;
  ck_assert(isfinite(shape_of(1000)) || isnan(shape_of(1000)));
}
END_TEST

START_TEST(threshold)
{
  ck_assert_double_eq_tol(nis_tail_threshold(100), 0.5, 1e-12);
  ck_assert_double_eq(nis_tail_threshold(1000000), 0.7);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("tail");
  TCase *tcase = tcase_create("tail");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, as_the_plain_fit);
  tcase_add_test(tcase, finds_the_shape);
  tcase_add_test(tcase, scale_and_order_do_not_matter);
  tcase_add_test(tcase, zeros_constants_and_few);
  tcase_add_test(tcase, threshold);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
