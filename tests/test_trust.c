/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Doubts, stops, and integrands that mean no good: every run ends with a sane result, a status that
 * says what it is worth, and a sentence. */
#include "nis.h"

#include "base/monitor.h"
#include "base/clock.h"
#include "base/error.h"
#include "suite.h"
#include "estimation/trust.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static nis_options small(size_t dim, uint64_t calls)
{
  return (nis_options){.dim = dim, .calls = calls, .seed = 1, .effort = 0.1};
}

/* ---- each doubt ------------------------------------------------------------------------- */

/* 6000 weights of the size 1, and a result that speaks for them */
struct seen {
  struct tally tally;
  struct components components;
  nis_result result;
};

static struct seen fine(void)
{
  struct seen s = {.result = {.khat = 0.3, .p_value = 0.5, .dof = 15}};
  s.tally.unit = 1, s.tally.square = 6000;
  s.tally.weights.n = 6000, s.tally.weights.largest = 10;
  return s;
}

static void check_doubt(struct seen *s, int doubt, const char *words)
{
  nis_result *r = &s->result;
  ck_assert_int_eq(nis_trust_doubts(&s->tally, &s->components, r), doubt);
  r->suspect = doubt;
  nis_clear_error();
  if (doubt == 0) return;
  ck_assert_int_eq(nis_trust_explain(&s->tally, &s->components, r), NIS_SUSPECT);
  ck_assert_msg(strstr(nis_last_error(), words) != NULL, "%s", nis_last_error());
}

START_TEST(doubts)
{
  struct seen s = fine();
  check_doubt(&s, 0, "");
  s.result.khat = 0.75, s.tally.weights.largest = 20;
  check_doubt(&s, NIS_HEAVY_TAIL, "k-hat");
  s.tally.weights.largest = 1; /* hardly any of the variance */
  check_doubt(&s, 0, "");
  s = fine(), s.result.p_value = 1e-5;
  check_doubt(&s, NIS_LARGE_CHI2, "chi2");
  s.result.dof = 0, s.result.p_value = NAN, s.result.khat = NAN;
  check_doubt(&s, 0, "");
  s = fine(), s.tally.weights.zeros = 5971;
  check_doubt(&s, NIS_FEW_WEIGHTS, "only 29");
  s.tally.weights.zeros = 6000;
  check_doubt(&s, NIS_FEW_WEIGHTS, "0 at all 6000");
  s = fine(), s.result.late_peaks = 2;
  check_doubt(&s, NIS_LATE_PEAK, "2 peaks");
}
END_TEST

/* What else the handle has called is no evidence. */
START_TEST(doubts_count_the_points_of_the_estimate)
{
  struct seen s = fine();
  s.tally.weights.n = 20, s.result.khat = 0.1;
  s.result.calls = 100000, s.result.train_calls = 1000;
  check_doubt(&s, NIS_FEW_WEIGHTS, "20 integration points are too few (at least 30");
  s.tally.weights.zeros = 1;
  check_doubt(&s, NIS_FEW_WEIGHTS, "of 20");
}
END_TEST

/* One doubt hides no other, and what was to be said before is still said. */
START_TEST(all_doubts_are_named)
{
  static const char *const words[] = {
      "1 peak ", "only 29",    "p = 1e-65", "k-hat = 1.50", "the integral itself may diverge",
      "hints",   "; a warning"};
  struct seen s = fine();
  s.tally.weights.zeros = 5971, s.tally.weights.largest = 20;
  s.result.late_peaks = 1, s.result.p_value = 1e-65, s.result.khat = 1.5;
  int all = NIS_LATE_PEAK | NIS_FEW_WEIGHTS | NIS_LARGE_CHI2 | NIS_HEAVY_TAIL;
  check_doubt(&s, all, "believed");
  nis_fail(NIS_OK, "a warning");
  nis_trust_explain(&s.tally, &s.components, &s.result);
  for (size_t i = 0; i < LENGTH(words); i++)
    ck_assert_msg(strstr(nis_last_error(), words[i]) != NULL, "%s: %s", words[i], nis_last_error());
  s = fine(), s.result.khat = 0.75, s.tally.weights.largest = 20;
  check_doubt(&s, NIS_HEAVY_TAIL, "their variance may be infinite");
  ck_assert_ptr_null(strstr(nis_last_error(), "hints"));
}
END_TEST

/* A first component that is 0 everywhere is as well known as the others are; one that is hardly
 * ever not 0 is not. */
