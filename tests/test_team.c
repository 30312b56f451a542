/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Barriers and loops; a team in a child of fork(), and where threads or memory are short. */
#include "nis.h"

#include "base/team.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- regions ------------------------------------------------------------------------------ */

enum { MOST = 8, ROUNDS = 2000, ITEMS = 1000 };

struct shared {
  int size;
  unsigned value[MOST], wrong;
};

/* Before each barrier every worker writes, and after it reads what the others wrote. */
static void meet(struct team *team, int worker, void *context)
{
  struct shared *s = context;
  int size = nis_team_size(team);
  if (worker == 0) s->size = size;
  for (unsigned round = 1; round <= ROUNDS; round++) {
    s->value[worker] = round;
    nis_team_barrier(team);
    for (int i = 0; i < size; i++)
      if (s->value[i] != round) __atomic_fetch_add(&s->wrong, 1, __ATOMIC_RELAXED);
    nis_team_barrier(team);
  }
}

START_TEST(workers_meet_at_barriers)
{
  for (int threads = 1; threads <= MOST; threads++) {
    struct shared s = {0};
    nis_team_run(threads, meet, &s);
    check_between(s.size, 1, threads, "workers");
    ck_assert_uint_eq(s.wrong, 0);
  }
}
END_TEST

static void count_item(void *context, size_t item, int worker)
{
  unsigned *done = context;
  (void)worker;
  __atomic_fetch_add(&done[item], 1, __ATOMIC_RELAXED);
}

static void loop_thrice(struct team *team, int worker, void *context)
{
  for (int i = 0; i < 3; i++) {
    nis_team_for(team, worker, ITEMS, count_item, context);
    nis_team_barrier(team);
  }
}

START_TEST(every_item_is_taken_once)
{
  for (int threads = 1; threads <= 4; threads++) {
    unsigned done[ITEMS] = {0};
    nis_team_run(threads, loop_thrice, done);
    nis_parallel_for(threads, ITEMS, count_item, done);
    for (int i = 0; i < ITEMS; i++) ck_assert_uint_eq(done[i], 4);
  }
}
END_TEST

static void inner(struct team *team, int worker, void *context)
{
  (void)worker;
  if (nis_team_size(team) != 1) __atomic_fetch_add((int *)context, 1, __ATOMIC_RELAXED);
}

static void outer(struct team *team, int worker, void *context)
{
  (void)team, (void)worker;
  nis_team_run(2, inner, context);
}

START_TEST(regions_inside_of_regions_have_one_worker)
{
  int wrong = 0;
  nis_team_run(2, outer, &wrong);
  ck_assert_int_eq(wrong, 0);
#ifdef _OPENMP
#pragma omp parallel num_threads(2)
  nis_team_run(2, inner, &wrong);
  ck_assert_int_eq(wrong, 0);
#endif
}
END_TEST

/* ---- what becomes of a run ------------------------------------------------------------------ */

static double bump(double *x, size_t dim, void *params)
{
  (void)dim, (void)params;
  return 1 / (0.01 + (x[0] - 0.5) * (x[0] - 0.5) + x[1] * x[1]);
}

static nis_result integrate(int threads)
{
  return nis_integrate(bump, 2, .calls = 600, .effort = 1e-3, .threads = threads);
}

static int same_bits(const nis_result *a, const nis_result *b)
{
  return memcmp(&a->value, &b->value, sizeof a->value) == 0 &&
         memcmp(&a->error, &b->error, sizeof a->error) == 0 && a->calls == b->calls;
}

/* The exit status of a child that runs work(), 0 when all is well and nothing was printed; -1 if it
 * crashed, -2 if it hung. */
static int in_child(int (*work)(const nis_result *), const nis_result *expected)
{
  FILE *printed = tmpfile();
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    dup2(fileno(printed), STDOUT_FILENO);
    dup2(fileno(printed), STDERR_FILENO);
    alarm(100);
    _exit(work(expected));
  }
  int status;
  waitpid(child, &status, 0);
  long bytes = lseek(fileno(printed), 0, SEEK_END);
  fclose(printed);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? -2 : -1;
  return WEXITSTATUS(status) ? WEXITSTATUS(status) : bytes > 0 ? 99 : 0;
}

static int run_again(const nis_result *expected)
{
  for (int threads = 1; threads <= 3; threads++) {
    nis_result r = integrate(threads);
    if (!same_bits(&r, expected)) return 1;
  }
  return 0;
}

static int fork_again(const nis_result *expected)
{
  return run_again(expected) ? 1 : in_child(run_again, expected) ? 2 : 0;
}

START_TEST(a_forked_child_has_threads_of_its_own)
{
  nis_result r = integrate(2);
  ck_assert_int_eq(in_child(run_again, &r), 0);
  ck_assert_int_eq(in_child(fork_again, &r), 0);
  nis_result after = integrate(2);
  ck_assert(same_bits(&after, &r));
}
END_TEST

#ifdef _OPENMP
START_TEST(a_child_of_a_host_with_openmp_has_threads_of_its_own)
{
  int sum = 0;
#pragma omp parallel for num_threads(3) reduction(+ : sum)
  for (int i = 0; i < 100; i++) sum += i;
  ck_assert_int_eq(sum, 4950);
  nis_result r = integrate(2);
  ck_assert_int_eq(in_child(run_again, &r), 0);
}
END_TEST
#endif

static void limit(int what, rlim_t value)
{
  setrlimit(what, &(struct rlimit){value, value});
}

static int run_many(const nis_result *expected)
{
  nis_result r = integrate(256);
  return r.status == NIS_NO_MEMORY || same_bits(&r, expected) ? 0 : 1;
}

#ifndef SANITIZED /* which reserve terabytes */
static rlim_t used_memory(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%lu", &pages) != 1) pages = 0;
  if (file) fclose(file);
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static int little_memory(const nis_result *expected)
{
  const int mebibytes[] = {8, 64, 100, 200, 600, 1500, 2100, 2300};
  for (size_t i = sizeof mebibytes / sizeof *mebibytes; i-- > 0;) {
    limit(RLIMIT_AS, used_memory() + ((rlim_t)mebibytes[i] << 20));
    if (run_many(expected)) return (int)i + 1;
  }
  return 0;
}

#endif

static int few_threads(const nis_result *expected)
{
  /* root has no such limit */
  if (getuid() == 0 && setuid(65534) != 0) return 0;
  for (int threads = 31; threads > 0; threads -= 6) {
    limit(RLIMIT_NPROC, (rlim_t)threads);
    if (run_many(expected)) return 1;
  }
  return 0;
}

START_TEST(short_of_threads_a_run_has_fewer)
{
  nis_result r = integrate(1);
  ck_assert_int_eq(in_child(few_threads, &r), 0);
#ifndef SANITIZED
  ck_assert_int_eq(in_child(little_memory, &r), 0);
#endif
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("team");
  TCase *regions = tcase_create("regions"), *runs = tcase_create("runs");
  tcase_set_timeout(regions, 120);
  tcase_set_timeout(runs, 280);
  tcase_add_test(regions, workers_meet_at_barriers);
  tcase_add_test(regions, every_item_is_taken_once);
  tcase_add_test(regions, regions_inside_of_regions_have_one_worker);
  tcase_add_test(runs, a_forked_child_has_threads_of_its_own);
#ifdef _OPENMP
  tcase_add_test(runs, a_child_of_a_host_with_openmp_has_threads_of_its_own);
#endif
  tcase_add_test(runs, short_of_threads_a_run_has_fewer);
  suite_add_tcase(suite, regions);
  suite_add_tcase(suite, runs);
  return run_suite(suite);
}
