/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A handle out of a file goes on as the one that was saved, to the bit, whatever it did before and
 * does next; and what cannot be saved or loaded is said, with nothing spoilt. */
#include "alarm.h"
#include "nis_events.h"
#include "saved_file.h"
#include "suite.h"

#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static const double line_low[] = {-HUGE_VAL, -HUGE_VAL, -HUGE_VAL},
                    line_high[] = {HUGE_VAL, HUGE_VAL, HUGE_VAL};
static const double turn_low[] = {0, 0, 0}, turn_high[] = {2 * M_PI, 3, 2 * M_PI};
static const int cylinder[] = {1, 0, 1};
static const int two_of_four[] = {0, 2, 0, 5};
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
    {"values", peak, {.dim = 4, .calls = 6000, .discrete = two_of_four}},
    {"holes", holes, {.dim = 1, .calls = 5000}},
    {"hinted", peak, {.dim = 6, .calls = 5000, .hints = hint, .nhints = 1}},
    {"affine", peak, {.dim = 2, .calls = 8000, .coupling = NIS_AFFINE, .layers = 3}},
    {"small", peak, {.dim = 5, .calls = 4000, .bins = 4, .hidden_width = 8, .hidden_layers = 1}},
    {"forgetful", peak, {.dim = 2, .calls = 4000, .replay_bytes = 80000}},
    {"goal", peak, {.dim = 3, .calls = 15000, .rel_error = 3e-3, .call_seconds = HUGE_VAL}},
    {"three", NULL, {.dim = 2, .calls = 4000, .batch = three, .ncomp = 3, .covariance = 1}},
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
  nis_options o = {.threads = threads, .batch = subject->o.batch};
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

static void note_result(struct trace *t, nis *s, const nis_result *r)
{
  double values[MOST_COMP] = {0}, errors[MOST_COMP] = {0}, covariance[MOST_COMP * MOST_COMP] = {0};
  nis_values(s, values, errors);
  nis_covariance(s, covariance);
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
  note_result(t, s, &r);
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
  note_result(t, s, &r);
}

