/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same seed gives the same bits: for any number of threads, a second time, point by point or in
 * batches. Different seeds share none. */
#include "nis_events.h"
#include "events.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

enum { DIM = 3, POINTS = 2000, EVENTS = 2000 };

/* Everything that a run gives. */
struct record {
  nis_result result, more;
  double x[DIM * POINTS], log_q[POINTS], weight[POINTS], density[POINTS];
  double event[DIM * EVENTS], event_weight[EVENTS], event_log_q[EVENTS];
  uint64_t trials[EVENTS];
  size_t events;
  nis_event_summary summary;
};

/* A ridge with a cut and a negative part, so that no kind of weight is missing. */
static double ridge(double *x, size_t dim, void *params)
{
  double off = x[0] + x[1] - 1.2;
  (void)params;
  if (x[dim - 1] < 0.1) return 0;
  return exp(-30 * off * off) - 0.2 * x[0];
}

static int ridges(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  for (size_t i = 0; i < n; i++) f[i * ncomp] = ridge((double *)x + i * dim, dim, params);
  return 0;
}

static int take(const nis_event_block *e, void *params)
{
  struct record *r = params;
  if (r->events + e->n > EVENTS) return 1;
  memcpy(r->event + r->events * e->dim, e->x, e->n * e->dim * sizeof *e->x);
  memcpy(r->event_weight + r->events, e->weight, e->n * sizeof *e->weight);
  memcpy(r->event_log_q + r->events, e->log_q, e->n * sizeof *e->log_q);
  memcpy(r->trials + r->events, e->trials, e->n * sizeof *e->trials);
  r->events += e->n;
  return 0;
}

/* The first and the last coordinate */
static const int cylinder[DIM] = {1, 0, 1}, plain[DIM] = {0};

static nis_options options(int threads)
{
  return (nis_options){
      .dim = DIM, .seed = 3, .threads = threads, .hidden_width = 17, .bins = 7, .replay = 4};
}

static struct record *run(const nis_options *o)
{
  struct record *r = calloc(1, sizeof *r);
  nis *s;
  ck_assert_ptr_nonnull(r);
  ck_assert_int_eq(nis_create(&s, o->batch ? NULL : ridge, o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 12001), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 20003, &r->result), NIS_OK);
  ck_assert_int_eq(nis_sample(s, POINTS, r->x, r->log_q, r->weight), NIS_OK);
  ck_assert_int_eq(nis_density(s, POINTS, r->x, r->density), NIS_OK);
  ck_assert_int_eq(events_of(s, EVENTS, take, r, &r->summary), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 5000, &r->more), NIS_OK);
  nis_free(s);
  return r;
}

/* Field by field, as bytes of padding may differ. */
static void check_result(const nis_result *a, const nis_result *b)
{
  const double *first[] = {&a->value,
                           &a->error,
                           &a->chi2,
                           &a->ess,
                           &a->efficiency,
                           &a->efficiency_max,
                           &a->efficiency_median,
                           &a->max_weight};
  const double *second[] = {&b->value,
                            &b->error,
                            &b->chi2,
                            &b->ess,
                            &b->efficiency,
                            &b->efficiency_max,
                            &b->efficiency_median,
                            &b->max_weight};
  for (size_t i = 0; i < LENGTH(first); i++)
    ck_assert_msg(memcmp(first[i], second[i], sizeof(double)) == 0, "number %zu: %.17g, %.17g", i,
                  *first[i], *second[i]);
  ck_assert_int_eq(a->status, b->status);
  ck_assert_int_eq(a->dof, b->dof);
  ck_assert_uint_eq(a->calls, b->calls);
  ck_assert_uint_eq(a->train_calls, b->train_calls);
  ck_assert_uint_eq(a->bad_calls, b->bad_calls);
  ck_assert_uint_eq(a->zero_calls, b->zero_calls);
  ck_assert_uint_eq(a->seed, b->seed);
}

#define check_array(a, b, member) ck_assert(memcmp(a->member, b->member, sizeof a->member) == 0)

static void check_same(const struct record *a, const struct record *b)
{
  check_result(&a->result, &b->result);
  check_result(&a->more, &b->more);
  check_array(a, b, x);
  check_array(a, b, log_q);
  check_array(a, b, weight);
  check_array(a, b, density);
  ck_assert_uint_eq(a->events, EVENTS);
  check_array(a, b, event);
  check_array(a, b, event_weight);
  ck_assert_uint_eq(a->summary.calls, b->summary.calls);
  ck_assert_uint_eq(a->summary.overweights, b->summary.overweights);
  ck_assert_double_eq(a->summary.sum_weights, b->summary.sum_weights);
  ck_assert_double_eq(a->summary.unit, b->summary.unit);
}

static void check_runs(const nis_options *one, const nis_options *other)
{
  struct record *a = run(one), *b = run(other);
  check_same(a, b);
  free(a), free(b);
}

START_TEST(threads_do_not_matter)
{
  static const int threads[] = {2, 3, 8};
  nis_options one = options(1);
  for (size_t i = 0; i < LENGTH(threads); i++) {
    nis_options many = options(threads[i]);
    check_runs(&one, &many);
  }
}
END_TEST

