/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train.h"

#include "mixture/control.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "optimizer.h"
#include "replay.h"
#include "integrand/safety.h"
#include "search.h"
#include "mixture/shares.h"

#include <math.h>

enum {
  ROUNDS = 64,       /* of fresh points; fewer when that would make them small */
  LEAST_ROUND = 256, /* points */
  LARGEST_ROUND = 65536,
  LEAST_CHOICE = 1024, /* points; fewer when there are few calls */
  HOT_ROUNDS = 4,      /* replayed while beta < 1 */
  SEARCH_EVERY = 8,    /* rounds */
  PEAK_POINTS = 4096,  /* that the peaks are fitted to */
  SCALE_POINTS = 1024, /* that tell how large the components are */
  LEAST_REPEATED = 16, /* points of the survey; fewer would find nothing */
  MOST_REPEATED = 4096 /* find 99 % of the integrands of which 1 value in 900 is wrong */
};

/* Of a round: what is lost comes back. The negative flow's is taken from the flow's. */
static const double floor_share[CHANNELS] = {
    [CHANNEL_UNIFORM] = 0.25, [CHANNEL_FLOW] = 0.3, [CHANNEL_MAP] = 0.05, [CHANNEL_PEAKS] = 0.1};
static const double scale_share = 0.01;       /* of the training calls, at most SCALE_POINTS */
static const double survey_share = 0.075;     /* of the training calls, uniform, come first */
static const double repeat_share = 0.02;      /* of the training calls repeat some of these */
static const double choice_share = 0.05;      /* of the training calls choose in the end */
static const double effective_share = 0.25;   /* Kish fraction that sets beta */
static const double least_cooling = 0.7;      /* beta falls by no more from round to round */
static const double hot_replay = 4;           /* gradient samples per point while beta < 1 */
static const double ramp = 1.5;               /* steps done grow as this power of the calls */
static const double variance_from = 0.55;     /* share of the steps before the variance loss */
static const double largest_norm = 1;         /* of a gradient; longer ones are shortened */
static const double search_from = 0.3;        /* beta */
static const double search_until = 0.85;      /* share of the calls */
static const double search_share = 0.01;      /* of the training calls, each time ... */
static const double last_search_share = 0.03; /* ... and at the end */
static const double time_share = 0.5;         /* of the time that is left */
static const double hint_share = 0.1;         /* of the training calls */
static const double least_share = 1e-3;       /* of a channel in the end; less is none */
static const double signed_share = 0.02;      /* negative part of |f| that a flow is for */

struct learner {
  struct gradient gradient;
  struct optimizer optimizer;
};

struct trainer {
  struct sampler *s;
  const nis_options *o;
  struct points fresh;
  struct replay replay;
  struct learner flow, negative, map; /* of the sampler */
  int two_signs;                      /* the positive and the negative part have a flow each */
  struct search search;
  size_t round_size, survey, choice; /* points of a round, of the first, the least of the last */
  size_t *slot;                      /* [minibatch or PEAK_POINTS] */
  double *fit;                       /* what the peaks and the shares are fitted with */
  uint64_t calls;                    /* to spend in all */
  uint64_t drawn;                    /* spent in rounds */
  uint64_t steps;                    /* gradient steps planned */
  int round, last_search;
  int searched;          /* for the last time */
  double begun, seconds; /* when, and how many it may take; 0: any number */
  double beta, baseline;
  uint64_t cold_from, cold_step; /* where beta reached 1 */
  size_t window;                 /* newest stored points that are replayed */
  size_t newest[HOT_ROUNDS];     /* points stored by the last rounds */
  struct training *outcome;
  double log_z; /* log of the integral of |f|, of the last round */
};

static size_t round_up(double n)
{
  return (size_t)ceil(n / LANES) * LANES;
}

static size_t round_points(uint64_t calls)
{
  uint64_t n = calls / ROUNDS;
  n = n < LEAST_ROUND ? LEAST_ROUND : n > LARGEST_ROUND ? LARGEST_ROUND : n;
  n = round_up((double)n);
  return (size_t)(n < calls ? n : calls);
}

