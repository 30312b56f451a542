/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The library in programs that trap, round, flush and write numbers in their own way; functions of
 * the user's that end a run, ask for their thread's number, or run the library themselves. */
#define _GNU_SOURCE /* feenableexcept */

#include "nis_events.h"

#include "suite.h"

#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { POINTS = 200, EVENTS = 300, CALLS = 3000 };

/* ---- a host ------------------------------------------------------------------------------- */

/* How a thread computes: traps, rounding, flushing to zero */
struct ways {
  int traps, rounding, flush;
};

static struct ways ways_now(void)
{
  struct ways w = {fegetexcept(), fegetround(), 0};
#if defined(__x86_64__)
  w.flush = (int)(_mm_getcsr() & 0x8040);
#endif
  return w;
}

static int same_ways(const struct ways *a, const struct ways *b)
{
  return a->traps == b->traps && a->rounding == b->rounding && a->flush == b->flush;
}

/* What the user's functions must find */
struct host {
  struct ways ways;
  const char *point; /* of decimals */
  uint64_t calls, wrong;
};

static void look_around(struct host *h)
{
  struct ways now = ways_now();
  if (!same_ways(&now, &h->ways) || strcmp(localeconv()->decimal_point, h->point) != 0)
    __atomic_fetch_add(&h->wrong, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&h->calls, 1, __ATOMIC_RELAXED);
}

/* Exact in every rounding mode, and zero somewhere */
static double steps(double *x, size_t dim, void *params)
{
  (void)dim;
  look_around(params);
  return x[0] < 0.25 ? 0 : x[0] < 0.5 && x[1] < 0.5 ? 8 : 1;
}

static int progress(const nis_progress *now, void *params)
{
  (void)now;
  look_around(params);
  return 0;
}

static int sink(const nis_event_block *events, void *params)
{
  (void)events;
  look_around(params);
  return 0;
}

static int particles(const double *x, size_t dim, nis_event *event, void *params)
{
  (void)x, (void)dim;
  look_around(params);
  event->nparticles = 2;
  event->scale = 91.1875;
  event->particle[0] = (nis_particle){.pdg = 11, .status = -1, .p = {45.5, 0, 0, 45.5}};
  event->particle[1] = (nis_particle){.pdg = -11, .status = -1, .p = {45.5, 0, 0, -45.5}};
  return 0;
}

/* All that a handle does */
struct outcome {
  nis_result run, estimate;
  double x[POINTS * 2], log_q[POINTS], weight[POINTS], density[POINTS];
  nis_event_summary events;
  char file[1 << 20];
  size_t bytes;
};

static void read_file(const char *path, struct outcome *o)
{
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  o->bytes = fread(o->file, 1, sizeof o->file, file);
  fclose(file);
  remove(path);
}

static void use_library(struct host *h, int threads, struct outcome *o)
{
  char path[] = "/tmp/test_host_XXXXXX";
  close(mkstemp(path));
  remove(path);
  double low[2] = {0, 0}, high[2] = {1, 1e-3};
  nis *s;
  nis_options options = {.dim = 2, .calls = CALLS, .threads = threads, .effort = 0.05, .params = h};
  options.progress = progress, options.progress_params = h;
  options.lower = low, options.upper = high;
  nis_event_options events = {.events = EVENTS, .sink = sink, .sink_params = h, .path = path};
  events.format = NIS_FORMAT_LHE3, events.particles = particles, events.particles_params = h;
  events.header = "a: 1.5\n";
  memset(o, 0, sizeof *o);
  ck_assert_int_eq(nis_create(&s, steps, &options), NIS_OK);
  ck_assert_int_ge(nis_run(s, &o->run), NIS_OK);
  ck_assert_int_ge(nis_estimate(s, CALLS, &o->estimate), NIS_OK);
  ck_assert_int_eq(nis_sample(s, POINTS, o->x, o->log_q, o->weight), NIS_OK);
  ck_assert_int_eq(nis_density(s, POINTS, o->x, o->density), NIS_OK);
  ck_assert_int_eq(nis_events(s, &events, &o->events), NIS_OK);
  nis_free(s);
  read_file(path, o);
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
  ck_assert_mem_eq(&a->run.value, &b->run.value, sizeof a->run.value);
  ck_assert_mem_eq(&a->estimate.value, &b->estimate.value, sizeof a->run.value);
  ck_assert_mem_eq(&a->estimate.error, &b->estimate.error, sizeof a->run.value);
  ck_assert_mem_eq(a->x, b->x, sizeof a->x);
  ck_assert_mem_eq(a->log_q, b->log_q, sizeof a->log_q);
  ck_assert_mem_eq(a->weight, b->weight, sizeof a->weight);
  ck_assert_mem_eq(a->density, b->density, sizeof a->density);
  ck_assert_uint_eq(a->bytes, b->bytes);
  ck_assert_mem_eq(a->file, b->file, a->bytes);
}

