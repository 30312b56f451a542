/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train.h"

#include "mixture/control.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "ends.h"
#include "integrand/safety.h"
#include "mixture/backup.h"
#include "numerics/moments.h"
#include "rehearsal.h"
#include "search.h"
#include "steps.h"
#include "mixture/shares.h"

#include <float.h>
#include <limits.h>
#include <math.h>

enum {
  ROUNDS = 64,       /* of fresh points; fewer when that would make them small */
  LEAST_ROUND = 256, /* points */
  LARGEST_ROUND = 65536,
  LARGEST_SURVEY = 262144,
  LEAST_CHOICE = 1024, /* points; fewer when there are few calls */
  LARGEST_CHOICE = 131072,
  LEAST_EVIDENCE = 16,    /* points that a training is judged by */
  COMPONENT_BLOCK = 1024, /* points that all components are kept of at a time, at least */
  /* The map is cheap, cannot over-fit and needs its steps: with 390 of them sigma_1 of
   * genz_product_peak is 0.02 at 10,000 calls, with 1250 5e-5. */
  LEAST_MAP_STEPS = 2500,
  MOST_MAP_STEPS = 8,   /* for one of the flows */
  CONTEST = 12,         /* rounds at beta = 1 that flow and twin are compared in */
  CONTEST_WINS = 11,    /* of them end it */
  SEARCH_EVERY = 8,     /* rounds */
  PEAK_POINTS = 4096,   /* that the peaks are fitted to */
  SCALE_POINTS = 1024,  /* that tell how large the components are */
  LEAST_REPEATED = 16,  /* points of the survey; fewer would find nothing */
  MOST_REPEATED = 4096, /* find 99 % of the integrands of which 1 value in 900 is wrong */
  LEARNERS = 3,
  MOST_STRETCHES = 4, /* each sees further into a singular end than the one before */
  REHEARSALS = 3,     /* of the mixture, of its best channel, of the map */
  LEAST_NET = 256     /* points of each net of a rehearsal; with 64 chance chose */
};

/* Of a round: what is lost comes back. */
static const double floor_share[CHANNELS] = {[CHANNEL_UNIFORM] = 0.25,
                                             [CHANNEL_FLOW] = 0.15,
                                             [CHANNEL_TWIN] = 0.15,
                                             [CHANNEL_MAP] = 0.05,
                                             [CHANNEL_PEAKS] = 0.1};
static const double scale_share = 0.01;       /* of the training calls, at most SCALE_POINTS */
static const double survey_share = 0.075;     /* of the training calls, uniform, come first */
static const double repeat_share = 0.02;      /* of the training calls repeat some of these */
static const double choice_share = 0.05;      /* of the training calls choose in the end */
static const double effective_share = 0.25;   /* Kish fraction that sets beta */
static const double least_cooling = 0.7;      /* beta falls by no more from round to round */
static const double hot_replay = 4;           /* gradient samples per point while beta < 1 */
static const double ramp = 1.5;               /* steps done grow as this power of the calls */
static const double variance_from = 0.55;     /* share of the steps before the variance loss */
static const double contest_from = 0.25;      /* of the calls */
static const double contest_share = 0.9;      /* of the points */
static const double rehearsed_share = 0.06;   /* of the calls, at most */
static const double rehearsed_variance = 100; /* times the least, at most */
static const double clear_gain = 1.5;         /* in error, for what has more variance */
static const double search_until = 0.85;      /* share of the calls */
static const double search_share = 0.01;      /* of the training calls, each time ... */
static const double last_search_share = 0.03; /* ... and at the end */
static const double stretched_share = 0.5;    /* of the calls, before the last look at the ends */
static const double time_share = 0.5;         /* of the time that is left */
static const double hint_share = 0.1;         /* of the training calls */
static const double least_share = 1e-3;       /* of a channel in the end; less is none */
static const double signed_share = 0.02;      /* negative part of |f| that a flow is for */

struct trainer {
  struct sampler *s;
  const nis_options *o;
  struct training *training; /* for the next one */
  struct backup backup;
  struct progress at;
  struct points fresh;
  struct moments weight;             /* of the newest round */
  size_t block;                      /* points drawn at a time */
  double *components;                /* [block][ncomp], or NULL */
  char *bad;                         /* [block] */
  struct learner flow, twin, map;    /* of the mixture */
  struct learner *learner[LEARNERS]; /* the map and those that still learn of the others */
  int learners;
  struct rehearsal rehearsal;
  double floor[CHANNELS]; /* least shares of a round */
  unsigned won; /* by the flow against the twin: a bit for each round, the newest lowest */
  int contests; /* such rounds */
  struct search search;
  size_t round_size, survey, choice; /* points of a round, of the first, the least of the last */
  size_t *slot;                      /* [minibatch or PEAK_POINTS] */
  double *fit;                       /* what the peaks and the shares are fitted with */
  struct stretch *stretch;           /* [2][dim] of the ends: wanted, and before this training */
  uint64_t calls;                    /* to spend in all */
  uint64_t drawn;                    /* spent in rounds */
  uint64_t steps;                    /* gradient steps planned */
  uint64_t map_steps;                /* of the map for each of them once beta is 1 */
  uint64_t alone;                    /* of the map since the last one of all */
  uint64_t due;                      /* of them, those to be done by now */
  int status;                        /* of them: why they ended */
  size_t stored;                     /* points */
  int round, next_search;
  int searched;          /* for the last time */
  double begun, seconds; /* when, and how many it may take; 0: any number */
  double baseline;
  uint64_t cold_from, cold_step; /* where beta reached 1 */
  double log_z;                  /* log of the integral of |f|, of the last round */
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
  return round_up(fmin(fmax(choice_share * (double)calls, least), LARGEST_CHOICE));
}