static void run(nis *s, struct trace *t)
{
  nis_result r;
  nis_run(s, &r);
  note_result(t, s, &r);
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

/* ---- parts of an estimate ------------------------------------------------------------------- */

static nis *trained(const struct subject *subject)
{
  struct trace unused = {0};
  nis *s = make(subject, 1);
  train(s, &unused);
  ck_assert_int_eq(nis_save(s, file), NIS_OK);
  nis_free(s);
  return load(subject, 1);
}

static void check_close(double a, double b, const char *what)
{
  require(fabs(a - b) <= 1e-9 * fabs(a), "%s: %.17g and %.17g", what, a, b);
}

/* By handles of their own, as in jobs on other machines; the last one comes first. */
START_TEST(parts_are_the_whole)
{
  const struct subject *subject = &subjects[_i];
  enum { CALLS = 3001, PARTS = 3 };
  nis *whole = trained(subject), *part[PARTS];
  nis_result r, merged;
  double error[MOST_COMP] = {0}, errors[MOST_COMP] = {0};
  nis_estimate(whole, CALLS, &r);
  nis_values(whole, NULL, error);
  for (int k = PARTS - 1; k >= 0; k--) {
    part[k] = load(subject, 2);
    int status = nis_estimate_part(part[k], CALLS, k + 1, PARTS, NULL);
    ck_assert_msg(status >= NIS_OK, "%s", nis_last_error());
  }
  for (int k = 1; k < PARTS; k++) ck_assert_int_eq(nis_merge(part[0], part[k]), NIS_OK);
  nis_current(part[0], &merged);
  ck_assert_double_eq(merged.value, r.value);
  ck_assert_double_eq(merged.error, r.error);
  ck_assert_double_eq(merged.chi2, r.chi2);
  ck_assert_int_eq(merged.dof, r.dof);
  ck_assert_uint_eq(merged.calls, r.calls);
  ck_assert_uint_eq(merged.zero_calls, r.zero_calls);
  check_close(merged.ess, r.ess, "ess");
  check_close(merged.efficiency, r.efficiency, "efficiency");
  nis_values(part[0], NULL, errors);
  for (int k = 0; k < MOST_COMP; k++) check_close(errors[k], error[k], "errors");
  /* All of them go on behind the whole. */
  ck_assert_int_ge(nis_estimate(whole, CALLS, &r), NIS_OK);
  ck_assert_int_ge(nis_estimate(part[0], CALLS, &merged), NIS_OK);
  ck_assert_double_eq(merged.value, r.value);
  nis_free(whole);
  for (int k = 0; k < PARTS; k++) nis_free(part[k]);
}
END_TEST

static void not_merged(nis *s, nis *other, const char *why)
{
  nis_result before, after;
  nis_current(s, &before);
  ck_assert_int_eq(nis_merge(s, other), NIS_INVALID);
  ck_assert_msg(strstr(nis_last_error(), why) != NULL, "'%s' is not in '%s'", why,
                nis_last_error());
  nis_current(s, &after);
  ck_assert_double_eq(before.value, after.value);
  ck_assert_uint_eq(before.calls, after.calls);
}

START_TEST(what_does_not_belong_together)
{
  struct trace unused = {0};
  nis_result r;
  nis *a = trained(&subjects[0]), *b = load(&subjects[0], 1), *other;
  nis_estimate(a, 2000, &r);
  nis_estimate(b, 1000, &r);
  not_merged(a, b, "points 0 to 992 of seed 3 are in both estimates");
  not_merged(a, a, "are in both estimates");
  ck_assert_int_eq(nis_drop_estimate(b), NIS_OK);
  nis_estimate(b, 3000, &r); /* from 992 on */
  not_merged(a, b, "are in both estimates");
  nis_drop_estimate(b);
  nis_estimate(b, 1000, &r); /* behind all of a's */
  ck_assert_int_eq(nis_merge(a, b), NIS_OK);
  not_merged(a, b, "are in both estimates");
  ck_assert_int_eq(nis_save(a, file), NIS_OK); /* which is not forgotten */
  other = load(&subjects[0], 1);
  not_merged(other, b, "are in both estimates");
  nis_free(other);
  train(b, &unused);
  nis_estimate(b, 1000, &r);
  not_merged(a, b, "the flows differ");
  other = make(&subjects[1], 1);
  not_merged(a, other, "estimates of 'peak width=0.15' and of '' cannot be merged");
  nis_free(other);
  ck_assert_int_eq(nis_merge(a, NULL), NIS_INVALID);
  ck_assert_int_eq(nis_estimate_part(a, 1000, 0, 3, &r), NIS_INVALID);
  ck_assert_int_eq(nis_estimate_part(a, 1000, 4, 3, &r), NIS_INVALID);
  ck_assert_int_eq(nis_estimate_part(a, 1000, 1, 1000, &r), NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "fewer parts"));
  nis_free(a);
  nis_free(b);
}
END_TEST

/* Jobs of other seeds: the error falls with their number, and is right. */
START_TEST(seeds_are_merged)
{
  enum { JOBS = 10 };
  const double exact = pow(0.15 * sqrt(2 * M_PI), 4) *
                       pow(0.5 * (erf(0.4 / 0.15 / M_SQRT2) + erf(0.6 / 0.15 / M_SQRT2)), 4);
  nis *all = trained(&subjects[0]);
  nis_result one, r;
  nis_estimate(all, 2000, &one);
  for (uint64_t seed = 11; seed < 11 + JOBS; seed++) {
    nis *job;
    nis_options o = {.seed = seed, .threads = 1};
    ck_assert_int_eq(nis_load(&job, file, peak, &o), NIS_OK);
    ck_assert_int_eq(nis_estimate(job, 2000, &r), NIS_OK);
    ck_assert_int_eq(nis_merge(all, job), NIS_OK);
    nis_free(job);
  }
  nis_current(all, &r);
  check_between((r.value - exact) / r.error, -4, 4, "the pull");
  check_between(r.error / one.error, 0.1, 0.6, "the error"); /* 1 / sqrt(11) = 0.3 */
  nis_free(all);
}
END_TEST

enum { BINS = 20 };

/* Weights of events in bins of x0 that are equally likely, and their squares */
struct bins {
  double weight[BINS], square[BINS];
};

