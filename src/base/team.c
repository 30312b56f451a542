/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The only OpenMP of the library: one parallel region, which lasts as long as its team. It is
 * opened by a thread of its own, the captain, so that
 *   - the caller's own pool of OpenMP threads stays as it is, and is not needed: after fork() the
 *     child's copy of it would wait for threads that are not there;
 *   - workers wait for work in our barrier, and the captain, OpenMP's thread 0, sleeps until the
 * end. Its workers are OpenMP's threads 1, 2, ...; the caller takes the part of number 0.
 *
 * Teams that nobody uses are parked, since making one takes as long as a small run.
 */
#define _GNU_SOURCE /* CPU_SET */

#include "team.h"

#include "host.h"

/* ---- sleeping and meeting --------------------------------------------------------------- */

enum { SPINS = 64 }; /* a microsecond or two */

struct team {
  int size;
  size_t next;    /* item, of the loop since the last barrier */
  double seen[2]; /* when workers 0 and 1 were last seen waiting for each other; 0: not yet */
  int core;       /* where worker 0 was then; -1: unknown */
  char apart[64];
  unsigned arrived, phase, sleepers; /* of the barrier */
};

/* What lies between two barriers */
static void begin(struct team *t)
{
  t->next = 0;
  t->seen[0] = t->seen[1] = 0;
  t->core = -1;
}

#ifdef _OPENMP
#include "clock.h"

#include <limits.h>
#include <linux/futex.h>
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sleeps until *word is no longer `before`, or perhaps shorter. */
static void sleep_on(unsigned *word, unsigned before)
{
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, before, NULL, NULL, 0);
}

static void wake_all(unsigned *word)
{
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void await(unsigned *word)
{
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0) sleep_on(word, 0);
}

static void announce(unsigned *word)
{
  __atomic_store_n(word, 1, __ATOMIC_RELEASE);
  wake_all(word);
}

static void breathe(void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

/* Either the sleeper sees the new phase or the last to arrive sees the sleeper: both look after
 * they have written, in one order for all (SEQ_CST). */
static void await_phase(struct team *t, unsigned before)
{
  for (int i = 0; i < SPINS; i++) {
    if (__atomic_load_n(&t->phase, __ATOMIC_ACQUIRE) != before) return;
    breathe();
  }
  __atomic_fetch_add(&t->sleepers, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&t->phase, __ATOMIC_SEQ_CST) == before) sleep_on(&t->phase, before);
  __atomic_fetch_sub(&t->sleepers, 1, __ATOMIC_RELAXED);
}

void nis_team_barrier(struct team *t)
{
  unsigned before = __atomic_load_n(&t->phase, __ATOMIC_RELAXED);
  if (__atomic_add_fetch(&t->arrived, 1, __ATOMIC_ACQ_REL) < (unsigned)t->size) {
    await_phase(t, before);
    return;
  }
  begin(t);
  __atomic_store_n(&t->arrived, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&t->phase, before + 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&t->sleepers, __ATOMIC_SEQ_CST) > 0) wake_all(&t->phase);
}

/* Both on one core would never meet: leaves that one. */
static void move_from(int core)
{
  cpu_set_t all, others;
  if (sched_getaffinity(0, sizeof all, &all) != 0) return;
  others = all;
  CPU_CLR((size_t)core, &others);
  if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
    sched_setaffinity(0, sizeof all, &all);
}

/* The first to go has seen the other a moment ago, which follows as soon as it sees that. */
void nis_team_together(struct team *t, int worker)
{
  const double moment = 1e-6, patience = 4e-3;
  double begun = nis_clock(), now = begun, other = 0, gone = HUGE_VAL;
  if (t->size == 1) return;
  while (now - other > moment && now - begun < patience) {
    int core = sched_getcpu();
    if (worker == 0)
      __atomic_store_n(&t->core, core, __ATOMIC_RELAXED);
    else if (core >= 0 && core == __atomic_load_n(&t->core, __ATOMIC_RELAXED))
      move_from(core);
    now = nis_clock();
    __atomic_store(&t->seen[worker], &now, __ATOMIC_RELAXED);
    __atomic_load(&t->seen[!worker], &other, __ATOMIC_RELAXED);
  }
  __atomic_store(&t->seen[worker], &gone, __ATOMIC_RELAXED);
}