/* Stored points: all of them, or as many as fit the option. */
static size_t replay_capacity(uint64_t points, const nis_options *o)
{
  size_t most = o->replay_bytes / ((o->dim + 3) * sizeof(double));
  if (most < 1) most = 1;
  return (size_t)(points < most ? points : most);
}

/* Of the first round of all, uniform, in at most a quarter of the memory for stored points */
static size_t survey_points(uint64_t calls, size_t round_size, const nis_options *o)
{
  double most = (double)(replay_capacity(4 * LARGEST_SURVEY, o) / 4);
  size_t n = round_up(fmin(survey_share * (double)calls, most));
  return n < round_size ? round_size : n;
}

/* All of a round at once, unless all components take much memory */
static size_t block_points(const struct trainer *t)
{
  const nis_options *o = t->o;
  const struct integrand_call *f = &t->s->integrand;
  size_t n = t->fresh.capacity, batches = (size_t)f->threads * f->batch_points;
  size_t most = o->ncomp > 1 ? COMPONENT_BLOCK : n;
  if (o->batch && most < batches) most = round_up((double)batches);
  return most < n ? most : n;
}

static void trainer_clear(struct trainer *t)
{
  nis_backup_clear(&t->backup);
  nis_points_clear(&t->fresh);
  nis_learner_clear(&t->flow);
  nis_learner_clear(&t->twin);
  nis_learner_clear(&t->map);
  nis_search_clear(&t->search);
  nis_rehearsal_clear(&t->rehearsal);
  free(t->components);
  free(t->bad);
  free(t->slot);
  free(t->fit);
  free(t->stretch);
}

/* Points of each net that the channels are chosen by in the end; 0 where there are too few calls
 * for it, or no nets in the estimate */
static size_t rehearsed_net(uint64_t calls, const nis_options *o)
{
  size_t net = LEAST_NET;
  double most = rehearsed_share * (double)calls / (REHEARSALS * REHEARSED_NETS);
  if (o->points != NIS_POINTS_NETS || o->max_seconds > 0 || most < (double)net) return 0;
  while (2 * (double)net <= most && net < BLOCK_POINTS) net *= 2;
  return net;
}

/* All memory is there before anything is touched. */
static int trainer_init(struct trainer *t, struct sampler *s, uint64_t calls, const nis_options *o,
                        struct training *training)
{
  size_t slots = (size_t)(o->minibatch > PEAK_POINTS ? o->minibatch : PEAK_POINTS);
  *t = (struct trainer){.s = s, .o = o, .calls = calls, .training = training, .log_z = NAN};
  t->at = training->progress;
  t->search.point = training->search_point;
  size_t net = rehearsed_net(calls, o);
  t->calls -= REHEARSALS * REHEARSED_NETS * net;
  t->begun = nis_clock();
  if (s->monitor.deadline > 0) t->seconds = time_share * (s->monitor.deadline - t->begun);
  t->steps = (uint64_t)(o->replay * (double)calls / o->minibatch) + 1;
  t->map_steps = LEAST_MAP_STEPS / t->steps + 1;
  if (t->map_steps > MOST_MAP_STEPS) t->map_steps = MOST_MAP_STEPS;
  t->round_size = round_points(calls);
  t->survey = survey_points(calls, t->round_size, o);
  t->choice = choice_points(calls);
  size_t last = t->round_size + t->choice, largest = t->survey > last ? t->survey : last;
  NIS_TRY(nis_points_init(&t->fresh, largest, o->dim));
  NIS_TRY(nis_backup_init(&t->backup, &s->mixture));
  NIS_TRY(nis_rehearsal_init(&t->rehearsal, o->dim, net));
  NIS_TRY(nis_learner_init(&t->flow, &s->mixture.flow));
  NIS_TRY(nis_learner_init(&t->twin, &s->mixture.twin));
  NIS_TRY(nis_learner_init(&t->map, &s->mixture.map));
  t->learner[t->learners++] = &t->map;
  t->learner[t->learners++] = &t->flow;
  t->learner[t->learners++] = &t->twin;
  memcpy(t->floor, floor_share, sizeof floor_share);
  t->slot = NIS_NEW(size_t, slots);
  size_t peaks = PEAK_POINTS * (o->dim + PEAKS_MOST);
  size_t shares = t->fresh.capacity + nis_shares_work(t->fresh.capacity);
  t->fit = NIS_NEW(double, peaks > shares ? peaks : shares);
  t->block = block_points(t);
  t->bad = NIS_NEW(char, t->block);
  t->stretch = NIS_NEW(struct stretch, 2 * o->dim);
  if (o->ncomp > 1) t->components = NIS_NEW(double, nis_product(t->block, o->ncomp));
  if (!t->slot || !t->fit || !t->bad || !t->stretch || (o->ncomp > 1 && !t->components))
    return nis_no_memory();
  uint64_t stored = training->replay.count;
  return nis_replay_grow(&training->replay, o->dim, replay_capacity(stored + calls, o));
}