static const struct outcome *plain(void)
{
  static struct outcome outcome;
  struct host h = {.ways = ways_now(), .point = "."};
  if (outcome.bytes > 0) return &outcome;
  use_library(&h, 1, &outcome);
  ck_assert_uint_gt(h.calls, 0);
  ck_assert_uint_eq(h.wrong, 0);
  return &outcome;
}

/* ---- floating point ----------------------------------------------------------------------- */

static void check_host(struct host *h)
{
  static struct outcome outcome;
  for (int threads = 1; threads <= 3; threads++) {
    use_library(h, threads, &outcome);
    struct ways after = ways_now();
    ck_assert(same_ways(&after, &h->ways));
    ck_assert_uint_eq(h->wrong, 0);
    check_same(&outcome, plain());
  }
}

START_TEST(traps_are_the_hosts)
{
  plain();
  feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
  check_host(&(struct host){.ways = ways_now(), .point = "."});
}
END_TEST

START_TEST(rounding_is_the_hosts)
{
  const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  plain();
  for (int i = 0; i < 3; i++) {
    fesetround(modes[i]);
    check_host(&(struct host){.ways = ways_now(), .point = "."});
  }
}
END_TEST

#if defined(__x86_64__)
START_TEST(flushing_to_zero_is_the_hosts)
{
  plain();
  _mm_setcsr(_mm_getcsr() | 0x8040);
  check_host(&(struct host){.ways = ways_now(), .point = "."});
}
END_TEST
#endif

START_TEST(flags_are_the_hosts)
{
  static struct outcome outcome;
  struct host h = {.ways = ways_now(), .point = "."};
  feclearexcept(FE_ALL_EXCEPT);
  use_library(&h, 2, &outcome);
  ck_assert_int_eq(fetestexcept(FE_ALL_EXCEPT & ~FE_INEXACT), 0);
  feraiseexcept(FE_OVERFLOW);
  nis_options complete;
  nis_complete_options(&(nis_options){.dim = 3}, &complete);
  ck_assert_int_eq(fetestexcept(FE_ALL_EXCEPT & ~FE_INEXACT), FE_OVERFLOW);
}
END_TEST

/* ---- locale --------------------------------------------------------------------------------- */

/* A locale whose decimal point is a comma; 0 where none can be made */
static int use_commas(void)
{
  char folder[] = "/tmp/test_host_locale_XXXXXX", command[512];
  if (!mkdtemp(folder)) return 0;
  snprintf(command, sizeof command,
           "cd %s && printf 'comment_char %%%%\\nescape_char /\\nLC_NUMERIC\\ndecimal_point "
           "\"<U002C>\"\\nthousands_sep \"\"\\ngrouping -1\\nEND LC_NUMERIC\\n' >source && "
           "localedef -c -i source ./comma >/dev/null 2>&1",
           folder);
  int made = system(command);
  (void)made; /* it complains that there is nothing but LC_NUMERIC */
  setenv("LOCPATH", folder, 1);
  int works = setlocale(LC_ALL, "comma") != NULL;
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command) == 0 && works;
}

