/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Singular ends: what is read off the points next to a face, and what integrals make of it. */
#include "nis.h"
#include "training/ends.h"

#include "noise.h"
#include "suite.h"

#include <math.h>

enum { DIM = 3, POINTS = 3000 };

static double product(const double *x, const double *low, const double *high)
{
  double f = 1;
  for (int j = 0; j < DIM; j++) f *= pow(x[j], -low[j]) * pow(1 - x[j], -high[j]);
  return f;
}

/* The stretches that uniform points of f ask for */
static int look(double (*f)(const double *x), uint64_t seed, struct stretch *stretch)
{
  static double x[POINTS * DIM], value[POINTS], work[POINTS];
  struct points p = {.n = POINTS, .x = x, .f = value};
  for (size_t i = 0; i < POINTS * DIM; i++) x[i] = next_uniform(&seed);
  for (size_t i = 0; i < POINTS; i++) value[i] = f(x + i * DIM);
  for (int j = 0; j < DIM; j++) stretch[j] = (struct stretch){1, 1};
  return nis_ends_find(&p, DIM, NULL, NULL, work, stretch);
}

static double powers(const double *x)
{
  return product(x, (double[]){0.5, 0, 0.9}, (double[]){0, 0.4, 0.25});
}

START_TEST(powers_are_found)
{
  struct stretch s[DIM];
  for (uint64_t seed = 1; seed <= 10; seed++) {
    ck_assert(look(powers, seed, s));
    check_between(1 / s[0].low, 0.45, 0.55, "1 - 0.5");
    check_between(1 / s[1].high, 0.5, 0.7, "1 - 0.4");
    check_between(1 / s[2].low, 0.05, 0.15, "1 - 0.9");
    check_between(1 / s[2].high, 0.65, 0.85, "1 - 0.25");
    ck_assert(s[0].high == 1 && s[1].low == 1);
  }
}
END_TEST

static double peak(const double *x)
{
  double sum = 0;
  for (int j = 0; j < DIM; j++) sum += (x[j] - 0.2 * j) * (x[j] - 0.2 * j);
  return exp(-sum / (2 * 0.1 * 0.1));
}

static double decay(const double *x)
{
  return exp(-8 * x[0] - 3 * x[1] - x[2]);
}

static double corner(const double *x)
{
  return pow(1 + 3 * x[0] + 2 * x[1] + x[2], -4);
}

static double ripple(const double *x)
{
  return cos(20 * x[0] + 3 * x[1]) * x[2];
}

/* Wrong alarms do no harm, but cost calls: with 30 looks at each at most one in a hundred is
 * allowed. */
START_TEST(what_is_smooth_is_not_stretched)
{
  double (*const f[])(const double *x) = {peak, decay, corner, ripple};
  struct stretch s[DIM];
  int found = 0;
  for (int i = 0; i < 4; i++)
    for (uint64_t seed = 1; seed <= 30; seed++) found += look(f[i], seed, s);
  require(found <= 1, "%d of 120", found);
}
END_TEST

/* ---- integrals ----------------------------------------------------------------------------- */

static double power(double *x, size_t dim, void *params)
{
  double a = *(double *)params, f = 1;
  for (size_t j = 0; j < dim; j++) f *= (1 - a) * pow(x[j], -a);
  return f;
}

static void integrate_power(size_t dim, double a, double tolerance)
{
  for (uint64_t seed = 1; seed <= 4; seed++) {
    nis_result r =
        nis_integrate(power, dim, .calls = 10000, .seed = seed, .threads = 1, .params = &a);
    require(r.status == NIS_OK && fabs(r.value - 1) < tolerance,
            "x^-%g in %zu dimensions: %.17g +- %.2g, %s", a, dim, r.value, r.error,
            nis_last_error());
  }
}

/* The stretch makes them flat, up to rounding. GSL's VEGAS has 1e-3 .. 1e-1 here. */
START_TEST(powers_are_integrated)
{
  const double a[] = {0.4, 0.5, 0.7, 0.9};
  for (int i = 0; i < 4; i++) integrate_power(1, a[i], 1e-14);
  integrate_power(3, 0.5, 1e-14);
}
END_TEST

static double logarithm(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return -log(x[0]) / sqrt(x[0]) / 4;
}

static double arcsine(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return 1 / sqrt((1 - x[0]) * (1 + x[0])) / M_PI;
}

static double tail(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return 0.5 * pow(1 + x[0], -1.5);
}

