/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rounds.h"

#include "base/clock.h"
#include "base/error.h"
#include "ends.h"
#include "integrand/safety.h"

#include <math.h>

enum {
  SCALE_POINTS = 1024,  /* that tell how large the components are, to begin with */
  LEAST_REPEATED = 16,  /* points of the survey; fewer would find nothing */
  MOST_REPEATED = 4096, /* find 99 % of the integrands of which 1 value in 900 is wrong */
  MOST_STRETCHES = 4,   /* each sees further into a singular end than the one before */
  SURVEYED = 1 << 30    /* number of the survey's first net, beyond those of a rehearsal */
};

static const double scale_share = 0.01;    /* of the training calls, at most SCALE_POINTS */
static const double scale_off = 1.25;      /* a scale may be wrong by this factor */
static const double repeat_share = 0.02;   /* of the training calls repeat some of these */
static const double stretched_share = 0.5; /* of the calls, before the last look at the ends */

static double elapsed(const struct trainer *t)
{
  return nis_monitor_clock(&t->s->monitor) - t->begun;
}

int nis_round_time_is_over(const struct trainer *t)
{
  return t->seconds > 0 && elapsed(t) > t->seconds;
}

/* Of so many points the uniform share is evidence of what is where nothing has been found. */
static void count_uniform(struct trainer *t, double points)
{
  t->training->uniform += points * t->s->mixture.share[CHANNEL_UNIFORM];
}

/* The points from number `at` on of the survey, whose numbers begin with `first`: nets, and then
 * random ones */
static void draw_surveyed(struct trainer *t, uint64_t first, size_t at, struct points *p)
{
  size_t dim = t->s->mixture.dim, nets = t->net * REHEARSED_NETS;
  p->n = 0;
  while (p->n < p->capacity) {
    size_t here = at + p->n, left = p->capacity - p->n;
    size_t end = here < nets ? (here / t->net + 1) * t->net : t->survey;
    struct points part = nis_points_part(p, p->n, end - here < left ? end - here : left, dim);
    if (here < nets) {
      uint64_t number = SURVEYED + first + here / t->net;
      nis_replicate_scramble(&t->replicate, t->s->mixture.flow.kernels, ~t->s->seed, number);
      nis_sampler_draw_replicate(t->s, &t->replicate, here % t->net, part.capacity, &part);
    } else {
      nis_sampler_draw(t->s, STREAM_TRAIN, first + here, part.capacity, &part);
    }
    p->n += part.n;
  }
}

/* Of points from number `at` of the round on, whose outputs will be gone */
static void keep_views(struct trainer *t, size_t at, const struct points *part)
{
  const struct weighting *w = &t->s->mixture.weighting;
  size_t n = nis_weighting_view(w);
  float *view = t->view + at * n;
  for (size_t i = 0; i < part->n; i++)
    nis_weighting_see(w, part->outputs + i * t->o->extra, view + i * n);
  nis_sampler_weigh(t->s, part->n, part->x, view, t->log_alpha + at);
}

/* n more points of the stream with values into `fresh`, a block at a time; fewer where the run is
 * stopped or the time over. */
int nis_round_more(struct trainer *t, enum stream stream, uint64_t first, size_t n)
{
  int status = NIS_OK;
  size_t before = t->fresh.n, end = before + n;
  while (status == NIS_OK && t->fresh.n < end) {
    if (t->fresh.n > 0 && nis_round_time_is_over(t)) break;
    size_t at = t->fresh.n, block = nis_monitor_block(&t->s->monitor, t->block);
    size_t most = end - at < block ? end - at : block;
    double start = nis_monitor_clock(&t->s->monitor), stage = nis_clock();
    struct points part = nis_points_part(&t->fresh, at, most, t->s->mixture.dim);
    if (t->o->ncomp > 1) part.components = t->components + at * t->stored_components;
    part.bad = t->bad;
    part.outputs = t->outputs;
    if (stream == STREAM_SURVEY)
      draw_surveyed(t, first, at, &part);
    else
      nis_sampler_draw(t->s, stream, first + (at - before), most, &part);
    nis_trainer_end_stage(t, STAGE_POINTS, &stage);
    status = nis_sampler_evaluate(t->s, &part);
    nis_trainer_end_stage(t, STAGE_CALLS, &stage);
    for (size_t i = 0; i < part.n; i++) nis_moments_add(&t->weight, nis_point_weight(&part, i));
    if (t->view) keep_views(t, at, &part);
    if (t->training->see) t->training->see(t->training->context, &part);
    if (stream != STREAM_SCALE) count_uniform(t, (double)part.n);
    t->fresh.n += part.n;
    nis_monitor_took(&t->s->monitor, part.n, nis_monitor_clock(&t->s->monitor) - start);
  }
  t->drawn += t->fresh.n - before;
  return status;
}

static int draw_points(struct trainer *t, enum stream stream, uint64_t first, size_t n)
{
  t->fresh.n = 0;
  t->fresh.components = t->components;
  t->fresh.view = t->view, t->fresh.log_alpha = t->log_alpha;
  t->weight = (struct moments){0};
  return nis_round_more(t, stream, first, n);
}

/* The first round of all is uniform, and mostly of nets, whose spread says how well uniform points
 * would do, which nothing learnt may then be worse than; of the norm of components nobody asks. */
