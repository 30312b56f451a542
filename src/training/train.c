/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "train.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "choice.h"
#include "rounds.h"

#include <math.h>

enum {
  CONTEST = 12,      /* rounds at beta = 1 that flow and twin are compared in */
  CONTEST_WINS = 11, /* of them end it */
  SEARCH_EVERY = 8   /* rounds */
};

static const double effective_share = 0.25;   /* Kish fraction that sets beta */
static const double least_cooling = 0.7;      /* beta falls by no more from round to round */
static const double hot_replay = 4;           /* gradient samples per point while beta < 1 */
static const double ramp = 1.5;               /* steps done grow as this power of the calls */
static const double variance_from = 0.55;     /* share of the steps before the variance loss */
static const double contest_from = 0.25;      /* of the calls */
static const double contest_share = 0.9;      /* of the points */
static const double weights_until = 0.6;      /* share of the calls; then they are frozen */
static const double search_until = 0.85;      /* share of the calls */
static const double search_share = 0.01;      /* of the training calls, each time ... */
static const double last_search_share = 0.03; /* ... and at the end */
static const double hint_share = 0.1;         /* of the training calls */
static const double signed_share = 0.02;      /* negative part of |f| that a flow is for */

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
  nis_round_follow_components(t);
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
    t->cold_from = nis_trainer_spent(t);
    t->cold_step = steps_taken(t) + (uint64_t)(hot_replay * (double)t->fresh.n / t->o->minibatch);
    return t->cold_step;
  }
  if (t->cold_step >= t->steps) return t->cold_step;
  double share = (double)(nis_trainer_spent(t) - t->cold_from) / (double)(t->calls - t->cold_from);
  return t->cold_step + (uint64_t)((double)(t->steps - t->cold_step) * pow(share, ramp));
}

/* The next step of those that are due, on points drawn anew */
static int next_step(struct step *step, void *context)
{
  struct trainer *t = context;
  const nis_options *o = t->o;
  uint64_t number = t->map.optimizer.step;
  double u[LANES];
  if (steps_taken(t) >= t->due || nis_round_time_is_over(t)) return 0;
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

/* ---- the weights of the user's channels ---------------------------------------------------- */

/* The stored points and the newest round, where the mixture has others than before */
static void weigh_anew(struct trainer *t)
{
  if (!t->view) return;
  nis_replay_weigh(&t->training->replay, t->s);
  nis_round_weigh(t);
}

/* They go on learning while the flows learn what they make of f, and these have the last word. */
static void learn_weights(struct trainer *t)
{
  struct weighting *w = &t->s->mixture.weighting;
  double share = (double)nis_trainer_spent(t) / (weights_until * (double)t->calls);
  if (!t->view || t->at.beta < 1 || share >= 1) return;
  if (!nis_weighting_is_standardised(w))
    nis_weighting_standardise(w, t->fresh.n, t->fresh.f, t->fresh.view);
  const struct replay *r = &t->training->replay;
  const struct stride stride = {t->o->learning_rate * (1 + cos(M_PI * share)) / 2, t->o->decay, 1};
  nis_weighing_learn(&t->weighing, r, r->count, t->fresh.n,
                     (size_t)(t->o->replay * (double)t->fresh.n), &stride);
  weigh_anew(t);
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
  if ((double)nis_trainer_spent(t) < contest_from * (double)t->calls) return;
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
  struct share_points p = nis_choice_newest(t);
  nis_shares_fit(&p, t->floor, t->s->mixture.share);
  hold_contest(t, &p);
}

/* When the next round would be the last one, a longer search: what it finds can still be sampled,
 * but nothing has learnt it. */
static int search_last(struct trainer *t)
{
  uint64_t calls = (uint64_t)(last_search_share * (double)t->calls),
           left = t->calls - nis_trainer_spent(t);
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
      (double)nis_trainer_spent(t) > search_until * (double)t->calls ||
      nis_trainer_spent(t) + 2 * calls + t->choice > t->calls)
    return NIS_OK;
  t->next_search = t->round + SEARCH_EVERY;
  return nis_search_replay(&t->search, t->s, &t->training->replay, t->log_z, calls);
}

/* Points stored at another temperature are not replayed while beta < 1. */
static void add_to_window(struct trainer *t, size_t stored)
{
  if (t->at.beta == 1) t->at.window += stored;
}

/* The fresh points are stored for the next training. The first training has nothing to lose. */
static void keep_the_better(struct trainer *t)
{
  if (t->training->progress.rounds > 0 && !nis_choice_is_better(t)) {
    nis_backup_swap(&t->backup, &t->s->mixture);
    weigh_anew(t);
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
  uint64_t calls = (uint64_t)(hint_share * (double)t->calls),
           most = (t->calls - nis_trainer_spent(t)) / 2;
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
  nis_trainer_end_stage(t, STAGE_STEPS, &start);
  if (t->s->mixture.share[CHANNEL_UNIFORM] == 1)
    open_channels(t);
  else
    fit_shares(t);
  nis_trainer_end_stage(t, STAGE_SHARES, &start);
  fit_peaks(t);
  nis_trainer_end_stage(t, STAGE_PEAKS, &start);
  int status = search(t);
  if (status == NIS_OK) status = search_last(t);
  nis_trainer_end_stage(t, STAGE_SEARCH, &start);
  return status;
}

/* The last round is not learnt from: it chooses. */
static int run(struct trainer *t, uint64_t first)
{
  while (nis_trainer_spent(t) < t->calls) {
    NIS_TRY(nis_round_draw(t, first));
    NIS_TRY(nis_round_report(t));
    nis_round_keep_to_time(t);
    if (nis_trainer_spent(t) >= t->calls) break;
    double start = nis_clock();
    store_round(t);
    if (t->at.rounds + t->o->nhints == 0 && t->weight.squares == 0)
      continue; /* a constant so far */
    learn_weights(t);
    int any = nis_replay_prepare(&t->training->replay, t->at.window, t->at.beta);
    nis_trainer_end_stage(t, STAGE_REPLAY, &start);
    if (any) NIS_TRY(learn_round(t));
    if (t->round == 1) NIS_TRY(follow_hints(t));
  }
  return nis_choice_make(t, first);
}

int nis_train_flow(struct sampler *s, uint64_t first_point, uint64_t calls, const nis_options *o,
                   struct training *training)
{
  struct trainer t;
  int late_peaks = training->late_peaks;
  nis_monitor_begin(&s->monitor, NIS_TRAINING, calls);
  int status = nis_trainer_init(&t, s, calls, o, training);
  if (status != NIS_OK) {
    nis_trainer_clear(&t);
    return status;
  }
  training->late_peaks = 0;
  s->integrand.norm = o->follow == NIS_FOLLOW_NORM && o->ncomp > 1;
  begin(&t);
  status = nis_round_scale_components(&t);
  if (status == NIS_OK) status = run(&t, first_point);
  s->integrand.norm = 0;
  training->search_calls += t.search.calls;
  training->search_point = t.search.point;
  if (status == NIS_OK) {
    keep_the_better(&t);
  } else {
    nis_backup_swap(&t.backup, &s->mixture);
    weigh_anew(&t);
    nis_round_stretch(&t, t.stretch + o->dim);
    t.at = training->progress;
    add_to_window(&t, t.stored);
    training->progress = t.at;
    training->late_peaks = late_peaks;
  }
  nis_trainer_clear(&t);
  return status;
}
