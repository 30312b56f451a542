/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the training must find, and what it must not spoil.
 *
 * Exact values are closed formulas.
 */
#include "alarm.h"
#include "nis.h"
#include "noise.h"
#include "suite.h"

#include "api/settings.h"
#include "training/train.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* ---- helpers --------------------------------------------------------------------- */

static double pull(const nis_result *r, double exact)
{
  return (r->value - exact) / r->error;
}

/* One of `checks` in the test, by nets of points or as if */
static void check_value(const nis_result *r, double exact, int checks, const char *what)
{
  double most =
      fmin(6, alarm_errors_of_nets(checks, r->dof > 0 ? r->dof : 1)); /* dof of few points */
  ck_assert_msg(r->status == NIS_OK || r->status == NIS_SUSPECT, "%s: %s", what,
                nis_strerror(r->status));
  ck_assert_msg(fabs(pull(r, exact)) < most, "%s: %g +- %g is %g errors from %g", what, r->value,
                r->error, pull(r, exact), exact);
}

static double relative_error(const nis_result *r)
{
  return r->error / fabs(r->value);
}

/* exp(-r^2/width^2) around (centre, .., centre), normalised on all of space */
static double bell(const double *x, size_t dim, double centre, double width)
{
  double r2 = 0;
  for (size_t j = 0; j < dim; j++) r2 += (x[j] - centre) * (x[j] - centre);
  return exp(-r2 / (width * width)) * pow(width * sqrt(M_PI), -(double)dim);
}

/* ... and its part inside the unit cube */
static double bell_inside(size_t dim, double centre, double width)
{
  return pow((erf(centre / width) + erf((1 - centre) / width)) / 2, (double)dim);
}

/* ---- narrow things ------------------------------------------------------------------ */

static const double link_sigma = 0.02;

/* x0 and the differences of neighbours are normal: within 3 sigma, 1e-16 of the cube. Two walls
 * cut it off at 0.5 / (4 * 0.02) = 6 sigma at least. */
static double chain(double *x, size_t dim, void *params)
{
  double z2 = 0, before = 0.5;
  (void)params;
  for (size_t j = 0; j < dim; before = x[j++])
    z2 += (x[j] - before) * (x[j] - before) / (link_sigma * link_sigma);
  return exp(-z2 / 2) * pow(link_sigma * sqrt(2 * M_PI), -(double)dim);
}

/* 400,000 training calls, as a run of a million calls has */
START_TEST(tempering_finds_a_chain_in_16_dimensions)
{
  nis_options o = {.dim = 16, .calls = 1000000, .seed = 1, .effort = 0.15};
  nis_result r;
  nis *s;
  ck_assert_int_eq(nis_create(&s, chain, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 400000), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 20000, &r), NIS_OK);
  check_value(&r, 1, 1, "chain");
  ck_assert_double_lt(relative_error(&r), 1e-2);
  nis_free(s);
}
END_TEST

/* Two peaks of which each is a half */
struct two {
  double centre[2], width[2];
};

static double two_peaks(double *x, size_t dim, void *params)
{
  const struct two *p = params;
  return (bell(x, dim, p->centre[0], p->width[0]) + bell(x, dim, p->centre[1], p->width[1])) / 2;
}

static double two_exact(size_t dim, const struct two *p)
{
  return (bell_inside(dim, p->centre[0], p->width[0]) +
          bell_inside(dim, p->centre[1], p->width[1])) /
         2;
}

/* The narrow one fills 1e-5 of the cube. */
START_TEST(the_search_finds_the_narrow_peak)
{
  struct two p = {{0.3, 0.75}, {0.15, 0.02}};
  for (uint64_t seed = 1; seed <= 3; seed++) {
    nis_result r =
        nis_integrate(two_peaks, 4, .calls = 200000, .seed = seed, .params = &p, .effort = 0.1);
    check_value(&r, two_exact(4, &p), 3, "two peaks");
    ck_assert_double_lt(relative_error(&r), 1e-2);
    ck_assert_int_ge(r.peaks_found, 1);
    ck_assert_uint_gt(r.search_calls, 0);
    ck_assert_uint_lt(r.search_calls, r.train_calls / 2);
    ck_assert_uint_eq(r.calls, 200000);
  }
}
END_TEST

