/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs that several ranks share have the bits of one process, and end together. Here the ranks are
 * threads, each with a handle, which reach each other through memory. */
#include "suite.h"

#include "nis_events.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RANKS = 5 };

/* ---- ranks in memory ------------------------------------------------------------------------- */

struct world {
  int size, arrived, gone;
  uint64_t counter, meetings;
  pthread_mutex_t lock;
  pthread_cond_t all_here;
  const void *mine[MOST_RANKS];
};

struct seat {
  struct world *world;
  int rank;
};

static int claim(uint64_t *number, void *params)
{
  struct world *w = ((struct seat *)params)->world;
  *number = __atomic_fetch_add(&w->counter, 1, __ATOMIC_RELAXED);
  return 0;
}

/* Non-zero where a rank has gone, or there is no patience left */
static int meet(struct world *w, int (*patience)(void *), void *patient)
{
  pthread_mutex_lock(&w->lock);
  uint64_t now = w->meetings;
  if (++w->arrived == w->size) {
    w->arrived = 0;
    w->meetings++;
    pthread_cond_broadcast(&w->all_here);
  }
  while (w->meetings == now && !w->gone) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_cond_timedwait(&w->all_here, &w->lock, &until);
    pthread_mutex_unlock(&w->lock);
    int over = patience(patient);
    pthread_mutex_lock(&w->lock);
    if (over) w->gone = 1;
  }
  int gone = w->meetings == now;
  pthread_mutex_unlock(&w->lock);
  return gone;
}

static int gather(const void *mine, void *all, const size_t *bytes, int (*patience)(void *),
                  void *patient, void *params)
{
  struct seat *seat = params;
  struct world *w = seat->world;
  w->mine[seat->rank] = mine;
  if (meet(w, patience, patient)) return 1;
  char *to = all;
  for (int k = 0; k < w->size; k++) {
    if (bytes[k] > 0) memcpy(to, w->mine[k], bytes[k]);
    to += bytes[k];
  }
  return meet(w, patience, patient);
}

/* ---- what ranks do --------------------------------------------------------------------------- */

/* A rank's part in a test, and what came of it */
struct part {
  struct seat seat;
  int size, threads;
  void (*act)(struct part *p, nis *s);
  nis_options options;
  nis_integrand *f;
  double calls; /* of f, by this rank */
  int status;
  char sentence[256];
  nis_result result;
  uint64_t bits; /* of all else that came out */
};