START_TEST(numbers_are_written_with_points)
{
  plain();
  if (!use_commas()) return;
  ck_assert_str_eq(localeconv()->decimal_point, ",");
  check_host(&(struct host){.ways = ways_now(), .point = ","});
  ck_assert_str_eq(localeconv()->decimal_point, ",");
}
END_TEST

START_TEST(a_threads_own_locale_stays)
{
  if (!use_commas()) return;
  locale_t points = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t own = duplocale(points);
  uselocale(own);
  check_host(&(struct host){.ways = ways_now(), .point = "."});
  ck_assert_ptr_eq(uselocale((locale_t)0), own);
  uselocale(LC_GLOBAL_LOCALE);
  freelocale(own);
}
END_TEST

/* ---- ending a run --------------------------------------------------------------------------- */

struct refusal {
  uint64_t calls, at; /* number of the call that refuses; 0: none does */
};

static int due(struct refusal *r)
{
  uint64_t call = __atomic_add_fetch(&r->calls, 1, __ATOMIC_RELAXED);
  return r->at > 0 && call >= r->at;
}

static double refusing(double *x, size_t dim, void *params)
{
  (void)dim;
  if (due(params)) nis_refuse();
  return 0.5 + x[0];
}

static int refusing_batch(size_t n, size_t dim, const double *x, size_t ncomp, double *f,
                          void *params)
{
  if (due(params)) nis_refuse();
  for (size_t i = 0; i < n * ncomp; i++) f[i] = 0.5 + x[i / ncomp * dim];
  return 0;
}

static int refusing_progress(const nis_progress *now, void *params)
{
  (void)now;
  if (due(params)) nis_refuse();
  return 0;
}

static void check_refusal(nis_integrand *f, nis_options o, struct refusal *r, int expected)
{
  nis *s;
  nis_result result;
  o.dim = 2, o.calls = CALLS, o.effort = 0.05;
  ck_assert_int_eq(nis_create(&s, f, &o), NIS_OK);
  ck_assert_int_eq(nis_run(s, &result), expected);
  ck_assert_int_eq(result.status, expected);
  ck_assert_int_eq(result.stop, NIS_STOP_CALLBACK);
  ck_assert_uint_lt(result.calls, CALLS);
  ck_assert_str_ne(nis_last_error(), "");
  r->at = 0;
  ck_assert_int_eq(nis_run(s, &result), NIS_OK);
  check_between(result.value, 0.98, 1.02, "value");
  nis_free(s);
}

START_TEST(an_integrand_may_refuse)
{
  for (int threads = 1; threads <= 2; threads++) {
    struct refusal r = {.at = 900};
    check_refusal(refusing, (nis_options){.threads = threads, .params = &r}, &r, NIS_CALLBACK);
    r = (struct refusal){.at = 12};
    nis_options o = {.threads = threads, .params = &r, .batch = refusing_batch};
    o.batch_points = 50, o.ncomp = 2;
    check_refusal(NULL, o, &r, NIS_CALLBACK);
    r = (struct refusal){.at = 20};
    struct refusal never = {0};
    o = (nis_options){.threads = threads, .params = &never};
    o.progress = refusing_progress, o.progress_params = &r;
    check_refusal(refusing, o, &r, NIS_STOPPED);
  }
}
END_TEST

START_TEST(outside_of_a_run_nothing_is_refused)
{
  struct refusal r = {0};
  nis_refuse();
  ck_assert_int_eq(nis_thread(), 0);
  nis_result result = nis_integrate(refusing, 2, .calls = CALLS, .params = &r);
  ck_assert_int_eq(result.status, NIS_OK);
  ck_assert_uint_eq(r.calls, CALLS);
}
END_TEST

