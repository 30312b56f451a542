/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events in many small calls, pulled one by one, and with interruptions, are those of one call, and
 * cost as many calls. */
#include "events.h"
#include "noise.h"
#include "base/clock.h"
#include "suite.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DIM = 2, MOST = 3000 };

static uint64_t calls_made; /* with one thread */

/* Of both signs, zero in places, and unbounded */
static double poles(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  calls_made++;
  if (x[1] < 0.1) return 0;
  return x[0] < 0.2 ? -pow(x[0], -0.4) : pow(1 - x[0], -0.4);
}

struct event_log {
  uint64_t n, trials_of_calls, calls;
  uint64_t stop_after; /* of a call; 0: never */
  double x[2 * MOST][DIM], weight[2 * MOST], log_q[2 * MOST];
  uint64_t trials[2 * MOST];
};

static struct event_log whole, parts;

static void add(struct event_log *log, const double *x, double weight, double log_q,
                uint64_t trials)
{
  uint64_t i = log->n++;
  ck_assert_uint_lt(i, 2 * MOST);
  memcpy(log->x[i], x, sizeof log->x[i]);
  log->weight[i] = weight, log->log_q[i] = log_q, log->trials[i] = trials;
}

static int keep(const nis_event_block *e, void *params)
{
  struct event_log *log = params;
  for (size_t i = 0; i < e->n; i++)
    add(log, e->x + i * DIM, e->weight[i], e->log_q[i], e->trials[i]);
  return log->stop_after > 0 && e->n >= log->stop_after;
}

static nis *ready(void)
{
  nis *s;
  nis_options o = {.dim = DIM, .seed = 3, .threads = 1, .layers = 1, .hidden_width = 8, .bins = 4};
  ck_assert_int_eq(nis_create(&s, poles, &o), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 2000, NULL), NIS_OK);
  return s;
}

/* Some more events of a call, of its own options but for their number */
static int more(nis *s, nis_event_options o, uint64_t n, struct event_log *log)
{
  nis_event_summary summary;
  uint64_t before = log->n;
  o.events = n, o.sink = keep, o.sink_params = log;
  int status = nis_events(s, &o, &summary);
  ck_assert_uint_eq(summary.events, log->n - before);
  log->trials_of_calls += summary.trials;
  log->calls += summary.calls;
  return status;
}

static int pull(nis *s, const nis_event_options *o, struct event_log *log)
{
  nis_pulled_event event;
  int status = nis_next_event(s, o, &event);
  log->trials_of_calls += event.trials;
  log->calls += event.calls;
  ck_assert_uint_eq(event.dim, DIM);
  if (status == NIS_OK) add(log, event.x, event.weight, event.log_q, event.trials);
  return status;
}

static void clear(struct event_log *log)
{
  memset(log, 0, sizeof *log);
}

static void check_same(void)
{
  ck_assert_uint_eq(parts.n, whole.n);
  ck_assert_mem_eq(parts.x, whole.x, sizeof parts.x);
  ck_assert_mem_eq(parts.weight, whole.weight, sizeof parts.weight);
  ck_assert_mem_eq(parts.log_q, whole.log_q, sizeof parts.log_q);
  ck_assert_mem_eq(parts.trials, whole.trials, sizeof parts.trials);
  ck_assert_uint_eq(parts.trials_of_calls, whole.trials_of_calls);
}

