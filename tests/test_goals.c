/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shortest way to a goal: easy ones take few calls, error bars are true though their being
 * small is what ends the run, and the same options give the same bits. Rates of false alarms:
 * alarm.h.
 */
#include "alarm.h"
#include "nis.h"
#include "subject.h"
#include "run_components.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static nis_options goal(size_t dim, double rel_error, double call_seconds)
{
  return (nis_options){.dim = dim,
                       .calls = 200000,
                       .seed = 1,
                       .threads = 1,
                       .rel_error = rel_error,
                       .call_seconds = call_seconds};
}

/* ---- few calls ---------------------------------------------------------------- */

static const struct easy {
  const char *name;
  size_t dim;
  double rel_error;
  uint64_t most; /* calls; measured: two thirds of it */
} easy[] = {{"polynomial", 18, 1e-2, 1500}, {"polynomial", 18, 1e-4, 3000},
            {"ee3j", 5, 1e-2, 1500},        {"ee3j", 5, 1e-3, 6000},
            {"gaussian", 4, 1e-2, 5000},    {"gaussian", 4, 1e-3, 10000},
            {"camel", 4, 1e-2, 9000},       {"corner_peak", 6, 1e-2, 15000}};

START_TEST(easy_goals_take_few_calls)
{
  const struct easy *e = &easy[_i];
  struct subject s = subject(e->name, e->dim, NULL);
  nis_options o = goal(e->dim, e->rel_error, INFINITY);
  o.params = s.state;
  nis_result r = nis_integrate_with(s.row->f, &o);
  ck_assert_msg(r.status == NIS_OK && r.stop == NIS_STOP_GOAL, "%s", nis_last_error());
  ck_assert_double_le(r.error, e->rel_error * fabs(r.value));
  ck_assert_uint_le(r.calls, e->most);
  check_between((r.value - s.exact) / r.error, -alarm_errors_of_nets(LENGTH(easy), r.dof),
                alarm_errors_of_nets(LENGTH(easy), r.dof), "pull");
  free(s.state);
}
END_TEST

/* Of cheap calls there are more, and less training. */
START_TEST(cheap_calls_spare_the_training)
{
  struct subject s = subject("camel", 4, NULL);
  uint64_t many = 0, few = 0, little = 0, much = 0;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    nis_options cheap = goal(4, 2e-3, 1e-9), dear = goal(4, 2e-3, INFINITY);
    cheap.params = dear.params = s.state, cheap.seed = dear.seed = seed;
    nis_result c = nis_integrate_with(s.row->f, &cheap), d = nis_integrate_with(s.row->f, &dear);
    ck_assert(c.stop == NIS_STOP_GOAL && d.stop == NIS_STOP_GOAL);
    many += c.calls, little += c.train_calls, few += d.calls, much += d.train_calls;
  }
  ck_assert_uint_lt(few, many);
  ck_assert_uint_lt(little, much);
  free(s.state);
}
END_TEST

/* Nearly as good as what a run without a goal makes of the same calls: trainings in steps have
 * their price. */
START_TEST(a_goal_out_of_reach_costs_nothing)
{
  struct subject s = subject(_i == 0 ? "camel" : "corner_peak", _i == 0 ? 2 : 6, NULL);
  double plain = 0, missed = 0;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    nis_options o = goal(_i == 0 ? 2 : 6, 0, 1e-5);
    o.params = s.state, o.seed = seed, o.calls = 20000, o.effort = 0.3;
    nis_result r = nis_integrate_with(s.row->f, &o);
    plain += r.error * r.error;
    o.rel_error = 1e-9;
    r = nis_integrate_with(s.row->f, &o);
    ck_assert_int_eq(r.status, NIS_GOAL_MISSED);
    check_between((double)r.calls, 19000, 20000, "calls");
    missed += r.error * r.error;
  }
  ck_assert_double_lt(sqrt(missed), 2 * sqrt(plain));
  free(s.state);
}
END_TEST

