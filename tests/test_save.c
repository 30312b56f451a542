/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A handle out of a file goes on as the one that was saved, to the bit, whatever it did before and
 * does next; and what cannot be saved or loaded is said, with nothing spoilt. */
#include "nis_events.h"
#include "suite.h"

#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

enum { MOST_DIM = 20, MOST_COMP = 3 };

static char folder[] = "/tmp/nis_save_XXXXXX", file[64];

static void make_folder(void)
{
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(file, sizeof file, "%s/saved.nis", folder);
}

static void remove_folder(void)
{
  remove(file);
  ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left in it */
  memcpy(strchr(folder, '_') + 6, "XXXXXX", 6);
}

/* ---- integrands of all kinds ----------------------------------------------------------- */

static double peak(double *x, size_t dim, void *params)
{
  double sum = 0, centre = params ? *(double *)params : 0.4;
  for (size_t j = 0; j < dim; j++) sum += (x[j] - centre) * (x[j] - centre);
  return exp(-sum / (2 * 0.15 * 0.15));
}

/* A cut, a ridge, and values of both signs */
static double ridge(double *x, size_t dim, void *params)
{
  double off = x[0] + x[1] - 1.2;
  (void)params;
  if (x[dim - 1] < 0.1) return 0;
  return exp(-30 * off * off) - 0.4 * x[0];
}

static double singular(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return 1 / sqrt(x[0]) * (1 + x[1]);
}

static double normal(double *x, size_t dim, void *params)
{
  double sum = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++) sum += x[j] * x[j];
  return exp(-0.5 * sum);
}

static double wave(double *x, size_t dim, void *params)
{
  (void)params;
  return exp(3 * cos(x[0] - 0.2) + 2 * cos(x[dim - 1] - x[0]));
}

/* NaN now and then */
static double holes(double *x, size_t dim, void *params)
{
  return x[0] > 0.98 ? NAN : peak(x, dim, params);
}

static int three(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  for (size_t i = 0; i < n; i++) {
    double p[MOST_DIM];
    memcpy(p, x + i * dim, dim * sizeof *p);
    f[i * ncomp] = peak(p, dim, params);
    for (size_t k = 1; k < ncomp; k++) f[i * ncomp + k] = p[0] * pow(10, (double)k) * p[dim - 1];
  }
  return 0;
}

static double values[MOST_COMP], errors[MOST_COMP], covariance[MOST_COMP * MOST_COMP];
static const double line_low[] = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL},
                    line_high[] = {HUGE_VAL, HUGE_VAL, HUGE_VAL};
static const double turn_low[] = {0, 0, 0}, turn_high[] = {2 * M_PI, 3, 2 * M_PI};
static const int cylinder[] = {1, 0, 1};
static const double hint[] = {0.4, 0.4, 0.4, 0.4, 0.4, 0.4};
static const double scales[] = {1, 2, 3};

static const struct subject {
  const char *name;
  nis_integrand *f;
  nis_options o;
} subjects[] = {
    {"peak", peak, {.dim = 4, .calls = 6000, .seed = 3, .name = "peak width=0.15"}},
    {"ridge", ridge, {.dim = 3, .calls = 6000, .points = NIS_POINTS_RANDOM}},
    {"singular", singular, {.dim = 2, .calls = 6000, .seed = UINT64_MAX}},
    {"normal", normal, {.dim = 3, .calls = 5000, .lower = line_low, .upper = line_high}},
    {"wave",
     wave,
     {.dim = 3, .calls = 5000, .lower = turn_low, .upper = turn_high, .periodic = cylinder}},
    {"holes", holes, {.dim = 1, .calls = 5000}},
    {"hinted", peak, {.dim = 6, .calls = 5000, .hints = hint, .nhints = 1}},
    {"affine", peak, {.dim = 2, .calls = 8000, .coupling = NIS_AFFINE, .layers = 3}},
    {"small", peak, {.dim = 5, .calls = 4000, .bins = 4, .hidden_width = 8, .hidden_layers = 1}},
    {"forgetful", peak, {.dim = 2, .calls = 4000, .replay_bytes = 80000}},
    {"goal", peak, {.dim = 3, .calls = 15000, .rel_error = 3e-3, .call_seconds = HUGE_VAL}},
    {"three",
     NULL,
     {.dim = 2,
      .calls = 4000,
      .batch = three,
      .ncomp = 3,
      .values = values,
      .errors = errors,
      .covariance = covariance}},
    {"scaled", NULL, {.dim = 3, .calls = 4000, .batch = three, .ncomp = 3, .scales = scales}},
};