static const nis_event_options kinds[] = {
    {.w_max = NIS_W_MAX_TAIL},
    {.w_max = NIS_W_MAX_QUANTILE, .quantile = 0.5},
    {.w_max = NIS_W_MAX_TAIL, .unit_weights = 1},
    {.quantile = 0.1, .w_max = NIS_W_MAX_QUANTILE, .unit_weights = 1}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void in_one_go(const nis_event_options *o)
{
  nis *s = ready();
  clear(&whole);
  ck_assert_int_eq(more(s, *o, MOST, &whole), NIS_OK);
  nis_free(s);
}

/* Ways to get MOST events: one by one, pulled, and a bit of everything */
static void in_parts(const nis_event_options *o, int way)
{
  nis *s = ready();
  uint64_t state = 5, before = calls_made;
  clear(&parts);
  while (parts.n < MOST) {
    uint64_t left = MOST - parts.n, n = way < 2 ? 1 : (uint64_t)(500 * next_uniform(&state)) + 1;
    int pulls = way == 1 || (way == 2 && next_uniform(&state) < 0.7);
    ck_assert_int_eq(pulls ? pull(s, o, &parts) : more(s, *o, n < left ? n : left, &parts), NIS_OK);
  }
  ck_assert_uint_eq(parts.calls, calls_made - before);
  nis_free(s);
}

START_TEST(parts_are_the_whole)
{
  for (int kind = 0; kind < KINDS; kind++) {
    in_one_go(&kinds[kind]);
    for (int way = 0; way < 3; way++) {
      in_parts(&kinds[kind], way);
      check_same();
      uint64_t trials = whole.trials_of_calls;
      check_between((double)parts.calls, (double)trials, 1.0625 * (double)trials + 128, "calls");
    }
  }
}
END_TEST

START_TEST(the_first_event_is_cheap)
{
  for (int way = 0; way < 2; way++) {
    nis *s = ready();
    clear(&parts);
    ck_assert_int_eq(way ? pull(s, NULL, &parts) : more(s, kinds[0], 1, &parts), NIS_OK);
    ck_assert_uint_eq(parts.calls, 64);
    nis_free(s);
  }
}
END_TEST

START_TEST(calls_in_parts)
{
  nis_event_summary summary;
  nis *a = ready(), *b = ready();
  nis_event_options o = {.calls = 3000, .sink = keep, .sink_params = &whole};
  clear(&whole), clear(&parts);
  ck_assert_int_eq(nis_events(a, &o, &summary), NIS_OK);
  o.sink_params = &parts, o.calls = 100;
  for (int i = 0; i < 30; i++) {
    ck_assert_int_eq(nis_events(b, &o, &summary), NIS_OK);
    ck_assert_uint_eq(summary.trials, 100);
    ck_assert_uint_eq(summary.calls, 100);
  }
  ck_assert_uint_eq(parts.n, whole.n);
  ck_assert_mem_eq(parts.x, whole.x, sizeof parts.x);
  ck_assert_mem_eq(parts.weight, whole.weight, sizeof parts.weight);
  nis_free(a), nis_free(b);
}
END_TEST

/* ---- interruptions ------------------------------------------------------------------------ */

/* A sink gets whole blocks; what it did not get comes next. */
START_TEST(a_sink_that_stops_loses_nothing)
{
  for (int kind = 0; kind < KINDS; kind++)
    for (int whole_run = 0; whole_run < 2; whole_run++) {
      nis_event_options o = kinds[kind];
      in_one_go(&o);
      nis *s = ready();
      clear(&parts);
      parts.stop_after = 1;
      o.whole_run = whole_run;
      ck_assert_int_eq(more(s, o, MOST - 10, &parts), NIS_STOPPED);
      parts.stop_after = 0, o.whole_run = 0;
      ck_assert_uint_gt(parts.n, 10);
      ck_assert_uint_le(parts.n, MOST - 10);
      while (parts.n < MOST) ck_assert_int_eq(pull(s, &o, &parts), NIS_OK);
      if (!whole_run) check_same();
      ck_assert_uint_ge(parts.trials_of_calls, whole.trials_of_calls - 100);
      nis_free(s);
    }
}
END_TEST

static int full_disk(nis *s, const char *path, nis_event_options o, nis_event_summary *summary)
{
  const struct rlimit limit = {20000, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &limit);
  o.events = MOST, o.path = path;
  int status = nis_events(s, &o, summary);
  setrlimit(RLIMIT_FSIZE, &none);
  return status;
}

/* The temporary file of a whole run does not fit either. */
START_TEST(a_full_disk_loses_nothing)
{
  char path[64];
  snprintf(path, sizeof path, "/tmp/test_pull-%d.npy", (int)getpid());
  for (int kind = 0; kind < KINDS; kind++)
    for (int whole_run = 0; whole_run < 2; whole_run++) {
      nis_event_summary summary;
      nis_event_options o = kinds[kind];
      in_one_go(&o);
      nis *s = ready();
      o.whole_run = whole_run;
      ck_assert_int_eq(full_disk(s, path, o, &summary), NIS_NO_FILE);
      remove(path);
      if (!whole_run) check_between((double)summary.events, 100, 1000, "events");
      clear(&parts);
      ck_assert_int_eq(pull(s, &kinds[kind], &parts), NIS_OK);
      ck_assert_mem_eq(parts.x[0], whole.x[summary.events], sizeof parts.x[0]);
      ck_assert_uint_eq(parts.trials[0], whole.trials[summary.events]);
      nis_free(s);
    }
}
END_TEST

struct patience {
  uint64_t looks, most;
};

static int lose_patience(const nis_progress *now, void *params)
{
  struct patience *p = params;
  return now->phase == NIS_GENERATING && ++p->looks % p->most == 0;
}

/* A second goes by whenever somebody looks, so that no progress is held back. */
static double hasty_clock(void)
{
  static double now;
  return now += 1;
}

START_TEST(progress_that_stops_loses_nothing)
{
  nis_clock = hasty_clock;
  struct patience patience = {0, 3};
  nis *s;
  nis_options o = {.dim = DIM, .seed = 3, .threads = 1, .layers = 1, .hidden_width = 8, .bins = 4};
  o.progress = lose_patience, o.progress_params = &patience;
  in_one_go(&kinds[2]);
  clear(&parts);
  ck_assert_int_eq(nis_create(&s, poles, &o), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 2000, NULL), NIS_OK);
  int stops = 0;
  while (parts.n < MOST) {
    int status = stops % 2 ? pull(s, &kinds[2], &parts) : more(s, kinds[2], MOST - parts.n, &parts);
    stops += status == NIS_STOPPED;
    ck_assert(status == NIS_OK || status == NIS_STOPPED);
  }
  ck_assert_int_gt(stops, 2);
  ck_assert_uint_eq(parts.n, whole.n);
  ck_assert_mem_eq(parts.x, whole.x, sizeof parts.x);
  ck_assert_uint_eq(parts.trials_of_calls, whole.trials_of_calls);
  nis_free(s);
}
END_TEST