static uint64_t spent(const struct trainer *t)
{
  return t->drawn + t->search.calls;
}

/* ---- points --------------------------------------------------------------------------- */

static double elapsed(const struct trainer *t)
{
  return nis_clock() - t->begun;
}

static int time_is_over(const struct trainer *t)
{
  return t->seconds > 0 && elapsed(t) > t->seconds;
}

/* The time since *start, where the next stage starts, went into this one. */
static void end_stage(struct trainer *t, enum stage stage, double *start)
{
  double now = nis_clock();
  t->training->seconds[stage] += now - *start;
  *start = now;
}

/* Of so many points the uniform share is evidence of what is where nothing has been found. */
static void count_uniform(struct trainer *t, double points)
{
  t->training->uniform += points * t->s->mixture.share[CHANNEL_UNIFORM];
}

/* n points with values into `fresh`, a block at a time; fewer where the run is stopped or the time
 * over. */
static int draw_points(struct trainer *t, enum stream stream, uint64_t first, size_t n)
{
  int status = NIS_OK;
  t->fresh.n = 0;
  t->weight = (struct moments){0};
  while (status == NIS_OK && t->fresh.n < n) {
    if (t->fresh.n > 0 && time_is_over(t)) break;
    size_t at = t->fresh.n, block = nis_monitor_block(&t->s->monitor, t->block);
    size_t most = n - at < block ? n - at : block;
    double start = nis_clock(), stage = start;
    struct points part = nis_points_part(&t->fresh, at, most, t->s->mixture.dim);
    part.components = t->components;
    part.bad = t->bad;
    nis_sampler_draw(t->s, stream, first + at, most, &part);
    end_stage(t, STAGE_POINTS, &stage);
    status = nis_sampler_evaluate(t->s, &part);
    end_stage(t, STAGE_CALLS, &stage);
    for (size_t i = 0; i < part.n; i++) nis_moments_add(&t->weight, nis_point_weight(&part, i));
    if (t->training->see) t->training->see(t->training->context, &part);
    if (stream == STREAM_TRAIN) count_uniform(t, (double)part.n);
    t->fresh.n += part.n;
    nis_monitor_took(&t->s->monitor, part.n, nis_clock() - start);
  }
  t->drawn += t->fresh.n;
  return status;
}

/* Do many threads find the values that one finds? If not, the survey's points, from number `first`
 * on, get those of one thread. */
static int repeat_survey(struct trainer *t, uint64_t first)
{
  struct integrand_call *f = &t->s->integrand;
  size_t n = t->fresh.n, k = (size_t)fmin(repeat_share * (double)t->calls, MOST_REPEATED);
  uint64_t before = f->calls;
  int serialized = f->serialized;
  if (k > n) k = n;
  if (k < LEAST_REPEATED || spent(t) + 3 * k + 2 * n + t->choice > t->calls) return NIS_OK;
  int status = nis_safety_check(f, k, n, t->fresh.x, t->fresh.f, &t->s->monitor);
  t->drawn += f->calls - before;
  if (status != NIS_OK || f->serialized == serialized) return status;
  if (t->training->see) t->training->see(t->training->context, NULL);
  count_uniform(t, -(double)n); /* the same points come again */
  return draw_points(t, STREAM_TRAIN, first, n);
}

/* What is stored of other coordinates of the cube comes along. */
static void stretch(struct trainer *t, const struct stretch *to)
{
  struct domain *d = &t->s->integrand.domain;
  struct replay *r = &t->training->replay;
  for (size_t i = 0; i < r->count; i++) {
    double log_ratio = nis_domain_restretch(d, to, r->x + i * r->dim);
    r->log_f[i] += log_ratio;
    r->log_p[i] += log_ratio;
  }
  for (size_t j = 0; j < d->dim; j++) nis_domain_set_stretch(d, j, to[j]);
}

/* Singular ends are stretched before anything is learnt, and the survey comes again. */
static int stretch_ends(struct trainer *t, uint64_t first)
{
  const nis_options *o = t->o;
  struct stretch *to = t->stretch;
  for (size_t j = 0; j < o->dim; j++) to[j] = nis_domain_stretch(&t->s->integrand.domain, j);
  for (int i = 0; i < MOST_STRETCHES; i++) {
    double after = (double)(spent(t) + t->survey + t->choice);
    if (t->fresh.n < t->survey || after > stretched_share * (double)t->calls) break;
    if (!nis_ends_find(&t->fresh, o->dim, o->periodic, t->fit, to)) break;
    stretch(t, to);
    NIS_TRY(draw_points(t, STREAM_TRAIN, first + t->drawn, t->survey));
  }
  return NIS_OK;
}