/* Of the coordinate of `peak`, which is normal around 0.4 and cut at the walls */
static double share_below(double x)
{
  double low = erf(-0.4 / 0.15 / M_SQRT2), high = erf(0.6 / 0.15 / M_SQRT2);
  return (erf((x - 0.4) / 0.15 / M_SQRT2) - low) / (high - low);
}

static int fill(const nis_event_block *events, void *params)
{
  struct bins *bins = params;
  for (size_t i = 0; i < events->n; i++) {
    double weight = events->weight[i];
    int bin = (int)fmin(BINS * share_below(events->x[i * events->dim]), BINS - 1);
    bins->weight[bin] += weight;
    bins->square[bin] += weight * weight;
  }
  return 0;
}

/* Jobs that have the file alone share w_max and the unit of weights, and their events together are
 * distributed as one run's: as f. */
START_TEST(jobs_make_the_events_of_one_run)
{
  enum { JOBS = 20, EVENTS = 1000 };
  struct bins bins = {{0}, {0}};
  double first[2] = {0}, sum = 0, chi2 = 0;
  nis *s = trained(&subjects[0]);
  ck_assert_int_ge(nis_estimate(s, 2000, NULL), NIS_OK);
  ck_assert_int_eq(nis_save(s, file), NIS_OK);
  nis_free(s);
  for (uint64_t seed = 1; seed <= JOBS; seed++) {
    nis *job;
    nis_options o = {.seed = 100 + seed, .threads = 1};
    nis_event_summary summary;
    nis_event_options how = {.events = EVENTS, .sink = fill, .sink_params = &bins};
    ck_assert_int_eq(nis_load(&job, file, peak, &o), NIS_OK);
    ck_assert_int_eq(nis_events(job, &how, &summary), NIS_OK);
    if (seed == 1) first[0] = summary.w_max, first[1] = summary.unit;
    ck_assert(summary.w_max == first[0] && summary.unit == first[1]);
    nis_free(job);
  }
  for (int b = 0; b < BINS; b++) sum += bins.weight[b];
  for (int b = 0; b < BINS; b++) chi2 += pow(bins.weight[b] - sum / BINS, 2) / bins.square[b];
  require(gsl_cdf_chisq_Q(chi2, BINS - 1) > ALARM_RATE, "chi2 %g of %d bins", chi2, BINS);
}
END_TEST

/* ---- checkpoints ------------------------------------------------------------------------- */

/* Some 10 us a call */
static double slow(double *x, size_t dim, void *params)
{
  double sum = 0;
  for (int i = 0; i < 400; i++) sum += sin(i * x[0]);
  return peak(x, dim, params) + 1e-9 * sum;
}

static int slow_three(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  for (size_t i = 0; i < n; i++) {
    double p[MOST_DIM];
    memcpy(p, x + i * dim, dim * sizeof *p);
    for (size_t k = 0; k < ncomp; k++) f[i * ncomp + k] = slow(p, dim, params) * (double)(k + 1);
  }
  return 0;
}

static char checkpoint[80];

static nis_options checkpointed(int components)
{
  nis_options o = {.dim = 2,
                   .threads = 1,
                   .effort = 0.02,
                   .calls = 8000,
                   .checkpoint = checkpoint,
                   .checkpoint_seconds = 5e-3};
  if (components) o.batch = slow_three, o.ncomp = 3, o.batch_points = 50;
  return o;
}

/* A program that is run again and again until it comes to its end; what that is goes to `out`. */
static void program(int components, int threads, int out)
{
  nis *s;
  struct trace t = {0};
  nis_options o = checkpointed(components);
  o.threads = threads;
  if (nis_resume(&s, components ? NULL : slow, &o) != NIS_OK) _exit(1);
  run(s, &t);
  train(s, &t);
  estimate(s, &t);
  events(s, &t);
  nis_free(s);
  if (write(out, &t.hash, sizeof t.hash) != sizeof t.hash) _exit(2);
  _exit(0);
}

/* The program's result, or 0 where it was killed after so many microseconds; 0: it is not */
static uint64_t run_program(int components, int threads, unsigned microseconds)
{
  int ends[2], status;
  uint64_t hash = 0;
  ck_assert_int_eq(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) program(components, threads, ends[1]);
  close(ends[1]);
  if (microseconds > 0) {
    usleep(microseconds);
    kill(child, SIGKILL);
  }
  waitpid(child, &status, 0);
  if (read(ends[0], &hash, sizeof hash) != sizeof hash) hash = 0;
  close(ends[0]);
  ck_assert_msg(hash != 0 || WIFSIGNALED(status), "the program failed: %d", status);
  return hash;
}

