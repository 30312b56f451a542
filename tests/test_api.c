/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The public functions: every bad argument, and what the header promises for good ones. */
#include "alarm.h"
#include "nis_events.h"

#include "api/settings.h"
#include "events.h"
#include "suite.h"

#include <float.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* ---- integrands ------------------------------------------------------------------ */

static double one(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 1;
}

static double zero(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 0;
}

/* prod (1 + (x_j - 1/2)): integral 1 on the unit cube */
static double ramp(double *x, size_t dim, void *params)
{
  double product = 1;
  (void)params;
  for (size_t j = 0; j < dim; j++) product *= 0.5 + x[j];
  return product;
}

/* positive left, negative right: integral 1/2 in any dimension */
static double signed_step(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return x[0] < 0.75 ? 1 : -1;
}

/* What an integrand has seen; one thread at a time, or atomically. */
struct witness {
  pthread_t caller;
  uint64_t calls, foreign; /* calls, and those from another thread */
  uint64_t bad;            /* how often a bad value was returned */
  double first_bad[2];
  double share; /* of x[0] that is bad */
  double bad_value;
  uint64_t refuse_at; /* number of the batch that is refused, from 1 */
};

static struct witness witness(void)
{
  return (struct witness){.caller = pthread_self(), .bad_value = NAN};
}

static double witnessed_ramp(double *x, size_t dim, void *params)
{
  struct witness *w = params;
  __atomic_add_fetch(&w->calls, 1, __ATOMIC_RELAXED);
  if (!pthread_equal(w->caller, pthread_self()))
    __atomic_add_fetch(&w->foreign, 1, __ATOMIC_RELAXED);
  return ramp(x, dim, NULL);
}

/* Serial only. */
static double spoilt_ramp(double *x, size_t dim, void *params)
{
  struct witness *w = params;
  w->calls++;
  if (x[0] >= w->share) return ramp(x, dim, NULL);
  if (w->bad++ == 0) memcpy(w->first_bad, x, sizeof w->first_bad);
  return w->bad_value;
}

static int batch_ramp(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  struct witness *w = params;
  uint64_t number = w ? __atomic_add_fetch(&w->calls, 1, __ATOMIC_RELAXED) : 0;
  for (size_t i = 0; i < n; i++) f[i * ncomp] = ramp((double *)x + i * dim, dim, NULL);
  return w && w->refuse_at > 0 && number >= w->refuse_at ? 7 : 0;
}

/* ---- helpers --------------------------------------------------------------------- */

/* A run of some milliseconds. */
static nis_options small(size_t dim)
{
  return (nis_options){.dim = dim,
                       .calls = 4000,
                       .seed = 5,
                       .threads = 1,
                       .hidden_width = 8,
                       .bins = 6,
                       .replay = 1,
                       .points = NIS_POINTS_RANDOM};
}

static nis *make(nis_integrand *f, const nis_options *o)
{
  nis *s = NULL;
  ck_assert_int_eq(nis_create(&s, f, o), NIS_OK);
  ck_assert_ptr_nonnull(s);
  return s;
}

/* Few calls are often a reason to doubt the error. */
static int has_value(int status)
{
  return status == NIS_OK || status == NIS_SUSPECT;
}

/* Trained a little and estimated. */
static nis *make_ready(nis_integrand *f, const nis_options *o, nis_result *r)
{
  nis *s = make(f, o);
  ck_assert_int_eq(nis_train(s, 2000), NIS_OK);
  ck_assert(has_value(nis_estimate(s, 4000, r)));
  return s;
}

static void check_sentence(const char *word)
{
  ck_assert_msg(strstr(nis_last_error(), word) != NULL, "'%s' does not name %s", nis_last_error(),
                word);
}

/* The status, and a sentence with this word. */
static void check_refused(int status, const char *word)
{
  ck_assert_msg(status == NIS_INVALID, "%s gave status %d", word, status);
  check_sentence(word);
}

/* Both ways in, with no integrand call, no handle and no number that could be taken for a value. */
static void check_options_refused(nis_integrand *f, const nis_options *o, const char *word)
{
  nis *s = (nis *)&s;
  check_refused(nis_create(&s, f, o), word);
  ck_assert_ptr_null(s);
  nis_result r = nis_integrate_with(f, o);
  check_refused(r.status, word);
  ck_assert(isnan(r.value) && isnan(r.error));
  ck_assert_uint_eq(r.calls, 0);
}

static void check_bits(const nis_result *a, const nis_result *b)
{
  ck_assert_uint_eq(a->seed, b->seed);
  ck_assert_uint_eq(a->zero_calls, b->zero_calls);
  ck_assert_int_eq(a->dof, b->dof);
  ck_assert_double_eq(a->value, b->value);
  ck_assert_double_eq(a->error, b->error);
  ck_assert_double_eq(a->chi2, b->chi2);
  ck_assert_double_eq(a->ess, b->ess);
  ck_assert_double_eq(a->efficiency, b->efficiency);
  ck_assert_uint_eq(a->calls, b->calls);
}

/* As if by nets: a little wide where the points were random */
static void check_within_errors(const nis_result *r, double exact)
{
  double most = alarm_errors_of_nets(1, r->dof);
  require(fabs(r->value - exact) <= most * r->error + 1e-12 * fabs(exact),
          "%.10g +- %.3g is not %.10g", r->value, r->error, exact);
  require(isfinite(r->error), "error %g", r->error);
}

/* ---- options out of range ---------------------------------------------------------- */

struct whole {
  const char *name;
  size_t at;
  long low, high;
};

static const struct whole wholes[] = {
    {"threads", offsetof(nis_options, threads), 1, 1024},
    {"serial", offsetof(nis_options, serial), 0, 1},
    {"layers", offsetof(nis_options, layers), 1, 64},
    {"hidden_layers", offsetof(nis_options, hidden_layers), 1, 8},
    {"hidden_width", offsetof(nis_options, hidden_width), 1, 1024},
    {"bins", offsetof(nis_options, bins), 2, 128},
    {"minibatch", offsetof(nis_options, minibatch), 64, 1048576},
    {"coupling", offsetof(nis_options, coupling), NIS_RATIONAL_QUADRATIC, NIS_AFFINE},
    {"loss", offsetof(nis_options, loss), NIS_LOSS_KL, NIS_LOSS_FORWARD_CHI2},
};

static nis_options with_whole(const struct whole *row, long value)
{
  nis_options o = small(2);
  int number = (int)value;
  memcpy((char *)&o + row->at, &number, sizeof number);
  return o;
}

START_TEST(whole_numbers_out_of_range)
{
  for (size_t i = 0; i < LENGTH(wholes); i++) {
    const struct whole *row = &wholes[i];
    const long bad[] = {row->low - 1, row->high + 1, -1, INT32_MIN, INT32_MAX};
    for (size_t k = 0; k < LENGTH(bad); k++) {
      if (bad[k] == 0) continue; /* the default */
      nis_options o = with_whole(row, bad[k]);
      check_options_refused(one, &o, row->name);
      check_sentence("between");
    }
  }
}
END_TEST

START_TEST(whole_numbers_at_the_ends)
{
  for (size_t i = 0; i < LENGTH(wholes); i++)
    for (int high = 0; high < 2; high++) {
      nis_options o = with_whole(&wholes[i], high ? wholes[i].high : wholes[i].low);
      nis_free(make(one, &o));
    }
}
END_TEST

struct real {
  const char *name;
  size_t at;
  double good[2], bad[4]; /* bad: up to a zero */
};

static const struct real reals[] = {
    {"rel_error",
     offsetof(nis_options, rel_error),
     {1e-300, 1 - 0x1p-53},
     {-0.1, 1, NAN, INFINITY}},
    {"abs_error", offsetof(nis_options, abs_error), {1e-300, DBL_MAX}, {-1e-300, NAN}},
    {"call_seconds", offsetof(nis_options, call_seconds), {1e-300, INFINITY}, {-1e-300, NAN}},
    {"train_share",
     offsetof(nis_options, train_share),
     {1e-300, 1 - 0x1p-53},
     {-0.1, 1, NAN, INFINITY}},
    {"effort", offsetof(nis_options, effort), {1e-300, 1000}, {-1, 1000.001, NAN, INFINITY}},
    {"replay", offsetof(nis_options, replay), {1e-300, 1000}, {-1, 1000.001, NAN, INFINITY}},
    {"learning_rate",
     offsetof(nis_options, learning_rate),
     {1e-300, 1},
     {-1, 1.001, NAN, INFINITY}},
};

static nis_options with_real(const struct real *row, double value)
{
  nis_options o = small(2);
  memcpy((char *)&o + row->at, &value, sizeof value);
  return o;
}

START_TEST(real_numbers_out_of_range)
{
  for (size_t i = 0; i < LENGTH(reals); i++) {
    for (int k = 0; k < 4 && reals[i].bad[k] != 0; k++) {
      nis_options o = with_real(&reals[i], reals[i].bad[k]);
      check_options_refused(one, &o, reals[i].name);
    }
    for (int k = 0; k < 2; k++) {
      nis_options o = with_real(&reals[i], reals[i].good[k]);
      nis_free(make(one, &o));
    }
  }
}
END_TEST

START_TEST(sizes_out_of_range)
{
  nis_options o = small(0);
  check_options_refused(one, &o, "dim");
  o = small(257);
  check_options_refused(one, &o, "dim");
  o = small(SIZE_MAX);
  check_options_refused(one, &o, "dim");
  o = small(2), o.ncomp = 1025, o.batch = batch_ramp;
  check_options_refused(NULL, &o, "ncomp");
  o = small(2), o.batch_points = 1048577, o.batch = batch_ramp;
  check_options_refused(NULL, &o, "batch_points");
  o = small(256), o.layers = 2;
  nis_free(make(one, &o));
}
END_TEST

/* More calls than can be counted. */
START_TEST(calls_out_of_range)
{
  nis_options o = small(2);
  o.calls = UINT64_MAX;
  nis_result r = nis_integrate_with(one, &o);
  check_refused(r.status, "calls");
  ck_assert(isnan(r.value) && isnan(r.error));
}
END_TEST

START_TEST(limits_out_of_range)
{
  static const double bad[][2] = {
      {0, NAN}, {NAN, INFINITY}, {-DBL_MAX, DBL_MAX}, {INFINITY, INFINITY}, {-INFINITY, -INFINITY},
  };
  for (size_t i = 0; i < LENGTH(bad); i++) {
    const double lower[] = {0, bad[i][0]}, upper[] = {1, bad[i][1]};
    nis_options o = small(2);
    o.lower = lower, o.upper = upper;
    check_options_refused(one, &o, "lower");
    check_sentence("upper");
    check_sentence("coordinate 1");
  }
}
END_TEST