/* Nothing has been learnt before the first round, which is larger. */
static int draw_round(struct trainer *t, uint64_t first)
{
  uint64_t left = t->calls - spent(t);
  int survey = t->round == 0 && t->at.rounds == 0;
  size_t n = survey ? t->survey : t->round_size;
  if (left < n + t->choice) n = (size_t)(left < t->fresh.capacity ? left : t->fresh.capacity);
  uint64_t from = first + t->drawn;
  t->round++;
  int status = draw_points(t, STREAM_TRAIN, from, n);
  if (status == NIS_OK && survey) status = repeat_survey(t, from);
  return status == NIS_OK && survey ? stretch_ends(t, first) : status;
}

/* The plan shrinks to the calls that fit, as far as the past tells. */
static void keep_to_time(struct trainer *t)
{
  if (t->seconds == 0) return;
  if (time_is_over(t)) t->calls = spent(t);
  double fit = (double)spent(t) * t->seconds / elapsed(t), planned = (double)t->calls;
  fit = fmax(fit, (double)(spent(t) + t->choice));
  if (fit >= planned) return;
  t->steps = (uint64_t)((double)t->steps * fit / planned) + 1;
  t->calls = (uint64_t)fit;
}

/* The round's own estimate of the integral of what the flow follows, for the progress table, and of
 * its magnitude */
static int report_round(struct trainer *t)
{
  double absolute = 0;
  for (size_t i = 0; i < t->fresh.n; i++) absolute += fabs(nis_point_weight(&t->fresh, i));
  t->log_z = log(absolute / (double)t->fresh.n);
  return nis_monitor_iteration(&t->s->monitor, t->weight.mean, nis_moments_error(&t->weight),
                               nis_moments_spread(&t->weight));
}

/* Weights of both signs keep a variance that no density removes; a flow for each sign, and the
 * control variates that these are, do. */
static void split_signs(struct trainer *t, size_t stored)
{
  if (t->at.two_signs || t->learners < LEARNERS || t->o->signs == NIS_SIGNS_TOGETHER) return;
  double negative = nis_replay_negative(&t->training->replay, stored, t->at.beta);
  if (negative < signed_share || negative > 1 - signed_share) return;
  t->at.two_signs = 1;
  struct mixture *m = &t->s->mixture;
  memcpy(m->twin.parameters, m->flow.parameters, m->flow.nparameters * sizeof(float));
}

/* While beta < 1 old rounds mislead: only the last few are replayed. At beta = 1 all points since
 * then are. */
static void store_round(struct trainer *t)
{
  struct replay *replay = &t->training->replay;
  nis_replay_store(replay, &t->fresh);
  size_t stored = t->fresh.n < replay->count ? t->fresh.n : replay->count;
  t->stored += stored;
  double beta = nis_replay_temperature(replay, stored, effective_share);
  t->at.window += stored;
  memmove(t->at.newest + 1, t->at.newest, sizeof t->at.newest - sizeof *t->at.newest);
  t->at.newest[0] = stored;
  if (t->at.beta < 1) {
    t->at.window = 0;
    for (int i = 0; i < HOT_ROUNDS; i++) t->at.window += t->at.newest[i];
    t->at.beta = fmax(beta, least_cooling * t->at.beta);
    if (t->at.beta == 1) t->next_search = t->round;
  }
  split_signs(t, stored);
  t->baseline = t->at.beta == 1 ? 1 : nis_replay_kish(replay, stored, t->at.beta);
  t->at.window = t->at.window < replay->count ? t->at.window : replay->count;
}

/* ---- gradient steps ------------------------------------------------------------------- */

/* Taken by the flows that learn, which keep step */
static uint64_t steps_taken(const struct trainer *t)
{
  return t->learner[1]->optimizer.step;
}

/* The learning rate falls to zero along a cosine (Loshchilov, Hutter, arXiv:1608.03983). */
static double learning_rate(const struct trainer *t)
{
  double share = (double)steps_taken(t) / (double)t->steps;
  return t->o->learning_rate * (1 + cos(M_PI * fmin(share, 1))) / 2;
}

static int finishing(const struct trainer *t)
{
  return t->at.beta == 1 && (double)steps_taken(t) > variance_from * (double)t->steps;
}

/* The gradient steps that are due by now. While beta < 1 few, for the few points that are
 * replayed would be learnt by heart; then more and more, as points come together. */
static uint64_t steps_due(struct trainer *t)
{
  if (t->at.beta < 1) {
    t->cold_from = spent(t);
    t->cold_step = steps_taken(t) + (uint64_t)(hot_replay * (double)t->fresh.n / t->o->minibatch);
    return t->cold_step;
  }
  if (t->cold_step >= t->steps) return t->cold_step;
  double share = (double)(spent(t) - t->cold_from) / (double)(t->calls - t->cold_from);
  return t->cold_step + (uint64_t)((double)(t->steps - t->cold_step) * pow(share, ramp));
}