static nis *make(const struct subject *subject, int threads)
{
  nis *s;
  nis_options o = subject->o;
  o.threads = threads;
  o.effort = 0.03; /* how much is learnt does not matter here */
  ck_assert_int_eq(nis_create(&s, subject->f, &o), NIS_OK);
  return s;
}

/* Only what a file cannot hold is given. */
static nis *load(const struct subject *subject, int threads)
{
  nis *s;
  nis_options o = {.threads = threads,
                   .batch = subject->o.batch,
                   .values = subject->o.values,
                   .errors = subject->o.errors,
                   .covariance = subject->o.covariance};
  int status = nis_load(&s, file, subject->f, &o);
  ck_assert_msg(status == NIS_OK, "%s: %s", subject->name, nis_last_error());
  return s;
}

/* ---- all that comes out of a handle ------------------------------------------------------ */

struct trace {
  uint64_t hash;
};

static void note(struct trace *t, size_t n, const void *bytes)
{
  const unsigned char *b = bytes;
  for (size_t i = 0; i < n; i++) t->hash = (t->hash ^ b[i]) * 0x100000001b3;
}

#define NOTE(trace, member) note(trace, sizeof(member), &(member))

static void note_result(struct trace *t, const nis_result *r)
{
  NOTE(t, r->status), NOTE(t, r->value), NOTE(t, r->error), NOTE(t, r->chi2), NOTE(t, r->dof);
  NOTE(t, r->calls), NOTE(t, r->train_calls), NOTE(t, r->bad_calls), NOTE(t, r->zero_calls);
  NOTE(t, r->ess), NOTE(t, r->efficiency), NOTE(t, r->efficiency_max), NOTE(t, r->max_weight);
  NOTE(t, r->efficiency_median), NOTE(t, r->max_weight_share), NOTE(t, r->peaks_found);
  NOTE(t, r->late_peaks), NOTE(t, r->search_calls), NOTE(t, r->seed), NOTE(t, r->stop);
  NOTE(t, r->suspect), NOTE(t, r->serialized), NOTE(t, r->unseen_volume);
  NOTE(t, r->blurred_volume), NOTE(t, r->call_seconds);
  int known[] = {isnan(r->khat), isnan(r->p_value)}; /* a NaN has many bit patterns */
  note(t, sizeof known, known);
  if (!isnan(r->khat)) NOTE(t, r->khat);
  note(t, sizeof values, values), note(t, sizeof errors, errors);
  note(t, sizeof covariance, covariance);
}

static int note_events(const nis_event_block *e, void *trace)
{
  note(trace, e->n * e->dim * sizeof *e->x, e->x);
  note(trace, e->n * sizeof *e->weight, e->weight);
  note(trace, e->n * sizeof *e->log_q, e->log_q);
  note(trace, e->n * sizeof *e->trials, e->trials);
  return 0;
}

static void current(nis *s, struct trace *t)
{
  nis_result r;
  nis_current(s, &r);
  note_result(t, &r);
}

static void train(nis *s, struct trace *t)
{
  ck_assert_int_eq(nis_train(s, 1500), NIS_OK);
  current(s, t);
}

static void estimate(nis *s, struct trace *t)
{
  nis_result r;
  nis_estimate(s, 2000, &r);
  note_result(t, &r);
}

static void run(nis *s, struct trace *t)
{
  nis_result r;
  nis_run(s, &r);
  note_result(t, &r);
}

static void events(nis *s, struct trace *t)
{
  nis_event_summary summary;
  nis_event_options o = {.events = 150, .sink = note_events, .sink_params = t};
  ck_assert_int_eq(nis_events(s, &o, &summary), NIS_OK);
  NOTE(t, summary.w_max), NOTE(t, summary.unit), NOTE(t, summary.trials);
}