START_TEST(doubts_of_several_components)
{
  struct seen s = fine();
  s.components.n = 2, s.components.valued = 5000;
  s.tally.weights.zeros = 6000;
  check_doubt(&s, 0, "");
  s.components.valued = 29;
  check_doubt(&s, NIS_FEW_WEIGHTS, "only 29");
  s.components.valued = 5000, s.tally.weights.zeros = 5990;
  check_doubt(&s, NIS_FEW_WEIGHTS, "only 10");
}
END_TEST

/* An integrable singularity whose square is not: f^2 of the weights grows without end. */
static double singular(double *x, size_t dim, void *params)
{
  double square = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += x[j] * x[j];
  return pow(square, -0.95);
}

static double one(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 1;
}

/* With a flow that is not trained the weights are f itself: shape 0.95, infinite variance. */
START_TEST(infinite_variance_is_suspected)
{
  nis_options o = small(2, 100000);
  nis_result r;
  nis *s;
  ck_assert_int_eq(nis_create(&s, singular, &o), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 20000, &r), NIS_SUSPECT);
  ck_assert(r.suspect & NIS_HEAVY_TAIL);
  ck_assert_double_gt(r.khat, 0.7);
  nis_free(s);
}
END_TEST

static double singular_with_holes(double *x, size_t dim, void *params)
{
  return x[0] > 0.99 ? NAN : singular(x, dim, params);
}

START_TEST(a_doubt_hides_no_warning)
{
  nis_options o = small(2, 100000);
  nis *s;
  ck_assert_int_eq(nis_create(&s, singular_with_holes, &o), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 20000, NULL), NIS_SUSPECT);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "k-hat"));
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "values were not finite, the first nan at ("));
  nis_free(s);
}
END_TEST

static double no_number(double *x, size_t dim, void *params)
{
  (void)x, (void)dim;
  atomic_fetch_add((atomic_int *)params, 1);
  return NAN;
}

static void check_nothing_spent(int status, const atomic_int *calls)
{
  ck_assert_int_eq(status, NIS_BAD_VALUES);
  ck_assert_msg(strstr(nis_last_error(), "all of the first 4096 integrand values") != NULL, "%s",
                nis_last_error());
  ck_assert_int_eq(*calls, 4096);
}

/* However it is asked for, and whatever the threads */
START_TEST(no_number_anywhere_ends_the_run)
{
  atomic_int calls = 0;
  nis_result r;
  nis *s;
  nis_options o = {.dim = 3, .params = &calls};
  for (o.threads = 1; o.threads < 4; o.threads++, calls = 0) {
    r = nis_integrate_with(no_number, &o);
    check_nothing_spent(r.status, &calls);
    ck_assert(r.calls == 4096 && r.bad_calls == 4096 && r.value == 0);
  }
  o.rel_error = 0.01; /* the first look is earlier */
  ck_assert_int_eq(nis_integrate_with(no_number, &o).status, NIS_BAD_VALUES);
  ck_assert_int_le(calls, 4096);
  o.rel_error = 0, calls = 0;
  ck_assert_int_eq(nis_create(&s, no_number, &o), NIS_OK);
  check_nothing_spent(nis_train(s, 100000), &calls);
  nis_free(s), calls = 0;
  ck_assert_int_eq(nis_create(&s, no_number, &o), NIS_OK);
  check_nothing_spent(nis_estimate(s, 100000, &r), &calls);
  ck_assert_int_eq(nis_run(s, &r), NIS_BAD_VALUES);
  ck_assert_int_lt(calls, 3 * 4096);
  nis_free(s);
}
END_TEST

static double number_at_last(double *x, size_t dim, void *params)
{
  (void)dim;
  return atomic_fetch_add((atomic_int *)params, 1) < 4095 ? NAN : x[0];
}

START_TEST(one_number_is_worth_going_on)
{
  atomic_int calls = 0;
  nis_options o = small(2, 20000);
  o.params = &calls, o.serial = 1;
  nis_result r = nis_integrate_with(number_at_last, &o);
  ck_assert_uint_gt(r.calls, 19000);
}
END_TEST

/* 1e-7 wide: neither points nor climbs find it, and what is left is a constant. */
static double needle(double *x, size_t dim, void *params)
{
  double square = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += (x[j] - 0.37) * (x[j] - 0.37);
  return 1e-9 + exp(-square / (2 * 1e-14));
}

START_TEST(a_needle_never_hit)
{
  nis_options o = small(6, 5000);
  nis_result r = nis_integrate_with(needle, &o);
  ck_assert_int_ge(r.status, NIS_OK);
  ck_assert(isfinite(r.value) && r.error >= 0 && r.calls == 5000);
}
END_TEST

/* ---- sizes and values ------------------------------------------------------------------------ */