START_TEST(calls_are_never_exceeded)
{
  struct subject s = subject("camel", 2, NULL);
  for (uint64_t calls = 1; calls < 40000; calls += calls / 2 + 1)
    for (int points = NIS_POINTS_DEFAULT; points <= NIS_POINTS_RANDOM; points++) {
      nis_options o = goal(2, 1e-7, _i ? 1e-7 : INFINITY);
      o.params = s.state, o.calls = calls, o.replay = 1, o.points = (nis_point_set)points;
      nis_result r = nis_integrate_with(s.row->f, &o);
      ck_assert_int_ge(r.status, NIS_OK);
      ck_assert_int_ne(r.status, NIS_OK);
      check_between((double)r.calls, floor(0.93 * (double)calls), (double)calls, "calls");
    }
  free(s.state);
}
END_TEST

/* ---- true errors ---------------------------------------------------------------- */

static const struct cover {
  const char *name;
  size_t dim;
  double rel_error, call_seconds;
  int seeds;
} covers[] = {{"ee3j", 5, 3e-3, INFINITY, 1000},    {"ee3j", 5, 1e-3, 1e-7, 200},
              {"gaussian", 4, 1e-2, INFINITY, 200}, {"gaussian", 2, 1e-3, 1e-7, 400},
              {"camel", 4, 3e-2, INFINITY, 200},    {"polynomial", 6, 1e-4, INFINITY, 400},
              {"corner_peak", 3, 1e-2, 1e-7, 200}};

enum { CHECKS = 3 };
static const double side = ALARM_RATE / CHECKS / 2;

/* The normal variable of the same probability: of n nets, whose spread is widened by Student's t
 * and by 1.06 */
static double normal(double pull, int dof)
{
  double one_sigma = 1.06 * gsl_cdf_tdist_Pinv(gsl_cdf_ugaussian_P(1), dof);
  return gsl_cdf_ugaussian_Pinv(gsl_cdf_tdist_P(pull * one_sigma, dof));
}

static void check_coverage(int inside, int seeds, double probability, const char *what)
{
  double low = gsl_cdf_binomial_P((unsigned)inside, probability, (unsigned)seeds);
  ck_assert_msg(low > side, "%s: %d of %d seeds", what, inside, seeds);
}

/* Within one error 68.3 %, within two 94.3 %, which is Student's t of 15; more is no harm. */
START_TEST(error_bars_are_true)
{
  const struct cover *c = &covers[_i];
  struct subject s = subject(c->name, c->dim, NULL);
  int one = 0, two = 0, seeds = samples(c->seeds);
  double sum = 0;
  for (int seed = 1; seed <= seeds; seed++) {
    nis_options o = goal(c->dim, c->rel_error, c->call_seconds);
    o.params = s.state, o.seed = (uint64_t)seed, o.effort = 0.2;
    nis_result r = nis_integrate_with(s.row->f, &o);
    ck_assert_int_eq(r.stop, NIS_STOP_GOAL);
    ck_assert_uint_lt(r.calls, 60000);
    double pull = (r.value - s.exact) / r.error;
    one += fabs(pull) < 1, two += fabs(pull) < 2;
    sum += normal(pull, r.dof);
  }
  check_coverage(one, seeds, 0.6827, "one error");
  check_coverage(two, seeds, 0.943, "two errors");
  double most = alarm_errors(CHECKS) * 1.1 * sqrt(seeds);
  check_between(sum, -most, most, "sum of pulls");
  free(s.state);
}
END_TEST

/* A corner of the cube that 1024 uniform points show too little of */
START_TEST(a_hidden_corner_ends_no_run)
{
  struct subject s = subject("corner_peak", 6, NULL);
  int two = 0, seeds = samples(60);
  for (int seed = 1; seed <= seeds; seed++) {
    nis_options o = goal(6, 0.1, 1e-7);
    o.params = s.state, o.seed = (uint64_t)seed, o.effort = 0.2;
    nis_result r = nis_integrate_with(s.row->f, &o);
    ck_assert_int_eq(r.stop, NIS_STOP_GOAL);
    two += fabs(r.value - s.exact) < 2 * r.error;
    ck_assert_double_lt(fabs(r.value / s.exact - 1), 0.2);
  }
  check_coverage(two, seeds, 0.943, "two errors");
  free(s.state);
}
END_TEST

/* ---- bits ---------------------------------------------------------------- */

static void check_bits(const nis_result *a, const nis_result *b)
{
  ck_assert_double_eq(a->value, b->value);
  ck_assert_double_eq(a->error, b->error);
  ck_assert_double_eq(a->chi2, b->chi2);
  ck_assert_double_eq(a->call_seconds, b->call_seconds);
  ck_assert_uint_eq(a->calls, b->calls);
  ck_assert_uint_eq(a->train_calls, b->train_calls);
}