/* The next step of those that are due, on points drawn anew */
static int next_step(struct step *step, void *context)
{
  struct trainer *t = context;
  const nis_options *o = t->o;
  uint64_t number = t->map.optimizer.step;
  double u[LANES];
  if (steps_taken(t) >= t->due || time_is_over(t)) return 0;
  t->status = nis_monitor_report(&t->s->monitor);
  if (t->status != NIS_OK) return 0;
  t->s->mixture.flow.kernels->uniforms(t->s->seed, STREAM_REPLAY, number, 1, u);
  nis_replay_draw(&t->training->replay, u[0], (size_t)o->minibatch, t->slot);
  /* While beta < 1 the map would learn the few points that are replayed by heart. */
  int alone = t->at.beta == 1 && ++t->alone < t->map_steps;
  if (!alone) t->alone = 0;
  step->learners = alone ? 1 : t->learners;
  step->batch = (struct minibatch){(size_t)o->minibatch, t->slot, &t->training->replay,
                                   nis_loss(o->loss, finishing(t)), t->baseline};
  step->rate = learning_rate(t);
  return 1;
}

static int learn(struct trainer *t)
{
  t->due = steps_due(t);
  t->status = NIS_OK;
  t->flow.part = t->at.two_signs ? PART_POSITIVE : PART_ALL;
  /* What the data do not hold up falls back to the identity, which keeps a flow from learning few
   * points by heart, and costs where these have a sharp shape: so there is one of each, and fresh
   * points choose. 1e5 calls, 2 seeds, sigma_1 without decay, with it, and both: corner_peak 0.060,
   * 0.033, 0.034; breit_wigner 0.064, 0.23, 0.066; ee4j 0.52, 0.43, 0.44; ee3j 0.020, 0.026, 0.020.
   */
  t->twin.part = t->at.two_signs ? PART_NEGATIVE : PART_ALL;
  t->twin.decay = t->at.two_signs || t->at.beta < 1 ? 0 : t->o->decay;
  nis_take_steps(t->s, t->learner, next_step, t);
  return t->status;
}

/* ---- the other channels ------------------------------------------------------------------ */

/* The peaks follow the target that the flow is learning; the first one begins as all of it. */
static void fit_peaks(struct trainer *t)
{
  struct peaks *peaks = &t->s->mixture.peaks;
  size_t dim = peaks->dim;
  double u[LANES], *x = t->fit, *work = x + PEAK_POINTS * dim;
  t->s->mixture.flow.kernels->uniforms(t->s->seed, STREAM_REPLAY, (uint64_t)t->round << 40, 1, u);
  nis_replay_draw_target(&t->training->replay, u[0], PEAK_POINTS, t->slot);
  for (size_t i = 0; i < PEAK_POINTS; i++)
    memcpy(x + i * dim, t->training->replay.x + t->slot[i] * dim, dim * sizeof *x);
  if (peaks->count == 0) {
    for (size_t j = 0; j < dim; j++) work[j] = 0.5, work[dim + j] = 0.3;
    nis_peaks_add(peaks, work, work + dim, 1, 0);
  }
  /* A tempered target is a step on the way, where wrong shapes do no harm. */
  nis_peaks_fit(peaks, PEAK_POINTS, x, t->at.beta == 1, 1, work);
}

static void open_channels(struct trainer *t)
{
  double *share = t->s->mixture.share;
  memcpy(share, t->floor, sizeof t->floor);
  share[CHANNEL_FLOW] = 1;
  for (int c = 0; c < CHANNELS; c++)
    if (c != CHANNEL_FLOW) share[CHANNEL_FLOW] -= share[c];
}

/* A mixture that has learnt goes on as it is, but for what a round needs of each channel. */
static void reopen_channels(struct trainer *t)
{
  double *share = t->s->mixture.share, kept = 1;
  for (int c = 0; c < CHANNELS; c++) kept -= t->floor[c];
  for (int c = 0; c < CHANNELS; c++) share[c] = t->floor[c] + kept * share[c];
}

void nis_training_begin_uniform(const struct training *training, struct mixture *m)
{
  for (int c = 0; c < CHANNELS && training->progress.rounds == 0; c++)
    m->share[c] = c == CHANNEL_UNIFORM;
}

static void begin(struct trainer *t)
{
  struct stretch *before = t->stretch + t->o->dim;
  for (size_t j = 0; j < t->o->dim; j++) before[j] = nis_domain_stretch(&t->s->integrand.domain, j);
  nis_training_begin_uniform(t->training, &t->s->mixture);
  if (t->at.rounds > 0) reopen_channels(t);
  memset(t->s->mixture.beta, 0, sizeof t->s->mixture.beta);
}

/* The newest round under the tempered target */
static struct share_points newest_points(struct trainer *t)
{
  for (size_t i = 0; i < t->fresh.n; i++)
    t->fit[i] = t->fresh.f[i] == 0 ? -HUGE_VAL : t->at.beta * log(fabs(t->fresh.f[i]));
  return (struct share_points){.n = t->fresh.n,
                               .log_target = t->fit,
                               .log_p = t->fresh.log_q,
                               .log_channel = t->fresh.log_channel,
                               .kernels = t->s->mixture.flow.kernels,
                               .work = t->fit + t->fresh.n};
}

