/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weighing.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

#include <math.h>

enum { CHUNKS = 16 }; /* of a gradient */

static const double largest_coefficient = 1000; /* of one point, which must not rule a step */
static const double memory = 100;               /* steps that the mean is over */
static const double older_part = 0.9;           /* of the rounds before in what is known of V */
/* Of V with the net to V with the prior, below which the net is used, and above which it no longer
 * is. Rare points make it jump: with a far too large alpha of a channel that hardly comes there. */
static const double good_ratio = 0.5, bad_ratio = 4;
/* Of the stream, beyond those of the flows and of the peaks */
static const uint64_t weighing_numbers = (uint64_t)1 << 60;

static int copy(struct weighting *to, const struct weighting *from)
{
  *to = *from;
  to->parameters = NIS_NEW(float, from->nfloats);
  if (!to->parameters) return nis_no_memory();
  memcpy(to->parameters, from->parameters, from->nfloats * sizeof *to->parameters);
  return NIS_OK;
}

int nis_weighing_init(struct weighing *l, struct sampler *s, size_t batch, size_t most)
{
  const struct weighting *w = &s->mixture.weighting;
  *l = (struct weighing){.s = s, .batch = batch, .most = most};
  l->used = nis_weighting_has_learnt(w);
  NIS_TRY(copy(&l->learner, w));
  NIS_TRY(copy(&l->mean, w));
  NIS_TRY(nis_optimizer_init(&l->optimizer, w->kernels, w->nparameters, l->learner.parameters));
  l->gradient = NIS_NEW(float, CHUNKS * w->nparameters);
  l->newest = NIS_RAW(size_t, 2 * most + batch);
  l->share = NIS_RAW(double, most);
  l->square = NIS_RAW(double, most + batch);
  return l->gradient && l->newest && l->share && l->square ? NIS_OK : nis_no_memory();
}

void nis_weighing_clear(struct weighing *l)
{
  nis_weighting_clear(&l->learner);
  nis_weighting_clear(&l->mean);
  nis_optimizer_clear(&l->optimizer);
  free(l->gradient);
  free(l->newest);
  free(l->share);
  free(l->square);
  *l = (struct weighing){0};
}

/* ---- which points -------------------------------------------------------------------------- */

/* log v / 2 */
static double log_root(const struct replay *r, size_t slot)
{
  return r->log_f[slot] - r->log_p[slot] / 2;
}

