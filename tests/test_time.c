/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What depends on the time, by a clock that only the integrand moves: progress a few times a second. */
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

/* Returns the same for all x, after `seconds` of the false clock. */
struct work {
  double seconds, first, value; /* the first call takes longer by `first` */
  atomic_int calls;
};

static double work(double *x, size_t dim, void *params)
{
  struct work *w = params;
  (void)dim;
  pass(w->seconds + (atomic_fetch_add(&w->calls, 1) == 0 ? w->first : 0));
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
  suite_add_tcase(suite, progress);
  return run_suite(suite);
}