/* ---- how many threads can be had ----------------------------------------------------------- */

/* OpenMP's runtime ends the program where it cannot make a thread. So as many are made here before,
 * with stacks of the same size, and with some memory held back for what comes after. */
struct trial {
  unsigned over;
  struct trial_thread {
    pthread_t thread;
    struct trial *trial;
    unsigned id, running;
  } * threads; /* [n] */
  int n;
};

static void *try_thread(void *argument)
{
  struct trial_thread *t = argument;
  t->id = (unsigned)syscall(SYS_gettid);
  await(&t->trial->over);
  return NULL;
}

/* What OMP_STACKSIZE and GOMP_STACKSIZE say, "size[B|K|M|G]", in bytes; 0: the usual */
static size_t stack_bytes(void)
{
  const char *text = getenv("OMP_STACKSIZE");
  if (!text) text = getenv("GOMP_STACKSIZE");
  if (!text) return 0;
  char *unit;
  size_t bytes = strtoul(text, &unit, 10);
  while (*unit == ' ') unit++;
  int shift = *unit == 'B' || *unit == 'b'   ? 0
              : *unit == 'M' || *unit == 'm' ? 20
              : *unit == 'G' || *unit == 'g' ? 30
                                             : 10;
  return bytes << shift;
}

static void start_trial(struct trial *trial, int most)
{
  pthread_attr_t attributes;
  size_t stack = stack_bytes();
  pthread_attr_init(&attributes);
  if (stack > 0) pthread_attr_setstacksize(&attributes, stack);
  for (; trial->n < most; trial->n++) {
    struct trial_thread *t = &trial->threads[trial->n];
    t->trial = trial;
    if (pthread_create(&t->thread, &attributes, try_thread, t) != 0) break;
  }
  pthread_attr_destroy(&attributes);
}

/* A joined thread counts against the limits for some moments more. */
static void end_trial(struct trial *trial)
{
  announce(&trial->over);
  for (int i = 0; i < trial->n; i++) {
    struct trial_thread *t = &trial->threads[i];
    pthread_join(t->thread, NULL);
    for (int k = 0; k < 1000 && syscall(SYS_tgkill, getpid(), t->id, 0) == 0; k++) sched_yield();
  }
}