/* All that is the loser's goes to the winner, and only that one goes on learning. */
static void end_contest(struct trainer *t, enum channel winner, enum channel loser)
{
  double *share = t->s->mixture.share;
  share[winner] += share[loser], share[loser] = 0;
  t->floor[winner] += t->floor[loser], t->floor[loser] = 0;
  t->learner[1] = winner == CHANNEL_FLOW ? &t->flow : &t->twin;
  t->learners = 2;
}

/* The relative variance by the newest round if nearly all points came from this one of the two: the
 * others only bound it where the flow is bad */
static double variance_of(const struct trainer *t, const struct share_points *p, enum channel flow)
{
  double share[CHANNELS], others = 0;
  memcpy(share, t->s->mixture.share, sizeof share);
  share[CHANNEL_FLOW] = share[CHANNEL_TWIN] = 0;
  for (int c = 0; c < CHANNELS; c++) others += share[c];
  for (int c = 0; c < CHANNELS; c++) share[c] *= (1 - contest_share) / others;
  share[flow] = contest_share;
  return nis_shares_variance(p, share);
}

/* Flow and twin cost half of the training each. Of 16 integrands at 1e5 calls 12 were decided half
 * way, and none of these had another winner in the end. */
static void hold_contest(struct trainer *t, const struct share_points *p)
{
  if (t->learners < LEARNERS || t->at.two_signs || t->at.beta < 1) return;
  if ((double)spent(t) < contest_from * (double)t->calls) return;
  int flow_wins = variance_of(t, p, CHANNEL_FLOW) < variance_of(t, p, CHANNEL_TWIN), wins = 0;
  t->won = (t->won << 1 | (unsigned)flow_wins) & ((1u << CONTEST) - 1);
  if (++t->contests < CONTEST) return;
  for (int i = 0; i < CONTEST; i++) wins += t->won >> i & 1;
  if (wins >= CONTEST_WINS)
    end_contest(t, CHANNEL_FLOW, CHANNEL_TWIN);
  else if (wins <= CONTEST - CONTEST_WINS)
    end_contest(t, CHANNEL_TWIN, CHANNEL_FLOW);
}

static void fit_shares(struct trainer *t)
{
  struct share_points p = newest_points(t);
  nis_shares_fit(&p, t->floor, t->s->mixture.share);
  hold_contest(t, &p);
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
  t->searched = t->search.last = 1;
  int status = nis_search_replay(&t->search, t->s, &t->training->replay, t->log_z, calls);
  t->training->late_peaks = t->search.unseen - before;
  return status;
}

/* At once where there are calls for a climb, again when beta is 1, and now and then */
static int search(struct trainer *t)
{
  uint64_t calls = (uint64_t)(search_share * (double)t->calls);
  if (t->round < t->next_search || (t->at.beta < 1 && calls < nis_search_climb_calls(t->o->dim)) ||
      (double)spent(t) > search_until * (double)t->calls ||
      spent(t) + 2 * calls + t->choice > t->calls)
    return NIS_OK;
  t->next_search = t->round + SEARCH_EVERY;
  return nis_search_replay(&t->search, t->s, &t->training->replay, t->log_z, calls);
}

static void set_shares(struct trainer *t, const struct share_points *p, const double *given)
{
  double sum = 0, *share = t->s->mixture.share;
  for (int c = 0; c < CHANNELS; c++) sum += share[c] = given[c] < least_share ? 0 : given[c];
  for (int c = 0; c < CHANNELS; c++) share[c] /= sum;
  if (!t->s->integrand.norm)
    nis_control_fit(p->n, t->fresh.f, p->log_p, p->log_channel, share, t->s->mixture.beta);
}

/* One channel, and as much of the uniform one as its variance asks for */
static void alone(int channel, double variance, double *share)
{
  for (int c = 0; c < CHANNELS; c++) share[c] = c == channel;
  nis_shares_defend(share, variance);
}

/* The shares `chosen` by the variance of a weight, or the best channel alone, or the map alone,
 * where nets make more of it than of what spreads the weights less */
static int choose_by_nets(struct trainer *t, const struct share_points *p, const double *chosen)
{
  double share[REHEARSALS][CHANNELS], variance[CHANNELS], least_error = HUGE_VAL;
  double most = rehearsed_variance * nis_shares_variance(p, chosen);
  int n = 1, kept = 0, main = CHANNEL_FLOW;
  for (int c = 0; c < CHANNELS; c++) {
    alone(c, 0, share[0]);
    variance[c] = nis_shares_variance(p, share[0]);
  }
  for (int c = 0; c < CHANNELS; c++)
    if (variance[c] < variance[main]) main = c;
  memcpy(share[0], chosen, sizeof share[0]);
  if (chosen[main] < 1 - least_share && variance[main] <= most)
    alone(main, variance[main], share[n++]);
  if (main != CHANNEL_MAP && variance[CHANNEL_MAP] <= most)
    alone(CHANNEL_MAP, variance[CHANNEL_MAP], share[n++]);
  for (int i = 0; i < n && n > 1; i++) {
    double error;
    set_shares(t, p, share[i]);
    NIS_TRY(nis_rehearse(&t->rehearsal, t->s, &error));
    t->drawn += REHEARSED_NETS * t->rehearsal.net;
    if (i > 0 && error * clear_gain >= least_error) continue;
    least_error = error, kept = i;
  }
  set_shares(t, p, share[kept]);
  return NIS_OK;
}