START_TEST(threads_do_not_matter_on_circles)
{
  nis_options one = options(1), many = options(3);
  one.periodic = many.periodic = cylinder;
  check_runs(&one, &many);
}
END_TEST

START_TEST(no_circle_is_as_if_nothing_was_said)
{
  nis_options silent = options(1), said = options(1);
  said.periodic = plain;
  check_runs(&silent, &said);
}
END_TEST

START_TEST(a_second_run_is_the_first)
{
  nis_options o = options(3);
  check_runs(&o, &o);
}
END_TEST

START_TEST(batches_do_not_matter)
{
  static const size_t points[] = {1, 100, 1024, 50000};
  for (size_t i = 0; i < LENGTH(points); i++) {
    nis_options scalar = options(1), batch = options(3);
    batch.batch = ridges;
    batch.batch_points = points[i];
    check_runs(&scalar, &batch);
  }
}
END_TEST

START_TEST(serial_does_not_matter)
{
  nis_options parallel = options(1), serial = options(3);
  serial.serial = 1;
  check_runs(&parallel, &serial);
}
END_TEST

static int see(const nis_progress *now, void *params)
{
  (void)now, (void)params;
  return 0;
}

START_TEST(watching_does_not_matter)
{
  nis_options alone = options(1), watched = options(1);
  watched.progress = see;
  check_runs(&alone, &watched);
}
END_TEST

/* One handle's work between the steps of another changes nothing. */
START_TEST(handles_do_not_meet)
{
  nis_options o = options(1), other = options(1);
  nis_result alone, beside;
  nis *s[2];
  other.seed = 4;
  ck_assert_int_eq(nis_create(&s[0], ridge, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s[0], 3000), NIS_OK);
  ck_assert_int_ge(nis_estimate(s[0], 3000, &alone), NIS_OK);
  nis_free(s[0]);
  for (int i = 0; i < 2; i++) ck_assert_int_eq(nis_create(&s[i], ridge, i ? &other : &o), NIS_OK);
  for (int i = 1; i >= 0; i--) ck_assert_int_eq(nis_train(s[i], 3000), NIS_OK);
  for (int i = 1; i >= 0; i--) ck_assert_int_ge(nis_estimate(s[i], 3000, &beside), NIS_OK);
  check_result(&alone, &beside);
  nis_free(s[0]), nis_free(s[1]);
}
END_TEST

START_TEST(seeds_differ)
{
  static const uint64_t seed[] = {0, 1, (uint64_t)1 << 32, UINT64_MAX};
  struct record *r[LENGTH(seed)];
  for (size_t i = 0; i < LENGTH(seed); i++) {
    nis_options o = options(1);
    o.seed = seed[i];
    r[i] = run(&o);
    ck_assert_uint_eq(r[i]->result.seed, seed[i]);
  }
  for (size_t a = 0; a < LENGTH(seed); a++)
    for (size_t b = 0; b < a; b++) {
      ck_assert_double_ne(r[a]->result.value, r[b]->result.value);
      for (int i = 0; i < 10; i++) {
        ck_assert_double_ne(r[a]->x[i], r[b]->x[i]);
        ck_assert_double_ne(r[a]->event[i], r[b]->event[i]);
      }
    }
  for (size_t i = 0; i < LENGTH(seed); i++) free(r[i]);
}
END_TEST

/* Points of the estimate, of samples and of events come from different streams. */
static double first_point[DIM];
static int have_point;

static double remember(double *x, size_t dim, void *params)
{
  if (!have_point) memcpy(first_point, x, sizeof first_point);
  have_point = 1;
  return ridge(x, dim, params);
}

START_TEST(uses_of_random_numbers_differ)
{
  nis_options o = options(1);
  double sample[DIM];
  struct record *r = calloc(1, sizeof *r);
  nis *s;
  ck_assert_ptr_nonnull(r);
  ck_assert_int_eq(nis_create(&s, remember, &o), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 1000, NULL), NIS_OK);
  ck_assert_int_eq(nis_sample(s, 1, sample, NULL, NULL), NIS_OK);
  ck_assert_int_eq(events_of(s, EVENTS, take, r, NULL), NIS_OK);
  for (int j = 0; j < DIM; j++) {
    ck_assert_double_ne(sample[j], first_point[j]);
    for (int i = 0; i < EVENTS; i++)
      if (r->event[i * DIM + j] == sample[j] || r->event[i * DIM + j] == first_point[j])
        ck_abort_msg("event %d is a point of another stream", i);
  }
  nis_free(s);
  free(r);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("reproducibility");
  TCase *tcase = tcase_create("bits");
  tcase_set_timeout(tcase, 300); /* sanitizers, busy machines */
  tcase_add_test(tcase, threads_do_not_matter);
  tcase_add_test(tcase, threads_do_not_matter_on_circles);
  tcase_add_test(tcase, no_circle_is_as_if_nothing_was_said);
  tcase_add_test(tcase, a_second_run_is_the_first);
  tcase_add_test(tcase, batches_do_not_matter);
  tcase_add_test(tcase, serial_does_not_matter);
  tcase_add_test(tcase, watching_does_not_matter);
  tcase_add_test(tcase, handles_do_not_meet);
  tcase_add_test(tcase, seeds_differ);
  tcase_add_test(tcase, uses_of_random_numbers_differ);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
