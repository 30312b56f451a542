/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unweighting against a naive loop over the same points that knows w_max beforehand. */
#include "alarm.h"
#include "events/unweight.h"
#include "api/settings.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 2, MOST = 40000, SEEN = 2000, FIRST = 77 };

/* Of both signs, zero in places, and unbounded: the largest weight goes on growing. */
static double poles(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  if (x[1] < 0.1) return 0;
  return x[0] < 0.2 ? -pow(x[0], -0.1) : pow(1 - x[0], -0.2);
}

struct event_log {
  uint64_t n, stop_after;
  double x[MOST * DIM], weight[MOST], log_q[MOST];
  uint64_t trials[MOST];
};

static struct event_log taken, expected;

static int take(const nis_event_block *block, size_t *n, void *params)
{
  struct event_log *log = params;
  *n = block->n;
  ck_assert_uint_le(log->n + block->n, MOST);
  memcpy(log->x + log->n * DIM, block->x, block->n * DIM * sizeof *log->x);
  memcpy(log->weight + log->n, block->weight, block->n * sizeof *log->weight);
  memcpy(log->log_q + log->n, block->log_q, block->n * sizeof *log->log_q);
  memcpy(log->trials + log->n, block->trials, block->n * sizeof *log->trials);
  log->n += block->n;
  return log->stop_after && log->n >= log->stop_after ? NIS_STOPPED : NIS_OK;
}

struct subject {
  struct sampler sampler;
  struct weights estimate, weights;
  struct event_plan plan;
  nis_event_summary summary;
  struct trials trials;
};

/* An untrained sampler, and the weights of a short estimate */
static void set_up(struct subject *s, uint64_t events, uint64_t calls, struct w_max_rule rule)
{
  nis_options given = {.dim = DIM, .seed = 11, .threads = 2}, o;
  struct points p;
  *s = (struct subject){0};
  taken.n = taken.stop_after = 0;
  ck_assert_int_eq(nis_settings_resolve(&given, &o), NIS_OK);
  ck_assert_int_eq(nis_sampler_init(&s->sampler, poles, &o), NIS_OK);
  ck_assert_int_eq(nis_weights_init(&s->estimate), NIS_OK);
  ck_assert_int_eq(nis_weights_init(&s->weights), NIS_OK);
  ck_assert_int_eq(nis_points_init(&p, SEEN, DIM), NIS_OK);
  nis_sampler_draw(&s->sampler, STREAM_INTEGRATE, 0, SEEN, &p);
  ck_assert_int_eq(nis_sampler_evaluate(&s->sampler, &p), NIS_OK);
  for (size_t i = 0; i < SEEN; i++) nis_weights_add(&s->estimate, nis_point_weight(&p, i));
  nis_points_clear(&p);
  s->trials.place.point = FIRST;
  s->plan = (struct event_plan){.events = events,
                                .calls = calls,
                                .rule = rule,
                                .weights = &s->estimate,
                                .take = take,
                                .take_params = &taken};
}

static int run(struct subject *s)
{
  return nis_unweight(&s->sampler, &s->trials, &s->plan, &s->weights, &s->summary);
}

static void tear_down(struct subject *s)
{
  nis_sampler_clear(&s->sampler);
  nis_trials_clear(&s->trials);
  nis_weights_clear(&s->estimate);
  nis_weights_clear(&s->weights);
}

/* ---- the oracle ----------------------------------------------------------------------------- */

static void add_expected(const double *x, double log_q, double weight, uint64_t trials)
{
  uint64_t i = expected.n++;
  memcpy(expected.x + i * DIM, x, DIM * sizeof *x);
  expected.weight[i] = weight, expected.log_q[i] = log_q, expected.trials[i] = trials;
}