static void remove_parts(void)
{
  char command[128];
  snprintf(command, sizeof command, "rm -f %s.??????.part", checkpoint);
  ck_assert_int_eq(system(command), 0);
}

/* 50 random moments from before the file is there to behind the end */
START_TEST(killed_at_any_moment)
{
  enum { LATEST = 100000 /* us */ };
  const int kills = _i == 0 ? 50 : 10;
  snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", folder);
  uint64_t undisturbed = run_program(_i, 1, 0), hash;
  remove(checkpoint);
  srand(7);
  for (int kill = 0, ended = 0; kill < kills; kill++) {
    hash = run_program(_i, 1 + kill % 2, 1 + (unsigned)rand() % LATEST);
    require(hash == 0 || hash == undisturbed, "another result after %d kills", kill);
    if (hash == 0 || ++ended % 4 != 0) continue;
    remove(checkpoint); /* after some ends a new run */
  }
  ck_assert_uint_eq(run_program(_i, 2, 0), undisturbed);
  ck_assert_uint_eq(run_program(_i, 1, 0), undisturbed); /* all out of the file */
  remove(checkpoint);
  remove_parts();
}
END_TEST

static int calls;

static double counted(double *x, size_t dim, void *params)
{
  calls++;
  return peak(x, dim, params);
}

/* As much of the file as is there is not called again; a block that was cut is. */
START_TEST(values_come_out_of_the_file)
{
  nis *s;
  nis_result r, again;
  nis_options o = {.dim = 2,
                   .threads = 1,
                   .effort = 0.02,
                   .calls = 3000,
                   .checkpoint = checkpoint,
                   .name = "peak width=1"};
  snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", folder);
  ck_assert_int_eq(nis_create(&s, counted, &o), NIS_OK);
  ck_assert_int_eq(nis_create(&(nis *){NULL}, counted, &o), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "nis_resume goes on from it"));
  ck_assert_int_eq(nis_resume(&(nis *){NULL}, counted, &o), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "is in use"));
  nis_run(s, &r);
  nis_free(s);
  for (int cut = 0; cut < 3; cut++) {
    struct stat info;
    ck_assert_int_eq(stat(checkpoint, &info), 0);
    if (cut > 0) ck_assert_int_eq(truncate(checkpoint, info.st_size - cut), 0);
    calls = 0;
    ck_assert_int_eq(nis_resume(&s, counted, &o), NIS_OK);
    nis_run(s, &again);
    nis_free(s);
    ck_assert_double_eq(again.value, r.value);
    ck_assert_uint_eq(again.calls, r.calls);
    ck_assert_int_eq(calls, cut > 0 ? (int)r.calls : 0); /* it is one block */
  }
  o.seed = 3;
  ck_assert_int_eq(nis_resume(&s, counted, &o), NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "has seed = 0, options.seed is 3"));
  o.seed = 0;
  o.name = "peak width=2";
  ck_assert_int_eq(nis_resume(&s, counted, &o), NIS_INVALID);
  o.name = NULL;
  ck_assert_int_eq(nis_resume(&s, counted, &o), NIS_OK);
  ck_assert_int_eq(nis_estimate(s, 1000, &r), NIS_BAD_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "is of another run"));
  nis_free(s);
  o.max_seconds = 1;
  ck_assert_int_eq(nis_resume(&s, counted, &o), NIS_INVALID);
  o.max_seconds = 0;
  ck_assert_int_eq(remove(checkpoint), 0);
  o.rel_error = 0.1;
  ck_assert_int_eq(nis_resume(&s, counted, &o), NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "call_seconds"));
}
END_TEST

/* ---- files that are no good --------------------------------------------------------------- */