/* Of the last round: few points would choose by chance. */
static size_t choice_points(uint64_t calls)
{
  double least = fmin(LEAST_CHOICE, (double)calls / 4);
  return round_up(fmax(choice_share * (double)calls, least));
}

/* Stored points: all of them, or as many as fit the option. */
static size_t replay_capacity(uint64_t calls, const nis_options *o)
{
  size_t most = o->replay_bytes / ((o->dim + 3) * sizeof(double));
  if (most < 1) most = 1;
  return (size_t)(calls < most ? calls : most);
}

static int learner_init(struct learner *l, struct flow *flow)
{
  NIS_TRY(nis_gradient_init(&l->gradient, flow));
  return nis_optimizer_init(&l->optimizer, flow);
}

static void learner_clear(struct learner *l)
{
  nis_gradient_clear(&l->gradient);
  nis_optimizer_clear(&l->optimizer);
}

static void trainer_clear(struct trainer *t)
{
  nis_points_clear(&t->fresh);
  nis_replay_clear(&t->replay);
  learner_clear(&t->flow);
  learner_clear(&t->negative);
  learner_clear(&t->map);
  free(t->slot);
  free(t->fit);
}

static int trainer_init(struct trainer *t, struct sampler *s, uint64_t calls, const nis_options *o,
                        struct training *outcome)
{
  size_t slots = (size_t)(o->minibatch > PEAK_POINTS ? o->minibatch : PEAK_POINTS);
  *t = (struct trainer){.s = s, .o = o, .calls = calls, .outcome = outcome, .log_z = NAN};
  t->begun = nis_clock();
  if (s->monitor.deadline > 0) t->seconds = time_share * (s->monitor.deadline - t->begun);
  t->steps = (uint64_t)(o->replay * (double)calls / o->minibatch) + 1;
  t->round_size = round_points(calls);
  t->survey = round_up(survey_share * (double)calls);
  if (t->survey < t->round_size) t->survey = t->round_size;
  t->choice = choice_points(calls);
  size_t last = t->round_size + t->choice, largest = t->survey > last ? t->survey : last;
  NIS_TRY(nis_points_init(&t->fresh, largest, o->dim));
  NIS_TRY(nis_replay_init(&t->replay, o->dim, replay_capacity(calls, o)));
  NIS_TRY(learner_init(&t->flow, &s->flow));
  NIS_TRY(learner_init(&t->negative, &s->negative));
  NIS_TRY(learner_init(&t->map, &s->map));
  t->slot = NIS_NEW(size_t, slots);
  size_t fit = PEAK_POINTS * (o->dim + PEAKS_MOST);
  t->fit = NIS_NEW(double, fit > t->fresh.capacity ? fit : t->fresh.capacity);
  return t->slot && t->fit ? NIS_OK : nis_no_memory();
}

static uint64_t spent(const struct trainer *t)
{
  return t->drawn + t->search.calls;
}

/* ---- points --------------------------------------------------------------------------- */

/* Do many threads find the values that one finds? */
static int repeat_survey(struct trainer *t)
{
  struct integrand_call *f = &t->s->integrand;
  size_t n = t->fresh.n, k = (size_t)fmin(repeat_share * (double)t->calls, MOST_REPEATED);
  uint64_t before = f->calls;
  if (k > n) k = n;
  if (k < LEAST_REPEATED || spent(t) + 3 * k + n + t->choice > t->calls) return NIS_OK;
  int status = nis_safety_check(f, k, n, t->fresh.x, t->fresh.f, &t->s->monitor);
  t->drawn += f->calls - before;
  return status;
}

static int draw_round(struct trainer *t, uint64_t first)
{
  uint64_t left = t->calls - spent(t);
  size_t n = t->round == 0 ? t->survey : t->round_size;
  if (left < n + t->choice) n = (size_t)(left < t->fresh.capacity ? left : t->fresh.capacity);
  nis_sampler_draw(t->s, STREAM_TRAIN, first + t->drawn, n, &t->fresh);
  int status = nis_sampler_evaluate(t->s, &t->fresh);
  t->drawn += t->fresh.n;
  if (status == NIS_OK && t->round == 0) status = repeat_survey(t);
  t->round++;
  return status;
}