/* Three peaks of independent widths in each coordinate, a third of the integral each */
enum { UNEVEN_PEAKS = 3, UNEVEN_DIM = 6 };
struct uneven {
  double centre[UNEVEN_PEAKS][UNEVEN_DIM], width[UNEVEN_PEAKS][UNEVEN_DIM];
};

static double uneven_peaks(double *x, size_t dim, void *params)
{
  const struct uneven *p = params;
  double sum = 0;
  for (int k = 0; k < UNEVEN_PEAKS; k++) {
    double product = 1. / UNEVEN_PEAKS;
    for (size_t j = 0; j < dim; j++) product *= bell(x + j, 1, p->centre[k][j], p->width[k][j]);
    sum += product;
  }
  return sum;
}

static double uneven_exact(const struct uneven *p)
{
  double sum = 0;
  for (int k = 0; k < UNEVEN_PEAKS; k++) {
    double product = 1. / UNEVEN_PEAKS;
    for (int j = 0; j < UNEVEN_DIM; j++) product *= bell_inside(1, p->centre[k][j], p->width[k][j]);
    sum += product;
  }
  return sum;
}

/* Basins of a per cent and more, peaks of 1e-8 of the cube */
START_TEST(the_search_finds_uneven_peaks)
{
  uint64_t state = 1000;
  for (uint64_t seed = 1; seed <= 8; seed++) {
    struct uneven p;
    for (int i = 0; i < UNEVEN_PEAKS * UNEVEN_DIM; i++) {
      p.centre[i / UNEVEN_DIM][i % UNEVEN_DIM] = 0.1 + 0.8 * next_uniform(&state);
      p.width[i / UNEVEN_DIM][i % UNEVEN_DIM] = 0.02 * pow(10, next_uniform(&state));
    }
    nis_result r = nis_integrate(uneven_peaks, UNEVEN_DIM, .calls = 100000, .seed = seed,
                                 .params = &p, .effort = 0.02);
    ck_assert_msg(fabs(r.value / uneven_exact(&p) - 1) < 0.03, "seed %d: %g of the integral",
                  (int)seed, r.value / uneven_exact(&p));
    ck_assert_uint_lt(r.search_calls, r.train_calls / 8);
  }
}
END_TEST

/* A peak so narrow that no point feels it */
START_TEST(a_hint_shows_what_is_lost_without)
{
  static const double hint[] = {0.752, 0.747, 0.751, 0.749};
  struct two p = {{0.3, 0.75}, {0.15, 0.004}};
  nis_options o = {.dim = 4, .calls = 100000, .seed = 1, .params = &p, .effort = 0.1};
  nis_result without = nis_integrate_with(two_peaks, &o);
  o.hints = hint, o.nhints = 1;
  nis_result with = nis_integrate_with(two_peaks, &o);
  ck_assert_double_eq_tol(without.value, bell_inside(4, 0.3, 0.15) / 2, 0.02);
  ck_assert_int_eq(without.peaks_found, 0);
  check_value(&with, two_exact(4, &p), 1, "with a hint");
  ck_assert_double_lt(relative_error(&with), 1e-2);
  ck_assert_int_ge(with.peaks_found, 1);
}
END_TEST

/* Limits other than 0 and 1: hints are points of the domain, not of the cube. */
static double stretched(double *x, size_t dim, void *params)
{
  double cube[4];
  for (size_t j = 0; j < dim; j++) cube[j] = (x[j] + 5) / 20;
  return two_peaks(cube, dim, params) / pow(20, (double)dim);
}

START_TEST(hints_lie_in_the_domain)
{
  static const double lower[] = {-5, -5, -5}, upper[] = {15, 15, 15};
  static const double hints[] = {10.04, 9.94, 10.02, 1, 1.1, 0.9};
  struct two p = {{0.3, 0.75}, {0.15, 0.004}};
  nis_result r = nis_integrate(stretched, 3, .calls = 60000, .params = &p, .lower = lower,
                               .upper = upper, .hints = hints, .nhints = 2, .effort = 0.3);
  check_value(&r, two_exact(3, &p), 1, "stretched");
  ck_assert_double_lt(relative_error(&r), 1e-2);
}
END_TEST

/* ---- a mode that was not there ------------------------------------------------------------ */