/* s of the newest n points; 0 where f is 0 at all of them */
static int fill_shares(struct weighing *l, const struct replay *r, size_t n)
{
  double top = -HUGE_VAL, mean = 0;
  for (size_t i = 0; i < n; i++) top = fmax(top, log_root(r, l->newest[i]));
  if (isinf(top)) return 0;
  for (size_t i = 0; i < n; i++) {
    l->share[i] = exp(2 * (log_root(r, l->newest[i]) - top));
    mean += l->share[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) l->share[i] = (l->share[i] / mean + 1) / 2;
  l->log_unit = 2 * top + log(mean);
  return 1;
}

/* v / mean(v) of the newest point number i */
static double square_of(const struct weighing *l, size_t i)
{
  return 2 * l->share[i] - 1;
}

/* Systematic resampling of m points out of n, which u in (0,1) places */
static void draw(struct weighing *l, double u, size_t n, size_t m)
{
  size_t *slot = l->newest + l->most, i = 0;
  double sum = l->share[0], step = (double)n / (double)m; /* the mean of s is 1 */
  for (size_t k = 0; k < m; k++) {
    while (((double)k + u) * step >= sum && i + 1 < n) sum += l->share[++i];
    slot[k] = l->newest[i];
    l->square[k] = square_of(l, i) / l->share[i];
  }
}

/* ---- alpha of stored points ---------------------------------------------------------------- */

/* By these weights, alpha of all channels at up to LANES points into the scratch, and which is that
 * of the point itself */
static void look(const struct weighting *w, const struct replay *r, size_t n, const size_t *slot,
                 size_t step, struct weighting_scratch *scratch, size_t *channel)
{
  for (size_t l = 0; l < n; l++) {
    size_t at = slot[l * step];
    nis_weighting_put_view(w, scratch, l, r->view + at * r->nview);
    channel[l] = nis_channel_of(w->channels, r->x[at * r->dim + r->dim - 1]);
  }
  nis_weighting_tile(w, scratch);
}

/* (alpha now / alpha stored)^2; 0 where there is no alpha */
static double square_ratio(const struct replay *r, size_t slot, double alpha)
{
  return alpha > 0 ? exp(2 * (log(alpha) - r->log_alpha[slot])) : 0;
}

/* V by the newest points from number `from` to n - 1, in units of what is fixed */
static double variance(const struct weighing *l, const struct weighting *w, const struct replay *r,
                       size_t from, size_t n)
{
  struct weighting_scratch *scratch = &l->s->work[0].weighting;
  double sum = 0;
  for (size_t at = from; at < n; at += LANES) {
    size_t channel[LANES], lanes = n - at < LANES ? n - at : LANES;
    look(w, r, lanes, l->newest + at, 1, scratch, channel);
    for (size_t i = 0; i < lanes; i++)
      sum += square_of(l, at + i) *
             square_ratio(r, l->newest[at + i], scratch->alpha[channel[i] * LANES + i]);
  }
  return sum;
}

/* On points that it has not learnt from yet. The sums stay in the units of the newest. */
static void judge(struct weighing *l, const struct replay *r, size_t from, size_t n)
{
  const struct weighting prior = {.channels = l->mean.channels};
  double kept = l->with_prior > 0 ? older_part * exp(l->log_unit_before - l->log_unit) : 0;
  l->with_prior = kept * l->with_prior + variance(l, &prior, r, from, n);
  l->with_net = kept * l->with_net + variance(l, &l->mean, r, from, n);
  l->log_unit_before = l->log_unit;
}

/* ---- steps --------------------------------------------------------------------------------- */

/* One of `steps`, each of which gets a part of the points drawn, dealt out in turn */
struct lesson {
  struct weighing *l;
  const struct replay *r;
  const struct stride *stride;
  size_t step, steps;
};

static void add_tile(const struct lesson *lesson, struct weighting_scratch *scratch, size_t first,
                     float *gradient)
{
  const struct weighing *l = lesson->l;
  size_t channel[LANES] = {0}, n = l->batch - first < LANES ? l->batch - first : LANES;
  size_t from = lesson->step + lesson->steps * first;
  const size_t *slot = l->newest + l->most + from;
  float d[LANES] = {0};
  look(&l->learner, lesson->r, n, slot, lesson->steps, scratch, channel);
  for (size_t i = 0; i < n; i++) {
    double alpha = scratch->alpha[channel[i] * LANES + i];
    double square = l->square[from + i * lesson->steps];
    if (square == 0) continue;
    double slope = 2 * square * square_ratio(lesson->r, slot[i * lesson->steps], alpha);
    d[i] = (float)(fmin(slope, largest_coefficient) / (double)l->batch);
  }
  nis_weighting_backward(&l->learner, d, channel, gradient, scratch);
}

static size_t tiles(const struct weighing *l)
{
  return (l->batch + LANES - 1) / LANES;
}

static size_t chunks(const struct weighing *l)
{
  return tiles(l) < CHUNKS ? tiles(l) : CHUNKS;
}

static void chunk_work(void *context, size_t item, int worker)
{
  const struct lesson *lesson = context;
  const struct weighing *l = lesson->l;
  size_t n = l->optimizer.n, end = tiles(l) * (item + 1) / chunks(l);
  float *gradient = l->gradient + item * n;
  memset(gradient, 0, n * sizeof *gradient);
  for (size_t tile = tiles(l) * item / chunks(l); tile < end; tile++)
    add_tile(lesson, &l->s->work[worker].weighting, tile * LANES, gradient);
}

/* The sum of the chunks' gradients, in the first one's place; returns its norm. */
static double add_chunks(struct weighing *l)
{
  size_t n = l->optimizer.n;
  double square = 0;
  for (size_t chunk = 1; chunk < chunks(l); chunk++)
    for (size_t i = 0; i < n; i++) l->gradient[i] += l->gradient[chunk * n + i];
  for (size_t i = 0; i < n; i++) square += (double)l->gradient[i] * l->gradient[i];
  return sqrt(square);
}

static void follow(struct weighing *l)
{
  float *mean = l->mean.parameters;
  float part = (float)(1 / fmin((double)l->optimizer.step, memory));
  for (size_t i = 0; i < l->optimizer.n; i++)
    mean[i] += part * (l->learner.parameters[i] - mean[i]);
}

static void take_step(struct lesson *lesson)
{
  struct weighing *l = lesson->l;
  nis_parallel_for(l->s->threads, chunks(l), chunk_work, lesson);
  double norm = add_chunks(l);
  l->optimizer.step++;
  for (size_t i = 0; i * PARAMETER_SLICE < l->optimizer.n; i++)
    nis_optimizer_slice(&l->optimizer, lesson->stride, l->gradient, norm, i);
  follow(l);
}

/* The mixture's net is the mean, or none: with a last layer of 0, as at first. */
static void publish(struct weighing *l)
{
  struct weighting *w = &l->s->mixture.weighting;
  double ratio = l->with_net / l->with_prior;
  if (ratio < good_ratio) l->used = 1;
  if (ratio > bad_ratio) l->used = 0;
  memcpy(w->parameters, l->mean.parameters, w->nfloats * sizeof *w->parameters);
  if (!l->used) nis_weighting_forget(w);
}

/* The features' centres and scales, which the mixture has got by now */
static void take_scales(const struct weighting *from, struct weighting *to)
{
  size_t n = from->nparameters;
  memcpy(to->parameters + n, from->parameters + n, (from->nfloats - n) * sizeof *to->parameters);
}

void nis_weighing_learn(struct weighing *l, const struct replay *r, size_t points, size_t fresh,
                        size_t samples, const struct stride *stride)
{
  size_t n = points < l->most ? points : l->most;
  if (n > r->count) n = r->count;
  nis_replay_newest(r, n, l->newest);
  if (n == 0 || !fill_shares(l, r, n)) return;
  take_scales(&l->s->mixture.weighting, &l->learner);
  take_scales(&l->s->mixture.weighting, &l->mean);
  judge(l, r, fresh < n ? n - fresh : 0, n);
  struct lesson lesson = {.l = l, .r = r, .stride = stride};
  lesson.steps = n / l->batch + (n < l->batch);
  size_t each = lesson.steps * l->batch;
  for (size_t taken = 0; taken < samples; taken += each) {
    double u[LANES];
    uint64_t number = weighing_numbers + l->laps++ * LANES;
    l->optimizer.kernels->uniforms(l->s->seed, STREAM_REPLAY, number, 1, u);
    draw(l, u[0], n, each);
    for (lesson.step = 0; lesson.step < lesson.steps; lesson.step++) take_step(&lesson);
  }
  publish(l);
}