START_TEST(periodic_out_of_range)
{
  static const struct {
    int flag;
    double low, high;
    nis_coupling coupling;
    const char *words[3];
  } bad[] = {
      {2, 0, 1, 0, {"periodic[1]", "0 or 1", "got 2"}},
      {-1, 0, 1, 0, {"periodic[1]", "0 or 1", "got -1"}},
      {1, 0, INFINITY, 0, {"coordinate 1 is periodic", "finite", "got 0 and inf"}},
      {1, -INFINITY, INFINITY, 0, {"coordinate 1 is periodic", "finite", "got -inf and inf"}},
      {1, 0, 1, NIS_AFFINE, {"coordinate 1 is periodic", "coupling", "got affine"}},
  };
  for (size_t i = 0; i < LENGTH(bad); i++) {
    const int flags[] = {0, bad[i].flag};
    const double lower[] = {-INFINITY, bad[i].low}, upper[] = {0, bad[i].high};
    nis_options o = small(2);
    o.periodic = flags, o.lower = lower, o.upper = upper, o.coupling = bad[i].coupling;
    check_options_refused(one, &o, bad[i].words[0]);
    check_sentence(bad[i].words[1]);
    check_sentence(bad[i].words[2]);
  }
}
END_TEST

/* The other limit is then the default. */
START_TEST(one_limit_alone)
{
  const double two[] = {2}, minus[] = {-1}, half[] = {0.5};
  nis_options o = small(1);
  const double *const lower[] = {two, NULL, NULL}, *const upper[] = {NULL, minus, half};
  const double exact[] = {-1, -1, 0.5};
  for (size_t i = 0; i < LENGTH(exact); i++) {
    o.lower = lower[i], o.upper = upper[i];
    nis_result r = nis_integrate_with(one, &o);
    ck_assert_int_eq(r.status, NIS_OK);
    check_within_errors(&r, exact[i]);
  }
}
END_TEST

static int count_events(const nis_event_block *events, void *params)
{
  *(uint64_t *)params += events->n;
  return 0;
}

START_TEST(equal_limits)
{
  const double lower[] = {0, 3}, upper[] = {INFINITY, 3};
  double x[2] = {1, 3}, log_q;
  uint64_t seen = 0;
  nis_options o = small(2);
  nis_result r;
  o.lower = lower, o.upper = upper;
  nis *s = make(one, &o);
  ck_assert_int_eq(nis_run(s, &r), NIS_OK);
  ck_assert(r.value == 0 && r.error == 0 && r.calls == 0);
  ck_assert_int_eq(nis_train(s, 100), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 100, &r), NIS_OK);
  ck_assert(r.value == 0 && r.error == 0 && r.calls == 0);
  check_refused(nis_sample(s, 1, x, NULL, NULL), "equal limits");
  check_refused(nis_density(s, 1, x, &log_q), "equal limits");
  ck_assert_int_eq(events_of(s, 1, count_events, &seen, NULL), NIS_NO_EVENTS);
  nis_free(s);
}
END_TEST

/* exp(-x^2/2) (1 + y)^-4 exp(z) over all x, y > 0 and z < 1 */
static double three_ranges(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return exp(-x[0] * x[0] / 2 + x[2]) / pow(1 + x[1], 4);
}

START_TEST(infinite_ranges)
{
  const double lower[] = {-INFINITY, INFINITY, -INFINITY}, upper[] = {INFINITY, 0, 1};
  const double exact = -sqrt(2 * M_PI) / 3 * M_E; /* y runs downwards */
  enum { N = 4000 };
  static double x[3 * N], log_q[N], again[N], weight[N];
  nis_options o = small(3);
  nis_result r;
  o.lower = lower, o.upper = upper, o.calls = 30000, o.replay = 4;
  nis *s = make(three_ranges, &o);
  ck_assert_int_eq(nis_run(s, &r), NIS_OK);
  check_within_errors(&r, exact);
  ck_assert_double_lt(r.error, 0.01 * fabs(exact));
  ck_assert_int_eq(nis_sample(s, N, x, log_q, weight), NIS_OK);
  ck_assert_int_eq(nis_density(s, N, x, again), NIS_OK);
  for (int i = 0; i < N; i++) {
    double w = -three_ranges(x + 3 * i, 3, NULL) * exp(-log_q[i]);
    ck_assert_double_le(fabs(weight[i] - w), 1e-6 * fabs(w));
    ck_assert_double_eq_tol(log_q[i], again[i], 1e-4);
  }
  nis_free(s);
}
END_TEST

START_TEST(hints_outside_the_domain)
{
  const double lower[] = {-1, 2}, upper[] = {1, 5};
  const double bad[] = {2, 5, 1.9, 5.1, NAN, INFINITY, -INFINITY};
  nis_options o = small(2);
  o.lower = lower, o.upper = upper, o.nhints = 3;
  for (size_t i = 0; i < LENGTH(bad); i++) {
    const double hints[] = {0, 3, 0.5, bad[i], 0, 4};
    o.hints = hints;
    check_options_refused(one, &o, "coordinate 1 of hint 1 must be between 2 and 5");
  }
  const double good[] = {0, 3, nextafter(-1, 0), nextafter(2, 3), nextafter(1, 0), nextafter(5, 4)};
  o.hints = good;
  nis_free(make(one, &o));
  o.lower = o.upper = NULL;
  check_options_refused(one, &o, "coordinate 0 of hint 0 must be between 0 and 1");
}
END_TEST

START_TEST(hints_missing_or_too_many)
{
  double hints[2 * (NIS_MOST_HINTS + 1)];
  for (size_t i = 0; i < LENGTH(hints); i++) hints[i] = 0.5;
  nis_options o = small(2);
  o.nhints = 1;
  check_options_refused(one, &o, "hints must not be NULL when nhints is 1");
  o.hints = hints, o.nhints = NIS_MOST_HINTS + 1;
  check_options_refused(one, &o, "nhints must be between 0 and 16, got 17");
  o.nhints = SIZE_MAX;
  check_options_refused(one, &o, "nhints");
  o.nhints = NIS_MOST_HINTS;
  nis_free(make(one, &o));
  o.nhints = 0; /* whatever hints is */
  nis_free(make(one, &o));
}
END_TEST

START_TEST(integrands_missing_or_two)
{
  nis *s = NULL;
  nis_options o = small(2);
  check_options_refused(NULL, &o, "batch");
  o.batch = batch_ramp;
  check_options_refused(one, &o, "batch");
  o.batch = NULL, o.ncomp = 2;
  check_refused(nis_create(&s, one, &o), "ncomp");
  check_options_refused(one, NULL, "options");
  check_refused(nis_create(NULL, one, &o), "out");
}
END_TEST

/* ---- defaults -------------------------------------------------------------------- */

static nis_options resolved(nis_options given)
{
  nis_options full;
  ck_assert_int_eq(nis_settings_resolve(&given, &full), NIS_OK);
  return full;
}

START_TEST(defaults_are_those_of_the_header)
{
  nis_options o = resolved((nis_options){.dim = 4});
  ck_assert_uint_eq(o.calls, 1000000);
  ck_assert_uint_eq(o.seed, 0);
  ck_assert_int_ge(o.threads, 1);
  ck_assert_uint_eq(o.batch_points, 1024);
  ck_assert_double_eq(o.rel_error, 0);
  ck_assert_double_eq(o.abs_error, 0);
  ck_assert_double_eq(o.train_share, 0.4);
  ck_assert_double_eq(o.effort, 1);
  ck_assert_uint_eq(o.nhints, 0);
  ck_assert_int_eq(o.hidden_layers, 2);
  ck_assert_int_eq(o.bins, 8);
  ck_assert_double_eq(o.decay, 1);
  ck_assert_int_eq(o.minibatch, 1024);
  ck_assert_double_eq(o.replay, 12);
  ck_assert_double_eq(o.learning_rate, 4e-3);
  ck_assert_uint_eq(o.replay_bytes, (size_t)1 << 30);
  ck_assert_int_eq(o.serial, 0);
  ck_assert_int_eq(o.coupling, NIS_RATIONAL_QUADRATIC);
  ck_assert_int_eq(o.loss, NIS_LOSS_DEFAULT);
}
END_TEST

START_TEST(defaults_follow_the_dimension)
{
  static const int table[][3] = {{1, 1, 32},   {2, 4, 32},   {3, 4, 32},    {4, 4, 32},
                                 {5, 6, 32},   {6, 6, 32},   {8, 6, 32},    {9, 8, 32},
                                 {12, 8, 32},  {13, 8, 32},  {16, 8, 32},   {17, 10, 32},
                                 {47, 12, 32}, {48, 12, 16}, {100, 14, 16}, {256, 16, 16}};
  for (size_t i = 0; i < LENGTH(table); i++) {
    nis_options o = resolved((nis_options){.dim = (size_t)table[i][0]});
    ck_assert_int_eq(o.layers, table[i][1]);
    ck_assert_int_eq(o.hidden_width, table[i][2]);
    ck_assert_double_eq(o.learning_rate, table[i][0] < 6 ? 4e-3 : 2e-3);
  }
}
END_TEST

START_TEST(minibatch_follows_the_training_calls)
{
  static const int table[][2] = {{1, 256},      {19999, 256},   {20000, 512},
                                 {199999, 512}, {200000, 1024}, {4000000, 1024}};
  for (size_t i = 0; i < LENGTH(table); i++) {
    nis_options given = {.dim = 4, .calls = 2 * (uint64_t)table[i][0], .train_share = 0.5};
    ck_assert_int_eq(resolved(given).minibatch, table[i][1]);
  }
}
END_TEST

START_TEST(training_takes_two_million_calls_at_most)
{
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .calls = 5000000}).train_share, 0.4);
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .calls = 10000000}).train_share, 0.2);
  ck_assert_double_eq(
      resolved((nis_options){.dim = 4, .calls = 10000000, .train_share = 0.5}).train_share, 0.5);
}
END_TEST

/* More for fewer calls and for few dimensions, less for large nets; all times the effort */
START_TEST(replay_follows_calls_and_net)
{
  double usual = resolved((nis_options){.dim = 4}).replay;
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .calls = 10000000}).replay, usual);
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .calls = 250000}).replay, 2 * usual);
  ck_assert_double_eq(resolved((nis_options){.dim = 3}).replay, 2 * usual);
  double large = resolved((nis_options){.dim = 4, .hidden_width = 256}).replay;
  ck_assert(large < usual / 2);
  ck_assert_double_ge(resolved((nis_options){.dim = 256, .hidden_width = 1024}).replay, 0.5);
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .effort = 3}).replay, 3 * usual);
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .effort = 0.25}).replay, usual / 4);
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .effort = 1000}).replay, 1000);
  ck_assert_double_eq(resolved((nis_options){.dim = 4, .effort = 3, .replay = 5}).replay, 5);
}
END_TEST

/* ---- complete options ----------------------------------------------------------------- */

