/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integrands that do not bear several threads are called by one, and those that only look so are
 * left alone. */
#include "nis.h"

#include "suite.h"

#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { CALLS = 20000, BATCH = 30 };

static _Atomic uint64_t calls;

/* The integral of each is 1. */
static double ramp(const double *x, size_t dim)
{
  double product = 1;
  for (size_t j = 0; j < dim; j++) product *= 0.5 + x[j];
  return product;
}

/* What a Fortran COMMON block does: all threads have one */
static _Atomic double common;

static double careless(double *x, size_t dim, void *params)
{
  (void)params;
  atomic_fetch_add(&calls, 1);
  common = 1;
  for (size_t j = 0; j < dim; j++) {
    common = common * (0.5 + x[j]);
    if (j == 0) sched_yield();
  }
  return common;
}

#ifdef _OPENMP
static int careless_batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                          void *params)
{
  for (size_t i = 0; i < n; i++) {
    double point[8];
    memcpy(point, x + i * dim, dim * sizeof *x);
    for (size_t c = 0; c < ncomp; c++) f[i * ncomp + c] = careless(point, dim, params);
  }
  return 0;
}

#endif

static double careful(double *x, size_t dim, void *params)
{
  (void)params;
  atomic_fetch_add(&calls, 1);
  return ramp(x, dim);
}

/* Never the same again, on any thread */
static double noisy(double *x, size_t dim, void *params)
{
  (void)params;
  uint64_t call = atomic_fetch_add(&calls, 1);
  return ramp(x, dim) * (1 + 1e-6 * cos((double)call));
}

/* As vector code that rounds the rest of a batch otherwise */
static int rounding_batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                          void *params)
{
  (void)params;
  atomic_fetch_add(&calls, n);
  for (size_t i = 0; i < n * ncomp; i++)
    f[i] = ramp(x + i / ncomp * dim, dim) * (1 + (i % 4 < n % 4 ? 1e-15 : 0));
  return 0;
}

static nis_result integrate(nis_integrand *f, nis_options o, int threads)
{
  o.dim = 2, o.calls = CALLS, o.effort = 0.05, o.threads = threads;
  calls = 0;
  nis_result r = nis_integrate_with(f, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_uint_eq(r.calls, CALLS);
  return r;
}

#ifdef _OPENMP
static void check_serialized(nis_integrand *f, nis_options o)
{
  nis_result one = integrate(f, o, 1);
  ck_assert_int_eq(one.serialized, 0);
  ck_assert_str_eq(nis_last_error(), "");
  for (int threads = 2; threads <= 4; threads++) {
    nis_result r = integrate(f, o, threads);
    ck_assert_int_eq(r.serialized, 1);
    ck_assert_str_ne(nis_last_error(), "");
    check_between((r.value - 1) / r.error, -4, 4, "pull");
    check_between(r.error, 0, 10 * one.error, "error");
  }
}

START_TEST(a_careless_integrand_is_called_by_one_thread)
{
  check_serialized(careless, (nis_options){0});
  ck_assert_uint_eq(calls, CALLS);
  check_serialized(NULL, (nis_options){.batch = careless_batch, .batch_points = BATCH, .ncomp = 2});
}
END_TEST
#endif

static void check_left_alone(nis_integrand *f, nis_options o, int same_bits)
{
  nis_result one = integrate(f, o, 1);
  ck_assert_uint_eq(calls, CALLS);
  for (int threads = 2; threads <= 4; threads++) {
    nis_result r = integrate(f, o, threads);
    ck_assert_uint_eq(calls, CALLS);
    ck_assert_int_eq(r.serialized, 0);
    ck_assert_str_eq(nis_last_error(), "");
    if (same_bits) ck_assert_mem_eq(&r.value, &one.value, sizeof r.value);
    check_between((r.value - 1) / (r.error + 1e-8), -4, 4, "pull");
  }
}

START_TEST(a_careful_one_is_left_alone)
{
  check_left_alone(careful, (nis_options){0}, 1);
  check_left_alone(careful, (nis_options){.serial = 1}, 1);
  check_left_alone(careless, (nis_options){.serial = 1}, 1);
}
END_TEST

START_TEST(a_noisy_one_is_left_alone)
{
  check_left_alone(noisy, (nis_options){0}, 0);
}
END_TEST

START_TEST(a_batch_may_round_as_it_likes)
{
  check_left_alone(NULL, (nis_options){.batch = rounding_batch, .batch_points = BATCH}, 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("safety");
  TCase *cases = tcase_create("threads");
  tcase_set_timeout(cases, 280);
#ifdef _OPENMP
  tcase_add_test(cases, a_careless_integrand_is_called_by_one_thread);
#endif
  tcase_add_test(cases, a_careful_one_is_left_alone);
  tcase_add_test(cases, a_noisy_one_is_left_alone);
  tcase_add_test(cases, a_batch_may_round_as_it_likes);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
