/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole life of a handle in a thread whose stack is the smallest that the system allows and 128
 * KiB: training with hints, so that climbs start and peaks are fitted, estimates from nets and from
 * random points, events, points and densities. Nothing on the stack may grow with dim. The test
 * runs with OMP_STACKSIZE=256k for the library's own threads.
 */
#include "nis_events.h"

#include "suite.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>

enum { ROOM = 128 * 1024, MOST_DIM = 256, MANY = 200, STEPS = 7 };

struct life {
  nis_options options;
  int status[STEPS];
  nis_result result;
  uint64_t events;
};

/* Two bumps in the first coordinates; the others hardly matter. */
static double bumps(double *x, size_t dim, void *params)
{
  double near = 0, far = 0;
  (void)params;
  for (size_t j = 0; j < dim && j < 3; j++) {
    near += (x[j] - 0.3) * (x[j] - 0.3);
    far += (x[j] - 0.8) * (x[j] - 0.8);
  }
  return (1 + 0.1 * x[dim - 1]) * (exp(-50 * near) - 0.5 * exp(-200 * far));
}

static int take(const nis_event_block *e, void *params)
{
  *(uint64_t *)params += e->n;
  return 0;
}

static void *live(void *params)
{
  static double x[MANY * MOST_DIM], log_q[MANY], weight[MANY];
  struct life *life = params;
  nis *s;
  nis_event_options events = {
      .events = MANY, .calls = 40000, .whole_run = 1, .sink = take, .sink_params = &life->events};
  int *status = life->status;
  if ((*status++ = nis_create(&s, bumps, &life->options)) != NIS_OK) return NULL;
  *status++ = nis_run(s, &life->result);
  *status++ = nis_train(s, 1000);
  *status++ = nis_estimate(s, 1000, NULL);
  *status++ = nis_events(s, &events, NULL);
  *status++ = nis_sample(s, MANY, x, log_q, weight);
  *status++ = nis_density(s, MANY, x, log_q);
  nis_free(s);
  return NULL;
}

static void in_small_thread(struct life *life)
{
  pthread_attr_t small;
  pthread_t thread;
  ck_assert_int_eq(pthread_attr_init(&small), 0);
  ck_assert_int_eq(pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN + ROOM), 0);
  ck_assert_int_eq(pthread_create(&thread, &small, live, life), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  pthread_attr_destroy(&small);
}

static const struct {
  size_t dim;
  int threads;
  nis_point_set points;
} lives[] = {{8, 1, NIS_POINTS_NETS},
             {8, 2, NIS_POINTS_RANDOM},
             {64, 2, NIS_POINTS_NETS},
             {256, 1, NIS_POINTS_RANDOM},
             {256, 2, NIS_POINTS_RANDOM}};

/* A status below 0 is a failure; a doubt about the error bar is none. */
START_TEST(a_small_stack_is_enough)
{
  double hints[2 * MOST_DIM];
  size_t dim = lives[_i].dim;
  for (size_t j = 0; j < 2 * dim; j++) hints[j] = j < dim ? 0.3 : 0.8;
  struct life life = {.options = {.dim = dim,
                                  .calls = 10000,
                                  .threads = lives[_i].threads,
                                  .points = lives[_i].points,
                                  .hints = hints,
                                  .nhints = 2,
                                  .layers = 2,
                                  .hidden_width = 8,
                                  .bins = 4,
                                  .replay = 1,
                                  .seed = 5}};
  in_small_thread(&life);
  for (int i = 0; i < STEPS; i++)
    ck_assert_msg(life.status[i] >= 0, "step %d: %d", i, life.status[i]);
  ck_assert_uint_gt(life.result.search_calls, 0);
  ck_assert_uint_eq(life.events, MANY);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("stack");
  TCase *tests = tcase_create("stack");
  tcase_set_timeout(tests, 250);
  tcase_add_loop_test(tests, a_small_stack_is_enough, 0, sizeof lives / sizeof *lives);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