/* As small as a file can be with something of everything in it; *n is its length. */
static unsigned char *small_file(size_t *n)
{
  nis *s;
  nis_result r;
  nis_pulled_event event;
  nis_options o = {.dim = 2,
                   .threads = 1,
                   .effort = 0.03,
                   .layers = 2,
                   .hidden_layers = 1,
                   .hidden_width = 2,
                   .bins = 2,
                   .replay_bytes = 400,
                   .name = "small"};
  ck_assert_int_eq(nis_create(&s, peak, &o), NIS_OK);
  ck_assert_int_eq(nis_train(s, 600), NIS_OK);
  nis_estimate(s, 64, &r);
  ck_assert_int_eq(nis_next_event(s, NULL, &event), NIS_OK);
  ck_assert_int_eq(nis_save(s, file), NIS_OK);
  nis_free(s);
  FILE *f = fopen(file, "rb");
  unsigned char *bytes = malloc(1 << 20);
  *n = fread(bytes, 1, 1 << 20, f);
  fclose(f);
  return bytes;
}

static void write_file(const unsigned char *bytes, size_t n)
{
  FILE *f = fopen(file, "wb");
  ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
  ck_assert_int_eq(fclose(f), 0);
}

/* Whatever a file asks for, the test does not take longer. */
static const nis_options quick = {.threads = 1, .minibatch = 64, .replay = 1, .replay_bytes = 4096};

static int try_to_load(nis **s)
{
  int status = nis_load(s, file, peak, &quick);
  require((status == NIS_OK) == (*s != NULL), "status %d with or without a handle", status);
  require(status == NIS_OK || strlen(nis_last_error()) > 20, "no sentence for %d", status);
  return status;
}

static void refused(const char *part)
{
  nis *s;
  ck_assert_int_eq(try_to_load(&s), NIS_BAD_FILE);
  ck_assert_msg(strstr(nis_last_error(), part) != NULL, "'%s' is not in '%s'", part,
                nis_last_error());
  ck_assert_msg(strstr(nis_last_error(), file) != NULL, "%s", nis_last_error());
}

START_TEST(cut_at_every_length)
{
  size_t n;
  unsigned char *bytes = small_file(&n);
  for (size_t i = 0; i < n; i++) {
    nis *s;
    write_file(bytes, i);
    require(try_to_load(&s) == NIS_BAD_FILE, "cut to %zu bytes", i);
  }
  free(bytes);
}
END_TEST

START_TEST(every_byte_flipped)
{
  size_t n;
  unsigned char *bytes = small_file(&n);
  for (size_t i = 0; i < n; i++) {
    nis *s;
    bytes[i] ^= (unsigned char)(1 + i % 255);
    write_file(bytes, n);
    require(try_to_load(&s) == NIS_BAD_FILE, "byte %zu flipped", i);
    bytes[i] ^= (unsigned char)(1 + i % 255);
  }
  free(bytes);
}
END_TEST

/* With the checksums of somebody who wanted it so: refused, or a handle that does no harm. */
START_TEST(every_byte_another)
{
  static const unsigned char others[] = {0x01, 0x80, 0xff, 0x40};
  size_t n, loaded = 0;
  unsigned char *bytes = small_file(&n), *changed = malloc(n);
  for (size_t i = FILE_HEAD; i < n; i++) {
    nis *s;
    memcpy(changed, bytes, n);
    changed[i] ^= others[(i + (size_t)_i) % sizeof others];
    repair_sums(changed, n);
    write_file(changed, n);
    int status = try_to_load(&s);
    require(status == NIS_OK || status == NIS_BAD_FILE || status == NIS_INVALID,
            "byte %zu: status %d", i, status);
    loaded += status == NIS_OK;
    if (status == NIS_OK && i % 16 == 0) use_handle(s, 2);
    nis_free(s);
  }
  ck_assert_uint_gt(loaded, n / 4);
  ck_assert_uint_lt(loaded, n);
  free(bytes);
  free(changed);
}
END_TEST