static double elapsed(const struct trainer *t)
{
  return nis_clock() - t->begun;
}

/* The plan shrinks to the calls that fit, as far as the past tells. */
static void keep_to_time(struct trainer *t)
{
  if (t->seconds == 0) return;
  double fit = (double)spent(t) * t->seconds / elapsed(t), planned = (double)t->calls;
  fit = fmax(fit, (double)(spent(t) + t->choice));
  if (fit >= planned) return;
  t->steps = (uint64_t)((double)t->steps * fit / planned) + 1;
  t->calls = (uint64_t)fit;
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
  nis_moments_merge(&t->outcome->seen, &weight);
  return nis_monitor_iteration(&t->s->monitor, weight.mean, nis_moments_error(&weight),
                               nis_moments_spread(&weight));
}

/* Weights of both signs keep a variance that no density removes; a flow for each sign, and the
 * control variates that these are, do. */
static void split_signs(struct trainer *t, size_t stored)
{
  if (t->two_signs || t->o->signs == NIS_SIGNS_TOGETHER) return;
  double negative = nis_replay_negative(&t->replay, stored, t->beta);
  if (negative < signed_share || negative > 1 - signed_share) return;
  t->two_signs = 1;
  memcpy(t->s->negative.weights, t->s->flow.weights, t->s->flow.nweights * sizeof(float));
}

/* While beta < 1 old rounds mislead: only the last few are replayed. At beta = 1 all points since
 * then are. */
static void store_round(struct trainer *t)
{
  size_t stored = t->fresh.n;
  nis_replay_store(&t->replay, &t->fresh);
  double beta = nis_replay_temperature(&t->replay, stored, effective_share);
  t->window += stored;
  memmove(t->newest + 1, t->newest, sizeof t->newest - sizeof *t->newest);
  t->newest[0] = stored;
  if (t->beta < 1) {
    t->window = 0;
    for (int i = 0; i < HOT_ROUNDS; i++) t->window += t->newest[i];
    t->beta = fmax(beta, least_cooling * t->beta);
  }
  split_signs(t, stored);
  t->baseline = nis_replay_kish(&t->replay, stored, t->beta);
  t->window = t->window < t->replay.count ? t->window : t->replay.count;
}

/* ---- gradient steps ------------------------------------------------------------------- */

/* The learning rate falls to zero along a cosine (Loshchilov, Hutter, arXiv:1608.03983). */
static double learning_rate(const struct trainer *t)
{
  double share = (double)t->flow.optimizer.step / (double)t->steps;
  return t->o->learning_rate * (1 + cos(M_PI * fmin(share, 1))) / 2;
}

static int finishing(const struct trainer *t)
{
  return t->beta == 1 && (double)t->flow.optimizer.step > variance_from * (double)t->steps;
}

static void learner_step(struct trainer *t, struct learner *l, double rate, enum part part,
                         struct minibatch *batch)
{
  batch->part = part;
  nis_gradient_compute(&l->gradient, t->s, batch);
  nis_optimizer_step(&l->optimizer, t->s, &l->gradient, rate, largest_norm);
}

static void gradient_step(struct trainer *t)
{
  double u[LANES];
  size_t n = (size_t)t->o->minibatch;
  t->s->flow.kernels->uniforms(t->s->seed, STREAM_REPLAY, t->flow.optimizer.step, 1, u);
  nis_replay_draw(&t->replay, u[0], n, t->slot);
  struct minibatch batch = {n,           t->slot, &t->replay, nis_loss(t->o->loss, finishing(t)),
                            t->baseline, PART_ALL};
  double rate = learning_rate(t);
  learner_step(t, &t->flow, rate, t->two_signs ? PART_POSITIVE : PART_ALL, &batch);
  if (t->two_signs) learner_step(t, &t->negative, rate, PART_NEGATIVE, &batch);
  learner_step(t, &t->map, rate, PART_ALL, &batch);
}

/* The gradient steps that are due by now. While beta < 1 few, for the few points that are
 * replayed would be learnt by heart; then more and more, as points come together. */