START_TEST(threads_do_not_matter)
{
  static const double seconds[] = {1e-7, 3e-5, INFINITY};
  struct subject s = subject("camel", 4, NULL);
  for (size_t i = 0; i < LENGTH(seconds); i++) {
    nis_options o = goal(4, 5e-3, seconds[i]);
    o.params = s.state;
    nis_result one = nis_integrate_with(s.row->f, &o);
    ck_assert_double_eq(one.call_seconds, seconds[i]);
    o.threads = 2;
    nis_result two = nis_integrate_with(s.row->f, &o);
    check_bits(&one, &two);
  }
  free(s.state);
}
END_TEST

START_TEST(a_measured_run_can_be_done_again)
{
  struct subject s = subject("gaussian", 4, NULL);
  for (uint64_t calls = 1500; calls < 1000000; calls *= 20) {
    nis_options o = goal(4, 5e-3, 0);
    o.params = s.state, o.calls = calls;
    nis_result first = nis_integrate_with(s.row->f, &o);
    ck_assert_double_gt(first.call_seconds, 0);
    o.call_seconds = first.call_seconds;
    nis_result again = nis_integrate_with(s.row->f, &o);
    check_bits(&first, &again);
    o.rel_error = 0;
    ck_assert_double_eq(nis_integrate_with(s.row->f, &o).call_seconds, 0);
  }
  free(s.state);
}
END_TEST

/* ---- all kinds of integrands ---------------------------------------------------------------- */

/* Integrals 0, 1, 2 and 1/2 */
static int several(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  int shift = *(int *)params;
  for (size_t i = 0; i < n; i++) {
    const double *u = x + i * dim, peak = exp(-50 * pow(u[0] - 0.5, 2)) / sqrt(M_PI / 50);
    double value[] = {0, peak, 4 * u[1], u[0] * u[0] * 3 / 2};
    for (size_t k = 0; k < ncomp; k++) f[i * ncomp + k] = value[(k + (size_t)shift) % 4];
  }
  return 0;
}

START_TEST(components)
{
  static const double exact[] = {0, 1, 2, 0.5};
  for (int shift = 0; shift < 4; shift++)
    for (int points = NIS_POINTS_DEFAULT; points <= NIS_POINTS_RANDOM; points++) {
      double values[4], errors[4], covariance[16];
      nis_options o = goal(3, 0, 1e-6);
      o.batch = several, o.ncomp = 4, o.params = &shift, o.abs_error = 1e-2, o.batch_points = 100;
      o.points = (nis_point_set)points;
      nis_result r = run_components(&o, values, errors, covariance);
      ck_assert(r.stop == NIS_STOP_GOAL && r.suspect == 0);
      for (int k = 0; k < 4; k++) ck_assert_double_le(errors[k], 1e-2);
      check_between(values[0] / (r.value + 1e-300), shift ? 1 - 1e-12 : 0, 1 + 1e-12, "value");
      check_between(errors[0] / (r.error + 1e-300), shift ? 1 - 1e-9 : 0, 1 + 1e-9, "error");
      for (int k = 0; k < 4; k++) {
        double off = values[k] - exact[(k + shift) % 4], most = alarm_errors_of_nets(32, r.dof);
        check_between(off, -most * errors[k], most * errors[k], "component");
        check_between(sqrt(covariance[5 * k]) - errors[k], -1e-12, 1e-12, "diagonal");
      }
    }
}
END_TEST

#ifdef _OPENMP
/* All threads share one number. The integral is 1. */
static _Atomic double common;

static double careless(double *x, size_t dim, void *params)
{
  (void)params;
  common = 1;
  for (size_t j = 0; j < dim; j++) {
    common = common * (0.5 + x[j]);
    sched_yield();
  }
  return common;
}
#endif

START_TEST(threads_that_spoil_values_are_seen)
{
#ifdef _OPENMP
  for (int seconds = 0; seconds < 2; seconds++) {
    nis_options o = goal(2, 1e-2, seconds ? 1e-6 : 0);
    nis_result one = nis_integrate_with(careless, &o);
    o.threads = 2;
    nis_result r = nis_integrate_with(careless, &o);
    ck_assert(r.serialized && !one.serialized);
    check_between((r.value - 1) / r.error, -4, 4, "pull");
  }
#endif
}
END_TEST