static void pull(nis *s, struct trace *t)
{
  for (int i = 0; i < 7; i++) {
    nis_pulled_event event;
    ck_assert_int_eq(nis_next_event(s, &(nis_event_options){.unit_weights = 1}, &event), NIS_OK);
    note(t, event.dim * sizeof *event.x, event.x);
    NOTE(t, event.weight), NOTE(t, event.trials), NOTE(t, event.calls), NOTE(t, event.unit);
  }
}

static void sample(nis *s, struct trace *t)
{
  double x[50 * MOST_DIM] = {0}, log_q[50], weight[50];
  ck_assert_int_eq(nis_sample(s, 50, x, log_q, weight), NIS_OK);
  note(t, sizeof x, x), note(t, sizeof log_q, log_q), note(t, sizeof weight, weight);
}

typedef void act(nis *s, struct trace *t);

/* ---- the same bits ----------------------------------------------------------------------- */

/* The original and the loaded one both go on. */
static void check_same(const struct subject *subject, nis *saved, nis *loaded, const char *after)
{
  static act *const next[] = {current, pull, events, sample, estimate, train, run};
  for (size_t i = 0; i < LENGTH(next); i++) {
    struct trace a = {0}, b = {0};
    nis_result r;
    nis_current(saved, &r);
    if (!(r.ess > 0) && (next[i] == pull || next[i] == events)) continue; /* nothing to make of */
    next[i](saved, &a);
    next[i](loaded, &b);
    ck_assert_msg(a.hash == b.hash, "%s after %s: step %zu differs", subject->name, after, i);
  }
}

static void check_after(const struct subject *subject, const char *after, size_t n,
                        act *const *before)
{
  struct trace t = {0};
  int threads = 1 + (int)n % 2; /* and the other number of them afterwards */
  nis *saved = make(subject, threads);
  for (size_t i = 0; i < n; i++) before[i](saved, &t);
  ck_assert_msg(nis_save(saved, file) == NIS_OK, "%s", nis_last_error());
  nis *loaded = load(subject, 3 - threads);
  check_same(subject, saved, loaded, after);
  nis_free(saved);
  nis_free(loaded);
}

START_TEST(a_loaded_handle_goes_on)
{
  const struct subject *subject = &subjects[_i];
  static act *const steps[] = {train, estimate, events, pull, sample};
  check_after(subject, "nothing", 0, steps);
  check_after(subject, "train", 1, steps);
  check_after(subject, "estimate", 2, steps);
  check_after(subject, "sample", LENGTH(steps), steps);
  check_after(subject, "run", 1, (act *const[]){run});
}
END_TEST

/* What is loaded and saved again is the same file. */
START_TEST(a_file_of_a_file)
{
  const struct subject *subject = &subjects[_i];
  struct trace unused = {0};
  char other[80];
  snprintf(other, sizeof other, "%s/again.nis", folder);
  nis *s = make(subject, 1);
  run(s, &unused);
  pull(s, &unused);
  ck_assert_int_eq(nis_save(s, file), NIS_OK);
  nis_free(s);
  s = load(subject, 1);
  ck_assert_int_eq(nis_save(s, other), NIS_OK);
  nis_free(s);
  FILE *a = fopen(file, "rb"), *b = fopen(other, "rb");
  for (int byte = 0; byte != EOF;) {
    byte = getc(a);
    require(getc(b) == byte, "%s: byte %ld differs", subject->name, ftell(a));
  }
  fclose(a);
  fclose(b);
  ck_assert_int_eq(remove(other), 0);
}
END_TEST

static Suite *suite(void)
{
  Suite *suite = suite_create("save");
  TCase *same = tcase_create("same bits");
  tcase_set_timeout(same, 300);
  tcase_add_checked_fixture(same, make_folder, remove_folder);
  tcase_add_loop_test(same, a_loaded_handle_goes_on, 0, LENGTH(subjects));
  tcase_add_loop_test(same, a_file_of_a_file, 0, LENGTH(subjects));
  suite_add_tcase(suite, same);
  return suite;
}

int main(void)
{
  return run_suite(suite());
}