static uint64_t steps_due(struct trainer *t)
{
  if (t->beta < 1) {
    t->cold_from = spent(t);
    t->cold_step =
        t->flow.optimizer.step + (uint64_t)(hot_replay * (double)t->fresh.n / t->o->minibatch);
    return t->cold_step;
  }
  if (t->cold_step >= t->steps) return t->cold_step;
  double share = (double)(spent(t) - t->cold_from) / (double)(t->calls - t->cold_from);
  return t->cold_step + (uint64_t)((double)(t->steps - t->cold_step) * pow(share, ramp));
}

static int learn(struct trainer *t)
{
  uint64_t due = steps_due(t);
  int status = NIS_OK;
  while (status == NIS_OK && t->flow.optimizer.step < due) {
    if (t->seconds > 0 && elapsed(t) > t->seconds) break;
    gradient_step(t);
    status = nis_monitor_report(&t->s->monitor);
  }
  return status;
}

/* ---- the other channels ------------------------------------------------------------------ */

/* The peaks follow the target that the flow is learning; the first one begins as all of it. */
static void fit_peaks(struct trainer *t)
{
  struct peaks *peaks = &t->s->peaks;
  size_t dim = peaks->dim;
  double u[LANES], *x = t->fit;
  t->s->flow.kernels->uniforms(t->s->seed, STREAM_REPLAY, (uint64_t)t->round << 40, 1, u);
  nis_replay_draw_target(&t->replay, u[0], PEAK_POINTS, t->slot);
  for (size_t i = 0; i < PEAK_POINTS; i++)
    memcpy(x + i * dim, t->replay.x + t->slot[i] * dim, dim * sizeof *x);
  if (peaks->count == 0) {
    double mean[dim], sigma[dim];
    for (size_t j = 0; j < dim; j++) mean[j] = 0.5, sigma[j] = 0.3;
    nis_peaks_add(peaks, mean, sigma, 1, 0);
  }
  /* A tempered target is a step on the way, where wrong shapes do no harm. */
  nis_peaks_fit(peaks, PEAK_POINTS, x, t->beta == 1, 1, x + PEAK_POINTS * dim);
}

static void set_floors(const struct trainer *t, double *floor)
{
  memcpy(floor, floor_share, sizeof floor_share);
  if (t->two_signs) floor[CHANNEL_NEGATIVE] = floor[CHANNEL_FLOW] /= 2;
}

static void open_channels(struct trainer *t)
{
  double *share = t->s->share;
  set_floors(t, share);
  share[CHANNEL_FLOW] = 1;
  for (int c = 0; c < CHANNELS; c++)
    if (c != CHANNEL_FLOW) share[CHANNEL_FLOW] -= share[c];
}

/* The newest round under the tempered target */
static struct share_points newest_points(struct trainer *t)
{
  for (size_t i = 0; i < t->fresh.n; i++)
    t->fit[i] = t->fresh.f[i] == 0 ? -HUGE_VAL : t->beta * log(fabs(t->fresh.f[i]));
  return (struct share_points){t->fresh.n, t->fit, t->fresh.log_q, t->fresh.log_channel, 0};
}

static void fit_shares(struct trainer *t)
{
  double floor[CHANNELS];
  struct share_points p = newest_points(t);
  set_floors(t, floor);
  nis_shares_fit(&p, floor, t->s->share);
}

/* When the next round would be the last one, a longer search: what it finds can still be sampled,
 * but nothing has learnt it. */
static int search_last(struct trainer *t)
{
  uint64_t calls = (uint64_t)(last_search_share * (double)t->calls), left = t->calls - spent(t);
  if (t->searched || left < t->choice + 2 * calls ||
      left >= t->choice + 2 * calls + 2 * t->round_size)
    return NIS_OK;
  int before = t->search.unseen;
  t->searched = 1;
  int status = nis_search_replay(&t->search, t->s, &t->replay, t->log_z, calls);
  t->outcome->late_peaks = t->search.unseen - before;
  return status;
}