struct hostile {
  const char *name;
  double scale;
  int kind;
  int status; /* with 4000 calls */
};

enum { CONSTANT, BAD_EVERYWHERE, BAD_CORNER, BAD_HALF, PEAK };

static double hostile(double *x, size_t dim, void *params)
{
  const struct hostile *h = params;
  double square = 0;
  switch (h->kind) {
  case BAD_EVERYWHERE: return NAN;
  case BAD_CORNER:
    for (size_t j = 0; j < dim && j < 3; j++)
      if (x[j] > 0.05) return h->scale;
    return INFINITY;
  case BAD_HALF: return x[0] < 0.5 ? NAN : h->scale;
  case PEAK:
    for (size_t j = 0; j < dim; j++) square += (x[j] - 0.5) * (x[j] - 0.5);
    return h->scale * exp(-square);
  default: return h->scale;
  }
}

static const struct hostile hostiles[] = {
    {"1", 1, CONSTANT, NIS_OK},
    {"0", 0, CONSTANT, NIS_SUSPECT},
    {"-3", -3, CONSTANT, NIS_OK},
    {"NaN", 1, BAD_EVERYWHERE, NIS_BAD_VALUES},
    {"Inf in a corner", 1, BAD_CORNER, NIS_OK},
    {"NaN in a half", 1, BAD_HALF, NIS_BAD_VALUES},
    {"1e300", 1e300, PEAK, NIS_OK},
    {"1e-300", 1e-300, PEAK, NIS_OK},
    {"1e-320", 1e-320, CONSTANT, NIS_OK},
};

static void check_sane(const nis_result *r, const char *name, size_t dim, uint64_t calls)
{
  require(r->calls <= calls && r->calls + 8 > calls, "%s, d = %zu: %llu of %llu calls", name, dim,
          (unsigned long long)r->calls, (unsigned long long)calls);
  require(r->train_calls <= r->calls && r->bad_calls <= r->calls, "%s: counts", name);
  require(isfinite(r->value), "%s, d = %zu, %llu calls: value %g", name, dim,
          (unsigned long long)calls, r->value);
  require(r->error >= 0, "%s: error %g", name, r->error);
  require(!(r->chi2 < 0) && r->dof >= 0 && !(r->efficiency > 1), "%s: chi2 or efficiency", name);
  require(r->status == NIS_OK || r->bad_calls > 0 || *nis_last_error(), "%s: no sentence", name);
}

START_TEST(hostile_integrands)
{
  static const uint64_t calls[] = {1, 2, 10, 100, 4000};
  static const size_t dims[] = {1, 2, 100, 256};
  for (size_t i = 0; i < LENGTH(hostiles); i++)
    for (size_t c = 0; c < LENGTH(calls); c++) {
      size_t dim = dims[_i];
      nis_options o = small(dim, calls[c]);
      o.params = (void *)&hostiles[i];
      if (dim == 100) o.effort = 0.01;
      if (dim == 256 && calls[c] > 10) continue; /* the nets are large */
      nis_result r = nis_integrate_with(hostile, &o);
      check_sane(&r, hostiles[i].name, dim, calls[c]);
      if (dim <= 2 && calls[c] == 4000)
        require(r.status == hostiles[i].status, "%s: %d, %s", hostiles[i].name, r.status,
                nis_last_error());
    }
}
END_TEST

START_TEST(many_dimensions)
{
  nis_options o = small(256, 300);
  o.effort = 0.01;
  nis_result r = nis_integrate_with(one, &o);
  ck_assert_int_ge(r.status, NIS_OK);
  ck_assert_double_eq_tol(r.value, 1, 1e-6);
}
END_TEST

/* ---- stops --------------------------------------------------------------------------------- */

static int refuse(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  atomic_int *left = params;
  (void)dim, (void)x;
  for (size_t i = 0; i < n * ncomp; i++) f[i] = 1 + x[i * dim];
  return atomic_fetch_sub(left, 1) <= 1;
}

START_TEST(a_batch_that_refuses)
{
  static const int batches[] = {1, 2, 1000};
  for (size_t i = 0; i < LENGTH(batches); i++) {
    atomic_int left = batches[i];
    nis_options o = small(2, 200000);
    o.batch = refuse, o.batch_points = 100, o.params = &left;
    nis_result r = nis_integrate_with(NULL, &o);
    ck_assert_int_eq(r.status, NIS_CALLBACK);
    ck_assert_int_eq(r.stop, NIS_STOP_CALLBACK);
    ck_assert(batches[i] == 1000 ? fabs(r.value - 1.5) < 0.1 : isnan(r.value) || r.value > 1);
  }
}
END_TEST