/* Of `threads`, the caller's own included: where they are short, others need some as well. */
static int affordable(int threads)
{
  size_t held_back = ((size_t)64 + (size_t)threads) << 20;
  void *memory =
      mmap(NULL, held_back, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  struct trial trial = {.threads = calloc((size_t)threads, sizeof *trial.threads)};
  if (memory != MAP_FAILED && trial.threads) {
    start_trial(&trial, threads - 1);
    end_trial(&trial);
  }
  if (memory != MAP_FAILED) munmap(memory, held_back);
  free(trial.threads);
  return trial.n == threads - 1 ? threads : trial.n / 2 + 1;
}

/* ---- a crew: a team and its threads --------------------------------------------------------- */

struct crew {
  struct team team;
  int wanted; /* threads; the team may have fewer */
  pthread_t captain;
  unsigned ready, over;
  nis_region *region; /* the one at hand; NULL: no more */
  void *context;
  struct host *host; /* for whom */
};

static _Thread_local int working; /* in a region: those inside of it are run by the caller alone */

static void serve(struct crew *crew, int worker)
{
  nis_host_settle();
  working = 1;
  for (;;) {
    nis_team_barrier(&crew->team);
    if (!crew->region) return;
    nis_host_join(crew->host);
    crew->region(&crew->team, worker, crew->context);
    nis_team_barrier(&crew->team);
  }
}

static void *lead(void *argument)
{
  struct crew *crew = argument;
#pragma omp parallel num_threads(affordable(crew->wanted))
  {
    int worker = omp_get_thread_num();
    if (worker > 0) {
      await(&crew->ready);
      serve(crew, worker);
    } else {
      crew->team.size = omp_get_num_threads();
      announce(&crew->ready);
      await(&crew->over);
    }
  }
  return NULL;
}

/* NULL: no thread, or no memory for it */
static struct crew *assemble(int threads)
{
  struct crew *crew = calloc(1, sizeof *crew);
  if (!crew) return NULL;
  crew->wanted = threads;
  if (pthread_create(&crew->captain, NULL, lead, crew) != 0) {
    free(crew);
    return NULL;
  }
  await(&crew->ready);
  return crew;
}

static void dismiss(struct crew *crew)
{
  crew->region = NULL;
  nis_team_barrier(&crew->team);
  announce(&crew->over);
  pthread_join(crew->captain, NULL);
  free(crew);
}

static void run(struct crew *crew, nis_region *region, void *context)
{
  /* Parallel regions inside of the user's functions have one thread, as on the other workers. */
  int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  working = 1;
  crew->region = region;
  crew->context = context;
  crew->host = nis_host_current();
  nis_team_barrier(&crew->team);
  region(&crew->team, 0, context);
  nis_team_barrier(&crew->team);
  working = 0;
  omp_set_num_threads(threads);
}

/* ---- parked crews ------------------------------------------------------------------------- */

enum { PARKED = 8 }; /* for as many callers at once */
static struct crew
    *parked[PARKED]; /* taken out and put in atomically: no lock for fork() to copy */

static void park(struct crew *crew)
{
  for (int i = 0; i < PARKED; i++) {
    struct crew *none = NULL;
    if (__atomic_compare_exchange_n(&parked[i], &none, crew, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return;
  }
  dismiss(crew);
}

static struct crew *take_from(int place)
{
  if (!__atomic_load_n(&parked[place], __ATOMIC_RELAXED)) return NULL;
  return __atomic_exchange_n(&parked[place], NULL, __ATOMIC_ACQ_REL);
}

/* Also where the library is unloaded, or the program ends */
__attribute__((destructor)) static void dismiss_parked(void)
{
  for (int i = 0; i < PARKED; i++) {
    struct crew *crew = take_from(i);
    if (crew) dismiss(crew);
  }
}

/* In a child of fork() there are no threads behind them. */
static void forget_parked(void)
{
  for (int i = 0; i < PARKED; i++) parked[i] = NULL;
}

static void watch_forks(void)
{
  pthread_atfork(NULL, NULL, forget_parked);
}

static struct crew *take(int threads)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  for (int i = 0; i < PARKED; i++) {
    struct crew *crew = take_from(i);
    if (crew && crew->wanted == threads) return crew;
    if (crew) park(crew);
  }
  pthread_once(&once, watch_forks);
  dismiss_parked();
  return assemble(threads);
}

static int inside_region(void)
{
  return working || omp_get_active_level() >= omp_get_max_active_levels();
}

void nis_team_run(int threads, nis_region *region, void *context)
{
  struct crew *crew = threads > 1 && !inside_region() ? take(threads) : NULL;
  if (crew) {
    run(crew, region, context);
    park(crew);
  } else {
    region(&(struct team){.size = 1}, 0, context);
  }
}

int nis_default_threads(void)
{
  return omp_get_max_threads();
}

#else

void nis_team_together(struct team *t, int worker)
{
  (void)t, (void)worker;
}

void nis_team_barrier(struct team *t)
{
  begin(t);
}

void nis_team_run(int threads, nis_region *region, void *context)
{
  (void)threads;
  region(&(struct team){.size = 1}, 0, context);
}

int nis_default_threads(void)
{
  return 1;
}

#endif

int nis_team_size(const struct team *t)
{
  return t->size;
}

/* ---- loops ---------------------------------------------------------------------------------- */

void nis_team_for(struct team *t, int worker, size_t items, nis_work *work, void *context)
{
  size_t item;
  while ((item = __atomic_fetch_add(&t->next, 1, __ATOMIC_RELAXED)) < items)
    work(context, item, worker);
}

struct loop {
  size_t items;
  nis_work *work;
  void *context;
};

static void run_loop(struct team *team, int worker, void *context)
{
  const struct loop *loop = context;
  nis_team_for(team, worker, loop->items, loop->work, loop->context);
}

void nis_parallel_for(int threads, size_t items, nis_work *work, void *context)
{
  struct loop loop = {items, work, context};
  nis_team_run(items > 1 ? threads : 1, run_loop, &loop);
}