/* What is complete stays as it is, also in place, and a run with it has the same bits. */
START_TEST(complete_options_are_those_of_the_run)
{
  nis_options given = small(3), full, again;
  given.replay = 0, given.minibatch = 0;
  memset(&full, 0xff, sizeof full);
  ck_assert_int_eq(nis_complete_options(&given, &full), NIS_OK);
  nis_options expected = resolved(given);
  ck_assert_mem_eq(&full, &expected, sizeof full);
  again = full;
  ck_assert_int_eq(nis_complete_options(&again, &again), NIS_OK);
  ck_assert_mem_eq(&again, &full, sizeof full);
  nis_result a = nis_integrate_with(ramp, &given), b = nis_integrate_with(ramp, &full);
  ck_assert_int_eq(a.status, NIS_OK);
  check_bits(&a, &b);
}
END_TEST

START_TEST(options_that_cannot_be_completed)
{
  nis_options o = small(2), full;
  check_refused(nis_complete_options(NULL, &full), "options");
  check_refused(nis_complete_options(&o, NULL), "complete");
  o.effort = -1;
  check_refused(nis_complete_options(&o, &full),
                "effort must be a number above 0 and at most 1000 (0: default), got -1");
  o = small(0);
  check_refused(nis_complete_options(&o, &full), "dim");
  o = small(2), o.nhints = 1;
  check_refused(nis_complete_options(&o, &full), "hints");
  o = small(2);
  ck_assert_int_eq(nis_complete_options(&o, &full), NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
}
END_TEST

/* ---- bad arguments of the other functions -------------------------------------------- */

START_TEST(handles_missing)
{
  double number;
  nis_free(NULL);
  check_refused(nis_train(NULL, 10), "handle");
  check_refused(nis_estimate(NULL, 10, NULL), "handle");
  nis_result unused;
  check_refused(nis_run(NULL, &unused), "handle");
  check_refused(nis_sample(NULL, 1, &number, NULL, NULL), "handle");
  check_refused(nis_density(NULL, 1, &number, &number), "handle");
  check_refused(events_of(NULL, 1, count_events, NULL, NULL), "handle");
}
END_TEST

START_TEST(pointers_missing)
{
  nis_options o = small(2);
  nis *s = make(one, &o);
  double x[2] = {0.5, 0.5}, log_q;
  check_refused(nis_sample(s, 1, NULL, &log_q, NULL), "x");
  check_refused(nis_density(s, 1, NULL, &log_q), "x");
  check_refused(nis_density(s, 1, x, NULL), "log_q");
  check_refused(nis_events(s, NULL, NULL), "options");
  check_refused(nis_check_events(NULL), "options");
  nis_free(s);
}
END_TEST

START_TEST(weights_by_size)
{
  nis_options o = small(2);
  nis *s = make(one, &o);
  const double edges[] = {0.5, 2};
  uint64_t count[3] = {7, 7, 7};
  ck_assert_int_eq(nis_weights(s, 2, edges, count), NIS_OK);
  for (int i = 0; i < 3; i++) ck_assert_uint_eq(count[i], 0);
  nis_result r;
  ck_assert_int_eq(nis_estimate(s, 1000, &r), NIS_OK);
  ck_assert_int_eq(nis_weights(s, 2, edges, count), NIS_OK); /* f is 1 and not trained for */
  ck_assert_uint_eq(count[1], r.calls - r.train_calls);
  ck_assert_uint_eq(count[0] + count[2], 0);
  check_refused(nis_weights(NULL, 2, edges, count), "handle");
  check_refused(nis_weights(s, 2, NULL, count), "edges");
  check_refused(nis_weights(s, 2, edges, NULL), "counts");
  check_refused(nis_weights(s, 0, edges, count), "n must be 1 or more");
  check_refused(nis_weights(s, 1, (double[]){0}, count), "edges[0]");
  check_refused(nis_weights(s, 2, (double[]){1, 1}, count), "edges[1] must be finite and above 1");
  check_refused(nis_weights(s, 2, (double[]){1, INFINITY}, count), "edges[1]");
  nis_free(s);
}
END_TEST

START_TEST(counts_out_of_range)
{
  nis_options o = small(2);
  uint64_t seen = 0;
  nis *s = make(one, &o);
  check_refused(nis_train(s, 0), "calls");
  check_refused(nis_train(s, UINT64_MAX), "calls");
  check_refused(nis_estimate(s, 0, NULL), "calls");
  check_refused(nis_estimate(s, 1, NULL), "calls");
  check_refused(nis_estimate(s, UINT64_MAX, NULL), "calls");
  ck_assert(has_value(nis_estimate(s, 100, NULL)));
  check_refused(events_of(s, 0, count_events, &seen, NULL), "events and calls are both 0");
  check_refused(events_of(s, UINT64_MAX, count_events, &seen, NULL), "events must");
  ck_assert_uint_eq(seen, 0);
  nis_free(s);
}
END_TEST

START_TEST(points_outside_the_domain)
{
  const double lower[] = {-1, 2}, upper[] = {1, 5};
  const double bad[] = {2, 5, 1.9, 5.1, NAN, INFINITY, -INFINITY};
  nis_options o = small(2);
  o.lower = lower, o.upper = upper;
  nis *s = make(one, &o);
  double log_q[3];
  for (size_t i = 0; i < LENGTH(bad); i++) {
    const double x[] = {0, 3, 0.5, bad[i], 0, 4};
    check_refused(nis_density(s, 3, x, log_q), "coordinate 1 of point 1");
    check_sentence("between 2 and 5");
  }
  const double good[] = {0, 3, nextafter(-1, 0), nextafter(2, 3), nextafter(1, 0), nextafter(5, 4)};
  ck_assert_int_eq(nis_density(s, 3, good, log_q), NIS_OK);
  nis_free(s);
}
END_TEST

START_TEST(a_refused_call_leaves_the_handle_as_it_was)
{
  nis_options o = small(2);
  nis_result before, after;
  nis *s = make_ready(ramp, &o, &before), *other = make_ready(ramp, &o, &before);
  nis_train(s, 0);
  nis_estimate(s, 1, NULL);
  events_of(s, 0, NULL, NULL, NULL);
  ck_assert_int_eq(nis_estimate(s, 1000, &after), NIS_OK);
  ck_assert_int_eq(nis_estimate(other, 1000, &before), NIS_OK);
  check_bits(&before, &after);
  nis_free(s), nis_free(other);
}
END_TEST

/* ---- words ----------------------------------------------------------------------- */

START_TEST(every_status_has_its_words)
{
  for (int a = NIS_NO_FILE; a <= NIS_SUSPECT; a++)
    for (int b = NIS_NO_FILE; b < a; b++) ck_assert_str_ne(nis_strerror(a), nis_strerror(b));
  for (int status = -1000; status <= 1000; status++)
    require(nis_strerror(status) && *nis_strerror(status), "status %d", status);
  ck_assert_str_eq(nis_strerror(NIS_SUSPECT + 1), nis_strerror(INT32_MIN));
}
END_TEST

START_TEST(version_has_three_numbers)
{
  int part[3], used = 0;
  ck_assert_int_eq(sscanf(nis_version(), "%d.%d.%d%n", &part[0], &part[1], &part[2], &used), 3);
  ck_assert_int_eq(nis_version()[used], '\0');
}
END_TEST

START_TEST(success_clears_the_sentence)
{
  nis_options o = small(1);
  ck_assert_str_eq(nis_last_error(), "");
  check_refused(nis_train(NULL, 1), "handle");
  nis_result r = nis_integrate_with(one, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_str_eq(nis_last_error(), "");
}
END_TEST

static void *fail_elsewhere(void *unused)
{
  (void)unused;
  check_refused(nis_create(NULL, one, NULL), "out");
  return NULL;
}

START_TEST(each_thread_has_its_sentence)
{
  pthread_t thread;
  check_refused(nis_train(NULL, 1), "handle");
  char before[512];
  snprintf(before, sizeof before, "%s", nis_last_error());
  ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_str_eq(nis_last_error(), before);
}
END_TEST

/* ---- how the integrand is called ------------------------------------------------------ */

START_TEST(scalar_and_batch_have_the_same_bits)
{
  static const size_t points[] = {1, 7, 1000, 100000};
  nis_options o = small(3);
  nis_result scalar = nis_integrate_with(ramp, &o);
  ck_assert_int_eq(scalar.status, NIS_OK);
  for (size_t i = 0; i < LENGTH(points); i++) {
    o.batch = batch_ramp, o.batch_points = points[i], o.ncomp = i % 2;
    nis_result batch = nis_integrate_with(NULL, &o);
    ck_assert_int_eq(batch.status, NIS_OK);
    check_bits(&scalar, &batch);
  }
}
END_TEST

START_TEST(serial_stays_on_the_calling_thread)
{
  struct witness parallel_calls = witness(), serial_calls = witness();
  nis_options o = small(3);
  o.threads = 4, o.calls = 20000, o.params = &parallel_calls;
  nis_result parallel = nis_integrate_with(witnessed_ramp, &o);
  o.serial = 1, o.params = &serial_calls;
  nis_result serial = nis_integrate_with(witnessed_ramp, &o);
  check_bits(&parallel, &serial);
  ck_assert_uint_eq(serial_calls.foreign, 0);
  ck_assert_uint_eq(serial_calls.calls, 20000);
  ck_assert_uint_eq(parallel_calls.calls, 20000);
}
END_TEST

struct batch_log {
  uint64_t points, batches, most, wrong;
};

static int logged_batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                        void *params)
{
  struct batch_log *log = params;
  log->batches++;
  log->points += n;
  log->most = n > log->most ? n : log->most;
  log->wrong += dim != 3 || ncomp != 1 || n == 0;
  for (size_t i = 0; i < n * dim; i++) log->wrong += !(x[i] > 0 && x[i] < 1);
  for (size_t i = 0; i < n; i++) f[i] = 1;
  return 0;
}

START_TEST(batches_are_as_large_as_asked)
{
  struct batch_log log = {0};
  nis_options o = small(3);
  o.batch = logged_batch, o.batch_points = 128, o.params = &log, o.serial = 1;
  nis_result r = nis_integrate_with(NULL, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_uint_eq(log.points, 4000);
  ck_assert_uint_eq(log.most, 128);
  ck_assert_uint_le(log.batches, 4000 / 128 + 80); /* and the steps of a search */
  ck_assert_uint_eq(log.wrong, 0);
}
END_TEST

/* ---- a batch integrand that refuses ----------------------------------------------------- */

static nis_result refuse_at(uint64_t batch, struct witness *w)
{
  nis_options o = small(2);
  *w = witness();
  w->refuse_at = batch;
  o.batch = batch_ramp, o.batch_points = 64, o.params = w, o.threads = 1;
  return nis_integrate_with(NULL, &o);
}

/* Nothing was seen, so there is no value: 0 +- 0 would be one. */
START_TEST(a_refused_first_batch_leaves_no_value)
{
  struct witness w;
  nis_result r = refuse_at(1, &w);
  ck_assert_int_eq(r.status, NIS_CALLBACK);
  check_sentence("integrand");
  ck_assert_uint_eq(w.calls, 1);
  ck_assert_uint_eq(r.calls, 0);
  ck_assert(isnan(r.value) && !(r.error == 0));
}
END_TEST

START_TEST(a_refused_later_batch_leaves_what_was_done)
{
  struct witness w;
  refuse_at(0, &w);             /* never */
  uint64_t last = w.calls - 10; /* in the integration */
  nis_result r = refuse_at((int)last, &w);
  ck_assert_int_eq(r.status, NIS_CALLBACK);
  check_sentence("integrand");
  ck_assert_uint_eq(w.calls, last);
  ck_assert_uint_eq(r.train_calls, 1600);
  ck_assert_uint_gt(r.calls, 1600);
  ck_assert_uint_lt(r.calls, last * 64);
  ck_assert_double_gt(r.error, 0);
  check_within_errors(&r, 1);
}
END_TEST

START_TEST(a_handle_lives_on_after_a_refusal)
{
  struct witness w = witness();
  nis_options o = small(2);
  nis_result r;
  o.batch = batch_ramp, o.batch_points = 64, o.params = &w;
  nis *s = make(NULL, &o);
  w.refuse_at = 3;
  ck_assert_int_eq(nis_train(s, 2000), NIS_CALLBACK);
  w.refuse_at = w.calls + 10;
  ck_assert_int_eq(nis_estimate(s, 4000, &r), NIS_CALLBACK);
  w.refuse_at = 0;
  ck_assert_int_eq(nis_train(s, 2000), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 4000, &r), NIS_OK);
  check_within_errors(&r, 1);
  nis_free(s);
}
END_TEST

/* ---- progress -------------------------------------------------------------------- */

struct watch {
  pthread_t caller;
  nis_progress last;
  int reports, finished[4], wrong;
  int stop_phase;         /* stops in this phase ... */
  int stop_when_finished; /* ... at the end of an iteration, or within one */
  int stopped, after_stop;
};

static struct watch watcher(void)
{
  return (struct watch){.caller = pthread_self(), .last = {.phase = -1}, .stop_phase = -1};
}

static int progress_is_sane(const struct watch *w, const nis_progress *now)
{
  int ok = pthread_equal(w->caller, pthread_self()) && now->done <= now->total;
  ok &= now->phase >= w->last.phase && now->calls >= w->last.calls;
  if (now->phase == w->last.phase)
    ok &= now->done >= w->last.done && now->iteration >= w->last.iteration;
  if (now->finished) ok &= now->iteration > 0 && isfinite(now->value) && now->error >= 0;
  return ok;
}

static int look(const nis_progress *now, void *params)
{
  struct watch *w = params;
  w->reports++;
  w->after_stop += w->stopped;
  w->wrong += !progress_is_sane(w, now);
  w->finished[now->phase] += now->finished;
  w->last = *now;
  w->stopped |= now->phase == w->stop_phase && now->finished == w->stop_when_finished;
  return w->stopped;
}

static nis_options watched(struct watch *w)
{
  nis_options o = small(2);
  o.progress = look, o.progress_params = w;
  return o;
}

START_TEST(progress_tells_how_far_the_run_is)
{
  struct watch w = watcher();
  nis_options o = watched(&w);
  nis_result r = nis_integrate_with(ramp, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_int_eq(w.wrong, 0);
  ck_assert_int_ge(w.finished[NIS_TRAINING], 1);
  ck_assert_int_ge(w.finished[NIS_INTEGRATING], 2);
  ck_assert_int_eq(w.finished[NIS_INTEGRATING], r.dof + 1);
  ck_assert_uint_eq(w.last.done, 2400);
  ck_assert_uint_eq(w.last.calls, 4000);
  ck_assert_double_eq(w.last.mean, r.value);
  ck_assert_double_eq(w.last.sigma, r.error);
}
END_TEST

START_TEST(progress_does_not_change_the_bits)
{
  struct watch w = watcher();
  nis_options plain = small(2), o = watched(&w);
  nis_result a = nis_integrate_with(ramp, &plain), b = nis_integrate_with(ramp, &o);
  check_bits(&a, &b);
}
END_TEST

static nis_result stop_in(int phase, int when_finished, struct watch *w)
{
  *w = watcher();
  w->stop_phase = phase;
  w->stop_when_finished = when_finished;
  nis_options o = watched(w);
  nis_result r = nis_integrate_with(ramp, &o);
  ck_assert_int_eq(r.status, NIS_STOPPED);
  check_sentence("progress");
  ck_assert_uint_lt(r.calls, 4000);
  return r;
}

START_TEST(stopping_the_estimate_keeps_what_is_known)
{
  for (int when_finished = 0; when_finished < 2; when_finished++) {
    struct watch w;
    nis_result r = stop_in(NIS_INTEGRATING, when_finished, &w);
    ck_assert_uint_eq(r.train_calls, 1600);
    ck_assert_uint_gt(r.calls, 1600);
    ck_assert_double_gt(r.error, 0);
    check_within_errors(&r, 1);
  }
}
END_TEST

/* The value is then that of the training points; a run stopped within the first round may have
 * none, but 0 +- 0 it must not say. */
START_TEST(stopping_the_training_gives_what_it_saw)
{
  struct watch w;
  nis_result r = stop_in(NIS_TRAINING, 1, &w);
  ck_assert_uint_eq(r.calls, r.train_calls);
  ck_assert_double_gt(r.error, 0);
  check_within_errors(&r, 1);
  r = stop_in(NIS_TRAINING, 0, &w);
  ck_assert_uint_eq(r.calls, r.train_calls);
  ck_assert_msg(!(r.error == 0), "%g +- %g", r.value, r.error);
}
END_TEST

START_TEST(progress_is_not_called_after_it_stopped_the_run)
{
  for (int phase = NIS_TRAINING; phase <= NIS_INTEGRATING; phase++)
    for (int when_finished = 0; when_finished < 2; when_finished++) {
      struct watch w;
      stop_in(phase, when_finished, &w);
      ck_assert_msg(w.after_stop == 0, "phase %d: called %d times more", phase, w.after_stop);
    }
}
END_TEST

/* ---- goals ----------------------------------------------------------------------- */

/* nis_integrate is a handle and nis_run. */
START_TEST(run_is_integrate_on_a_handle)
{
  nis_options o = small(2);
  nis_result whole = nis_integrate_with(ramp, &o), result;
  nis *s = make(ramp, &o);
  check_refused(nis_run(s, NULL), "result");
  ck_assert_int_eq(nis_run(s, &result), NIS_OK);
  ck_assert(result.value == whole.value && result.error == whole.error);
  ck_assert(result.chi2 == whole.chi2 && result.calls == whole.calls);
  nis_free(s);
}
END_TEST

START_TEST(goals_end_the_run_early)
{
  for (int relative = 0; relative < 2; relative++) {
    nis_options o = small(2);
    o.calls = 100000;
    o.train_share = 0.02;
    *(relative ? &o.rel_error : &o.abs_error) = 2e-3;
    nis_result r = nis_integrate_with(ramp, &o);
    ck_assert_int_eq(r.status, NIS_OK);
    ck_assert_double_le(r.error, 2e-3 * (relative ? r.value : 1));
    ck_assert_double_gt(r.error, 0);
    ck_assert_uint_lt(r.calls, 100000);
    check_within_errors(&r, 1);
  }
}
END_TEST

START_TEST(one_of_two_goals_is_enough)
{
  nis_options o = small(2);
  o.rel_error = 1e-12, o.abs_error = 0.5;
  ck_assert_int_eq(nis_integrate_with(ramp, &o).status, NIS_OK);
  o.rel_error = 0.5, o.abs_error = 1e-12;
  ck_assert_int_eq(nis_integrate_with(ramp, &o).status, NIS_OK);
}
END_TEST

START_TEST(a_missed_goal_is_said)
{
  for (int relative = 0; relative < 2; relative++) {
    nis_options o = small(2);
    nis_result plain = nis_integrate_with(ramp, &o);
    *(relative ? &o.rel_error : &o.abs_error) = 1e-9;
    nis_result r = nis_integrate_with(ramp, &o);
    ck_assert_int_eq(r.status, NIS_GOAL_MISSED);
    ck_assert_str_ne(nis_last_error(), "");
    ck_assert_uint_eq(r.calls, plain.calls);
    ck_assert_double_lt(r.error, 1.5 * plain.error);
  }
}
END_TEST

/* The relative goal is one of |value|. */
static double minus_ramp(double *x, size_t dim, void *params)
{
  return -ramp(x, dim, params);
}

START_TEST(goal_of_a_negative_integral)
{
  nis_options o = small(2);
  o.rel_error = 0.1;
  nis_result r = nis_integrate_with(minus_ramp, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  check_within_errors(&r, -1);
}
END_TEST

/* ---- values that are no numbers -------------------------------------------------------- */

static nis_result integrate_spoilt(double share, double value, struct witness *w)
{
  nis_options o = small(2);
  *w = witness();
  w->share = share, w->bad_value = value;
  o.params = w, o.serial = 1;
  return nis_integrate_with(spoilt_ramp, &o);
}

static void check_spoilt(double share, double value, int status)
{
  struct witness w, zeros;
  char point[100];
  nis_result r = integrate_spoilt(share, value, &w);
  ck_assert_int_eq(r.status, status);
  ck_assert_uint_eq(r.bad_calls, w.bad);
  ck_assert_uint_eq(r.calls, w.calls);
  snprintf(point, sizeof point, "(%.6g, %.6g)", w.first_bad[0], w.first_bad[1]);
  check_sentence(point);
  nis_result with_zeros = integrate_spoilt(share, 0, &zeros);
  check_bits(&r, &with_zeros); /* they count as zero, everywhere */
}

START_TEST(a_few_bad_values_are_a_warning)
{
  check_spoilt(0.03, NAN, NIS_OK);
  check_spoilt(0.03, INFINITY, NIS_OK);
  check_spoilt(0.03, -INFINITY, NIS_OK);
}
END_TEST

START_TEST(many_bad_values_are_an_error)
{
  check_spoilt(0.5, NAN, NIS_BAD_VALUES);
  check_spoilt(0.5, -INFINITY, NIS_BAD_VALUES);
  check_spoilt(1, NAN, NIS_BAD_VALUES);
}
END_TEST

/* ramp is infinite only there: the rest of the integral stays. */
static double infinite_corner(double *x, size_t dim, void *params)
{
  return x[0] < 0.05 && x[1] < 0.05 ? INFINITY : ramp(x, dim, params);
}

START_TEST(infinity_in_a_corner)
{
  const double lost = 0.05 * 0.05 * (0.5 + 0.025) * (0.5 + 0.025);
  nis_options o = small(2);
  o.calls = 20000;
  nis_result r = nis_integrate_with(infinite_corner, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_uint_gt(r.bad_calls, 0);
  check_within_errors(&r, 1 - lost);
  check_sentence("inf");
}
END_TEST

/* finite, but not times the volume of the domain */
static double huge(double *x, size_t dim, void *params)
{
  (void)x, (void)dim, (void)params;
  return 1e308;
}

START_TEST(overflow_by_the_volume_is_a_bad_value)
{
  const double upper[] = {100};
  nis_options o = small(1);
  o.upper = upper;
  nis_result r = nis_integrate_with(huge, &o);
  ck_assert_int_eq(r.status, NIS_BAD_VALUES);
  ck_assert(!isnan(r.value));
}
END_TEST

START_TEST(bad_values_never_reach_samples_or_events)
{
  struct witness w = witness();
  static double x[2000], log_q[1000], weight[1000];
  uint64_t events = 0;
  nis_event_summary summary;
  nis_options o = small(2);
  w.share = 0.05;
  o.params = &w, o.serial = 1;
  nis *s = make_ready(spoilt_ramp, &o, NULL);
  ck_assert_int_eq(nis_sample(s, 1000, x, log_q, weight), NIS_OK);
  for (int i = 0; i < 1000; i++) require(isfinite(weight[i]), "weight %g", weight[i]);
  ck_assert_int_eq(events_of(s, 1000, count_events, &events, &summary), NIS_OK);
  ck_assert(isfinite(summary.sum_weights) && isfinite(summary.unit));
  nis_free(s);
}
END_TEST

/* ---- simple integrands ----------------------------------------------------------------- */

START_TEST(zero_everywhere)
{
  nis_options o = small(3);
  nis_result r = nis_integrate_with(zero, &o);
  ck_assert_int_eq(r.status, NIS_SUSPECT); /* as for a needle that no point has hit */
  ck_assert_int_eq(r.suspect, NIS_FEW_WEIGHTS);
  ck_assert_double_eq(r.value, 0);
  ck_assert_double_eq(r.error, 0);
  ck_assert_double_eq(r.efficiency, 0);
  ck_assert_double_eq(r.ess, 0);
  ck_assert_uint_eq(r.zero_calls, 2400);
  ck_assert_uint_eq(r.calls, 4000);
}
END_TEST

static double times_params(double *x, size_t dim, void *params)
{
  (void)x, (void)dim;
  return *(const double *)params;
}

/* The flow stays near the identity, so the weights hardly vary. */
START_TEST(constants)
{
  static const double constants[] = {1, -3, 1e-30, 1e30, 42};
  for (size_t i = 0; i < LENGTH(constants); i++) {
    nis_options o = small(2);
    o.params = (void *)&constants[i];
    nis_result r = nis_integrate_with(times_params, &o);
    ck_assert_int_eq(r.status, NIS_OK);
    ck_assert_double_eq_tol(r.value / constants[i], 1, 1e-2);
    ck_assert_double_le(r.error, 1e-2 * fabs(constants[i]));
    check_within_errors(&r, constants[i]);
    ck_assert_double_gt(r.efficiency, 0.8);
    ck_assert_double_gt(r.ess, 2300);
  }
}
END_TEST

START_TEST(few_calls_and_many_dimensions)
{
  static const uint64_t calls[] = {1, 2, 3, 10, 100, 1023, 1025};
  static const size_t dim[] = {1, 2, 100};
  for (size_t i = 0; i < LENGTH(calls) * LENGTH(dim); i++) {
    nis_options o = small(dim[i % 3]);
    o.calls = calls[i / 3];
    nis_result r = nis_integrate_with(one, &o);
    ck_assert_int_eq(r.status, calls[i / 3] < 50 ? NIS_SUSPECT : NIS_OK);
    ck_assert_uint_eq(r.calls, calls[i / 3]);
    ck_assert_double_eq_tol(r.value, 1, 0.5);
    if (calls[i / 3] == 1)
      ck_assert(isinf(r.error)); /* one point has no spread */
    else
      ck_assert(isfinite(r.error) && r.error >= 0 && r.chi2 >= 0 && r.dof >= 0);
    ck_assert_uint_eq(r.seed, 5);
  }
}
END_TEST

START_TEST(handles_with_few_calls)
{
  nis_options o = small(2);
  nis_result r;
  for (uint64_t calls = 1; calls < 70; calls += 4) {
    nis *s = make(ramp, &o);
    ck_assert_int_eq(nis_train(s, calls), NIS_OK);
    ck_assert(has_value(nis_estimate(s, calls + 1, &r)));
    ck_assert_uint_eq(r.calls, 2 * calls + 1);
    ck_assert_uint_eq(r.train_calls, calls);
    nis_free(s);
  }
}
END_TEST

/* ---- how the flow is trained ------------------------------------------------------------- */

/* Along a curve, so that neither a map without correlations nor a normal peak is as good as the
 * flow. Integral over y: that of a whole Gaussian but for 1e-9. */
static double bow(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  double off = (x[1] - 0.3 - 1.6 * (x[0] - 0.5) * (x[0] - 0.5)) / 0.05;
  return exp(-off * off / 2) / (0.05 * sqrt(2 * M_PI));
}

START_TEST(every_loss_trains_in_its_own_way)
{
  double value[NIS_LOSS_FORWARD_CHI2 + 1];
  for (int loss = NIS_LOSS_DEFAULT; loss <= NIS_LOSS_FORWARD_CHI2; loss++) {
    nis_options o = small(2);
    o.loss = (nis_loss_kind)loss;
    o.calls = 20000, o.replay = 0;
    nis_result r = nis_integrate_with(bow, &o);
    ck_assert(has_value(r.status));
    check_within_errors(&r, 1);
    value[loss] = r.value;
    for (int other = 0; other < loss; other++) ck_assert_double_ne(value[loss], value[other]);
  }
}
END_TEST

START_TEST(effort_is_replay)
{
  nis_options o = small(2), full;
  o.replay = 0, o.effort = 0.1;
  ck_assert_int_eq(nis_complete_options(&o, &full), NIS_OK);
  nis_result little = nis_integrate_with(ramp, &o);
  o.effort = 0, o.replay = full.replay;
  nis_result same = nis_integrate_with(ramp, &o);
  o.replay *= 2;
  nis_result more = nis_integrate_with(ramp, &o);
  ck_assert_int_eq(little.status, NIS_OK);
  check_bits(&little, &same);
  ck_assert_double_ne(little.value, more.value);
}
END_TEST

/* On [0, 2]^4: 1, and a peak of widths 0.02 with an integral of 16 that few points will find */
static double needle(double *x, size_t dim, void *params)
{
  double square = 0, norm = 16;
  (void)params;
  for (size_t j = 0; j < dim; j++) {
    double z = (x[j] - 1.3) / 0.02;
    square += z * z, norm /= 0.02 * sqrt(2 * M_PI);
  }
  return 1 + norm * exp(-square / 2);
}

static const double zeros[] = {0, 0, 0, 0}, twos[] = {2, 2, 2, 2};

static nis_options needle_options(void)
{
  nis_options o = small(4);
  o.lower = zeros, o.upper = twos, o.calls = 20000;
  return o;
}

static void check_calls(const nis_result *r, const nis_options *o)
{
  ck_assert_uint_eq(r->calls, o->calls);
  ck_assert_uint_eq(r->train_calls, (uint64_t)(o->train_share * (double)o->calls));
  ck_assert_uint_le(r->search_calls, r->train_calls);
}

START_TEST(hints_are_climbed_from)
{
  const double hint[] = {1.33, 1.26, 1.28, 1.31};
  nis_options o = needle_options();
  o.train_share = 0.5, o.hints = hint, o.nhints = 1;
  nis_result r = nis_integrate_with(needle, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  check_calls(&r, &o);
  ck_assert_int_ge(r.peaks_found, 1);
  ck_assert_uint_gt(r.search_calls, 0);
  check_within_errors(&r, 32);
  ck_assert_double_lt(r.error, 0.5);
}
END_TEST

START_TEST(hints_are_copied)
{
  double hint[] = {1.33, 1.26, 1.28, 1.31};
  nis_options o = needle_options();
  o.hints = hint, o.nhints = 1;
  nis_result a, b;
  nis *s = make_ready(needle, &o, &a), *other = make(needle, &o);
  memset(hint, 0xff, sizeof hint);
  ck_assert_int_eq(nis_train(other, 2000), NIS_OK);
  ck_assert(has_value(nis_estimate(other, 4000, &b)));
  check_bits(&a, &b);
  nis_free(s), nis_free(other);
}
END_TEST

START_TEST(hints_that_lead_nowhere)
{
  double hints[NIS_MOST_HINTS * 4];
  for (size_t i = 0; i < LENGTH(hints); i++) hints[i] = 0.1 + 0.025 * (double)i;
  nis_integrand *const f[] = {zero, one, ramp, signed_step};
  const double exact[] = {0, 16, 81, -4};
  for (size_t i = 0; i < LENGTH(f); i++) {
    nis_options o = needle_options();
    o.hints = hints, o.nhints = NIS_MOST_HINTS;
    nis_result r = nis_integrate_with(f[i], &o);
    ck_assert(has_value(r.status));
    ck_assert_uint_eq(r.calls, 20000);
    check_within_errors(&r, exact[i]);
  }
}
END_TEST

START_TEST(nothing_is_found_where_nothing_is_missing)
{
  nis_options o = small(2);
  o.calls = 20000, o.train_share = 0.5;
  nis_result r = nis_integrate_with(one, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  ck_assert_int_eq(r.peaks_found, 0);
  check_calls(&r, &o);
}
END_TEST

/* ---- boxes ------------------------------------------------------------------------ */

static double xy_inside(double *x, size_t dim, void *params)
{
  (void)dim;
  if (!(x[0] > 1 && x[0] < 3 && x[1] > -2 && x[1] < -1)) ++*(int *)params;
  return x[0] * x[1];
}

START_TEST(integral_over_a_box)
{
  const double lower[] = {1, -2}, upper[] = {3, -1};
  int outside = 0;
  nis_options o = small(2);
  o.lower = lower, o.upper = upper, o.params = &outside, o.serial = 1;
  nis_result r = nis_integrate_with(xy_inside, &o);
  ck_assert_int_eq(r.status, NIS_OK);
  check_within_errors(&r, -6);
  ck_assert_double_lt(r.error, 0.1);
  ck_assert_int_eq(outside, 0);
}
END_TEST

START_TEST(limits_are_copied)
{
  double lower[] = {1, -2}, upper[] = {3, -1};
  int outside = 0;
  nis_options o = small(2);
  nis_result r;
  o.lower = lower, o.upper = upper, o.params = &outside, o.serial = 1;
  nis *s = make(xy_inside, &o);
  memset(lower, 0xff, sizeof lower), memset(upper, 0xff, sizeof upper);
  memset(&o, 0xff, sizeof o);
  ck_assert_int_eq(nis_train(s, 2000), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 4000, &r), NIS_OK);
  check_within_errors(&r, -6);
  ck_assert_int_eq(outside, 0);
  nis_free(s);
}
END_TEST

/* ---- periodic coordinates ------------------------------------------------------------ */

/* A peak of all angles, across the ends of their range: walls cut it into 2^dim pieces. */
static double four_angles(double *x, size_t dim, void *params)
{
  double sum = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) sum += cos(x[j]) - 1;
  return exp(50 * sum);
}

/* Two angles that follow each other */
static double two_angles(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return exp(20 * (cos(x[0] - x[1]) - 1) + 2 * (cos(x[0]) - 1));
}

static nis_options on_a_torus(size_t dim, const int *periodic)
{
  static const double two_pi[] = {2 * M_PI, 2 * M_PI, 2 * M_PI, 2 * M_PI};
  return (nis_options){
      .dim = dim, .calls = 10000, .seed = 2, .threads = 1, .upper = two_pi, .periodic = periodic};
}

START_TEST(a_torus_has_no_walls)
{
  const nis_options torus = on_a_torus(4, (const int[]){1, 1, 1, 1}), cube = on_a_torus(4, NULL);
  nis_result r = nis_integrate_with(four_angles, &torus);
  nis_result walls = nis_integrate_with(four_angles, &cube);
  ck_assert_int_eq(r.status, NIS_OK);
  check_within_errors(&r, pow(2 * M_PI * gsl_sf_bessel_I0_scaled(50), 4));
  ck_assert_double_lt(r.error, 0.2 * walls.error);
}
END_TEST

START_TEST(densities_go_on_round_a_torus)
{
  int periodic[] = {1, 1};
  nis_options o = on_a_torus(2, periodic);
  nis_result r;
  nis *s = make(two_angles, &o);
  periodic[0] = periodic[1] = 0; /* they are copied */
  ck_assert(has_value(nis_run(s, &r)));
  for (double other = 0.1; other < 6.28; other += 0.5) {
    double end = 2 * M_PI - 1e-9, log_q[4];
    const double x[] = {1e-9, other, end, other, other, 1e-9, other, end};
    ck_assert_int_eq(nis_density(s, 4, x, log_q), NIS_OK);
    ck_assert_double_eq_tol(log_q[0], log_q[1], 1e-3);
    ck_assert_double_eq_tol(log_q[2], log_q[3], 1e-3);
  }
  nis_free(s);
}
END_TEST

/* ---- steps ------------------------------------------------------------------------- */

START_TEST(steps_are_the_whole)
{
  nis_options o = small(3);
  nis_result whole = nis_integrate_with(ramp, &o), steps;
  nis *s = make(ramp, &o);
  ck_assert_int_eq(nis_train(s, 1600), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 2400, &steps), NIS_OK);
  check_bits(&whole, &steps);
  nis_free(s);
}
END_TEST

START_TEST(estimates_add_up)
{
  nis_options o = small(2);
  nis_result first, both;
  nis *s = make_ready(ramp, &o, &first);
  ck_assert_int_eq(nis_estimate(s, 12000, &both), NIS_OK);
  ck_assert_uint_eq(both.calls, 18000);
  ck_assert_double_eq_tol(both.error / first.error, 0.5, 0.05);
  ck_assert_int_gt(both.dof, first.dof);
  check_within_errors(&both, 1);
  nis_free(s);
}
END_TEST

/* A second estimate takes new points: those that one of both would have taken. */
START_TEST(estimates_continue)
{
  nis_options o = small(2);
  nis_result parts, whole;
  nis *s = make(ramp, &o), *t = make(ramp, &o);
  ck_assert_int_eq(nis_estimate(s, 2500, &parts), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 1500, &parts), NIS_OK);
  ck_assert_int_eq(nis_estimate(t, 4000, &whole), NIS_OK);
  ck_assert_double_eq_tol(parts.value, whole.value, 1e-12);
  ck_assert_double_eq_tol(parts.error, whole.error, 1e-12);
  nis_free(s), nis_free(t);
}
END_TEST

START_TEST(training_drops_the_estimate)
{
  nis_options o = small(2);
  nis_result r, again;
  uint64_t events = 0;
  nis *s = make_ready(ramp, &o, &r);
  ck_assert_int_eq(nis_train(s, 1000), NIS_OK);
  check_refused(events_of(s, 10, count_events, &events, NULL), "estimate");
  ck_assert_int_eq(nis_estimate(s, 4000, &again), NIS_OK);
  ck_assert_int_eq(again.dof, r.dof);
  ck_assert_uint_eq(again.calls, 11000);
  ck_assert_uint_eq(again.train_calls, 3000);
  ck_assert_double_ne(again.value, r.value);
  ck_assert_double_gt(again.ess, 1000);
  ck_assert_double_le(again.ess, 4000);
  nis_free(s);
}
END_TEST

/* ---- samples and densities ---------------------------------------------------------- */

enum { POINTS = 3000 };

static void check_samples(const nis_options *o)
{
  static double x[2 * POINTS], log_q[POINTS], again[POINTS], weight[POINTS];
  double sum = 0, square = 0;
  nis_result r;
  nis *s = make_ready(ramp, o, &r);
  ck_assert_int_eq(nis_sample(s, POINTS, x, log_q, weight), NIS_OK);
  ck_assert_int_eq(nis_density(s, POINTS, x, again), NIS_OK);
  for (int i = 0; i < POINTS; i++) {
    double exact = ramp(x + 2 * i, 2, NULL) * exp(-log_q[i]);
    require(fabs(log_q[i] - again[i]) < 1e-5, "log q %.10g, then %.10g", log_q[i], again[i]);
    require(fabs(weight[i] - exact) <= 1e-12 * fabs(exact), "weight %g, not %g", weight[i], exact);
    sum += weight[i], square += weight[i] * weight[i];
  }
  double mean = sum / POINTS, error = sqrt((square / POINTS - mean * mean) / POINTS);
  ck_assert_double_eq_tol(mean, r.value, alarm_errors(1) * hypot(error, r.error));
  nis_free(s);
}

START_TEST(samples_and_densities_agree)
{
  const double lower[] = {0.2, -0.4}, upper[] = {3, 5};
  nis_options o = small(2);
  check_samples(&o);
  o.lower = lower, o.upper = upper;
  check_samples(&o);
}
END_TEST

/* Of the untrained flow: one over the volume. */
START_TEST(density_is_per_volume)
{
  const double lower[] = {0, 0}, upper[] = {2, 8}, x[] = {1, 1, 0.5, 7};
  double log_q[2];
  nis_options o = small(2);
  o.lower = lower, o.upper = upper;
  nis *s = make(one, &o);
  ck_assert_int_eq(nis_density(s, 2, x, log_q), NIS_OK);
  ck_assert_double_eq_tol(log_q[0], -log(16), 1e-5);
  ck_assert_double_eq_tol(log_q[1], -log(16), 1e-5);
  ck_assert_int_eq(nis_density(s, 0, x, log_q), NIS_OK);
  nis_free(s);
}
END_TEST

START_TEST(samples_continue)
{
  static double whole[2 * POINTS], parts[2 * POINTS];
  nis_options o = small(2);
  nis *a = make_ready(ramp, &o, NULL), *b = make_ready(ramp, &o, NULL);
  ck_assert_int_eq(nis_sample(a, POINTS, whole, NULL, NULL), NIS_OK);
  ck_assert_int_eq(nis_sample(b, 0, parts, NULL, NULL), NIS_OK);
  ck_assert_int_eq(nis_sample(b, 1, parts, NULL, NULL), NIS_OK);
  ck_assert_int_eq(nis_sample(b, 999, parts + 2, NULL, NULL), NIS_OK);
  ck_assert_int_eq(nis_sample(b, POINTS - 1000, parts + 2000, NULL, NULL), NIS_OK);
  ck_assert(memcmp(whole, parts, sizeof whole) == 0);
  nis_free(a), nis_free(b);
}
END_TEST

START_TEST(samples_call_the_integrand_for_weights_only)
{
  static double x[2 * POINTS], weight[POINTS];
  struct witness w = witness();
  nis_options o = small(2);
  o.params = &w;
  nis *s = make(witnessed_ramp, &o);
  ck_assert_int_eq(nis_sample(s, POINTS, x, NULL, NULL), NIS_OK);
  ck_assert_int_eq(nis_density(s, POINTS, x, weight), NIS_OK);
  ck_assert_uint_eq(w.calls, 0);
  ck_assert_int_eq(nis_sample(s, POINTS, x, NULL, weight), NIS_OK);
  ck_assert_uint_eq(w.calls, POINTS);
  nis_free(s);
}
END_TEST

/* The three phases are not about samples; what is said of them must still make sense. */
START_TEST(samples_report_no_nonsense)
{
  static double x[2 * POINTS], weight[POINTS];
  struct watch w = watcher();
  nis_options o = watched(&w);
  nis *s = make_ready(ramp, &o, NULL);
  for (int i = 0; i < 3; i++) {
    w.last = (nis_progress){.phase = -1};
    ck_assert_int_eq(nis_sample(s, POINTS, x, NULL, weight), NIS_OK);
  }
  ck_assert_msg(w.wrong == 0, "done %llu of %llu in phase %d", (unsigned long long)w.last.done,
                (unsigned long long)w.last.total, w.last.phase);
  nis_free(s);
}
END_TEST

/* More than one block of the library's own. */
START_TEST(many_samples_have_the_moments_of_q)
{
  enum { MANY = 40000 };
  static double x[MANY];
  double sum = 0, exact = 0, grid[1000], log_q[1000];
  nis_options o = small(1);
  nis *s = make_ready(ramp, &o, NULL);
  ck_assert_int_eq(nis_sample(s, MANY, x, NULL, NULL), NIS_OK);
  for (int i = 0; i < MANY; i++) sum += x[i];
  for (int i = 0; i < 1000; i++) grid[i] = (i + 0.5) / 1000;
  ck_assert_int_eq(nis_density(s, 1000, grid, log_q), NIS_OK);
  for (int i = 0; i < 1000; i++) exact += grid[i] * exp(log_q[i]) / 1000;
  ck_assert_double_eq_tol(sum / MANY, exact, alarm_errors(1) * 0.3 / sqrt(MANY));
  nis_free(s);
}
END_TEST

START_TEST(samples_are_not_part_of_the_estimate)
{
  static double x[2 * POINTS], weight[POINTS];
  uint64_t events = 0;
  nis_options o = small(2);
  nis_result a, b;
  nis *s = make_ready(ramp, &o, &a), *t = make_ready(ramp, &o, &a);
  ck_assert_int_eq(nis_sample(s, POINTS, x, NULL, weight), NIS_OK);
  ck_assert_int_eq(events_of(s, 100, count_events, &events, NULL), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 1000, &a), NIS_OK);
  ck_assert_int_eq(nis_estimate(t, 1000, &b), NIS_OK);
  ck_assert_double_eq(a.value, b.value);
  ck_assert_double_eq(a.error, b.error);
  ck_assert_double_eq(a.chi2, b.chi2);
  nis_free(s), nis_free(t);
}
END_TEST

/* ---- events ----------------------------------------------------------------------- */

enum { EVENTS = 20000 };

struct sink_log {
  pthread_t caller;
  size_t n, stop_after, foreign;
  uint64_t trials;
  double x[2 * EVENTS], weight[EVENTS], log_q[EVENTS];
};

static int keep(const nis_event_block *events, void *params)
{
  struct sink_log *log = params;
  size_t n = events->n;
  log->foreign += !pthread_equal(log->caller, pthread_self());
  if (n == 0 || events->dim != 2 || log->n + n > EVENTS) return 99;
  memcpy(log->x + 2 * log->n, events->x, 2 * n * sizeof *events->x);
  memcpy(log->weight + log->n, events->weight, n * sizeof *events->weight);
  memcpy(log->log_q + log->n, events->log_q, n * sizeof *events->log_q);
  for (size_t i = 0; i < n; i++) log->trials += events->trials[i];
  log->n += n;
  return log->stop_after > 0 && log->n >= log->stop_after;
}

/* One log of two, empty. */
static struct sink_log *log_number(int i)
{
  static struct sink_log log[2];
  memset(&log[i], 0, sizeof log[i]);
  log[i].caller = pthread_self();
  return &log[i];
}

static void check_summary(const nis_event_summary *summary, const struct sink_log *log)
{
  double sum = 0, excess = 0, absolute = 0;
  uint64_t overweights = 0;
  for (size_t i = 0; i < log->n; i++) {
    double size = fabs(log->weight[i]);
    require(size >= 1, "weight %.17g", log->weight[i]);
    sum += log->weight[i];
    absolute += size;
    excess += size - 1;
    overweights += size > 1;
  }
  ck_assert_uint_eq(summary->events, log->n);
  ck_assert_uint_eq(summary->overweights, overweights);
  ck_assert_double_eq_tol(summary->sum_weights, sum, 1e-9 * (1 + absolute));
  ck_assert_double_eq_tol(summary->overweight_share, log->n ? excess / absolute : 0, 1e-9);
  double trials = summary->trials > 0 ? (double)summary->trials : 1;
  if (summary->trials > 0)
    ck_assert_double_eq_tol(summary->efficiency.value, (double)log->n / trials, 1e-12);
  ck_assert_uint_ge(summary->calls, summary->trials);
  ck_assert_uint_ge(summary->trials, log->trials);
  ck_assert_uint_eq(log->foreign, 0);
}

/* sum of the events in units: the integral, with the error of the unit and of the counting. */
static void check_mean(const nis_event_summary *summary, const struct sink_log *log,
                       const nis_result *r, double exact)
{
  double square = 0, n = (double)log->n, mean = summary->sum_weights / n;
  for (size_t i = 0; i < log->n; i++) square += log->weight[i] * log->weight[i];
  double own = summary->unit * sqrt((square / n - mean * mean) / n);
  ck_assert_double_eq_tol(summary->unit * mean, exact,
                          alarm_errors(1) * hypot(own, 1.1 * r->error));
}

static void check_events(nis_integrand *f, double exact)
{
  struct sink_log *log = log_number(0);
  nis_event_summary summary;
  nis_options o = small(2);
  nis_result r;
  nis *s = make_ready(f, &o, &r);
  ck_assert_int_eq(events_of(s, EVENTS, keep, log, &summary), NIS_OK);
  ck_assert_int_eq(summary.status, NIS_OK);
  ck_assert_uint_eq(log->n, EVENTS);
  check_summary(&summary, log);
  check_mean(&summary, log, &r, exact);
  for (size_t i = 0; i < log->n; i++)
    require(log->weight[i] * f(log->x + 2 * i, 2, NULL) > 0, "an event has the wrong sign");
  nis_free(s);
}

START_TEST(events_stand_for_the_integral)
{
  check_events(ramp, 1);
  check_events(minus_ramp, -1);
  check_events(signed_step, 0.5);
}
END_TEST

START_TEST(events_are_those_of_any_number_of_threads)
{
  static const int threads[] = {2, 3, 8};
  struct sink_log *first = log_number(0), *other;
  nis_options o = small(2);
  for (size_t i = 0; i < 1 + LENGTH(threads); i++) {
    o.threads = i == 0 ? 1 : threads[i - 1];
    nis *s = make_ready(ramp, &o, NULL);
    other = i == 0 ? first : log_number(1);
    ck_assert_int_eq(events_of(s, 3000, keep, other, NULL), NIS_OK);
    ck_assert(memcmp(first->x, other->x, sizeof first->x) == 0);
    ck_assert(memcmp(first->weight, other->weight, sizeof first->weight) == 0);
    nis_free(s);
  }
}
END_TEST

START_TEST(events_continue)
{
  struct sink_log *whole = log_number(0), *parts = log_number(1);
  nis_options o = small(2);
  nis_event_summary summary;
  nis *a = make_ready(ramp, &o, NULL), *b = make_ready(ramp, &o, NULL);
  ck_assert_int_eq(events_of(a, 3000, keep, whole, NULL), NIS_OK);
  ck_assert_int_eq(events_of(b, 1, keep, parts, NULL), NIS_OK);
  ck_assert_int_eq(events_of(b, 999, keep, parts, NULL), NIS_OK);
  ck_assert_int_eq(events_of(b, 2000, keep, parts, &summary), NIS_OK);
  ck_assert_uint_eq(summary.events, 2000); /* of this call */
  ck_assert_uint_eq(parts->n, 3000);
  ck_assert(memcmp(whole->x, parts->x, sizeof whole->x) == 0);
  ck_assert(memcmp(whole->weight, parts->weight, sizeof whole->weight) == 0);
  nis_free(a), nis_free(b);
}
END_TEST

START_TEST(a_sink_can_stop)
{
  struct sink_log *log = log_number(0);
  nis_event_summary summary;
  nis_options o = small(2);
  nis *s = make_ready(ramp, &o, NULL);
  log->stop_after = 1;
  ck_assert_int_eq(events_of(s, EVENTS, keep, log, &summary), NIS_STOPPED);
  check_sentence("sink");
  ck_assert_int_eq(summary.status, NIS_STOPPED);
  ck_assert_uint_lt(log->n, EVENTS);
  check_summary(&summary, log);
  nis_free(s);
}
END_TEST

START_TEST(progress_can_stop_events)
{
  struct sink_log *log = log_number(0);
  struct watch w = watcher();
  nis_event_summary summary;
  nis_options o = watched(&w);
  nis *s = make_ready(ramp, &o, NULL);
  w.stop_phase = NIS_GENERATING;
  ck_assert_int_eq(events_of(s, EVENTS, keep, log, &summary), NIS_STOPPED);
  ck_assert_int_eq(w.wrong, 0);
  check_summary(&summary, log);
  nis_free(s);
}
END_TEST

static int refusing_batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                          void *params)
{
  struct witness *w = params;
  return batch_ramp(n, dim, x, ncomp, f, w);
}