static int second_peak; /* switched on between two trainings */

static double switched(double *x, size_t dim, void *params)
{
  (void)params;
  return bell(x, dim, 0.3, 0.1) + second_peak * bell(x, dim, 0.75, 0.05);
}

START_TEST(a_lost_mode_comes_back)
{
  double first = bell_inside(3, 0.3, 0.1), both = first + bell_inside(3, 0.75, 0.05);
  nis_options o = {.dim = 3, .seed = 4, .calls = 60000, .effort = 0.3};
  nis_result before, after;
  nis *s;
  second_peak = 0;
  ck_assert_int_eq(nis_create(&s, switched, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 60000), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 20000, &before), NIS_OK);
  check_value(&before, first, 2, "one peak");
  second_peak = 1;
  ck_assert_int_eq(nis_train(s, 60000), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 20000, &after), NIS_OK);
  check_value(&after, both, 2, "two peaks");
  ck_assert_double_lt(relative_error(&after), 1e-2);
  nis_free(s);
}
END_TEST

/* ---- flow and twin -------------------------------------------------------------------------- */

/* A thin ring, of which a decaying flow falls short */
static double ring(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  double r = hypot(x[0] - 0.5, x[1] - 0.5);
  return exp(-pow((r - 0.3) / 0.01, 2) / 2);
}

static double polynomial(double *x, size_t dim, void *params)
{
  double sum = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) sum += x[j] * (1 - x[j]);
  return sum;
}

/* The frozen mixture's shares of the flow and of the twin, whose parameters decay */
static void train(nis_integrand *f, size_t dim, double *flow, double *twin)
{
  struct sampler s;
  struct training training = {0};
  nis_options given = {.dim = dim, .calls = 50000, .seed = 3}, o;
  ck_assert_int_eq(nis_settings_resolve(&given, &o), NIS_OK);
  ck_assert_int_eq(nis_sampler_init(&s, f, &o), NIS_OK);
  ck_assert_int_eq(nis_train_flow(&s, 0, 20000, &o, &training), NIS_OK);
  *flow = s.mixture.share[CHANNEL_FLOW], *twin = s.mixture.share[CHANNEL_TWIN];
  nis_training_clear(&training);
  nis_sampler_clear(&s);
}

/* Which one goes on learning is decided half way; it must be the one that ends better. */
START_TEST(the_better_of_flow_and_twin_is_kept)
{
  double flow, twin;
  train(ring, 2, &flow, &twin);
  ck_assert_double_gt(flow, 0.7);
  ck_assert_double_eq(twin, 0);
  train(polynomial, 18, &flow, &twin);
  ck_assert_double_eq(flow, 0);
}
END_TEST

/* ---- no harm -------------------------------------------------------------------------- */

/* Uniform points spread by sqrt(18/180) = 0.3162, a relative 0.1054 per point. The root of the mean
 * of 5 squares is within a factor of 2 of its expectation but for a chance of 1e-3. */
START_TEST(what_needs_no_training_is_not_spoilt)
{
  const double exact = 18 / 6., uniform = 0.1054 / sqrt(1e5);
  double square = 0, said = 0;
  for (uint64_t seed = 1; seed <= 5; seed++) {
    nis_result r = nis_integrate(polynomial, 18, .calls = 100000, .seed = seed, .effort = 0.1);
    check_value(&r, exact, 5, "polynomial");
    square += pow(r.value / exact - 1, 2) / 5;
    said += pow(relative_error(&r), 2) / 5;
  }
  ck_assert_double_lt(sqrt(square), uniform);
  ck_assert_double_lt(sqrt(said), uniform);
}
END_TEST

static double constant(double *x, size_t dim, void *params)
{
  (void)x, (void)dim;
  return *(const double *)params;
}

START_TEST(a_constant_has_no_error)
{
  static const size_t dim[] = {1, 2, 5, 20};
  for (size_t i = 0; i < LENGTH(dim); i++) {
    double value = i % 2 ? -7e-30 : 3e40;
    nis_result r = nis_integrate(constant, dim[i], .calls = 20000, .params = &value, .effort = 0.3);
    ck_assert_int_eq(r.status, NIS_OK);
    ck_assert_double_lt(fabs(r.value / value - 1), 1e-9);
    ck_assert_double_lt(relative_error(&r), 1e-9);
  }
}
END_TEST

