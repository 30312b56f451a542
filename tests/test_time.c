/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What depends on the time, by a clock that only the integrand moves: progress a few times a
 * second, and runs that use the time they are given. */
#include "nis.h"

#include "base/clock.h"
#include "base/monitor.h"
#include "suite.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic double now;

static double false_clock(void)
{
  return now;
}

static void pass(double seconds)
{
  double before = now;
  while (!atomic_compare_exchange_weak(&now, &before, before + seconds)) continue;
}

static void start_clock(void)
{
  now = 1000;
  nis_clock = false_clock;
}

/* ---- progress ----------------------------------------------------------------------------- */

struct reports {
  int inside, finished, stop_at;
};

static int count(const nis_progress *progress, void *params)
{
  struct reports *r = params;
  r->inside += !progress->finished;
  r->finished += progress->finished;
  return r->stop_at > 0 && r->inside >= r->stop_at;
}

START_TEST(reports_come_ten_times_a_second)
{
  struct reports r = {0};
  struct monitor m = {.callback = count, .params = &r};
  nis_monitor_begin(&m, NIS_TRAINING, 1000000);
  for (int i = 0; i < 1000; i++) {
    ck_assert_int_eq(nis_monitor_report(&m), NIS_OK);
    pass(1. / 64);
  }
  ck_assert_int_eq(r.inside, 1000 / 7 + 1); /* 7/64 s are the first after 0.1 s */
  for (int i = 0; i < 100; i++) ck_assert_int_eq(nis_monitor_iteration(&m, 1, 1, 1), NIS_OK);
  ck_assert_int_eq(r.finished, 100);
}
END_TEST

START_TEST(a_phase_has_a_first_and_a_last_report)
{
  struct reports r = {0};
  struct monitor m = {.callback = count, .params = &r};
  for (int phase = NIS_TRAINING; phase <= NIS_WRITING; phase++) {
    nis_monitor_begin(&m, phase, 100);
    for (m.now.done = 1; m.now.done <= 100; m.now.done++)
      ck_assert_int_eq(nis_monitor_report(&m), NIS_OK);
  }
  ck_assert_int_eq(r.inside, 2 * (NIS_WRITING + 1));
}
END_TEST

START_TEST(a_deadline_is_seen_between_reports)
{
  struct reports r = {0};
  struct monitor m = {.callback = count, .params = &r, .deadline = now + 0.01};
  nis_monitor_begin(&m, NIS_TRAINING, 100);
  ck_assert_int_eq(nis_monitor_report(&m), NIS_OK);
  pass(0.02);
  ck_assert_int_eq(nis_monitor_report(&m), NIS_TIME_LIMIT);
  ck_assert_int_eq(r.inside, 1);
}
END_TEST

/* Takes `seconds` of the false clock, the first call longer by `first`, those from number `from` on
 * `times` as long. */
struct work {
  double seconds, first, value, times;
  int from;
  atomic_int calls;
};

static double work(double *x, size_t dim, void *params)
{
  struct work *w = params;
  (void)dim;
  int number = atomic_fetch_add(&w->calls, 1);
  pass((number == 0 ? w->first : 0) +
       w->seconds * (w->from > 0 && number >= w->from ? w->times : 1));
  return w->value * (1 + x[0]);
}

START_TEST(gradient_steps_do_not_flood_the_callback)
{
  struct reports r = {0};
  struct work w = {.seconds = 1e-4, .value = 1};
  nis_options o = {.dim = 2, .calls = 20000, .effort = 0.3, .params = &w, .threads = 2};
  o.progress = count, o.progress_params = &r;
  ck_assert_int_eq(nis_integrate_with(work, &o).status, NIS_OK);
  ck_assert_int_le(r.inside, 2 / 0.1 + 4);
  ck_assert_int_gt(r.finished, 10);
}
END_TEST

/* ---- max_seconds --------------------------------------------------------------------------- */

static nis_options limited(struct work *w, double seconds)
{
  nis_options o = {.dim = 2, .seed = 1, .effort = 0.05, .threads = 1, .params = w};
  o.max_seconds = seconds;
  return o;
}

/* Ended by the time, of which at least `used` was used and hardly any was borrowed */
static nis_result check_time(struct work w, const nis_options *given, double used)
{
  nis_options o = *given;
  o.params = &w;
  start_clock();
  double begun = now;
  nis_result r = nis_integrate_with(work, &o);
  double spent = (now - begun) / o.max_seconds;
  ck_assert_int_eq(r.stop, NIS_STOP_TIME);
  ck_assert_msg(r.status == NIS_TIME_LIMIT || r.status == NIS_SUSPECT, "%s", nis_last_error());
  ck_assert_msg(spent >= used && spent <= 1.1, "%g of the time, %llu calls", spent,
                (unsigned long long)r.calls);
  ck_assert_double_le(fabs(r.value - 1.5 * w.value), 6 * r.error);
  return r;
}