START_TEST(an_integrand_can_refuse_during_events)
{
  struct sink_log *log = log_number(0);
  struct witness w = witness();
  nis_event_summary summary;
  nis_options o = small(2);
  o.batch = refusing_batch, o.batch_points = 64, o.params = &w, o.threads = 1;
  nis *s = make_ready(NULL, &o, NULL);
  w.refuse_at = w.calls + 4;
  ck_assert_int_eq(events_of(s, EVENTS, keep, log, &summary), NIS_CALLBACK);
  check_sentence("integrand");
  ck_assert_int_eq(summary.status, NIS_CALLBACK);
  check_summary(&summary, log);
  nis_free(s);
}
END_TEST

START_TEST(events_need_an_estimate)
{
  uint64_t events = 0;
  nis_options o = small(2);
  nis *s = make(ramp, &o);
  check_refused(events_of(s, 1, count_events, &events, NULL), "estimate");
  nis_free(s);
}
END_TEST

START_TEST(no_events_of_nothing)
{
  uint64_t events = 0;
  nis_options o = small(2);
  nis_event_summary summary;
  nis *s = make_ready(zero, &o, NULL);
  ck_assert_int_eq(events_of(s, 1, count_events, &events, &summary), NIS_NO_EVENTS);
  ck_assert_int_eq(summary.status, NIS_NO_EVENTS);
  ck_assert_str_ne(nis_last_error(), "");
  ck_assert_uint_eq(events, 0);
  nis_free(s);
}
END_TEST

