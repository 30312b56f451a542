/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every allocation of the library fails once: the call says so, what it held is given back, and the
 * handle is as good as before.
 *
 * The linker puts the functions below in the place of malloc and its kin, in the library too. They
 * count, let one allocation fail, and know which blocks are out. What GSL, zlib and HDF5 allocate
 * stays their own.
 */
#include "nis_histogram.h"
#include "suite.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* ---- the allocator that fails ------------------------------------------------------------- */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
char *__real_strdup(const char *text);
void __real_free(void *block);

enum { MOST_OUT = 4096 };

static struct {
  pthread_mutex_t lock;
  int watching;            /* else all goes through */
  long asked, fails;       /* allocations so far; the one that fails, from 1; 0: none */
  void *out[MOST_OUT + 1]; /* blocks that are not freed yet; [0, n) */
  size_t n;
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int refused(void)
{
  pthread_mutex_lock(&heap.lock);
  int refuse = heap.watching && ++heap.asked == heap.fails;
  pthread_mutex_unlock(&heap.lock);
  if (refuse) errno = ENOMEM;
  return refuse;
}

static void *given(void *block)
{
  pthread_mutex_lock(&heap.lock);
  if (heap.watching && block && heap.n < MOST_OUT) heap.out[heap.n++] = block;
  pthread_mutex_unlock(&heap.lock);
  return block;
}

static void taken_back(void *block)
{
  pthread_mutex_lock(&heap.lock);
  for (size_t i = 0; i < heap.n; i++)
    if (heap.out[i] == block) heap.out[i] = heap.out[--heap.n];
  pthread_mutex_unlock(&heap.lock);
}

void *__wrap_malloc(size_t bytes)
{
  return refused() ? NULL : given(__real_malloc(bytes));
}

void *__wrap_calloc(size_t n, size_t bytes)
{
  return refused() ? NULL : given(__real_calloc(n, bytes));
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
  return refused() ? NULL : given(__real_aligned_alloc(alignment, bytes));
}

char *__wrap_strdup(const char *text)
{
  return refused() ? NULL : given(__real_strdup(text));
}

void *__wrap_realloc(void *block, size_t bytes)
{
  if (refused()) return NULL;
  taken_back(block);
  return given(__real_realloc(block, bytes));
}

void __wrap_free(void *block)
{
  taken_back(block);
  __real_free(block);
}

static void watch(long fails)
{
  heap.watching = 1, heap.asked = 0, heap.fails = fails, heap.n = 0;
}

/* Blocks that are still out */
static size_t unwatch(void)
{
  heap.watching = 0;
  return heap.n;
}

/* ---- stories: all that a handle can do, in few calls ----------------------------------------- */

/* Both signs and two peaks, so that every channel is made */
static double peaks(double *x, size_t dim, void *params)
{
  double a = 0, b = 0;
  (void)params;
  for (size_t j = 0; j < dim; j++)
    a += (x[j] - 0.3) * (x[j] - 0.3), b += (x[j] - 0.7) * (x[j] - 0.7);
  return exp(-a / 0.01) - 0.3 * exp(-b / 0.02);
}

static int components(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < ncomp; c++) f[i * ncomp + c] = 1 + x[i * dim] * (double)c;
  return 0;
}

static int take(const nis_event_block *events, void *params)
{
  (void)events, (void)params;
  return 0;
}

static int take_points(const nis_point_block *points, void *params)
{
  (void)points, (void)params;
  return 0;
}

static int two_legs(const double *x, size_t dim, nis_event *event, void *params)
{
  (void)dim, (void)params;
  event->nparticles = 3;
  for (int i = 0; i < 3; i++)
    event->particle[i] = (nis_particle){.pdg = i ? 11 : 23, .status = i ? -1 : 1, .spin = 9};
  event->particle[2].pdg = -11;
  event->particle[0].p[0] = x[0];
  return 0;
}

static char path[64], zipped[sizeof path + 3], third[sizeof path + 3];

enum { MOST_STEPS = 12, STORIES = 5 };

/* What each call of a story said; a handle that was not made says so once. */
struct told {
  int status[MOST_STEPS], steps;
  int sentence; /* there was one where memory was missing */
};

