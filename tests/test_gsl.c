/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nis_gsl.h behind GSL's argument list: the functions that Monte Carlo integrators are commonly
 * tried on, with their known integrals; what is refused, through GSL's handler; what a state knows
 * from call to call.
 */
#include "nis_gsl.h"

#include "alarm.h"
#include "suite.h"

#include <gsl/gsl_math.h>

enum { MOST = 9, CALLS = 20000 };

static double constant(double *x, size_t dim, void *params)
{
  (void)x, (void)dim;
  return *(double *)params;
}

static double product(double *x, size_t dim, void *params)
{
  double f = 1;
  (void)params;
  for (size_t j = 0; j < dim; j++) f *= 2 * x[j];
  return f;
}

/* A normal density around a place on the diagonal, exp(-r^2/a^2) / (a sqrt(pi))^dim */
static double bump(const double *x, size_t dim, double place, double a)
{
  double square = 0;
  for (size_t j = 0; j < dim; j++) square += gsl_pow_2((x[j] - place) / a);
  return exp(-square) / pow(a * sqrt(M_PI), (double)dim);
}

static double gaussian(double *x, size_t dim, void *params)
{
  return bump(x, dim, 0.5, *(double *)params);
}

static double two_gaussians(double *x, size_t dim, void *params)
{
  double a = *(double *)params;
  return (bump(x, dim, 1. / 3, a) + bump(x, dim, 2. / 3, a)) / 2;
}

/* Tsuda: prod c (c + 1) / (c + x)^2, of integral 1 */
static double tsuda(double *x, size_t dim, void *params)
{
  double c = *(double *)params, f = 1;
  for (size_t j = 0; j < dim; j++) f *= c * (c + 1) / gsl_pow_2(c + x[j]);
  return f;
}

/* Parts of a normal density of width a inside of the unit interval: around the middle, a third */
#define CENTRE (erf(0.5 / 0.1))
#define THIRD ((erf(1 / (3 * 0.1)) + erf(2 / (3 * 0.1))) / 2)

static const struct {
  const char *name;
  double (*f)(double *x, size_t dim, void *params);
  double param;
} functions[] = {{"constant", constant, 1},
                 {"product", product, 0},
                 {"gaussian", gaussian, 0.1},
                 {"two_gaussians", two_gaussians, 0.1},
                 {"tsuda", tsuda, 0.46247529557426437}}; /* (1 + sqrt(10)) / 9 */
static const size_t dims[] = {1, 2, 3, 5, MOST};
enum { FUNCTIONS = sizeof functions / sizeof *functions, DIMS = sizeof dims / sizeof *dims };

static double exact(int function, size_t dim)
{
  if (functions[function].f == gaussian) return pow(CENTRE, (double)dim);
  if (functions[function].f == two_gaussians) return pow(THIRD, (double)dim);
  return 1;
}

static gsl_rng *rng;
static double zeros[MOST], ones[MOST], value, error;
static int reported; /* by GSL's handler */

static void note(const char *reason, const char *file, int line, int code)
{
  (void)file, (void)line;
  ck_assert_str_ne(reason, "");
  reported = code;
}

static void set_up(void)
{
  gsl_set_error_handler(note);
  rng = gsl_rng_alloc(gsl_rng_mt19937);
  for (int j = 0; j < MOST; j++) ones[j] = 1;
  reported = 0;
}

static void tear_down(void)
{
  gsl_rng_free(rng);
}

static int integrate(gsl_monte_nis_state *s, gsl_monte_function *f, size_t calls)
{
  return gsl_monte_nis_integrate(f, zeros, ones, f->dim, calls, rng, s, &value, &error);
}

/* Within its error of the exact value, which is right to rounding */
static void check_value(const gsl_monte_nis_state *s, double truth, int checks, const char *what)
{
  double errors = alarm_errors_of_nets(checks, s->result.dof);
  require(fabs(value - truth) <= errors * error + 1e-12, "%s: %g +- %g, not %g", what, value, error,
          truth);
}