/* Each is refused before anything is done, by the check and by the call. */
START_TEST(event_options_out_of_range)
{
  uint64_t seen = 0;
  const nis_event_options good = {.events = 10, .sink = count_events, .sink_params = &seen};
  nis_event_options bad[10];
  const char *const words[] = {"both 0",   "calls must", "w_max", "tail",   "tail",
                               "quantile", "sink",       "path",  "format", "particles"};
  for (size_t i = 0; i < LENGTH(bad); i++) bad[i] = good;
  bad[0].events = 0;
  bad[1].calls = UINT64_MAX;
  bad[2].w_max = (nis_w_max_rule)4;
  bad[3].tail = 1;
  bad[4].tail = NAN;
  bad[5].quantile = -0.5;
  bad[6].sink = NULL;
  bad[7].path = "";
  bad[8].path = "/tmp/x", bad[8].format = (nis_event_format)7;
  bad[9].path = "/tmp/x.lhe";
  nis_options o = small(2);
  nis *s = make_ready(ramp, &o, NULL);
  for (size_t i = 0; i < LENGTH(bad); i++) {
    check_refused(nis_check_events(&bad[i]), words[i]);
    check_refused(nis_events(s, &bad[i], NULL), words[i]);
  }
  ck_assert_int_eq(nis_check_events(&good), NIS_OK);
  ck_assert_uint_eq(seen, 0);
  nis_free(s);
}
END_TEST

