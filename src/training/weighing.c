/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weighing.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

#include <math.h>

enum { CHUNKS = 16 }; /* of a gradient */

static const double largest_coefficient = 10; /* of one point, which must not rule a step */
static const double largest_norm = 1;         /* of a gradient; longer ones are shortened */
/* Of the stream, beyond those of the flows and of the peaks */
static const uint64_t weighing_numbers = (uint64_t)1 << 60;

int nis_weighing_init(struct weighing *l, struct sampler *s, size_t batch, size_t most)
{
  const struct weighting *w = &s->mixture.weighting;
  *l = (struct weighing){.s = s, .batch = batch, .most = most};
  NIS_TRY(nis_optimizer_init(&l->optimizer, w->kernels, w->nparameters, w->parameters));
  l->gradient = NIS_NEW(float, CHUNKS * w->nparameters);
  l->newest = NIS_RAW(size_t, 2 * most + batch);
  l->share = NIS_RAW(double, most);
  l->square = NIS_RAW(double, most + batch);
  return l->gradient && l->newest && l->share && l->square ? NIS_OK : nis_no_memory();
}

void nis_weighing_clear(struct weighing *l)
{
  nis_optimizer_clear(&l->optimizer);
  free(l->gradient);
  free(l->newest);
  free(l->share);
  free(l->square);
  *l = (struct weighing){0};
}

/* ---- which points -------------------------------------------------------------------------- */

static double log_weight(const struct replay *r, size_t slot)
{
  return r->log_f[slot] - r->log_p[slot];
}

/* s of the newest n points; 0 where f is 0 at all of them */
static int fill_shares(struct weighing *l, const struct replay *r, size_t n)
{
  double top = -HUGE_VAL, mean = 0;
  for (size_t i = 0; i < n; i++) top = fmax(top, log_weight(r, l->newest[i]));
  if (isinf(top)) return 0;
  for (size_t i = 0; i < n; i++) {
    l->share[i] = exp(2 * (log_weight(r, l->newest[i]) - top));
    mean += l->share[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++) l->share[i] = (l->share[i] / mean + 1) / 2;
  return 1;
}

/* Systematic resampling of m points out of n, which u in (0,1) places */
static void draw(struct weighing *l, double u, size_t n, size_t m)
{
  size_t *slot = l->newest + l->most, i = 0;
  double sum = l->share[0], step = (double)n / (double)m; /* the mean of s is 1 */
  for (size_t k = 0; k < m; k++) {
    while (((double)k + u) * step >= sum && i + 1 < n) sum += l->share[++i];
    slot[k] = l->newest[i];
    l->square[k] = (2 * l->share[i] - 1) / l->share[i];
  }
}

/* ---- steps --------------------------------------------------------------------------------- */

/* One of `steps`, each of which gets a part of the points drawn, dealt out in turn */
struct lesson {
  struct weighing *l;
  const struct replay *r;
  size_t step, steps;
};

/* dV / dlog alpha at one point, in units of V before the round, where alpha was exp(before) */
static double coefficient(double square, double alpha, double before)
{
  return fmin(2 * square * exp(2 * (log(alpha) - before)), largest_coefficient);
}

static void add_tile(const struct lesson *lesson, struct weighting_scratch *scratch, size_t first,
                     float *gradient)
{
  const struct weighing *l = lesson->l;
  const struct weighting *w = &l->s->mixture.weighting;
  const struct replay *r = lesson->r;
  const size_t *slot = l->newest + l->most;
  size_t channel[LANES] = {0}, n = l->batch - first < LANES ? l->batch - first : LANES;
  float d[LANES] = {0};
  for (size_t i = 0; i < n; i++) {
    size_t at = slot[lesson->step + lesson->steps * (first + i)];
    nis_weighting_put_view(w, scratch, i, r->view + at * r->nview);
    channel[i] = nis_weighting_channel(w, r->x[at * r->dim + r->dim - 1]);
  }
  nis_weighting_tile(w, scratch);
  for (size_t i = 0; i < n; i++) {
    size_t k = lesson->step + lesson->steps * (first + i);
    double alpha = scratch->alpha[channel[i] * LANES + i];
    if (l->square[k] > 0 && alpha > 0)
      d[i] = (float)(coefficient(l->square[k], alpha, r->log_alpha[slot[k]]) / (double)l->batch);
  }
  nis_weighting_backward(w, d, channel, gradient, scratch);
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

static void take_step(struct lesson *lesson, double rate)
{
  struct weighing *l = lesson->l;
  const struct stride stride = {.rate = rate, .largest_norm = largest_norm};
  nis_parallel_for(l->s->threads, chunks(l), chunk_work, lesson);
  double norm = add_chunks(l);
  l->optimizer.step++;
  for (size_t i = 0; i * PARAMETER_SLICE < l->optimizer.n; i++)
    nis_optimizer_slice(&l->optimizer, &stride, l->gradient, norm, i);
}

void nis_weighing_learn(struct weighing *l, const struct replay *r, size_t points, size_t samples,
                        double rate)
{
  size_t n = points < l->most ? points : l->most;
  if (n > r->count) n = r->count;
  nis_replay_newest(r, n, l->newest);
  if (n == 0 || !fill_shares(l, r, n)) return;
  struct lesson lesson = {.l = l, .r = r, .steps = n / l->batch + (n < l->batch)};
  size_t each = lesson.steps * l->batch;
  for (size_t taken = 0; taken < samples; taken += each) {
    double u[LANES];
    l->optimizer.kernels->uniforms(l->s->seed, STREAM_REPLAY, weighing_numbers + l->laps++ * LANES,
                                   1, u);
    draw(l, u[0], n, each);
    for (lesson.step = 0; lesson.step < lesson.steps; lesson.step++) take_step(&lesson, rate);
  }
}