/* What point k of the stream becomes when w_max is known */
static void expect(const struct subject *s, const struct points *p, size_t i, uint64_t k,
                   double w_max)
{
  static uint64_t last; /* one more than the number of the last event's point */
  double chance[LANES], w = nis_point_weight(p, i), ratio = fabs(w) / w_max, sign = w < 0 ? -1 : 1;
  uint64_t point = FIRST + k;
  s->sampler.mixture.flow.kernels->uniforms(s->sampler.seed, STREAM_ACCEPT, point, 1, chance);
  int whole = (int)ratio, copies = whole + (chance[0] < ratio - whole);
  if (!s->plan.unit_weights) copies = chance[0] < ratio;
  if (k == 0) last = 0;
  for (int c = 0; c < copies && expected.n < s->plan.events; c++, last = k + 1)
    add_expected(p->x + i * DIM, p->log_q[i], s->plan.unit_weights ? sign : sign * fmax(1, ratio),
                 c ? 0 : k + 1 - last);
}

/* One point after the other; returns the largest |w| up to the last event. */
static double naive(struct subject *s, double w_max)
{
  struct points p;
  double largest = 0;
  uint64_t k = 0;
  expected.n = 0;
  ck_assert_int_eq(nis_points_init(&p, BLOCK_POINTS, DIM), NIS_OK);
  while (expected.n < s->plan.events && k < s->plan.calls) {
    nis_sampler_draw(&s->sampler, STREAM_EVENTS, FIRST + k, BLOCK_POINTS, &p);
    ck_assert_int_eq(nis_sampler_evaluate(&s->sampler, &p), NIS_OK);
    for (size_t i = 0; i < p.n && expected.n < s->plan.events && k < s->plan.calls; i++, k++) {
      largest = fmax(largest, fabs(nis_point_weight(&p, i)));
      expect(s, &p, i, k, w_max);
    }
  }
  nis_points_clear(&p);
  return largest;
}

static void check_same(const struct subject *s)
{
  uint64_t trials = 0;
  double sum = 0, square = 0;
  ck_assert_uint_eq(taken.n, expected.n);
  ck_assert_uint_eq(s->summary.events, taken.n);
  ck_assert_mem_eq(taken.x, expected.x, taken.n * DIM * sizeof(double));
  ck_assert_mem_eq(taken.log_q, expected.log_q, taken.n * sizeof(double));
  ck_assert_mem_eq(taken.weight, expected.weight, taken.n * sizeof(double));
  ck_assert_mem_eq(taken.trials, expected.trials, taken.n * sizeof(uint64_t));
  for (uint64_t i = 0; i < taken.n; i++) {
    trials += taken.trials[i];
    sum += taken.weight[i];
    square += taken.weight[i] * taken.weight[i];
  }
  ck_assert_double_eq_tol(s->summary.sum_weights, sum, 1e-9 * square);
  ck_assert_double_eq_tol(s->summary.sum_squares, square, 1e-9 * square);
  if (s->summary.events == s->plan.events) ck_assert_uint_eq(s->summary.trials, trials);
}

/* ---- tests
 * -------------------------------------------------------------------------------------- */

static const struct w_max_rule rules[] = {{NIS_W_MAX_TAIL, 1e-3, 0},
                                          {NIS_W_MAX_LARGEST, 0, 0},
                                          {NIS_W_MAX_QUANTILE, 0, 0.99},
                                          {NIS_W_MAX_MEDIAN, 0, 0}};

START_TEST(one_pass_is_the_naive_loop)
{
  for (int rule = 0; rule < NIS_W_MAX_RULES; rule++)
    for (int unit = 0; unit < 2; unit++) {
      struct subject s;
      set_up(&s, 20000, UINT64_MAX, rules[rule]);
      s.plan.unit_weights = unit;
      ck_assert_int_eq(run(&s), NIS_OK);
      ck_assert_double_eq(s.summary.w_max, nis_weights_w_max(&s.estimate, &rules[rule]));
      naive(&s, s.summary.w_max);
      check_same(&s);
      tear_down(&s);
    }
}
END_TEST