static int two_legs(const double *x, size_t dim, nis_event *event, void *params)
{
  (void)dim;
  *event = (nis_event){.nparticles = 2, .particle = {{.pdg = 11}, {.pdg = -11}}};
  return params != NULL && x[0] > *(double *)params;
}

/* The text of a file of events, which then goes away; NULL if there is none */
static char *read_events(const char *path)
{
  char *text = calloc(1, 40000000);
  FILE *file = fopen(path, "r");
  if (!file) return free(text), NULL;
  ck_assert_uint_lt(fread(text, 1, 39999999, file), 39999999);
  fclose(file);
  remove(path);
  return text;
}

static size_t count_of(const char *text, const char *word)
{
  size_t n = 0;
  for (; (text = strstr(text, word)); text++) n++;
  return n;
}

START_TEST(a_handle_writes_files)
{
  char path[] = "/tmp/nis-test-XXXXXX";
  double most = 0.9;
  nis_options o = small(2);
  nis *s = make_ready(ramp, &o, NULL);
  close(mkstemp(path));
  nis_event_options e = {.events = 5000,
                         .path = path,
                         .force = 1,
                         .format = NIS_FORMAT_LHE,
                         .particles = two_legs,
                         .header = "line: <event> & more\nlast"};
  ck_assert_int_eq(nis_events(s, &e, NULL), NIS_OK);
  char *text = read_events(path);
  ck_assert_uint_eq(count_of(text, "<event>\n"), 5000);
  ck_assert_uint_eq(count_of(text, "line: &lt;event&gt; &amp; more\nlast\n</header>\n"), 1);
  free(text);

  e.particles_params = &most; /* refuses a point sooner or later: what was before stays */
  nis_event_summary summary;
  ck_assert_int_eq(nis_events(s, &e, &summary), NIS_CALLBACK);
  check_sentence("particles");
  text = read_events(path);
  ck_assert_uint_eq(text ? count_of(text, "<event>\n") : 0, summary.events);
  ck_assert_uint_lt(summary.events, 5000);
  free(text);
  nis_free(s);
}
END_TEST