START_TEST(says_what_is_wrong)
{
  size_t n;
  nis *s;
  unsigned char *bytes = small_file(&n);
  write_file((const unsigned char *)"0.1 0.2 0.3\n0.2 0.4 0.1\n", 24);
  refused("was not written by nis_save");
  write_file(bytes, 0);
  refused("is cut short");
  write_file(bytes, n - 1);
  refused("is cut short");
  bytes[8] = 2;
  write_file(bytes, n);
  refused("is of version 2; this libnis, ");
  bytes[8] = 1;
  bytes[n / 2] ^= 1;
  write_file(bytes, n);
  refused("is damaged: a checksum is wrong");
  bytes[n / 2] ^= 1;
  bytes = realloc(bytes, n + 1);
  bytes[n] = 0;
  write_file(bytes, n + 1);
  refused("goes on behind its end");
  memcpy(bytes + FILE_HEAD + SECTION_HEAD + 8, "length", 7); /* in place of "dim" */
  repair_sums(bytes, n);
  write_file(bytes, n);
  refused("section options is wrong: libnis ");
  free(bytes);
  remove(file);
  ck_assert_int_eq(try_to_load(&s), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "No such file"));
  ck_assert_int_eq(nis_load(&s, folder, peak, NULL), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "Is a directory"));
  ck_assert_int_eq(mkfifo(file, 0600), 0);
  ck_assert_int_eq(try_to_load(&s), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "no regular file"));
}
END_TEST

/* ---- what the caller wants ----------------------------------------------------------------- */

static void contradict(const nis_options *o, const char *sentence)
{
  nis *s;
  ck_assert_int_eq(nis_load(&s, file, peak, o), NIS_INVALID);
  ck_assert_ptr_null(s);
  ck_assert_msg(strstr(nis_last_error(), sentence) != NULL, "'%s' is not in '%s'", sentence,
                nis_last_error());
}

START_TEST(both_values_are_named)
{
  size_t n;
  double one = 1, two = 2;
  free(small_file(&n));
  contradict(&(nis_options){.dim = 3}, "has dim = 2, options.dim is 3");
  contradict(&(nis_options){.bins = 8}, "has bins = 2, options.bins is 8");
  contradict(&(nis_options){.coupling = NIS_AFFINE},
             "has coupling = rational-quadratic, options.coupling is affine");
  contradict(&(nis_options){.points = NIS_POINTS_RANDOM},
             "has points = nets, options.points is random");
  contradict(&(nis_options){.upper = (const double[]){1, two}},
             "has upper[1] = 1, options.upper[1] is 2");
  contradict(&(nis_options){.lower = (const double[]){-one, 0}},
             "has lower[0] = 0, options.lower[0] is -1");
  contradict(&(nis_options){.periodic = (const int[]){0, 1}},
             "has periodic[1] = 0, options.periodic[1] is 1");
  contradict(&(nis_options){.name = "camel sigma=0.2"},
             "is of the integrand 'small', options.name is 'camel'");
  contradict(&(nis_options){.train_share = 2}, "train_share");
  nis *s;
  ck_assert_int_eq(nis_load(&s, file, NULL, NULL), NIS_INVALID);
  ck_assert_int_eq(nis_load(NULL, file, peak, NULL), NIS_INVALID);
  ck_assert_int_eq(nis_load(&s, NULL, peak, NULL), NIS_INVALID);
  ck_assert_int_eq(nis_save(NULL, file), NIS_INVALID);
  ck_assert_int_eq(nis_load(&s, file, peak, NULL), NIS_OK);
  ck_assert_int_eq(nis_save(s, NULL), NIS_INVALID);
  nis_free(s);
}
END_TEST

/* Of other parameters only the flow is kept. */
START_TEST(other_parameters_begin_anew)
{
  size_t n;
  nis *s;
  nis_result r;
  double centre = 0.41, log_q[2], x[2] = {0.4, 0.4};
  free(small_file(&n));
  ck_assert_int_eq(nis_load(&s, file, peak, NULL), NIS_OK);
  ck_assert_int_eq(nis_density(s, 1, x, &log_q[0]), NIS_OK);
  nis_current(s, &r);
  ck_assert(isfinite(r.value));
  nis_free(s);
  nis_options o = {.params = &centre, .name = "small centre=0.41"};
  ck_assert_int_eq(nis_load(&s, file, peak, &o), NIS_OK);
  nis_current(s, &r);
  ck_assert(isnan(r.value));
  ck_assert_int_eq(nis_density(s, 1, x, &log_q[1]), NIS_OK);
  ck_assert_double_eq(log_q[0], log_q[1]);
  ck_assert_int_eq(nis_train(s, 300), NIS_OK);
  nis_estimate(s, 2000, &r);
  check_between(r.value, 0.12, 0.16, "the integral");
  nis_free(s);
}
END_TEST