/* Normal pulls have more than this mean square for one set of seeds in a thousand. */
static void integrate(nis_integrand *f, double lower, double upper, double error)
{
  double squares = 0;
  int n = samples(100);
  for (int seed = 1; seed <= n; seed++) {
    nis_result r = nis_integrate(f, 1, .calls = 10000, .seed = (uint64_t)seed, .threads = 1,
                                 .lower = &lower, .upper = &upper);
    double pull = (r.value - 1) / fmax(r.error, 1e-15); /* rounding */
    require(r.error < error && fabs(pull) < 5, "%.12g +- %.2g", r.value, r.error);
    squares += pull * pull / n;
  }
  require(squares < 1 + 3.3 * sqrt(2. / n), "pulls of mean square %g", squares);
}

START_TEST(singular_ends_are_integrated)
{
  integrate(logarithm, 0, 1, 1e-3);
  integrate(arcsine, -1, 1, 1e-4);
  integrate(tail, 0, INFINITY, 1e-4);
}
END_TEST

static double at_one(double *x, size_t dim, void *params)
{
  double a = *(double *)params;
  (void)dim;
  return (1 - a) * pow(fabs(1 - x[0]), -a);
}

/* The spacing of doubles hides what lies next to an end other than 0: 6e-4 and 2e-2 of the
 * integral, and at 0 only of powers near 1. The error says so. */
START_TEST(what_doubles_cannot_tell_apart_is_in_the_error)
{
  const struct {
    nis_integrand *f;
    double lower, upper, a, least, most; /* error */
  } rows[] = {{at_one, 0, 1, 0.8, 4e-4, 1e-3}, {at_one, 0, 1, 0.9, 1e-2, 5e-2},
              {at_one, 1, 2, 0.9, 1e-2, 5e-2}, {at_one, 0, 1, 0.3, 0, 1e-8},
              {power, 0, 1, 0.995, 1e-3, 0.1}, {power, 0, 1, 0.9, 0, 1e-14},
              {arcsine, -1, 1, 0, 0, 1e-4}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    for (uint64_t seed = 1; seed <= 3; seed++) {
      double a = rows[i].a;
      nis_result r = nis_integrate(rows[i].f, 1, .calls = 20000, .seed = seed, .threads = 1,
                                   .params = &a, .lower = &rows[i].lower, .upper = &rows[i].upper);
      require(r.status == NIS_OK && fabs(r.value - 1) < 3 * r.error, "row %zu: %.17g +- %.2g, %s",
              i, r.value, r.error, nis_last_error());
      check_between(r.error, rows[i].least, rows[i].most, "error");
    }
}
END_TEST

/* A second training, an estimate before the first, and a training that is stopped */
static int stop_at(const nis_progress *now, void *params)
{
  return now->phase == NIS_TRAINING && now->calls >= *(uint64_t *)params;
}

START_TEST(a_stopped_training_leaves_the_estimate)
{
  double a = 0.5;
  uint64_t stop = 3000;
  nis *s;
  nis_result before, after;
  nis_options o = {
      .dim = 1, .params = &a, .progress = stop_at, .progress_params = &stop, .threads = 1};
  ck_assert_int_eq(nis_create(&s, power, &o), NIS_OK);
  nis_estimate(s, 1000, &before);
  ck_assert_int_eq(nis_train(s, 100000), NIS_STOPPED);
  double x = 0.01, log_q;
  ck_assert_int_eq(nis_density(s, 1, &x, &log_q), NIS_OK);
  ck_assert_double_eq(log_q, 0);
  nis_estimate(s, 1000, &after);
  require(fabs(after.value - 1) < 0.2, "%g", after.value);
  stop = (uint64_t)-1;
  ck_assert_int_eq(nis_train(s, 5000), NIS_OK);
  ck_assert_int_eq(nis_train(s, 5000), NIS_OK);
  nis_estimate(s, 1000, &after);
  ck_assert_double_eq_tol(after.value, 1, 1e-14);
  ck_assert_int_eq(nis_density(s, 1, &x, &log_q), NIS_OK);
  ck_assert_double_eq_tol(log_q, log(5), 1e-6);
  nis_free(s);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("ends");
  TCase *tcase = tcase_create("ends");
  tcase_set_timeout(tcase, 300);
  tcase_add_test(tcase, powers_are_found);
  tcase_add_test(tcase, what_is_smooth_is_not_stretched);
  tcase_add_test(tcase, powers_are_integrated);
  tcase_add_test(tcase, singular_ends_are_integrated);
  tcase_add_test(tcase, what_doubles_cannot_tell_apart_is_in_the_error);
  tcase_add_test(tcase, a_stopped_training_leaves_the_estimate);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