/* -1 in a corner that the short estimate has not seen */
static double rare_sign(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return x[0] < 2e-4 ? -1 : 1;
}

/* Strategy 3 has promised that there is no sign. */
START_TEST(a_negative_weight_too_late)
{
  char path[] = "/tmp/nis-test-XXXXXX";
  nis_options o = small(2);
  nis *s = make(rare_sign, &o); /* untrained */
  ck_assert_int_eq(nis_estimate(s, 64, NULL) < 0, 0);
  close(mkstemp(path));
  nis_event_options e = {.events = 100000,
                         .path = path,
                         .force = 1,
                         .format = NIS_FORMAT_LHE,
                         .particles = two_legs,
                         .unit_weights = 1};
  ck_assert_int_eq(nis_events(s, &e, NULL), NIS_NO_FILE);
  check_sentence("whole_run");
  free(read_events(path));
  e.whole_run = 1, e.events = 20000;
  ck_assert_int_eq(nis_events(s, &e, NULL), NIS_OK);
  char *text = read_events(path);
  ck_assert_ptr_nonnull(strstr(text, " 0 0 0 0 -4 1\n"));
  free(text);
  nis_free(s);
}
END_TEST

/* A summary is of this call, also when there was nothing to do. */
START_TEST(summary_of_a_refused_call)
{
  uint64_t events = 0;
  nis_event_summary summary;
  memset(&summary, 0xff, sizeof summary);
  nis_options o = small(2);
  nis *s = make(ramp, &o);
  ck_assert_int_eq(events_of(s, 1, count_events, &events, &summary), NIS_INVALID);
  ck_assert_int_eq(summary.status, NIS_INVALID);
  ck_assert_uint_eq(summary.events, 0);
  nis_free(s);
}
END_TEST

