/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train.h"

#include "error.h"
#include "memory.h"
#include "optimizer.h"
#include "replay.h"

#include <math.h>

enum {
  ROUNDS = 64,        /* of fresh points; fewer when that would make them small */
  LEAST_ROUND = 1024, /* points */
  LARGEST_ROUND = 65536,
  HOT_ROUNDS = 4, /* replayed while beta < 1 */
};

static const double uniform_share = 0.1;    /* of each round: a lost mode comes back */
static const double effective_share = 0.25; /* Kish fraction that sets beta */
static const double variance_from = 0.55;   /* share of the steps before the variance loss */
static const double variance_clip = 5;      /* largest f/(Z q) there */
static const double largest_norm = 1;       /* of a gradient; longer ones are shortened */

struct trainer {
  struct sampler *s;
  const nis_options *o;
  struct points fresh;
  struct replay replay;
  struct gradient gradient;
  struct optimizer optimizer;
  size_t *slot;   /* [minibatch] */
  uint64_t calls; /* to spend in all */
  uint64_t done;  /* calls spent */
  uint64_t steps; /* gradient steps planned */
  double beta;
  size_t window;             /* newest stored points that are replayed */
  size_t newest[HOT_ROUNDS]; /* points stored by the last rounds */
  struct moments *seen;      /* weights of all rounds */
  double log_z;              /* log of the integral of |f|, of the last round */
};

static size_t round_points(uint64_t calls)
{
  uint64_t n = calls / ROUNDS;
  n = n < LEAST_ROUND ? LEAST_ROUND : n > LARGEST_ROUND ? LARGEST_ROUND : n;
  n = (n + LANES - 1) / LANES * LANES;
  return (size_t)(n < calls ? n : calls);
}

/* Stored points: all of them, or as many as fit the option. */
static size_t replay_capacity(uint64_t calls, const nis_options *o)
{
  size_t most = o->replay_bytes / ((o->dim + 3) * sizeof(double));
  if (most < 1) most = 1;
  return (size_t)(calls < most ? calls : most);
}

static void trainer_clear(struct trainer *t)
{
  nis_points_clear(&t->fresh);
  nis_replay_clear(&t->replay);
  nis_gradient_clear(&t->gradient);
  nis_optimizer_clear(&t->optimizer);
  free(t->slot);
}

static int trainer_init(struct trainer *t, struct sampler *s, uint64_t calls, const nis_options *o,
                        struct moments *seen)
{
  *t = (struct trainer){.s = s, .o = o, .calls = calls, .seen = seen, .log_z = NAN};
  t->steps = (uint64_t)(o->replay * (double)calls / o->minibatch) + 1;
  NIS_TRY(nis_points_init(&t->fresh, round_points(calls), o->dim));
  NIS_TRY(nis_replay_init(&t->replay, o->dim, replay_capacity(calls, o)));
  NIS_TRY(nis_gradient_init(&t->gradient, &s->flow));
  NIS_TRY(nis_optimizer_init(&t->optimizer, &s->flow));
  t->slot = NIS_NEW(size_t, o->minibatch);
  return t->slot ? NIS_OK : nis_no_memory();
}

/* Draws, evaluates and stores one round; a tenth of it uniform. */
static int draw_round(struct trainer *t, uint64_t first)
{
  uint64_t left = t->calls - t->done;
  size_t n = left < t->fresh.capacity ? (size_t)left : t->fresh.capacity;
  size_t uniform = ((size_t)(uniform_share * (double)n) + LANES - 1) / LANES * LANES;
  nis_sampler_draw_defensive(t->s, STREAM_TRAIN, first + t->done, n, uniform, &t->fresh);
  int status = nis_sampler_evaluate(t->s, &t->fresh);
  t->done += t->fresh.n;
  return status;
}

/* The round's own estimate of the integral of f, for the progress table, and of |f|. */
static int report_round(struct trainer *t)
{
  struct moments weight = {0};
  double absolute = 0;
  for (size_t i = 0; i < t->fresh.n; i++) {
    double w = nis_point_weight(&t->fresh, i);
    nis_moments_add(&weight, w);
    absolute += fabs(w);
  }
  t->log_z = log(absolute / (double)t->fresh.n);
  nis_moments_merge(t->seen, &weight);
  return nis_monitor_iteration(&t->s->monitor, weight.mean, nis_moments_error(&weight),
                               nis_moments_spread(&weight));
}

/* While beta < 1 old rounds mislead: only the last few are replayed. At beta = 1 all points since
 * then are. */
static void store_round(struct trainer *t)
{
  size_t stored = nis_replay_store(&t->replay, &t->fresh);
  double beta = nis_replay_temperature(&t->replay, stored, effective_share);
  t->window += stored;
  memmove(t->newest + 1, t->newest, sizeof t->newest - sizeof *t->newest);
  t->newest[0] = stored;
  if (t->beta < 1) {
    t->window = 0;
    for (int i = 0; i < HOT_ROUNDS; i++) t->window += t->newest[i];
    t->beta = beta;
  }
  t->window = t->window < t->replay.count ? t->window : t->replay.count;
}

/* The learning rate falls to zero along a cosine (Loshchilov, Hutter, arXiv:1608.03983). */
static double learning_rate(const struct trainer *t)
{
  double share = (double)t->optimizer.step / (double)t->steps;
  return t->o->learning_rate * (1 + cos(M_PI * share)) / 2;
}

static int finishing(const struct trainer *t)
{
  return t->beta == 1 && (double)t->optimizer.step > variance_from * (double)t->steps;
}

static void gradient_step(struct trainer *t)
{
  double u[LANES];
  size_t n = (size_t)t->o->minibatch;
  t->s->flow.kernels->uniforms(t->s->seed, STREAM_REPLAY, t->optimizer.step, 1, u);
  nis_replay_draw(&t->replay, u[0], n, t->slot);
  struct minibatch batch = {.n = n, .slot = t->slot, .x = t->replay.x, .log_f = t->replay.log_f};
  batch.log_z = finishing(t) ? t->log_z : NAN;
  batch.clip = variance_clip;
  nis_gradient_compute(&t->gradient, t->s, &batch);
  nis_optimizer_step(&t->optimizer, t->s, &t->gradient, learning_rate(t), largest_norm);
}

/* The gradient steps that are due by now: they grow as the square of the calls, for a few points
 * replayed often would be learnt by heart. */
static int learn(struct trainer *t)
{
  if (t->replay.count == 0) return NIS_OK;
  nis_replay_prepare(&t->replay, t->window, t->beta);
  double share = (double)t->done / (double)t->calls;
  uint64_t due = (uint64_t)((double)t->steps * share * share);
  int status = NIS_OK;
  while (status == NIS_OK && t->optimizer.step < due) {
    gradient_step(t);
    status = nis_monitor_report(&t->s->monitor);
  }
  return status;
}

static int run(struct trainer *t, uint64_t first)
{
  while (t->done < t->calls) {
    NIS_TRY(draw_round(t, first)); /* part of a round would not be the mixture that log_q says */
    NIS_TRY(report_round(t));
    store_round(t);
    NIS_TRY(learn(t));
  }
  return NIS_OK;
}

int nis_train_flow(struct sampler *s, uint64_t first_point, uint64_t calls, const nis_options *o,
                   struct moments *seen)
{
  struct trainer t;
  *seen = (struct moments){0};
  nis_monitor_begin(&s->monitor, NIS_TRAINING, calls);
  int status = trainer_init(&t, s, calls, o, seen);
  if (status == NIS_OK) status = run(&t, first_point);
  trainer_clear(&t);
  return status;
}