/* What was accepted before w_max grew is as if it had been known, to the bit. */
START_TEST(whole_run_is_the_naive_loop_with_the_final_w_max)
{
  for (int rule = 0; rule < NIS_W_MAX_RULES; rule++)
    for (int unit = 0; unit < 2; unit++) {
      struct subject s;
      set_up(&s, 20000, UINT64_MAX, rules[rule]);
      s.plan.unit_weights = unit;
      s.plan.whole_run = 1;
      double before = nis_weights_w_max(&s.estimate, &rules[rule]);
      ck_assert_int_eq(run(&s), NIS_OK);
      double largest = naive(&s, s.summary.w_max);
      check_same(&s);
      ck_assert_double_ge(s.summary.w_max, before);
      if (rules[rule].rule == NIS_W_MAX_LARGEST) {
        ck_assert_double_gt(s.summary.w_max, 1.2 * before); /* it did grow */
        ck_assert_double_ge(s.summary.w_max, largest);
        ck_assert_uint_eq(s.summary.overweights, 0);
        ck_assert_double_eq(s.summary.overweight_share, 0);
      }
      tear_down(&s);
    }
}
END_TEST

START_TEST(calls_can_be_the_target)
{
  for (int whole_run = 0; whole_run < 2; whole_run++) {
    struct subject s;
    set_up(&s, UINT64_MAX, 30001, rules[NIS_W_MAX_LARGEST]);
    s.plan.whole_run = whole_run;
    ck_assert_int_eq(run(&s), NIS_OK);
    naive(&s, s.summary.w_max);
    check_same(&s);
    ck_assert_uint_eq(s.summary.trials, 30001);
    ck_assert_uint_eq(s.summary.calls, 30001);
    ck_assert_uint_eq(s.trials.place.point, FIRST + 30001);
    ck_assert_uint_eq(s.weights.n, SEEN + 30001);
    tear_down(&s);
  }
}
END_TEST

enum { WAYS = 4, BINS = 10 };

/* of the two powers, and 0.9 of the square */
static void check_mean(const struct subject *s)
{
  double exact = 0.9 * (pow(0.8, 0.8) / 0.8 - pow(0.2, 0.9) / 0.9);
  double n = (double)s->summary.events, mean = s->summary.sum_weights / n;
  double error = sqrt((s->summary.sum_squares / n - mean * mean) / n);
  /* the unit is known to 1.5 % from 2000 points, to less with all */
  double most = alarm_errors(WAYS * (BINS + 1));
  check_between(s->summary.unit * mean, exact - most * s->summary.unit * hypot(error, 0.015),
                exact + most * s->summary.unit * hypot(error, 0.015), "mean of the events");
}

/* Integral of the powers from 0 to x, and 0.9 of the square */
static double up_to(double x)
{
  double below = fmin(x, 0.2), above = fmax(x, 0.2);
  return 0.9 * ((pow(0.8, 0.8) - pow(1 - above, 0.8)) / 0.8 - pow(below, 0.9) / 0.9);
}

/* Bins of x0, two of them negative. Copies of an event come together: half of sum|w|^2 more. */
static void check_distribution(const struct subject *s)
{
  double sum[BINS] = {0}, square[BINS] = {0}, scale = s->summary.unit / (double)taken.n;
  for (uint64_t i = 0; i < taken.n; i++) {
    int bin = (int)(taken.x[i * DIM] * BINS);
    sum[bin] += taken.weight[i];
    square[bin] += 1.5 * taken.weight[i] * taken.weight[i];
  }
  for (int k = 0; k < BINS; k++) {
    double exact = up_to((k + 1.0) / BINS) - up_to((double)k / BINS);
    double error = hypot(scale * sqrt(square[k]), 0.015 * exact);
    check_between((scale * sum[k] - exact) / error, -alarm_errors(WAYS * (BINS + 1)),
                  alarm_errors(WAYS * (BINS + 1)), "bin");
  }
}

START_TEST(events_stand_for_the_integral)
{
  for (int way = 0; way < WAYS; way++) {
    struct subject s;
    set_up(&s, 30000, UINT64_MAX, rules[way & 2 ? NIS_W_MAX_LARGEST : NIS_W_MAX_TAIL]);
    s.plan.unit_weights = way & 1;
    s.plan.whole_run = way >> 1;
    ck_assert_int_eq(run(&s), NIS_OK);
    check_mean(&s);
    check_distribution(&s);
    ck_assert_uint_gt(s.summary.negatives, 1000);
    tear_down(&s);
  }
}
END_TEST