static int tell(struct told *told, int status)
{
  told->status[told->steps++] = status;
  if (status == NIS_NO_MEMORY) told->sentence = *nis_last_error() != 0;
  return status;
}

static const nis_options tiny = {.dim = 2,
                                 .calls = 1500,
                                 .threads = 1,
                                 .layers = 2,
                                 .hidden_layers = 1,
                                 .hidden_width = 8,
                                 .bins = 4,
                                 .replay = 1};

static struct told by_hand(void)
{
  static const double hints[] = {0.3, 0.3, 0.7, 0.7}, lower[] = {0, 0}, upper[] = {1, 1};
  struct told told = {0};
  double x[200], log_q[100], weight[100];
  nis_options o = tiny;
  nis *s;
  o.hints = hints, o.nhints = 2, o.lower = lower, o.upper = upper;
  o.sink = take_points, o.extra = 2;
  if (tell(&told, nis_create(&s, peaks, &o)) != NIS_OK) return told;
  tell(&told, nis_train(s, 700));
  tell(&told, nis_train(s, 700));
  tell(&told, nis_estimate(s, 512, NULL));
  tell(&told, nis_sample(s, 100, x, log_q, weight));
  tell(&told, nis_density(s, 100, x, log_q));
  nis_free(s);
  return told;
}

static struct told values(void)
{
  struct told told = {0};
  nis_options o = tiny;
  o.batch = components, o.ncomp = 3, o.follow = NIS_FOLLOW_NORM;
  tell(&told, nis_integrate_with(NULL, &o).status);
  o.max_seconds = 100;
  tell(&told, nis_integrate_with(NULL, &o).status);
  return told;
}

static const nis_event_options ways[] = {
    {.sink = take},
    {.sink = take, .whole_run = 1, .unit_weights = 1},
    {.path = path, .format = NIS_FORMAT_TEXT, .header = "a: b\n"},
    {.path = zipped, .format = NIS_FORMAT_TEXT},
    {.path = path, .format = NIS_FORMAT_NPY},
    {.path = path, .format = NIS_FORMAT_LHE, .particles = two_legs, .header = "a: b\n"},
    {.path = path, .format = NIS_FORMAT_LHE3, .particles = two_legs},
    {.path = path, .format = NIS_FORMAT_HDF5},
    {.path = path, .format = NIS_FORMAT_LHEH5, .particles = two_legs}};
enum { WAYS = sizeof ways / sizeof *ways };

static struct told events(int way)
{
  struct told told = {0};
  nis_event_options how = ways[way];
  nis_options o = tiny;
  nis *s;
  how.events = 300, o.extra = (size_t)way % 2;
  unlink(path), unlink(zipped);
  if (tell(&told, nis_create(&s, peaks, &o)) != NIS_OK) return told;
  tell(&told, nis_estimate(s, 512, NULL));
  tell(&told, nis_events(s, &how, NULL));
  nis_free(s);
  return told;
}

/* Two files of saved handles, which are merged, and two of events, too */
static struct told saved(void)
{
  static const nis_options of_seed[] = {{.threads = 1, .seed = 1}, {.threads = 1, .seed = 2}};
  const char *const files[] = {path, zipped};
  struct told told = {0};
  nis *s, *other;
  nis_event_options how = {.events = 10, .path = path, .format = NIS_FORMAT_TEXT};
  nis_options o = tiny;
  o.name = "peaks";
  unlink(path), unlink(zipped), unlink(third);
  if (tell(&told, nis_create(&s, peaks, &o)) != NIS_OK) return told;
  tell(&told, nis_train(s, 300));
  tell(&told, nis_estimate(s, 64, NULL));
  if (tell(&told, nis_save(s, path)) != NIS_OK) return nis_free(s), told;
  nis_free(s);
  if (tell(&told, nis_load(&s, path, peaks, &of_seed[0])) != NIS_OK) return told;
  if (tell(&told, nis_load(&other, path, peaks, &of_seed[1])) != NIS_OK) return nis_free(s), told;
  nis_drop_estimate(other);
  tell(&told, nis_estimate(other, 64, NULL));
  tell(&told, nis_merge(s, other));
  unlink(path);
  tell(&told, nis_events(s, &how, NULL));
  how.path = zipped;
  tell(&told, nis_events(s, &how, NULL));
  tell(&told, nis_merge_events(files, 2, third, 0));
  nis_free(s);
  nis_free(other);
  return told;
}