START_TEST(values_are_within_their_errors)
{
  int function = _i % FUNCTIONS, d = _i / FUNCTIONS;
  size_t dim = dims[d];
  double param = functions[function].param;
  gsl_monte_function f = {functions[function].f, dim, &param};
  gsl_monte_nis_state *s = gsl_monte_nis_alloc(dim);
  s->options.effort = 0.3;
  gsl_rng_set(rng, (unsigned long)(function * DIMS + d) + 1);
  ck_assert_int_eq(integrate(s, &f, CALLS), GSL_SUCCESS);
  check_value(s, exact(function, dim), FUNCTIONS * DIMS, functions[function].name);
  check_between(error, 0, 0.02, functions[function].name);
  ck_assert_uint_le(s->result.calls, CALLS);
  ck_assert_double_ge(gsl_monte_nis_chisq(s), 1);
  ck_assert_double_le(gsl_monte_nis_chisq(s), 1.5); /* the programs of VEGAS end their loops here */
  gsl_monte_nis_free(s);
}
END_TEST

START_TEST(limits_may_be_any)
{
  double a = 0.5, lower[] = {-INFINITY, 0.5}, upper[] = {INFINITY, 3};
  gsl_monte_function f = {gaussian, 2, &a};
  gsl_monte_nis_state *s = gsl_monte_nis_alloc(2);
  ck_assert_int_eq(gsl_monte_nis_integrate(&f, lower, upper, 2, CALLS, rng, s, &value, &error),
                   GSL_SUCCESS);
  check_value(s, erf(2.5 / a) / 2, 1, "half of a normal density");
  gsl_monte_nis_free(s);
}
END_TEST

START_TEST(what_was_learnt_stays)
{
  double a = 0.1, first, first_error;
  gsl_monte_function f = {two_gaussians, 4, &a};
  gsl_monte_nis_state *s = gsl_monte_nis_alloc(4);
  integrate(s, &f, CALLS);
  const nis *sampler = s->sampler;
  first = value, first_error = error;

  ck_assert_int_eq(integrate(s, &f, CALLS), GSL_SUCCESS);
  ck_assert_ptr_eq(s->sampler, sampler);
  ck_assert_double_ne(value, first);
  ck_assert_double_lt(error, first_error);
  check_value(s, exact(3, 4), 1, "the second call");

  ck_assert_int_eq(integrate(s, &f, 2), GSL_SUCCESS);

  /* other params behind the same pointer */
  a = 0.2;
  ck_assert_int_eq(integrate(s, &f, CALLS), GSL_SUCCESS);
  check_value(s, pow((erf(1 / 0.6) + erf(2 / 0.6)) / 2, 4), 1, "a wider one");
  gsl_monte_nis_free(s);
}
END_TEST

/* Each of these begins anew, and so has the value of a new state and the same generator. */
START_TEST(another_function_begins_anew)
{
  double wide = 0.3, narrow = 0.2, half[] = {0.5, 0.5};
  gsl_monte_function before = {gaussian, 2, &wide};
  gsl_monte_function others[] = {{two_gaussians, 2, &wide}, {gaussian, 2, &narrow}, before, before};
  for (int i = 0; i < 4; i++) {
    const double *upper = i == 2 ? half : ones;
    double results[2];
    for (int used = 0; used < 2; used++) {
      gsl_monte_nis_state *s = gsl_monte_nis_alloc(2);
      if (used) integrate(s, &before, 2000);
      if (i == 3) gsl_monte_nis_init(s);
      gsl_rng_set(rng, 7);
      gsl_monte_nis_integrate(&others[i], zeros, upper, 2, 2000, rng, s, &results[used], &error);
      gsl_monte_nis_free(s);
    }
    ck_assert_double_eq(results[0], results[1]);
  }
}
END_TEST