START_TEST(shares_are_those_of_counting)
{
  struct subject s;
  set_up(&s, UINT64_MAX, 30000, rules[NIS_W_MAX_TAIL]);
  ck_assert_int_eq(run(&s), NIS_OK);
  check_between(s.summary.cut.value, 0.9 - alarm_errors(2) * 0.0017, 0.9 + alarm_errors(2) * 0.0017,
                "cut");
  double trials = 30000, rate = (double)taken.n / trials;
  ck_assert_double_eq_tol(s.summary.efficiency.value, rate, 1e-12);
  ck_assert_double_eq_tol(s.summary.efficiency.error, sqrt(rate * (1 - rate) / trials), 1e-12);
  check_between((s.summary.partial.value - rate) / s.summary.efficiency.error, -alarm_errors(2),
                alarm_errors(2), "partial");
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    struct w_max_rule rule = rules[NIS_W_MAX_TAIL];
    rule.rule = (nis_w_max_rule)i;
    ck_assert_double_eq(s.summary.rules[i].w_max, nis_weights_w_max(&s.weights, &rule));
    ck_assert_double_gt(s.summary.rules[i].error, 0);
  }
  ck_assert_double_lt(s.summary.rules[NIS_W_MAX_LARGEST].efficiency,
                      s.summary.rules[NIS_W_MAX_MEDIAN].efficiency);
  tear_down(&s);
}
END_TEST

START_TEST(the_taker_can_stop_either_pass)
{
  for (int whole_run = 0; whole_run < 2; whole_run++) {
    struct subject s;
    set_up(&s, 30000, UINT64_MAX, rules[NIS_W_MAX_TAIL]);
    s.plan.whole_run = whole_run;
    taken.stop_after = 100;
    ck_assert_int_eq(run(&s), NIS_STOPPED);
    ck_assert_uint_ge(taken.n, 100);
    ck_assert_uint_lt(taken.n, 30000);
    ck_assert_uint_eq(s.summary.events, taken.n);
    tear_down(&s);
  }
}
END_TEST

static int stop_at_once(const nis_progress *now, void *params)
{
  (void)params;
  return now->phase == NIS_GENERATING && now->events > 1000;
}

/* What was accepted is handed on, thinned out. */
START_TEST(a_stopped_whole_run_keeps_its_events)
{
  struct subject s;
  set_up(&s, 30000, UINT64_MAX, rules[NIS_W_MAX_LARGEST]);
  s.plan.whole_run = 1;
  s.sampler.monitor.callback = stop_at_once;
  ck_assert_int_eq(run(&s), NIS_STOPPED);
  ck_assert_uint_gt(taken.n, 500);
  s.sampler.monitor = (struct monitor){0};
  s.plan.events = taken.n;
  naive(&s, s.summary.w_max);
  s.plan.events = 30000;
  check_same(&s);
  tear_down(&s);
}
END_TEST

START_TEST(a_temporary_file_that_cannot_be)
{
  struct subject s;
  set_up(&s, 10, UINT64_MAX, rules[NIS_W_MAX_TAIL]);
  s.plan.whole_run = 1;
  setenv("TMPDIR", "/nonexistent", 1);
  ck_assert_int_eq(run(&s), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "/nonexistent"));
  tear_down(&s);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("unweight");
  TCase *all = tcase_create("unweight");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, one_pass_is_the_naive_loop);
  tcase_add_test(all, whole_run_is_the_naive_loop_with_the_final_w_max);
  tcase_add_test(all, calls_can_be_the_target);
  tcase_add_test(all, events_stand_for_the_integral);
  tcase_add_test(all, shares_are_those_of_counting);
  tcase_add_test(all, the_taker_can_stop_either_pass);
  tcase_add_test(all, a_stopped_whole_run_keeps_its_events);
  tcase_add_test(all, a_temporary_file_that_cannot_be);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