/* A run inside of the integrand, of which every third is refused */
static double nested(double *x, size_t dim, void *params)
{
  uint64_t *call = params;
  struct refusal r = {.at = __atomic_add_fetch(call, 1, __ATOMIC_RELAXED) % 3 == 0 ? 40 : 0};
  (void)dim;
  int before = nis_thread();
  nis_result inner = nis_integrate(refusing, 1, .calls = 100, .effort = 1e-3, .params = &r);
  int expected = r.at ? NIS_CALLBACK : inner.status;
  if (inner.status != expected || (r.at && strlen(nis_last_error()) == 0) || nis_thread() != before)
    return 1e6;
  return 0.5 + x[0];
}

START_TEST(a_run_inside_of_a_run_is_its_own)
{
  for (int threads = 1; threads <= 2; threads++) {
    uint64_t calls = 0;
    nis_result r = nis_integrate(nested, 1, .calls = 900, .threads = threads, .params = &calls);
    ck_assert_int_eq(r.status, NIS_OK);
    ck_assert_str_eq(nis_last_error(), "");
    check_between(r.value, 0.95, 1.05, "value");
    ck_assert_uint_eq(calls, 900);
  }
}
END_TEST

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 4 };

struct cells {
  int busy[THREADS];
  uint64_t used[THREADS], wrong;
};

static void use_cell(struct cells *cells)
{
  int number = nis_thread();
  if (number < 0 || number >= THREADS ||
      __atomic_exchange_n(&cells->busy[number], 1, __ATOMIC_ACQ_REL)) {
    __atomic_fetch_add(&cells->wrong, 1, __ATOMIC_RELAXED);
    return;
  }
  cells->used[number]++;
  usleep(20);
  __atomic_store_n(&cells->busy[number], 0, __ATOMIC_RELEASE);
}

static double numbered(double *x, size_t dim, void *params)
{
  (void)dim;
  use_cell(params);
  return 0.5 + x[0];
}

static int numbered_particles(const double *x, size_t dim, nis_event *event, void *params)
{
  struct host here = {.ways = ways_now(), .point = localeconv()->decimal_point};
  use_cell(params);
  return particles(x, dim, event, &here);
}

START_TEST(workers_have_numbers)
{
  struct cells cells = {0};
  nis *s;
  nis_options o = {.dim = 2, .calls = CALLS, .threads = THREADS, .params = &cells};
  ck_assert_int_eq(nis_create(&s, numbered, &o), NIS_OK);
  ck_assert_int_eq(nis_run(s, &(nis_result){0}), NIS_OK);
  nis_event_options events = {.events = EVENTS, .path = "/dev/null", .format = NIS_FORMAT_LHE};
  events.particles = numbered_particles, events.particles_params = &cells;
  ck_assert_int_eq(nis_events(s, &events, NULL), NIS_OK);
  nis_free(s);
  uint64_t all = 0;
  for (int i = 0; i < THREADS; i++) all += cells.used[i];
  ck_assert_uint_eq(cells.wrong, 0);
  ck_assert_uint_ge(all, CALLS + EVENTS);
#ifdef _OPENMP
  ck_assert_uint_lt(cells.used[0], all);
#endif
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("host");
  TCase *cases[] = {tcase_create("world"), tcase_create("callbacks")};
  tcase_add_test(cases[0], traps_are_the_hosts);
  tcase_add_test(cases[0], rounding_is_the_hosts);
#if defined(__x86_64__)
  tcase_add_test(cases[0], flushing_to_zero_is_the_hosts);
#endif
  tcase_add_test(cases[0], flags_are_the_hosts);
  tcase_add_test(cases[0], numbers_are_written_with_points);
  tcase_add_test(cases[0], a_threads_own_locale_stays);
  tcase_add_test(cases[1], an_integrand_may_refuse);
  tcase_add_test(cases[1], outside_of_a_run_nothing_is_refused);
  tcase_add_test(cases[1], a_run_inside_of_a_run_is_its_own);
  tcase_add_test(cases[1], workers_have_numbers);
  for (int i = 0; i < 2; i++) {
    tcase_set_timeout(cases[i], 280);
    suite_add_tcase(suite, cases[i]);
  }
  return run_suite(suite);
}