/* ---- what changes in between ---------------------------------------------------------------- */

/* The density and the weights of events are those of the flow and the w_max of now. */
static void check_fresh(nis *s, const nis_pulled_event *e)
{
  double x[DIM], log_q;
  memcpy(x, e->x, sizeof x);
  ck_assert_int_eq(nis_density(s, 1, x, &log_q), NIS_OK);
  ck_assert_double_eq_tol(log_q, e->log_q, 1e-9);
  double w = poles(x, DIM, NULL) * exp(-log_q) / e->w_max;
  ck_assert_double_eq_tol(e->weight, copysign(fmax(1, fabs(w)), w), 1e-6 * fabs(w));
}

START_TEST(training_drops_what_waits)
{
  nis_pulled_event e;
  nis *s = ready();
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 10; i++) {
      ck_assert_int_eq(nis_next_event(s, &kinds[i % 2], &e), NIS_OK);
      check_fresh(s, &e);
    }
    ck_assert_int_eq(nis_train(s, 2000), NIS_OK);
    ck_assert_int_eq(nis_next_event(s, NULL, &e), NIS_INVALID); /* no estimate of this flow */
    ck_assert_ptr_null(e.x);
    ck_assert_int_ge(nis_estimate(s, 2000, NULL), NIS_OK);
  }
  nis_free(s);
}
END_TEST