START_TEST(zero_everywhere_is_zero)
{
  double value = 0, hint[] = {0.5, 0.5, 0.5};
  for (size_t nhints = 0; nhints < 2; nhints++) {
    nis_result r = nis_integrate(constant, 3, .calls = 20000, .params = &value, .hints = hint,
                                 .nhints = nhints);
    ck_assert_int_eq(r.suspect, NIS_FEW_WEIGHTS);
    ck_assert(r.value == 0 && r.error == 0);
    ck_assert_int_eq(r.peaks_found, 0);
    ck_assert_uint_eq(r.zero_calls, r.calls - r.train_calls);
    ck_assert_uint_eq(r.calls, 20000);
  }
}
END_TEST

/* ---- budgets ------------------------------------------------------------------------- */

static atomic_ullong counted;

static double smooth(double *x, size_t dim, void *params)
{
  (void)params;
  counted++;
  return bell(x, dim, 0.4, 0.3);
}

enum { BUDGETS = 18 };

/* With hints and without, the count of the calls is true and never above what was asked for. */
static void check_budget(uint64_t calls, size_t nhints)
{
  static const double hints[16 * 3] = {0.4,  0.4,  0.4,  0.1,  0.2,  0.3,  0.5,  0.6,  0.7,  0.8,
                                       0.9,  0.95, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75,
                                       0.85, 0.12, 0.22, 0.32, 0.42, 0.52, 0.62, 0.72, 0.82, 0.92,
                                       0.13, 0.23, 0.33, 0.43, 0.53, 0.63, 0.73, 0.83, 0.93, 0.14,
                                       0.24, 0.34, 0.44, 0.54, 0.64, 0.74, 0.84, 0.94};
  counted = 0;
  nis_result r = nis_integrate(smooth, 3, .calls = calls, .hints = hints, .nhints = nhints,
                               .seed = calls, .effort = 0.1);
  unsigned long long asked = calls, spent = r.calls, seen = counted;
  ck_assert_msg(r.status == NIS_OK || r.status == NIS_SUSPECT, "%llu calls: %s", asked,
                nis_last_error());
  ck_assert_msg(isfinite(r.value), "%llu calls, %zu hints: value %g", asked, nhints, r.value);
  ck_assert_msg(spent == seen && spent == asked, "%llu calls, %zu hints: spent %llu, seen %llu",
                asked, nhints, spent, seen);
  ck_assert_uint_le(r.train_calls, r.calls);
  ck_assert_uint_le(r.search_calls, r.train_calls);
  if (calls >= 100) check_value(&r, bell_inside(3, 0.4, 0.3), 2 * BUDGETS, "smooth");
}

static const uint64_t budgets[BUDGETS] = {1,   2,   3,   10,  41,  100,  161,  200,  250,
                                          333, 400, 500, 640, 700, 1000, 1601, 4000, 20001};

START_TEST(every_budget_is_kept)
{
  for (int i = 0; i < BUDGETS; i++)
    for (size_t nhints = 0; nhints <= 16; nhints += nhints == 0 ? 1 : 15)
      check_budget(budgets[i], nhints);
}
END_TEST

/* The last round of the training chooses the channels, and may be of a few points only. */
START_TEST(a_short_last_round_does_no_harm)
{
  nis_options o = {.dim = 3, .effort = 0.3, .seed = 1, .points = NIS_POINTS_RANDOM};
  double worst = 0, best = HUGE_VAL;
  for (uint64_t calls = 8192; calls < 8192 + 256; calls += 15) {
    nis_result r;
    nis *s;
    ck_assert_int_eq(nis_create(&s, smooth, &o), NIS_OK);
    ck_assert_int_eq(nis_train(s, calls), NIS_OK);
    ck_assert_int_eq(nis_estimate(s, 10000, &r), NIS_OK);
    check_value(&r, bell_inside(3, 0.4, 0.3), 18, "smooth");
    worst = fmax(worst, relative_error(&r));
    best = fmin(best, relative_error(&r));
    nis_free(s);
  }
  ck_assert_double_lt(worst, 3 * best);
}
END_TEST

/* ---- bits -------------------------------------------------------------------------------- */