/* Fresh points that nothing has learnt from choose between the channels. */
static int choose_channels(struct trainer *t)
{
  double share[CHANNELS];
  struct share_points p = newest_points(t);
  memcpy(share, t->s->mixture.share, sizeof share);
  nis_shares_choose(&p, share, !t->at.two_signs);
  if (t->rehearsal.net > 0 && !t->at.two_signs) return choose_by_nets(t, &p, share);
  set_shares(t, &p, share);
  return NIS_OK;
}

/* What each fresh point adds to the variance of the estimate by the mixture that the sampler holds,
 * in units of the square of the integral of |f|; infinite where the mixture never comes though f is
 * not 0. */
static void spreads(struct trainer *t, double unit, double *spread)
{
  enum { BLOCK = 4 * LANES };
  const struct mixture *m = &t->s->mixture;
  const struct points *p = &t->fresh;
  double log_q[BLOCK], log_channel[BLOCK * CHANNELS], weight[LANES], value[LANES];
  double mean = t->weight.mean / unit;
  for (size_t at = 0; at < p->n; at += BLOCK) {
    size_t n = p->n - at < BLOCK ? p->n - at : BLOCK;
    nis_sampler_density(t->s, NULL, n, p->x + at * m->dim, log_q, log_channel);
    for (size_t i = 0; i < n; i++) {
      if (i % LANES == 0)
        nis_control_values(n - i < LANES ? n - i : LANES, p->f + at + i, log_q + i,
                           log_channel + i * CHANNELS, m->beta, m->flow.kernels, weight, value);
      double off = value[i % LANES] / unit - mean;
      spread[at + i] = off * off * exp(log_q[i] - p->log_q[at + i]);
      if (isinf(log_q[i])) spread[at + i] = p->f[at + i] == 0 ? 0 : HUGE_VAL;
    }
  }
}

/* Whether the fresh points show that the mixture of the sampler is better than that in the backup,
 * which is not to give way to one that is so by chance. */
static int is_better(struct trainer *t)
{
  double *now = t->fit, *before = now + t->fresh.n, unit = exp(t->log_z);
  if (t->fresh.n < LEAST_EVIDENCE || !(unit > 0)) return 0;
  struct moments gain = {0};
  int never = 0;
  spreads(t, unit, now);
  nis_backup_swap(&t->backup, &t->s->mixture);
  spreads(t, unit, before);
  nis_backup_swap(&t->backup, &t->s->mixture);
  for (size_t i = 0; i < t->fresh.n; i++) {
    if (isinf(now[i])) never = 1;
    nis_moments_add(&gain, before[i] - now[i]);
  }
  return !never && !(gain.mean <= nis_moments_error(&gain));
}

/* Points stored at another temperature are not replayed while beta < 1. */
static void add_to_window(struct trainer *t, size_t stored)
{
  if (t->at.beta == 1) t->at.window += stored;
}

/* The fresh points are stored for the next training. The first training has nothing to lose. */
static void keep_the_better(struct trainer *t)
{
  if (t->training->progress.rounds > 0 && !is_better(t)) {
    nis_backup_swap(&t->backup, &t->s->mixture);
    t->at = t->training->progress;
    add_to_window(t, t->stored);
  }
  nis_replay_store(&t->training->replay, &t->fresh);
  add_to_window(t, t->fresh.n);
  t->training->progress = t->at;
  t->training->peaks_found += t->search.found;
}

/* The tops near the hints are peaks from the second round on: the first one's fit would move them
 * to where its points are. */
static int follow_hints(struct trainer *t)
{
  const nis_options *o = t->o;
  if (o->nhints == 0 || t->training->progress.rounds > 0) return NIS_OK;
  double *x = NIS_NEW(double, o->nhints * o->dim);
  if (!x) return nis_no_memory();
  for (size_t i = 0; i < o->nhints; i++)
    nis_domain_in(&t->s->integrand.domain, o->hints + i * o->dim, x + i * o->dim);
  uint64_t calls = (uint64_t)(hint_share * (double)t->calls), most = (t->calls - spent(t)) / 2;
  if (calls > most) calls = most;
  int status = nis_search_from(&t->search, t->s, o->nhints, x, t->log_z, calls);
  if (t->s->mixture.peaks.count > 0) open_channels(t);
  free(x);
  return status;
}

static int learn_round(struct trainer *t)
{
  t->search.cold = t->at.beta == 1;
  t->at.rounds++;
  double start = nis_clock();
  NIS_TRY(learn(t));
  end_stage(t, STAGE_STEPS, &start);
  if (t->s->mixture.share[CHANNEL_UNIFORM] == 1)
    open_channels(t);
  else
    fit_shares(t);
  end_stage(t, STAGE_SHARES, &start);
  fit_peaks(t);
  end_stage(t, STAGE_PEAKS, &start);
  int status = search(t);
  if (status == NIS_OK) status = search_last(t);
  end_stage(t, STAGE_SEARCH, &start);
  return status;
}