START_TEST(the_generator_is_the_seed)
{
  double a = 0.3, results[3];
  unsigned long seeds[] = {1, 1, 2};
  gsl_monte_function f = {gaussian, 2, &a};
  for (int i = 0; i < 3; i++) {
    gsl_monte_nis_state *s = gsl_monte_nis_alloc(2);
    gsl_rng_set(rng, seeds[i]);
    integrate(s, &f, 2000);
    results[i] = value;
    gsl_monte_nis_free(s);
  }
  ck_assert_double_eq(results[0], results[1]);
  ck_assert_double_ne(results[0], results[2]);
}
END_TEST

static void check_refused(gsl_monte_nis_state *s, size_t dim, size_t of_f, const double *upper,
                          size_t calls)
{
  double a = 0.1;
  gsl_monte_function f = {gaussian, of_f, &a};
  reported = 0;
  ck_assert_int_eq(gsl_monte_nis_integrate(&f, zeros, upper, dim, calls, rng, s, &value, &error),
                   GSL_EINVAL);
  ck_assert_int_eq(reported, GSL_EINVAL);
}

START_TEST(wrong_arguments_are_refused)
{
  double nan[] = {1, NAN}, equal[] = {1, 0}, reversed[] = {-1, 1};
  gsl_monte_nis_state *s = gsl_monte_nis_alloc(2);
  check_refused(s, 3, 3, ones, 1000);
  check_refused(s, 2, 3, ones, 1000);
  check_refused(s, 2, 2, nan, 1000);
  check_refused(s, 2, 2, equal, 1000);
  check_refused(s, 2, 2, reversed, 1000);
  check_refused(s, 2, 2, ones, 1);
  s->options.bins = 1;
  check_refused(s, 2, 2, ones, 1000);
  gsl_monte_nis_init(s);
  ck_assert_int_eq(s->options.bins, 0);
  gsl_monte_nis_free(s);
  gsl_monte_nis_free(NULL);

  reported = 0;
  ck_assert_ptr_null(gsl_monte_nis_alloc(0));
  ck_assert_int_eq(reported, GSL_EINVAL);
  ck_assert_ptr_null(gsl_monte_nis_alloc(257));
}
END_TEST

static double refuses(double *x, size_t dim, void *params)
{
  (void)dim;
  if (*(int *)params) nis_refuse();
  return x[0];
}

START_TEST(functions_can_fail)
{
  int refuse = 0;
  double nothing = 0, nan = NAN;
  gsl_monte_function f = {refuses, 1, &refuse}, zero = {constant, 1, &nothing},
                     bad = {constant, 1, &nan};
  gsl_monte_nis_state *s = gsl_monte_nis_alloc(1);
  ck_assert_int_eq(integrate(s, &bad, 10000), GSL_EBADFUNC);
  for (int again = 0; again < 2; again++) {
    ck_assert_int_eq(integrate(s, &zero, 1000), GSL_SUCCESS);
    ck_assert_double_eq(value, 0);
  }
  integrate(s, &f, 1000);
  ck_assert_int_eq(reported, GSL_EBADFUNC); /* of `bad` */
  refuse = 1;
  reported = 0;
  ck_assert_int_eq(integrate(s, &f, 1000), GSL_EBADFUNC);
  ck_assert_int_eq(reported, GSL_EBADFUNC);
  refuse = 0;
  ck_assert_int_eq(integrate(s, &f, 1000), GSL_SUCCESS);
  check_value(s, 0.5, 1, "after a failure");
  gsl_monte_nis_free(s);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("gsl");
  TCase *tests = tcase_create("gsl");
  tcase_set_timeout(tests, 250);
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_loop_test(tests, values_are_within_their_errors, 0,
                      short_form() ? FUNCTIONS : FUNCTIONS * DIMS);
  tcase_add_test(tests, limits_may_be_any);
  tcase_add_test(tests, what_was_learnt_stays);
  tcase_add_test(tests, another_function_begins_anew);
  tcase_add_test(tests, the_generator_is_the_seed);
  tcase_add_test(tests, wrong_arguments_are_refused);
  tcase_add_test(tests, functions_can_fail);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