static int stop_at(const nis_progress *now, void *params)
{
  return now->calls >= *(uint64_t *)params;
}

START_TEST(each_stop_is_told)
{
  uint64_t at = 8000;
  nis_options o = small(2, 20000);
  nis_result r = nis_integrate_with(one, &o);
  ck_assert(r.status == NIS_OK && r.stop == NIS_STOP_CALLS);
  o.abs_error = 0.5;
  r = nis_integrate_with(one, &o);
  ck_assert(r.status == NIS_OK && r.stop == NIS_STOP_GOAL);
  struct hostile peak = {.scale = 1, .kind = PEAK};
  o.params = &peak, o.abs_error = 1e-12;
  r = nis_integrate_with(hostile, &o);
  ck_assert(r.status == NIS_GOAL_MISSED && r.stop == NIS_STOP_CALLS);
  o.abs_error = 0, o.rel_error = 0.5;
  r = nis_integrate_with(hostile, &o);
  ck_assert(r.status == NIS_OK && r.stop == NIS_STOP_GOAL);
  o.rel_error = 0, o.progress = stop_at, o.progress_params = &at;
  r = nis_integrate_with(hostile, &o);
  ck_assert(r.status == NIS_STOPPED && r.stop == NIS_STOP_CALLBACK);
  ck_assert(isfinite(r.value) && r.calls < 20000);
}
END_TEST

static double slow(double *x, size_t dim, void *params)
{
  struct timespec tenth = {0, 100000000};
  (void)dim, (void)params;
  nanosleep(&tenth, NULL);
  return 1 + x[0];
}

/* A tenth of a second a call: the limit is kept to within a few calls; the bound here leaves room
 * for a busy machine. */
START_TEST(a_slow_integrand_keeps_to_its_time)
{
  nis_options o = small(2, 1000000);
  o.max_seconds = 3, o.threads = 2;
  double start = nis_clock();
  nis_result r = nis_integrate_with(slow, &o);
  ck_assert_double_lt(nis_clock() - start, 30);
  ck_assert(r.status == NIS_TIME_LIMIT || r.status == NIS_SUSPECT);
  ck_assert_int_eq(r.stop, NIS_STOP_TIME);
  ck_assert(r.calls > 2 && r.calls < 1000);
  ck_assert_double_le(fabs(r.value - 1.5), 0.5);
}
END_TEST

/* More time than is needed changes nothing but the points. */
START_TEST(enough_time)
{
  nis_options o = small(2, 10000);
  o.max_seconds = 1e6;
  nis_result r = nis_integrate_with(one, &o);
  ck_assert(r.status == NIS_OK && r.stop == NIS_STOP_CALLS && r.calls == 10000);
  o.max_seconds = 1e-9;
  r = nis_integrate_with(one, &o);
  ck_assert(r.stop == NIS_STOP_TIME);
  o.max_seconds = -1;
  ck_assert_int_eq(nis_integrate_with(one, &o).status, NIS_INVALID);
  o.max_seconds = NAN;
  ck_assert_int_eq(nis_integrate_with(one, &o).status, NIS_INVALID);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("trust");
  TCase *doubt = tcase_create("doubts"), *hostile_cases = tcase_create("hostile"),
        *stops = tcase_create("stops");
  tcase_set_timeout(doubt, 60);
  tcase_set_timeout(hostile_cases, 200);
  tcase_set_timeout(stops, 120);
  tcase_add_test(doubt, doubts);
  tcase_add_test(doubt, doubts_count_the_points_of_the_estimate);
  tcase_add_test(doubt, doubts_of_several_components);
  tcase_add_test(doubt, all_doubts_are_named);
  tcase_add_test(doubt, a_doubt_hides_no_warning);
  tcase_add_test(doubt, no_number_anywhere_ends_the_run);
  tcase_add_test(doubt, one_number_is_worth_going_on);
  tcase_add_test(doubt, infinite_variance_is_suspected);
  tcase_add_test(doubt, a_needle_never_hit);
  tcase_add_loop_test(hostile_cases, hostile_integrands, 0, short_form() ? 2 : 4);
  tcase_add_test(hostile_cases, many_dimensions);
  tcase_add_test(stops, a_batch_that_refuses);
  tcase_add_test(stops, each_stop_is_told);
  tcase_add_test(stops, a_slow_integrand_keeps_to_its_time);
  tcase_add_test(stops, enough_time);
  suite_add_tcase(suite, doubt);
  suite_add_tcase(suite, hostile_cases);
  suite_add_tcase(suite, stops);
  return run_suite(suite);
}