static struct told resumed(void)
{
  struct told told = {0};
  nis *s;
  nis_options o = tiny;
  o.checkpoint = path;
  unlink(path);
  for (int i = 0; i < 2; i++) {
    if (tell(&told, nis_resume(&s, peaks, &o)) != NIS_OK) return told;
    tell(&told, nis_train(s, 300));
    tell(&told, nis_estimate(s, 64, NULL));
    nis_free(s);
  }
  return told;
}

static double first(const double *x, size_t dim, const double *outputs, size_t extra, void *params)
{
  (void)dim, (void)outputs, (void)extra, (void)params;
  return x[0];
}

/* A file is read and merged. */
static struct told histograms(void)
{
  const nis_axis axes[] = {{.observable = first, .name = "x", .bins = 3},
                           {.observable = first, .name = "y", .bins = 2}};
  const double x[] = {0.1, 0.9}, weight[] = {1, 2};
  struct told told = {0};
  nis_histogram *h, *back = NULL;
  unlink(path);
  if (tell(&told, nis_histogram_create(&h, "h", axes, 2)) != NIS_OK) return told;
  for (int net = 0; net < 4; net++)
    tell(&told, nis_histogram_points(&(nis_point_block){.n = 2,
                                                        .dim = 1,
                                                        .x = x,
                                                        .weight = weight,
                                                        .before = 2 * (uint64_t)net,
                                                        .iteration = net,
                                                        .nets = 1},
                                     h));
  tell(&told, nis_histogram_write((const nis_histogram *[]){h}, 1, path, NIS_HISTOGRAM_YODA, 0));
  if (tell(&told, nis_histogram_read(&back, path, 0)) == NIS_OK && back)
    tell(&told, nis_histogram_merge(h, back));
  nis_histogram_free(back);
  nis_histogram_free(h);
  return told;
}

/* ---- every allocation in turn ---------------------------------------------------------------- */

static struct told tell_story(int which)
{
  static struct told (*const stories[STORIES])(void) = {by_hand, values, saved, resumed,
                                                        histograms};
  return which < STORIES ? stories[which]() : events(which - STORIES);
}

/* A later call may find that what it stands on is not there. */
static void check_told(const struct told *told, const struct told *whole, long failed)
{
  int missing = 0;
  for (int i = 0; i < told->steps; i++) {
    int status = told->status[i];
    missing += status == NIS_NO_MEMORY;
    require(status == whole->status[i] || status == NIS_NO_MEMORY || missing,
            "allocation %ld, call %d: %s", failed, i, nis_strerror(status));
  }
  require(missing == 1, "allocation %ld: %d calls missed it", failed, missing);
  require(told->sentence, "allocation %ld: no sentence", failed);
}

START_TEST(every_allocation_fails_once)
{
  snprintf(path, sizeof path, "/tmp/nis_no_memory_%ld", (long)getpid());
  snprintf(zipped, sizeof zipped, "%s.gz", path);
  snprintf(third, sizeof third, "%s.3", path);
  tell_story(_i); /* what is made once */
  watch(0);
  struct told whole = tell_story(_i);
  long allocations = heap.asked;
  ck_assert_uint_eq(unwatch(), 0);
  if (whole.status[whole.steps - 1] == NIS_INVALID) return; /* without HDF5 */
  ck_assert_int_gt(allocations, 10);
  for (long failed = 1; failed <= allocations; failed += short_form() ? 7 : 1) {
    watch(failed);
    struct told told = tell_story(_i);
    size_t left = unwatch();
    require(left == 0, "allocation %ld: %zu blocks are lost", failed, left);
    check_told(&told, &whole, failed);
  }
  unlink(path), unlink(zipped), unlink(third);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("no_memory");
  TCase *tcase = tcase_create("no_memory");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, every_allocation_fails_once, 0, STORIES + WAYS);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