START_TEST(an_estimate_changes_w_max)
{
  nis_pulled_event before, after;
  nis_event_options o = {.w_max = NIS_W_MAX_TAIL};
  nis *s = ready();
  ck_assert_int_eq(nis_next_event(s, &o, &before), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, 200000, NULL), NIS_OK);
  ck_assert_int_eq(nis_next_event(s, &o, &after), NIS_OK);
  ck_assert_uint_eq(after.calls, 0); /* from a point that waited */
  ck_assert_double_ne(after.w_max, before.w_max);
  check_fresh(s, &after);
  nis_free(s);
}
END_TEST

START_TEST(a_mean_of_pulled_events)
{
  double sum = 0, square = 0, exact = 0.9 * (pow(0.8, 0.6) - pow(0.2, 0.6)) / 0.6;
  nis_pulled_event e = {0};
  nis *s = ready();
  ck_assert_int_ge(nis_estimate(s, 300000, NULL), NIS_OK);
  for (int i = 0; i < 200000; i++) {
    ck_assert_int_eq(nis_next_event(s, NULL, &e), NIS_OK);
    sum += e.weight * e.unit, square += pow(e.weight * e.unit, 2);
  }
  double mean = sum / 200000, error = sqrt((square / 200000 - mean * mean) / 200000);
  check_between((mean - exact) / error, -4, 4, "mean");
  nis_free(s);
}
END_TEST

START_TEST(a_pull_that_gives_nothing)
{
  nis_pulled_event e;
  nis_event_options o = {.w_max = NIS_W_MAX_LARGEST, .calls = 1};
  nis *s = ready();
  uint64_t events = 0, tried = 0, before = calls_made;
  for (int i = 0; i < 200; i++) {
    int status = nis_next_event(s, &o, &e);
    ck_assert(status == NIS_OK || status == NIS_GOAL_MISSED);
    ck_assert_int_eq(e.x != NULL, status == NIS_OK);
    ck_assert_uint_eq(e.trials, 1);
    events += status == NIS_OK, tried += e.trials;
  }
  ck_assert_uint_eq(calls_made - before, 200);
  check_between((double)events, 1, 150, "events");
  nis_free(s);
}
END_TEST

static void check_refused(int status, const char *word)
{
  ck_assert_int_eq(status, NIS_INVALID);
  require(strstr(nis_last_error(), word), "'%s' without '%s'", nis_last_error(), word);
}

START_TEST(pulls_that_are_refused)
{
  nis_pulled_event e;
  nis *s = ready();
  check_refused(nis_next_event(NULL, NULL, &e), "handle");
  check_refused(nis_next_event(s, NULL, NULL), "event");
  check_refused(nis_next_event(s, &(nis_event_options){.path = "x"}, &e), "path");
  check_refused(nis_next_event(s, &(nis_event_options){.sink = keep}, &e), "sink");
  check_refused(nis_next_event(s, &(nis_event_options){.whole_run = 1}, &e), "whole_run");
  check_refused(nis_next_event(s, &(nis_event_options){.tail = 1}, &e), "tail");
  check_refused(nis_next_event(s, &(nis_event_options){.calls = UINT64_MAX}, &e), "calls");
  ck_assert_int_eq(nis_next_event(s, NULL, &e), NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
  nis_free(s);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pull");
  TCase *all = tcase_create("pull");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, parts_are_the_whole);
  tcase_add_test(all, the_first_event_is_cheap);
  tcase_add_test(all, calls_in_parts);
  tcase_add_test(all, a_sink_that_stops_loses_nothing);
  tcase_add_test(all, a_full_disk_loses_nothing);
  tcase_add_test(all, progress_that_stops_loses_nothing);
  tcase_add_test(all, training_drops_what_waits);
  tcase_add_test(all, an_estimate_changes_w_max);
  tcase_add_test(all, a_mean_of_pulled_events);
  tcase_add_test(all, a_pull_that_gives_nothing);
  tcase_add_test(all, pulls_that_are_refused);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