static nis_result with_threads(int threads, size_t nhints)
{
  static struct two p = {{0.3, 0.75}, {0.15, 0.02}};
  static const double hint[] = {0.7, 0.7, 0.7, 0.7};
  return nis_integrate(two_peaks, 4, .calls = 100000, .seed = 1, .params = &p, .threads = threads,
                       .hints = hint, .nhints = nhints, .effort = 0.1);
}

START_TEST(bits_do_not_depend_on_threads)
{
  for (size_t nhints = 0; nhints < 2; nhints++) {
    nis_result one = with_threads(1, nhints);
    ck_assert_uint_gt(one.search_calls, 0);
    ck_assert_int_ge(one.peaks_found, 1);
    for (int threads = 2; threads <= 3; threads++) {
      nis_result many = with_threads(threads, nhints);
      ck_assert(one.value == many.value && one.error == many.error && one.chi2 == many.chi2);
      ck_assert(one.search_calls == many.search_calls && one.peaks_found == many.peaks_found);
      ck_assert(one.max_weight == many.max_weight && one.efficiency == many.efficiency);
    }
  }
}
END_TEST

/* ---- nothing to learn --------------------------------------------------------------------- */

/* A number in (0, 1) that is another one at each point */
static double hash(const double *x, size_t dim)
{
  uint64_t h = 1, bits;
  for (size_t j = 0; j < dim; j++) {
    memcpy(&bits, x + j, sizeof bits);
    h = (h ^ bits) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 29) * 0xBF58476D1CE4E5B9u;
    h ^= h >> 32;
  }
  return ((double)(h >> 12) + 0.5) * 0x1p-52;
}

/* 1 + noise of this size, or, for 0, noise of an exponential distribution */
static double noise(double *x, size_t dim, void *size)
{
  double u = hash(x, dim), a = *(double *)size;
  return a > 0 ? 1 + a * (2 * u - 1) : -log(u);
}

/* Any density but the uniform one has a larger spread of weights than the noise itself: what a flow
 * learns by heart would show. */
static void check_noise(size_t dim, double size, double calls, int checks)
{
  nis_result r = nis_integrate(noise, dim, .calls = (uint64_t)calls, .params = &size, .seed = dim);
  double n = (double)(r.calls - r.train_calls), spread = sqrt(n / r.ess - 1);
  double without = size > 0 ? size / sqrt(3) : 1;
  /* of a sample's standard deviation: sqrt((kurtosis - 1) / 4 n) */
  double error = without * sqrt(((size > 0 ? 1.8 : 9) - 1) / (4 * n));
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_msg(spread < without + alarm_errors(checks) * error, "%zu D, noise %g: %g, not %g", dim,
                size, spread, without);
}

START_TEST(noise_is_not_learnt)
{
  static const double size[] = {0.1, 0.5, 0.9, 0};
  static const size_t dim[] = {2, 5, 10};
  const int checks = LENGTH(size) * LENGTH(dim) + 1;
  for (size_t i = 0; i < LENGTH(size); i++)
    for (size_t k = 0; k < LENGTH(dim); k++) check_noise(dim[k], size[i], 1e4, checks);
  check_noise(5, 0.9, 1e5, checks);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("training");
  TCase *tests = tcase_create("training");
  tcase_set_timeout(tests, 300);
  add_full_test(tests, tempering_finds_a_chain_in_16_dimensions);
  TCase *search = tcase_create("search");
  tcase_set_timeout(search, 300);
  add_full_test(search, the_search_finds_the_narrow_peak);
  add_full_test(search, the_search_finds_uneven_peaks);
  add_full_test(search, a_hint_shows_what_is_lost_without);
  tcase_add_test(search, hints_lie_in_the_domain);
  suite_add_tcase(suite, search);
  add_full_test(tests, noise_is_not_learnt);
  add_full_test(tests, a_lost_mode_comes_back);
  add_full_test(tests, the_better_of_flow_and_twin_is_kept);
  add_full_test(tests, what_needs_no_training_is_not_spoilt);
  add_full_test(tests, a_constant_has_no_error);
  tcase_add_test(tests, zero_everywhere_is_zero);
  tcase_add_test(tests, every_budget_is_kept);
  add_full_test(tests, a_short_last_round_does_no_harm);
  add_full_test(tests, bits_do_not_depend_on_threads);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