static void note(struct part *p, const void *bytes, size_t n)
{
  for (size_t i = 0; i < n; i++)
    p->bits = (p->bits ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
}

static void note_result(struct part *p, const nis_result *r)
{
  note(p, &r->value, sizeof r->value);
  note(p, &r->error, sizeof r->error);
  note(p, &r->calls, sizeof r->calls);
  note(p, &r->efficiency, sizeof r->efficiency);
  note(p, &r->khat, sizeof r->khat);
  note(p, &r->status, sizeof r->status);
}

static nis_ranks ranks_of(struct part *p)
{
  return (nis_ranks){
      .rank = p->seat.rank, .size = p->size, .params = &p->seat, .claim = claim, .gather = gather};
}

static void *take_part(void *params)
{
  struct part *p = params;
  nis *s;
  nis_ranks ranks = ranks_of(p);
  p->options.params = p;
  if (p->threads > 0) p->options.threads = p->threads;
  p->status = nis_create(&s, p->f, &p->options);
  if (p->status == NIS_OK) p->status = nis_set_ranks(s, &ranks);
  if (p->status == NIS_OK) p->act(p, s);
  snprintf(p->sentence, sizeof p->sentence, "%s", nis_last_error());
  nis_free(s);
  return NULL;
}

static void run_world(int size, struct part *parts, void *(*body)(void *))
{
  struct world world = {.size = size};
  pthread_t thread[MOST_RANKS];
  pthread_mutex_init(&world.lock, NULL);
  pthread_cond_init(&world.all_here, NULL);
  for (int k = 0; k < size; k++) {
    parts[k].seat = (struct seat){&world, k};
    parts[k].size = size;
    pthread_create(&thread[k], NULL, body, &parts[k]);
  }
  for (int k = 0; k < size; k++) pthread_join(thread[k], NULL);
  pthread_cond_destroy(&world.all_here);
  pthread_mutex_destroy(&world.lock);
}

/* ---- integrands ------------------------------------------------------------------------------ */

static double peak(const double *x, size_t dim)
{
  double square = 0;
  for (size_t j = 0; j < dim; j++) square += (x[j] - 0.3) * (x[j] - 0.3);
  return exp(-square / 0.02);
}

static double gaussian(double *x, size_t dim, void *params)
{
  (void)params;
  return peak(x, dim);
}

static int three(size_t n, size_t dim, const double *x, size_t ncomp, double *f, void *params)
{
  (void)params;
  for (size_t i = 0; i < n; i++) {
    double value = peak(x + i * dim, dim);
    for (size_t k = 0; k < ncomp; k++) f[i * ncomp + k] = value * (double)(k + 1) * x[i * dim];
  }
  return 0;
}

/* ---- the same bits --------------------------------------------------------------------------- */

static void act_run(struct part *p, nis *s)
{
  p->status = nis_run(s, &p->result);
  note_result(p, &p->result);
}

static int take_events(const nis_event_block *block, void *params)
{
  struct part *p = params;
  note(p, block->x, block->n * block->dim * sizeof *block->x);
  note(p, block->weight, block->n * sizeof *block->weight);
  return 0;
}

static void act_stepwise(struct part *p, nis *s)
{
  double x[32], weight[16];
  nis_event_summary summary;
  nis_event_options o = {.events = 300, .sink = take_events, .sink_params = p};
  if (p->status == NIS_OK) p->status = nis_train(s, 3000);
  if (p->status == NIS_OK) p->status = nis_estimate(s, 5000, &p->result);
  if (p->status == NIS_OK) p->status = nis_estimate(s, 2000, &p->result);
  if (p->status == NIS_OK) p->status = nis_sample(s, 16, x, NULL, weight);
  note_result(p, &p->result);
  note(p, weight, sizeof weight);
  if (p->status == NIS_OK) p->status = nis_events(s, &o, &summary);
  note(p, &summary.efficiency, sizeof summary.efficiency);
  note(p, &summary.events, sizeof summary.events);
  for (int i = 0; i < 20 && p->status == NIS_OK; i++) {
    nis_pulled_event event;
    p->status = nis_next_event(s, NULL, &event);
    note(p, event.x, event.dim * sizeof *event.x);
  }
}

/* All ranks, of any number and with any threads, have the bits of rank 0 of one. Events, which
 * only rank 0 gets, are in its bits alone. */
static void check_bits(nis_integrand *f, nis_options options, void (*act)(struct part *, nis *),
                       int sinks)
{
  uint64_t bits = 0;
  int most = short_form() ? 2 : 4;
  for (int size = 1; size <= most; size++)
    for (int threads = 1; threads <= (size % 2 == 0 && !short_form() ? 2 : 1); threads++) {
      struct part parts[MOST_RANKS];
      for (int k = 0; k < size; k++)
        parts[k] = (struct part){.act = act, .options = options, .f = f, .threads = threads};
      run_world(size, parts, take_part);
      if (size == 1 && threads == 1) bits = parts[0].bits;
      for (int k = 0; k < size; k++) {
        require(parts[k].status >= NIS_OK, "%d of %d: %s", k, size, parts[k].sentence);
        require((k > 0 && sinks) || parts[k].bits == bits, "rank %d of %d with %d threads: %a", k,
                size, threads, parts[k].result.value);
        require(parts[k].result.value == parts[0].result.value, "rank %d of %d", k, size);
      }
    }
}

START_TEST(same_bits)
{
  nis_options o = {.dim = 3, .calls = 8000, .seed = 4};
  check_bits(gaussian, o, act_run, 0);
  o.points = NIS_POINTS_RANDOM;
  check_bits(gaussian, o, act_run, 0);
}
END_TEST

START_TEST(same_bits_towards_a_goal)
{
  check_bits(gaussian,
             (nis_options){.dim = 2, .calls = 60000, .rel_error = 2e-3, .call_seconds = 1e-4},
             act_run, 0);
}
END_TEST

START_TEST(same_bits_of_components)
{
  check_bits(NULL, (nis_options){.dim = 3, .ncomp = 3, .calls = 9000, .batch = three}, act_run, 0);
}
END_TEST

/* Nets and minibatches that are large enough for ranks to share each step */
START_TEST(same_bits_of_shared_steps)
{
  check_bits(gaussian, (nis_options){.dim = 4, .calls = 5000, .hidden_width = 64, .minibatch = 512},
             act_run, 0);
}
END_TEST

START_TEST(same_bits_of_discrete_sums)
{
  static const int discrete[] = {0, 0, 3};
  check_bits(gaussian, (nis_options){.dim = 3, .calls = 9000, .discrete = discrete}, act_run, 0);
}
END_TEST

START_TEST(same_bits_of_steps_and_events)
{
  check_bits(gaussian, (nis_options){.dim = 2, .calls = 9000}, act_stepwise, 1);
}
END_TEST

/* ---- the sink -------------------------------------------------------------------------------- */

struct seen {
  uint64_t points, most;
};

static struct seen seen[MOST_RANKS];

static int see(const nis_point_block *block, void *params)
{
  struct seen *s = params;
  s->points += block->n;
  return s->most > 0 && s->points >= s->most;
}

static void run_with_sinks(struct part *parts, int size, uint64_t most)
{
  for (int k = 0; k < size; k++) {
    seen[k] = (struct seen){0, most};
    parts[k] = (struct part){
        .act = act_run,
        .f = gaussian,
        .options = {.dim = 2, .calls = 9000, .threads = 1, .sink = see, .sink_params = &seen[k]}};
  }
  run_world(size, parts, take_part);
}

START_TEST(sink_of_rank_0)
{
  struct part parts[3];
  run_with_sinks(parts, 3, 0);
  ck_assert_uint_eq(seen[0].points, parts[0].result.calls - parts[0].result.train_calls);
  ck_assert_uint_eq(seen[1].points + seen[2].points, 0);
}
END_TEST

START_TEST(sink_stops_all)
{
  struct part parts[3];
  run_with_sinks(parts, 3, 1000);
  for (int k = 0; k < 3; k++) {
    ck_assert_int_eq(parts[k].status, NIS_STOPPED);
    ck_assert_uint_eq(parts[k].bits, parts[0].bits);
  }
}
END_TEST

/* ---- ranks that differ ----------------------------------------------------------------------- */

static double uneven(double *x, size_t dim, void *params)
{
  struct part *p = params;
  p->calls++;
  struct timespec pause = {0, p->seat.rank == 1 ? 3000000 : 30000};
  nanosleep(&pause, NULL);
  return peak(x, dim);
}

/* A rank that is a hundred times slower does little: else all would wait for it. */
START_TEST(slow_rank)
{
  struct part parts[3];
  for (int k = 0; k < 3; k++)
    parts[k] = (struct part){
        .act = act_run, .f = uneven, .options = {.dim = 2, .calls = 6000, .threads = 1}};
  run_world(3, parts, take_part);
  ck_assert_int_eq(parts[0].status, NIS_OK);
  require(parts[1].calls < 0.25 * (parts[0].calls + parts[2].calls), "%g of %g and %g",
          parts[1].calls, parts[0].calls, parts[2].calls);
  require(parts[1].calls > 0, "rank 1 did nothing");
}
END_TEST

static uint64_t spent; /* calls by all ranks */

static double refusing(double *x, size_t dim, void *params)
{
  struct part *p = params;
  uint64_t before = __atomic_fetch_add(&spent, 1, __ATOMIC_RELAXED);
  if (p->seat.rank == 2 && before > 1500) nis_refuse();
  return peak(x, dim);
}

static double not_a_number(double *x, size_t dim, void *params)
{
  struct part *p = params;
  return p->seat.rank == 1 && x[0] < 0.01 ? NAN : peak(x, dim);
}

static void run_three(struct part *parts, nis_integrand *f)
{
  for (int k = 0; k < 3; k++)
    parts[k] =
        (struct part){.act = act_run, .f = f, .options = {.dim = 2, .calls = 9000, .threads = 1}};
  run_world(3, parts, take_part);
}

START_TEST(refusal)
{
  struct part parts[3];
  spent = 0;
  run_three(parts, refusing);
  for (int k = 0; k < 3; k++) {
    ck_assert_int_eq(parts[k].status, NIS_CALLBACK);
    require(strstr(parts[k].sentence, "rank 2: the integrand ended"), "%s", parts[k].sentence);
  }
}
END_TEST

START_TEST(bad_values_are_everybodys)
{
  struct part parts[3];
  run_three(parts, not_a_number);
  for (int k = 0; k < 3; k++) {
    ck_assert_int_eq(parts[k].status, NIS_OK);
    ck_assert_uint_eq(parts[k].result.bad_calls, parts[0].result.bad_calls);
    ck_assert_uint_eq(parts[k].bits, parts[0].bits);
  }
}
END_TEST

/* Trouble before the others are met is theirs as well, and nobody waits for ever. */
START_TEST(come_apart)
{
  for (int what = 0; what < 3; what++) {
    struct part parts[3];
    for (int k = 0; k < 3; k++) {
      parts[k] = (struct part){
          .act = act_run, .f = gaussian, .options = {.dim = 2, .calls = 9000, .threads = 1}};
      if (k == 2 && what == 0) parts[k].options.seed = 5;
      if (k == 2 && what == 1) parts[k].options.calls = 9500;
      if (k == 2 && what == 2) parts[k].act = act_stepwise;
    }
    run_world(3, parts, take_part);
    for (int k = 0; k < 3; k++) {
      require(parts[k].status == NIS_RANKS, "%d: rank %d: %d", what, k, parts[k].status);
      require(strstr(parts[k].sentence, "ranks 0 and 2 have come apart"), "%s", parts[k].sentence);
    }
  }
}
END_TEST

static int stop_soon(const nis_progress *now, void *params)
{
  (void)params;
  return now->calls > 3000;
}

START_TEST(stop)
{
  struct part parts[3];
  for (int k = 0; k < 3; k++)
    parts[k] = (struct part){
        .act = act_run,
        .f = gaussian,
        .options = {.dim = 2, .calls = 90000, .threads = 1, .progress = k == 1 ? stop_soon : NULL}};
  run_world(3, parts, take_part);
  for (int k = 0; k < 3; k++) {
    ck_assert_int_eq(parts[k].status, NIS_STOPPED);
    ck_assert_uint_eq(parts[k].result.calls, parts[0].result.calls);
    require(parts[k].result.calls < 90000, "all calls were made");
  }
}
END_TEST

/* Rank 1 leaves without a word while the others are in a run; one that was asked to stop does not
 * wait for it for ever. */
static void act_leave(struct part *p, nis *s)
{
  if (p->seat.rank != 1) act_run(p, s);
}

static int stop_at_once(const nis_progress *now, void *params)
{
  (void)now, (void)params;
  return 1;
}

START_TEST(gone)
{
  struct part parts[3];
  for (int k = 0; k < 3; k++)
    parts[k] = (struct part){
        .act = act_leave,
        .f = gaussian,
        .options = {
            .dim = 2, .calls = 9000, .threads = 1, .progress = k == 0 ? stop_at_once : NULL}};
  run_world(3, parts, take_part);
  for (int k = 0; k < 3; k += 2) {
    ck_assert_int_eq(parts[k].status, NIS_RANKS);
    require(strstr(parts[k].sentence, "has lost the others"), "%s", parts[k].sentence);
  }
}
END_TEST

START_TEST(time_limit)
{
  struct part parts[3];
  for (int k = 0; k < 3; k++)
    parts[k] =
        (struct part){.act = act_run,
                      .f = uneven,
                      .options = {.dim = 2, .calls = 1000000, .threads = 1, .max_seconds = 1.0}};
  run_world(3, parts, take_part);
  for (int k = 0; k < 3; k++) {
    ck_assert_int_eq(parts[k].status, NIS_TIME_LIMIT);
    ck_assert_uint_eq(parts[k].bits, parts[0].bits);
  }
}
END_TEST

/* ---- a run that was killed ------------------------------------------------------------------- */

static char checkpoint[64];

static void *resume_part(void *params)
{
  struct part *p = params;
  nis *s;
  nis_ranks ranks = ranks_of(p);
  p->options.params = p;
  p->status = nis_resume_shared(&s, p->f, &p->options, &ranks);
  if (p->status == NIS_OK) p->status = nis_set_ranks(s, &ranks);
  if (p->status == NIS_OK) p->act(p, s);
  snprintf(p->sentence, sizeof p->sentence, "%s", nis_last_error());
  nis_free(s);
  return NULL;
}

static double counted(double *x, size_t dim, void *params)
{
  struct part *p = params;
  __atomic_fetch_add(&spent, 1, __ATOMIC_RELAXED);
  p->calls++;
  return peak(x, dim);
}

static double refusing_later(double *x, size_t dim, void *params)
{
  struct part *p = params;
  if (p->seat.rank == 1 && __atomic_load_n(&spent, __ATOMIC_RELAXED) > 5000) nis_refuse();
  return counted(x, dim, params);
}

static double resume_world(struct part *parts, int size, nis_integrand *f)
{
  double calls = 0;
  spent = 0;
  for (int k = 0; k < size; k++)
    parts[k] =
        (struct part){.act = act_run,
                      .f = f,
                      .options = {.dim = 2, .calls = 9000, .threads = 1, .checkpoint = checkpoint}};
  run_world(size, parts, resume_part);
  for (int k = 0; k < size; k++) calls += parts[k].calls;
  return calls;
}

START_TEST(checkpoint_and_fewer_ranks)
{
  struct part alone, parts[3];
  snprintf(checkpoint, sizeof checkpoint, "/tmp/nis-ranks-%d.nis", (int)getpid());
  resume_world(&alone, 1, counted);
  ck_assert_int_eq(alone.status, NIS_OK);
  unlink(checkpoint);
  resume_world(parts, 3, refusing_later);
  for (int k = 0; k < 3; k++) ck_assert_int_eq(parts[k].status, NIS_CALLBACK);
  double calls = resume_world(parts, 2, counted);
  for (int k = 0; k < 2; k++) {
    require(parts[k].status == NIS_OK, "%s", parts[k].sentence);
    require(parts[k].bits == alone.bits, "rank %d: %a, not %a", k, parts[k].result.value,
            alone.result.value);
  }
  require(calls < 8000, "nothing came out of the checkpoint: %g calls", calls);
  unlink(checkpoint);
}
END_TEST

START_TEST(wrong_ranks)
{
  nis *s;
  struct part p = {.size = 2};
  nis_options o = {.dim = 2, .calls = 1000};
  nis_ranks ranks = ranks_of(&p);
  ck_assert_int_eq(nis_create(&s, gaussian, &o), NIS_OK);
  ranks.rank = 2;
  ck_assert_int_eq(nis_set_ranks(s, &ranks), NIS_INVALID);
  require(strstr(nis_last_error(), "got 2 of 2"), "%s", nis_last_error());
  ranks.rank = 1, ranks.gather = NULL;
  ck_assert_int_eq(nis_set_ranks(s, &ranks), NIS_INVALID);
  ck_assert_int_eq(nis_set_ranks(NULL, &ranks), NIS_INVALID);
  ck_assert_int_eq(nis_set_ranks(s, NULL), NIS_OK);
  nis_free(s);
  snprintf(checkpoint, sizeof checkpoint, "/tmp/nis-ranks-%d.nis", (int)getpid());
  o.checkpoint = checkpoint;
  ck_assert_int_eq(nis_create(&s, gaussian, &o), NIS_OK);
  ranks = ranks_of(&p);
  ranks.rank = 1;
  ck_assert_int_eq(nis_set_ranks(s, &ranks), NIS_INVALID);
  require(strstr(nis_last_error(), "checkpoint is rank 0's"), "%s", nis_last_error());
  nis_free(s);
  unlink(checkpoint);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("ranks");
  TCase *bits = tcase_create("bits"), *apart = tcase_create("differences");
  tcase_set_timeout(bits, 120);
  tcase_set_timeout(apart, 60);
  tcase_add_test(bits, same_bits);
  tcase_add_test(bits, same_bits_towards_a_goal);
  tcase_add_test(bits, same_bits_of_components);
  tcase_add_test(bits, same_bits_of_shared_steps);
  tcase_add_test(bits, same_bits_of_discrete_sums);
  tcase_add_test(bits, same_bits_of_steps_and_events);
  tcase_add_test(apart, sink_of_rank_0);
  tcase_add_test(apart, sink_stops_all);
  tcase_add_test(apart, slow_rank);
  tcase_add_test(apart, refusal);
  tcase_add_test(apart, bad_values_are_everybodys);
  tcase_add_test(apart, come_apart);
  tcase_add_test(apart, stop);
  tcase_add_test(apart, gone);
  tcase_add_test(apart, time_limit);
  tcase_add_test(apart, checkpoint_and_fewer_ranks);
  tcase_add_test(apart, wrong_ranks);
  suite_add_tcase(suite, bits);
  suite_add_tcase(suite, apart);
  return run_suite(suite);
}