/* unbounded: the w_max of the efficiency leaves a thousandth of the integral above it */
static double pole(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return pow(x[0], -0.3);
}

START_TEST(overweights_are_carried)
{
  struct sink_log *log = log_number(0);
  nis_event_summary summary;
  nis_options o = small(2);
  nis_result r;
  nis *s = make(pole, &o); /* untrained */
  ck_assert_int_eq(nis_estimate(s, 200000, &r), NIS_OK);
  ck_assert_int_eq(events_of(s, EVENTS, keep, log, &summary), NIS_OK);
  check_summary(&summary, log);
  check_mean(&summary, log, &r, 1 / 0.7);
  ck_assert_uint_ge(summary.overweights, 10);
  ck_assert_double_gt(summary.overweight_share, 1e-4);
  ck_assert_double_lt(summary.unit, (1 - 0.0008) * r.value); /* the mean of the cut weights */
  ck_assert_double_gt(summary.unit, (1 - 0.00101) * r.value);
  nis_free(s);
}
END_TEST

/* ---- */

static TCase *make_case(const char *name)
{
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, 120); /* sanitizers, busy machines */
  return tcase;
}

static TCase *argument_case(void)
{
  TCase *tcase = make_case("arguments");
  tcase_add_test(tcase, whole_numbers_out_of_range);
  tcase_add_test(tcase, whole_numbers_at_the_ends);
  tcase_add_test(tcase, real_numbers_out_of_range);
  tcase_add_test(tcase, sizes_out_of_range);
  tcase_add_test(tcase, calls_out_of_range);
  tcase_add_test(tcase, limits_out_of_range);
  tcase_add_test(tcase, periodic_out_of_range);
  tcase_add_test(tcase, one_limit_alone);
  tcase_add_test(tcase, equal_limits);
  tcase_add_test(tcase, infinite_ranges);
  tcase_add_test(tcase, hints_outside_the_domain);
  tcase_add_test(tcase, hints_missing_or_too_many);
  tcase_add_test(tcase, integrands_missing_or_two);
  tcase_add_test(tcase, defaults_are_those_of_the_header);
  tcase_add_test(tcase, defaults_follow_the_dimension);
  tcase_add_test(tcase, minibatch_follows_the_training_calls);
  tcase_add_test(tcase, training_takes_two_million_calls_at_most);
  tcase_add_test(tcase, replay_follows_calls_and_net);
  tcase_add_test(tcase, complete_options_are_those_of_the_run);
  tcase_add_test(tcase, options_that_cannot_be_completed);
  tcase_add_test(tcase, handles_missing);
  tcase_add_test(tcase, pointers_missing);
  tcase_add_test(tcase, weights_by_size);
  tcase_add_test(tcase, counts_out_of_range);
  tcase_add_test(tcase, points_outside_the_domain);
  tcase_add_test(tcase, a_refused_call_leaves_the_handle_as_it_was);
  tcase_add_test(tcase, every_status_has_its_words);
  tcase_add_test(tcase, version_has_three_numbers);
  tcase_add_test(tcase, success_clears_the_sentence);
  tcase_add_test(tcase, each_thread_has_its_sentence);
  return tcase;
}

static TCase *callback_case(void)
{
  TCase *tcase = make_case("callbacks");
  tcase_add_test(tcase, scalar_and_batch_have_the_same_bits);
  tcase_add_test(tcase, serial_stays_on_the_calling_thread);
  tcase_add_test(tcase, batches_are_as_large_as_asked);
  tcase_add_test(tcase, a_refused_first_batch_leaves_no_value);
  tcase_add_test(tcase, a_refused_later_batch_leaves_what_was_done);
  tcase_add_test(tcase, a_handle_lives_on_after_a_refusal);
  tcase_add_test(tcase, progress_tells_how_far_the_run_is);
  tcase_add_test(tcase, progress_does_not_change_the_bits);
  tcase_add_test(tcase, stopping_the_estimate_keeps_what_is_known);
  tcase_add_test(tcase, stopping_the_training_gives_what_it_saw);
  tcase_add_test(tcase, progress_is_not_called_after_it_stopped_the_run);
  return tcase;
}

static TCase *result_case(void)
{
  TCase *tcase = make_case("results");
  tcase_add_test(tcase, run_is_integrate_on_a_handle);
  tcase_add_test(tcase, goals_end_the_run_early);
  tcase_add_test(tcase, one_of_two_goals_is_enough);
  tcase_add_test(tcase, a_missed_goal_is_said);
  tcase_add_test(tcase, goal_of_a_negative_integral);
  tcase_add_test(tcase, a_few_bad_values_are_a_warning);
  tcase_add_test(tcase, many_bad_values_are_an_error);
  tcase_add_test(tcase, infinity_in_a_corner);
  tcase_add_test(tcase, overflow_by_the_volume_is_a_bad_value);
  tcase_add_test(tcase, bad_values_never_reach_samples_or_events);
  tcase_add_test(tcase, zero_everywhere);
  tcase_add_test(tcase, constants);
  tcase_add_test(tcase, few_calls_and_many_dimensions);
  tcase_add_test(tcase, handles_with_few_calls);
  tcase_add_test(tcase, every_loss_trains_in_its_own_way);
  tcase_add_test(tcase, effort_is_replay);
  tcase_add_test(tcase, hints_are_climbed_from);
  tcase_add_test(tcase, hints_are_copied);
  tcase_add_test(tcase, hints_that_lead_nowhere);
  tcase_add_test(tcase, nothing_is_found_where_nothing_is_missing);
  tcase_add_test(tcase, integral_over_a_box);
  tcase_add_test(tcase, limits_are_copied);
  tcase_add_test(tcase, a_torus_has_no_walls);
  tcase_add_test(tcase, densities_go_on_round_a_torus);
  tcase_add_test(tcase, steps_are_the_whole);
  tcase_add_test(tcase, estimates_add_up);
  tcase_add_test(tcase, estimates_continue);
  tcase_add_test(tcase, training_drops_the_estimate);
  return tcase;
}

static TCase *sample_case(void)
{
  TCase *tcase = make_case("samples");
  tcase_add_test(tcase, samples_and_densities_agree);
  tcase_add_test(tcase, density_is_per_volume);
  tcase_add_test(tcase, samples_continue);
  tcase_add_test(tcase, samples_call_the_integrand_for_weights_only);
  tcase_add_test(tcase, samples_report_no_nonsense);
  tcase_add_test(tcase, many_samples_have_the_moments_of_q);
  tcase_add_test(tcase, samples_are_not_part_of_the_estimate);
  return tcase;
}

static TCase *event_case(void)
{
  TCase *tcase = make_case("events");
  tcase_add_test(tcase, events_stand_for_the_integral);
  tcase_add_test(tcase, events_are_those_of_any_number_of_threads);
  tcase_add_test(tcase, events_continue);
  tcase_add_test(tcase, a_sink_can_stop);
  tcase_add_test(tcase, progress_can_stop_events);
  tcase_add_test(tcase, an_integrand_can_refuse_during_events);
  tcase_add_test(tcase, events_need_an_estimate);
  tcase_add_test(tcase, no_events_of_nothing);
  tcase_add_test(tcase, summary_of_a_refused_call);
  tcase_add_test(tcase, event_options_out_of_range);
  tcase_add_test(tcase, a_handle_writes_files);
  tcase_add_test(tcase, a_negative_weight_too_late);
  tcase_add_test(tcase, overweights_are_carried);
  return tcase;
}

int main(void)
{
  Suite *suite = suite_create("api");
  suite_add_tcase(suite, argument_case());
  suite_add_tcase(suite, callback_case());
  suite_add_tcase(suite, result_case());
  suite_add_tcase(suite, sample_case());
  suite_add_tcase(suite, event_case());
  return run_suite(suite);
}