START_TEST(another_seed_is_another_run)
{
  size_t n;
  double x[3][20];
  free(small_file(&n));
  for (uint64_t seed = 0; seed < 3; seed++) {
    nis *s;
    nis_result r;
    nis_options o = {.seed = seed};
    ck_assert_int_eq(nis_load(&s, file, peak, &o), NIS_OK);
    ck_assert_int_eq(nis_sample(s, 10, x[seed], NULL, NULL), NIS_OK);
    nis_current(s, &r);
    ck_assert_uint_eq(r.seed, seed);
    nis_free(s);
  }
  for (int i = 0; i < 20; i++) ck_assert(x[0][i] != x[1][i] && x[1][i] != x[2][i]);
}
END_TEST

/* ---- files that cannot be written ------------------------------------------------------------ */

/* What was there before is there afterwards, and nothing else. */
START_TEST(the_old_file_stays)
{
  size_t n, m;
  nis *s;
  unsigned char *bytes = small_file(&n);
  ck_assert_int_eq(nis_create(&s, peak, &(nis_options){.dim = 3}), NIS_OK);
  struct rlimit before, small = {5000, 5000};
  getrlimit(RLIMIT_FSIZE, &before);
  small.rlim_max = before.rlim_max;
  setrlimit(RLIMIT_FSIZE, &small);
  ck_assert_int_eq(nis_save(s, file), NIS_NO_FILE);
  setrlimit(RLIMIT_FSIZE, &before);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "File too large"));
  ck_assert_int_eq(nis_save(s, folder), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "Is a directory"));
  ck_assert_int_eq(nis_save(s, "/nowhere/at/all.nis"), NIS_NO_FILE);
  ck_assert_int_eq(nis_save(s, "/dev/full"), NIS_NO_FILE);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "No space left"));
  nis_free(s);
  FILE *f = fopen(file, "rb");
  unsigned char *now = malloc(n + 1);
  m = fread(now, 1, n + 1, f);
  fclose(f);
  ck_assert_uint_eq(m, n);
  ck_assert_mem_eq(now, bytes, n);
  free(now);
  free(bytes);
}
END_TEST

static Suite *suite(void)
{
  Suite *suite = suite_create("save");
  TCase *same = tcase_create("same bits");
  tcase_set_timeout(same, 300);
  tcase_add_checked_fixture(same, make_folder, remove_folder);
  tcase_add_loop_test(same, a_loaded_handle_goes_on, 0,
                      short_form() ? LENGTH(subjects) / 2 : LENGTH(subjects));
  tcase_add_loop_test(same, a_file_of_a_file, 0, LENGTH(subjects));
  suite_add_tcase(suite, same);
  TCase *parts = tcase_create("parts");
  tcase_set_timeout(parts, 300);
  tcase_add_checked_fixture(parts, make_folder, remove_folder);
  tcase_add_loop_test(parts, parts_are_the_whole, 0, LENGTH(subjects));
  tcase_add_test(parts, what_does_not_belong_together);
  tcase_add_test(parts, seeds_are_merged);
  tcase_add_test(parts, jobs_make_the_events_of_one_run);
  suite_add_tcase(suite, parts);
  TCase *killed = tcase_create("checkpoints");
  tcase_set_timeout(killed, 300);
  tcase_add_checked_fixture(killed, make_folder, remove_folder);
  tcase_add_loop_test(killed, killed_at_any_moment, 0, short_form() ? 1 : 2);
  tcase_add_test(killed, values_come_out_of_the_file);
  suite_add_tcase(suite, killed);
  TCase *bad = tcase_create("bad files");
  tcase_set_timeout(bad, 300);
  tcase_add_checked_fixture(bad, make_folder, remove_folder);
  tcase_add_test(bad, cut_at_every_length);
  tcase_add_test(bad, every_byte_flipped);
  tcase_add_loop_test(bad, every_byte_another, 0, 1);
  tcase_add_test(bad, says_what_is_wrong);
  tcase_add_test(bad, both_values_are_named);
  tcase_add_test(bad, other_parameters_begin_anew);
  tcase_add_test(bad, another_seed_is_another_run);
  tcase_add_test(bad, the_old_file_stays);
  suite_add_tcase(suite, bad);
  return suite;
}

int main(void)
{
  return run_suite(suite());
}