static int search(struct trainer *t)
{
  uint64_t calls = (uint64_t)(search_share * (double)t->calls);
  if (t->beta < search_from || t->round < t->last_search + SEARCH_EVERY ||
      (double)spent(t) > search_until * (double)t->calls ||
      spent(t) + 2 * calls + t->choice > t->calls)
    return NIS_OK;
  t->last_search = t->round;
  return nis_search_replay(&t->search, t->s, &t->replay, t->log_z, calls);
}

/* Fresh points that nothing has learnt from choose between the channels. */
static void choose_channels(struct trainer *t)
{
  double sum = 0, *share = t->s->share;
  struct share_points p = newest_points(t);
  nis_shares_choose(&p, share, !t->two_signs);
  for (int c = 0; c < CHANNELS; c++) {
    if (share[c] < least_share) share[c] = 0;
    sum += share[c];
  }
  for (int c = 0; c < CHANNELS; c++) share[c] /= sum;
  if (!t->s->integrand.norm) nis_control_fit(&t->fresh, share, t->s->beta);
}

/* The tops near the hints are peaks from the second round on: the first one's fit would move them
 * to where its points are. */
static int follow_hints(struct trainer *t)
{
  const struct sampler *s = t->s;
  if (s->nhints == 0) return NIS_OK;
  uint64_t calls = (uint64_t)(hint_share * (double)t->calls), most = (t->calls - spent(t)) / 2;
  if (calls > most) calls = most;
  NIS_TRY(nis_search_from(&t->search, t->s, s->nhints, s->hints, t->log_z, calls));
  if (s->peaks.count > 0) open_channels(t);
  return NIS_OK;
}

static int learn_round(struct trainer *t)
{
  t->search.cold = t->beta == 1;
  NIS_TRY(learn(t));
  if (t->s->share[CHANNEL_UNIFORM] == 1)
    open_channels(t);
  else
    fit_shares(t);
  fit_peaks(t);
  NIS_TRY(search(t));
  return search_last(t);
}

/* The last round is not learnt from: it chooses. */
static int run(struct trainer *t, uint64_t first)
{
  while (spent(t) < t->calls) {
    NIS_TRY(draw_round(t, first));
    NIS_TRY(report_round(t));
    keep_to_time(t);
    if (spent(t) >= t->calls) break;
    store_round(t);
    if (nis_replay_prepare(&t->replay, t->window, t->beta)) NIS_TRY(learn_round(t));
    if (t->round == 1) NIS_TRY(follow_hints(t));
  }
  choose_channels(t);
  return NIS_OK;
}

/* A few uniform points tell how large the components are. */
static int scale_components(struct trainer *t)
{
  const nis_options *o = t->o;
  struct integrand_call *f = &t->s->integrand;
  uint64_t n = (uint64_t)ceil(scale_share * (double)t->calls);
  if (n > SCALE_POINTS) n = SCALE_POINTS;
  if (!f->norm || o->scales || t->calls <= n) return NIS_OK;
  double *components = NIS_NEW(double, n * o->ncomp);
  if (!components) return nis_no_memory();
  nis_sampler_draw(t->s, STREAM_SCALE, 0, n, &t->fresh);
  t->fresh.components = components;
  int status = nis_sampler_evaluate(t->s, &t->fresh);
  t->fresh.components = NULL;
  t->drawn += t->fresh.n;
  nis_integrand_scale(f, t->fresh.n, components);
  free(components);
  return status;
}

int nis_train_flow(struct sampler *s, uint64_t first_point, uint64_t calls, const nis_options *o,
                   struct training *outcome)
{
  struct trainer t;
  *outcome = (struct training){0};
  for (int c = 0; c < CHANNELS; c++) s->share[c] = c == CHANNEL_UNIFORM;
  memset(s->beta, 0, sizeof s->beta);
  nis_monitor_begin(&s->monitor, NIS_TRAINING, calls);
  s->integrand.norm = o->follow == NIS_FOLLOW_NORM && o->ncomp > 1;
  int status = trainer_init(&t, s, calls, o, outcome);
  if (status == NIS_OK) status = scale_components(&t);
  if (status == NIS_OK) status = run(&t, first_point);
  s->integrand.norm = 0;
  outcome->peaks_found = t.search.found;
  outcome->search_calls = t.search.calls;
  trainer_clear(&t);
  return status;
}