START_TEST(the_time_is_used)
{
  static const double seconds[] = {1e-4, 1e-3, 1e-2, 0.1};
  for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
    for (int points = NIS_POINTS_RANDOM; points <= NIS_POINTS_NETS; points++) {
      struct work w = {.seconds = seconds[i], .value = 1};
      nis_options o = limited(&w, i < 3 ? 1 : 10);
      o.points = (nis_point_set)points;
      nis_result r = check_time(w, &o, 0.85);
      ck_assert_uint_gt(r.train_calls, r.calls / 5);
      ck_assert_uint_lt(r.train_calls, 3 * r.calls / 5);
    }
}
END_TEST

START_TEST(a_slow_first_call_costs_its_time_alone)
{
  struct work w = {.seconds = 1e-4, .first = 0.1, .value = 1};
  nis_options o = limited(&w, 1);
  nis_result r = check_time(w, &o, 0.9);
  ck_assert_uint_gt(r.calls, 7500);
  ck_assert_uint_gt(r.train_calls, 1500);
}
END_TEST

START_TEST(the_pace_is_watched)
{
  struct work slower = {.seconds = 1e-4, .from = 500, .times = 10, .value = 1};
  struct work faster = {.seconds = 1e-3, .from = 500, .times = 0.1, .value = 1};
  nis_options o = limited(&slower, 1);
  check_time(slower, &o, 0.85);
  check_time(faster, &o, 0.85);
  slower.from = 5000, slower.times = 2;
  check_time(slower, &o, 0.85);
}
END_TEST

/* What whole nets leave over was not ended by the time. */
START_TEST(time_that_is_not_needed)
{
  struct work w = {.seconds = 1e-6, .value = 1};
  nis_options o = limited(&w, 1e5);
  o.calls = 20000, o.points = NIS_POINTS_NETS, o.train_share = 0.02;
  nis_result r = nis_integrate_with(work, &o);
  ck_assert_msg(r.status == NIS_OK, "%s", nis_last_error());
  ck_assert_int_eq(r.stop, NIS_STOP_CALLS);
}
END_TEST

/* What a training before has called is no call of the run. */
START_TEST(time_after_a_training)
{
  struct work w = {.seconds = 0.1, .value = 1};
  nis_options o = limited(&w, 5);
  nis_result r;
  nis *s;
  o.calls = 4000;
  ck_assert_int_eq(nis_create(&s, work, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 4000), NIS_OK);
  nis_run(s, &r);
  ck_assert_int_eq(r.stop, NIS_STOP_TIME);
  ck_assert_uint_lt(r.calls, 4100);
  nis_free(s);
}
END_TEST

START_TEST(hardly_any_time_or_calls)
{
  for (int calls = 1; calls <= 64; calls *= 2) {
    struct work w = {.seconds = 1, .value = 1};
    nis_options o = limited(&w, 0.5);
    o.calls = (uint64_t)calls;
    nis_result r = nis_integrate_with(work, &o);
    ck_assert_uint_le(r.calls, o.calls);
    ck_assert_msg(fabs(r.value - 1.5) <= 0.5, "%d calls: %g", calls, r.value);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("time");
  TCase *progress = tcase_create("progress");
  tcase_add_checked_fixture(progress, start_clock, NULL);
  tcase_set_timeout(progress, 60);
  tcase_add_test(progress, reports_come_ten_times_a_second);
  tcase_add_test(progress, a_phase_has_a_first_and_a_last_report);
  tcase_add_test(progress, a_deadline_is_seen_between_reports);
  tcase_add_test(progress, gradient_steps_do_not_flood_the_callback);
  TCase *limits = tcase_create("limits");
  tcase_add_checked_fixture(limits, start_clock, NULL);
  tcase_set_timeout(limits, 120);
  tcase_add_test(limits, the_time_is_used);
  tcase_add_test(limits, a_slow_first_call_costs_its_time_alone);
  tcase_add_test(limits, the_pace_is_watched);
  tcase_add_test(limits, time_that_is_not_needed);
  tcase_add_test(limits, time_after_a_training);
  tcase_add_test(limits, hardly_any_time_or_calls);
  suite_add_tcase(suite, progress);
  suite_add_tcase(suite, limits);
  return run_suite(suite);
}