static int draw_survey(struct trainer *t, uint64_t first)
{
  NIS_TRY(draw_points(t, STREAM_SURVEY, first, t->survey));
  if (t->net > 0 && t->fresh.n == t->survey && !t->s->integrand.norm)
    t->unlearnt = nis_net_error(t->fresh.f, t->net, t->final_net);
  return NIS_OK;
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
  if (k < LEAST_REPEATED || nis_trainer_spent(t) + 3 * k + 2 * n + t->choice > t->calls)
    return NIS_OK;
  int status = nis_safety_check(f, k, n, t->fresh.x, t->fresh.f, &t->s->monitor);
  t->drawn += f->calls - before;
  if (status != NIS_OK || f->serialized == serialized) return status;
  if (t->training->see) t->training->see(t->training->context, NULL);
  count_uniform(t, -(double)n); /* the same points come again */
  return draw_survey(t, first);
}

/* What is stored of other coordinates of the cube comes along. */
void nis_round_stretch(struct trainer *t, const struct stretch *to)
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
    double after = (double)(nis_trainer_spent(t) + t->survey + t->choice);
    if (t->fresh.n < t->survey || after > stretched_share * (double)(t->calls + t->reserved)) break;
    if (!nis_ends_find(&t->fresh, o->dim, o->periodic, o->discrete, t->fit, to)) break;
    nis_round_stretch(t, to);
    NIS_TRY(draw_survey(t, first + t->drawn));
  }
  return NIS_OK;
}

/* Nothing has been learnt before the first round, which is larger. */
int nis_round_draw(struct trainer *t, uint64_t first)
{
  uint64_t left = t->calls - nis_trainer_spent(t);
  int survey = t->round == 0 && t->at.rounds == 0;
  size_t n = survey ? t->survey : t->round_size;
  if (left < n + t->choice) n = (size_t)(left < t->fresh.capacity ? left : t->fresh.capacity);
  uint64_t from = first + t->drawn;
  t->round++;
  if (n < t->survey || !survey) return draw_points(t, STREAM_TRAIN, from, n);
  NIS_TRY(draw_survey(t, from));
  NIS_TRY(repeat_survey(t, from));
  return stretch_ends(t, first);
}

/* The plan shrinks to the calls that fit, as far as the past tells. */
void nis_round_keep_to_time(struct trainer *t)
{
  if (t->seconds == 0) return;
  if (nis_round_time_is_over(t)) t->calls = nis_trainer_spent(t);
  double fit = (double)nis_trainer_spent(t) * t->seconds / elapsed(t), planned = (double)t->calls;
  fit = fmax(fit, (double)(nis_trainer_spent(t) + t->choice));
  if (fit >= planned) return;
  t->steps = (uint64_t)((double)t->steps * fit / planned) + 1;
  t->calls = (uint64_t)fit;
}

void nis_round_weigh(struct trainer *t)
{
  struct points *p = &t->fresh;
  if (!t->view) return;
  double *now = t->log_alpha + p->capacity;
  nis_sampler_weigh(t->s, p->n, p->x, p->view, now);
  for (size_t i = 0; i < p->n; i++) {
    double times = exp(now[i] - p->log_alpha[i]), *components = p->components + i * t->o->ncomp;
    p->log_alpha[i] = now[i];
    p->f[i] *= times;
    for (size_t k = 0; k < t->stored_components; k++) components[k] *= times;
  }
}

/* The newest round's magnitude of what the flow follows */
static void measure_round(struct trainer *t)
{
  double absolute = 0;
  for (size_t i = 0; i < t->fresh.n; i++) absolute += fabs(nis_point_weight(&t->fresh, i));
  t->log_z = log(absolute / (double)t->fresh.n);
}

/* Its own estimate of the integral, for the progress table */
int nis_round_report(struct trainer *t)
{
  measure_round(t);
  t->s->monitor.now.beta = t->at.rounds > 0 ? t->at.beta : 0;
  nis_sampler_tell_shares(t->s);
  return nis_monitor_iteration(&t->s->monitor, t->weight.mean, nis_moments_error(&t->weight),
                               nis_moments_spread(&t->weight));
}

/* A few uniform points tell how large the components are. */
int nis_round_scale_components(struct trainer *t)
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
  if (t->stored_components > 0) nis_replay_norm(&t->training->replay, t->training->replay.count, f);
  t->training->scaled = 1;
  return NIS_OK;
}

/* A component's scale is the integral of its magnitude, as all points so far tell it: the flow then
 * follows the density for which the sum of all relative variances is least. The first points, which
 * are uniform, miss what is narrow and make its scale too small; then the flow goes there first,
 * and the scale is put right. Once that is so, small changes are left alone. */
void nis_round_follow_components(struct trainer *t)
{
  struct replay *r = &t->training->replay;
  struct integrand_call *f = &t->s->integrand;
  int off = 0;
  if (t->stored_components == 0 || t->o->scales) return;
  nis_replay_magnitudes(r, t->magnitude);
  for (size_t k = 0; k < r->ncomp; k++) {
    double ratio = f->scale[k] / t->magnitude[k];
    if (t->magnitude[k] > 0 && !(ratio > 1 / scale_off && ratio < scale_off)) off = 1;
  }
  if (!off) return;
  for (size_t k = 0; k < r->ncomp; k++)
    if (t->magnitude[k] > 0) f->scale[k] = t->magnitude[k];
  nis_replay_norm(r, r->count, f);
  for (size_t i = 0; i < t->fresh.n; i++)
    t->fresh.f[i] = nis_integrand_norm(f, t->fresh.components + i * r->ncomp);
  measure_round(t);
}
