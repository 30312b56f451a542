/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trainer.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

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
  COMPONENT_BLOCK =
      1024, /* points that all components, or outputs, are kept of at a time, at least */
  MOST_STORED_COMPONENTS = 64,
  MOST_WEIGHED = 262144, /* points that channel weights learn from at a time */
  /* The map is cheap, cannot over-fit and needs its steps: with 390 of them sigma_1 of
   * genz_product_peak is 0.02 at 10,000 calls, with 1250 5e-5. */
  LEAST_MAP_STEPS = 2500,
  MOST_MAP_STEPS = 8, /* for one of the flows */
  LEAST_NET = 256,    /* points of each net of a rehearsal; with 64 chance chose */
  /* In one dimension learning is easy, and what nets make of a mixture differs most. */
  LEAST_NET_1D = 32,
  LARGEST_NET_1D = 512,
  MOST_SURVEYED_DIM = 4, /* beyond, nets of uniform points hardly gain */
  LEAST_REPLICATES = 16  /* of the estimate */
};

/* Of a round: what is lost comes back. */
static const double floor_share[CHANNELS] = {[CHANNEL_UNIFORM] = 0.25,
                                             [CHANNEL_FLOW] = 0.15,
                                             [CHANNEL_TWIN] = 0.15,
                                             [CHANNEL_MAP] = 0.05,
                                             [CHANNEL_PEAKS] = 0.1};
static const double survey_share = 0.075;   /* of the training calls, uniform, come first */
static const double choice_share = 0.05;    /* of the training calls choose in the end */
static const double rehearsed_share = 0.06; /* of the calls, at most */
static const double rehearsed_share_1d = 0.2;
static const double time_share = 0.5; /* of the time that is left */

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

size_t nis_training_components(const nis_options *o)
{
  int norm = o->follow == NIS_FOLLOW_NORM && o->ncomp > 1;
  return norm && o->ncomp <= MOST_STORED_COMPONENTS ? o->ncomp : 0;
}

size_t nis_training_view(const nis_options *o)
{
  return o->features > 0 ? o->channels + o->features : 0;
}

/* Stored points: all of them, or as many as fit the option. */
static size_t replay_capacity(uint64_t points, const nis_options *o)
{
  size_t view = nis_training_view(o);
  size_t bytes = (o->dim + 3 + nis_training_components(o)) * sizeof(double);
  if (view > 0) bytes += view * sizeof(float) + sizeof(double);
  size_t most = o->replay_bytes / bytes;
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
  const struct ranks *ranks = t->s->monitor.ranks;
  size_t n = t->fresh.capacity, batches = (size_t)f->threads * f->batch_points;
  size_t most = o->ncomp > 1 || o->features > 0 ? COMPONENT_BLOCK : n;
  if (ranks) batches = nis_ranks_grain(ranks);
  if (o->batch && most < batches) most = round_up((double)batches);
  return most < n ? most : n;
}

void nis_trainer_clear(struct trainer *t)
{
  nis_backup_clear(&t->backup);
  nis_points_clear(&t->fresh);
  nis_learner_clear(&t->flow);
  nis_learner_clear(&t->twin);
  nis_learner_clear(&t->map);
  nis_search_clear(&t->search);
  nis_rehearsal_clear(&t->rehearsal);
  nis_replicate_clear(&t->replicate);
  nis_weighing_clear(&t->weighing);
  free(t->components);
  free(t->outputs);
  free(t->view);
  free(t->log_alpha);
  free(t->magnitude);
  free(t->bad);
  free(t->slot);
  free(t->fit);
  free(t->stretch);
}

/* Points of each net that the channels are chosen by in the end; 0 where there are too few calls
 * for it, or no nets in the estimate */
static size_t rehearsed_net(uint64_t calls, const nis_options *o)
{
  int line = o->dim == 1;
  size_t net = line ? LEAST_NET_1D : LEAST_NET, largest = line ? LARGEST_NET_1D : BLOCK_POINTS;
  double share = line ? rehearsed_share_1d : rehearsed_share;
  double most = share * (double)calls / (REHEARSALS * REHEARSED_NETS);
  if (o->points != NIS_POINTS_NETS || o->max_seconds > 0 || most < (double)net) return 0;
  while (2 * (double)net <= most && net < largest) net *= 2;
  return net;
}

/* Points of each net that the survey consists of; 0: it is of random points */
static size_t surveyed_net(size_t survey, const nis_options *o)
{
  size_t net = LEAST_REHEARSED;
  if (o->points != NIS_POINTS_NETS || o->dim > MOST_SURVEYED_DIM) return 0;
  if (survey < REHEARSED_NETS * net) return 0;
  while (2 * net * REHEARSED_NETS <= survey) net *= 2;
  return net;
}