/* The last round is not learnt from: it chooses. */
static int run(struct trainer *t, uint64_t first)
{
  while (spent(t) < t->calls) {
    NIS_TRY(draw_round(t, first));
    NIS_TRY(report_round(t));
    keep_to_time(t);
    if (spent(t) >= t->calls) break;
    double start = nis_clock();
    store_round(t);
    int any = nis_replay_prepare(&t->training->replay, t->at.window, t->at.beta);
    end_stage(t, STAGE_REPLAY, &start);
    if (any) NIS_TRY(learn_round(t));
    if (t->round == 1) NIS_TRY(follow_hints(t));
  }
  return choose_channels(t);
}

/* A few uniform points tell how large the components are. */
static int scale_components(struct trainer *t)
{
  const nis_options *o = t->o;
  struct integrand_call *f = &t->s->integrand;
  uint64_t n = (uint64_t)ceil(scale_share * (double)t->calls);
  if (n > SCALE_POINTS) n = SCALE_POINTS;
  if (!f->norm || o->scales || t->training->scaled || t->calls <= n) return NIS_OK;
  if (n > t->block) n = t->block; /* so that all components are there at the end */
  NIS_TRY(
      draw_points(t, STREAM_SCALE, 0, (size_t)n)); /* uniform: what has seen them scaled nothing */
  nis_integrand_scale(f, t->fresh.n, t->components);
  t->training->scaled = 1;
  return NIS_OK;
}

int nis_training_remember(struct training *training, const struct points *p, const nis_options *o)
{
  struct replay *replay = &training->replay;
  struct progress *at = &training->progress;
  uint64_t least = replay->count + p->n;
  if (least > replay->capacity)
    NIS_TRY(nis_replay_grow(replay, o->dim, replay_capacity(least + least / 2, o)));
  nis_replay_store(replay, p);
  at->window += p->n;
  at->newest[0] += p->n;
  return NIS_OK;
}

void nis_training_clear(struct training *training)
{
  nis_replay_clear(&training->replay);
  *training = (struct training){0};
}

int nis_train_flow(struct sampler *s, uint64_t first_point, uint64_t calls, const nis_options *o,
                   struct training *training)
{
  struct trainer t;
  int late_peaks = training->late_peaks;
  nis_monitor_begin(&s->monitor, NIS_TRAINING, calls);
  int status = trainer_init(&t, s, calls, o, training);
  if (status != NIS_OK) {
    trainer_clear(&t);
    return status;
  }
  training->late_peaks = 0;
  s->integrand.norm = o->follow == NIS_FOLLOW_NORM && o->ncomp > 1;
  begin(&t);
  status = scale_components(&t);
  if (status == NIS_OK) status = run(&t, first_point);
  s->integrand.norm = 0;
  training->search_calls += t.search.calls;
  training->search_point = t.search.point;
  if (status == NIS_OK) {
    keep_the_better(&t);
  } else {
    nis_backup_swap(&t.backup, &s->mixture);
    stretch(&t, t.stretch + o->dim);
    t.at = training->progress;
    add_to_window(&t, t.stored);
    training->progress = t.at;
    training->late_peaks = late_peaks;
  }
  trainer_clear(&t);
  return status;
}

void nis_training_archive(struct archive *a, struct training *training)
{
  struct progress *at = &training->progress;
  nis_archive_whole(a, "the number of rounds", &at->rounds, 0, INT_MAX - ROUNDS);
  nis_archive_real(a, "beta", &at->beta, 0, 1);
  nis_archive_whole(a, "two signs", &at->two_signs, 0, 1);
  nis_archive_size(a, "the window", &at->window, ARCHIVE_MOST_COUNT / 2);
  for (int i = 0; i < HOT_ROUNDS; i++)
    nis_archive_size(a, "a round", &at->newest[i], ARCHIVE_MOST_COUNT / (2 * HOT_ROUNDS));
  nis_archive_count(a, "the search's place", &training->search_point, ARCHIVE_MOST_COUNT);
  nis_archive_whole(a, "scaled", &training->scaled, 0, 1);
  nis_archive_whole(a, "the peaks found", &training->peaks_found, 0, INT_MAX / 2);
  nis_archive_whole(a, "the late peaks", &training->late_peaks, 0, INT_MAX / 2);
  nis_archive_count(a, "the calls of the search", &training->search_calls, ARCHIVE_MOST_COUNT);
  nis_archive_real(a, "the uniform points", &training->uniform, 0, DBL_MAX);
}

void nis_training_archive_points(struct archive *a, struct training *training, size_t dim)
{
  nis_replay_archive(a, &training->replay, dim);
}

void nis_training_forget_points(struct training *training)
{
  nis_replay_clear(&training->replay);
  training->progress.window = 0;
  memset(training->progress.newest, 0, sizeof training->progress.newest);
}