/* 1, and a peak with the same integral that uniform points miss */
static double needle(double *x, size_t dim, void *params)
{
  double square = 0, width = 1e-3;
  (void)params;
  for (size_t j = 0; j < dim; j++) square += pow((x[j] - 0.7) / width, 2);
  return 1 + exp(-square / 2) * pow(width * sqrt(2 * M_PI), -(double)dim);
}

START_TEST(hints_come_first)
{
  const double hint[] = {0.7, 0.7, 0.7};
  nis_options o = goal(3, 1e-2, INFINITY);
  o.hints = hint, o.nhints = 1;
  nis_result r = nis_integrate_with(needle, &o);
  ck_assert_int_eq(r.stop, NIS_STOP_GOAL);
  check_between((r.value - 2) / r.error, -4, 4, "pull");
}
END_TEST

static double flat_with_signs(double *x, size_t dim, void *params)
{
  (void)params;
  return 1 + 3 * sin(2 * M_PI * (x[0] + x[dim - 1]));
}

/* Beyond 64 dimensions there are no nets. */
START_TEST(many_dimensions_and_both_signs)
{
  static const size_t dims[] = {1, 2, 100};
  for (size_t i = 0; i < LENGTH(dims); i++) {
    nis_options o = goal(dims[i], 1e-2, 1e-6);
    double exact = 1;
    nis_result r = nis_integrate_with(flat_with_signs, &o);
    ck_assert_msg(r.stop == NIS_STOP_GOAL, "%s", nis_last_error());
    check_between((r.value - exact) / (r.error + 1e-12), -4.5, 4.5, "pull");
  }
}
END_TEST

/* A second run on the handle starts from what the first has learnt. */
START_TEST(a_second_run_goes_on)
{
  struct subject s = subject("gaussian", 4, NULL);
  uint64_t before = 0, after = 0;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    nis_options o = goal(4, 1e-3, INFINITY);
    nis_result first, second;
    nis *flow;
    o.params = s.state, o.seed = seed;
    ck_assert_int_eq(nis_create(&flow, s.row->f, &o), NIS_OK);
    ck_assert_int_eq(nis_run(flow, &first), NIS_OK);
    ck_assert_int_eq(nis_run(flow, &second), NIS_OK);
    before += first.calls, after += second.calls - first.calls;
    check_between((second.value - s.exact) / second.error, -alarm_errors_of_nets(4, second.dof),
                  alarm_errors_of_nets(4, second.dof), "pull");
    ck_assert_int_eq(nis_estimate(flow, 4096, &second), NIS_OK);
    check_between((second.value - s.exact) / second.error, -5, 5, "pull");
    nis_free(flow);
  }
  ck_assert_uint_lt(after, before);
  free(s.state);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("goals");
  TCase *calls = tcase_create("calls"), *errors = tcase_create("errors"),
        *bits = tcase_create("bits"), *kinds = tcase_create("kinds"),
        *cases[] = {calls, errors, bits, kinds};
  tcase_add_loop_test(calls, easy_goals_take_few_calls, 0, (int)LENGTH(easy));
  tcase_add_test(calls, cheap_calls_spare_the_training);
  if (!short_form()) tcase_add_loop_test(calls, a_goal_out_of_reach_costs_nothing, 0, 2);
  tcase_add_loop_test(calls, calls_are_never_exceeded, 0, 2);
  tcase_add_loop_test(errors, error_bars_are_true, 0, (int)LENGTH(covers));
  tcase_add_test(errors, a_hidden_corner_ends_no_run);
  tcase_add_test(bits, threads_do_not_matter);
  tcase_add_test(bits, a_measured_run_can_be_done_again);
  tcase_add_test(kinds, components);
  tcase_add_test(kinds, threads_that_spoil_values_are_seen);
  tcase_add_test(kinds, hints_come_first);
  tcase_add_test(kinds, many_dimensions_and_both_signs);
  tcase_add_test(kinds, a_second_run_goes_on);
  for (size_t i = 0; i < LENGTH(cases); i++) {
    tcase_set_timeout(cases[i], 300); /* sanitizers, busy machines */
    suite_add_tcase(suite, cases[i]);
  }
  return run_suite(suite);
}