/* Points of each net of the estimate that is likely to follow */
static double final_net(uint64_t calls, const nis_options *o)
{
  return (double)calls * (1 / o->train_share - 1) / LEAST_REPLICATES;
}

/* What channel weights are learnt from */
static int begin_weighing(struct trainer *t)
{
  size_t view = nis_training_view(t->o), n = t->fresh.capacity;
  if (view == 0) return NIS_OK;
  t->outputs = NIS_RAW(double, nis_product(t->block, t->o->extra));
  t->view = NIS_RAW(float, nis_product(n, view));
  t->log_alpha = NIS_RAW(double, 2 * n);
  if (!t->outputs || !t->view || !t->log_alpha) return nis_no_memory();
  return nis_weighing_init(&t->weighing, t->s, (size_t)t->o->minibatch,
                           t->calls < MOST_WEIGHED ? (size_t)t->calls : MOST_WEIGHED);
}

/* All memory is there before anything is touched. */
int nis_trainer_init(struct trainer *t, struct sampler *s, uint64_t calls, const nis_options *o,
                     struct training *training)
{
  size_t slots = (size_t)(o->minibatch > PEAK_POINTS ? o->minibatch : PEAK_POINTS);
  *t = (struct trainer){
      .s = s, .o = o, .calls = calls, .training = training, .log_z = NAN, .unlearnt = HUGE_VAL};
  t->at = training->progress;
  t->search.point = training->search_point;
  size_t net = rehearsed_net(calls, o);
  t->reserved = REHEARSALS * REHEARSED_NETS * net;
  t->calls -= t->reserved;
  t->begun = nis_monitor_clock(&s->monitor);
  if (s->monitor.deadline > 0) t->seconds = time_share * (s->monitor.deadline - t->begun);
  t->steps = (uint64_t)(o->replay * (double)calls / o->minibatch) + 1;
  t->map_steps = LEAST_MAP_STEPS / t->steps + 1;
  if (t->map_steps > MOST_MAP_STEPS) t->map_steps = MOST_MAP_STEPS;
  t->round_size = round_points(calls);
  t->survey = survey_points(calls, t->round_size, o);
  t->choice = choice_points(calls);
  t->final_net = final_net(calls, o);
  t->net = surveyed_net(t->survey, o);
  size_t last = t->round_size + t->choice + t->reserved;
  size_t largest = t->survey > last ? t->survey : last;
  NIS_TRY(nis_points_init(&t->fresh, largest, o->dim));
  NIS_TRY(nis_backup_init(&t->backup, &s->mixture));
  NIS_TRY(nis_rehearsal_init(&t->rehearsal, o->dim, net, t->final_net));
  if (t->net > 0) NIS_TRY(nis_replicate_init(&t->replicate, o->dim + 1));
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
  t->stored_components = nis_training_components(o);
  size_t rows = t->stored_components > 0 ? t->fresh.capacity : t->block;
  t->magnitude = NIS_NEW(double, t->stored_components);
  t->components = NIS_NEW(double, o->ncomp > 1 ? nis_product(rows, o->ncomp) : 0);
  if (!t->slot || !t->fit || !t->bad || !t->stretch || !t->components || !t->magnitude)
    return nis_no_memory();
  NIS_TRY(begin_weighing(t));
  uint64_t stored = training->replay.count;
  return nis_replay_grow(&training->replay, o->dim, t->stored_components, nis_training_view(o),
                         replay_capacity(stored + calls, o));
}

uint64_t nis_trainer_spent(const struct trainer *t)
{
  return t->drawn + t->search.calls;
}

void nis_trainer_end_stage(struct trainer *t, enum stage stage, double *start)
{
  double now = nis_clock();
  t->training->seconds[stage] += now - *start;
  *start = now;
}

int nis_training_remember(struct training *training, const struct points *p,
                          const struct integrand_call *f, const nis_options *o)
{
  struct replay *replay = &training->replay;
  struct progress *at = &training->progress;
  uint64_t least = replay->count + p->n;
  if (least > replay->capacity)
    NIS_TRY(nis_replay_grow(replay, o->dim, nis_training_components(o), nis_training_view(o),
                            replay_capacity(least + least / 2, o)));
  nis_replay_store(replay, p);
  if (replay->ncomp > 0) nis_replay_norm(replay, p->n, f);
  at->window += p->n;
  at->newest[0] += p->n;
  return NIS_OK;
}

void nis_training_clear(struct training *training)
{
  nis_replay_clear(&training->replay);
  *training = (struct training){0};
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

void nis_training_archive_points(struct archive *a, struct training *training, const nis_options *o)
{
  nis_replay_archive(a, &training->replay, o->dim, nis_training_components(o),
                     nis_training_view(o));
}

void nis_training_forget_points(struct training *training)
{
  nis_replay_clear(&training->replay);
  training->progress.window = 0;
  memset(training->progress.newest, 0, sizeof training->progress.newest);
}
