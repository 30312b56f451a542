/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench.h"

#include "base/error.h"
#include "base/memory.h"
#include "api/settings.h"
#include "training/steps.h"
#include "training/train.h"
#include "base/clock.h"

#include <math.h>

enum { STORED = 16384, POINTS = 16384 };

static const double slot_seconds = 0.1; /* one repeat */

const char *const share_names[SHARES] = {"net", "transform", "random", "adam"};
const char *const stage_names[BENCH_STAGES] = {"points", "calls", "replay", "gradients",
                                               "shares", "peaks", "search", "rest"};
_Static_assert((int)BENCH_STAGES == (int)STAGES + 1, "a name for each stage, and one for the rest");

const char *bench_kernels(void)
{
  return nis_kernels()->name;
}

static double cheap(double *x, size_t dim, void *params)
{
  (void)params;
  double sum = 1;
  for (size_t j = 0; j < dim && j < 4; j++) sum += x[j];
  return sum;
}

/* What is timed: one unit of work, and how many points it was. */
struct subject {
  struct sampler s;
  struct points points;
  struct learner learner;
  struct minibatch batch;
  int steps; /* still to be taken */
  size_t *slot;
  struct replay replay;
};

typedef size_t unit_work(struct subject *subject);

static size_t sample_work(struct subject *t)
{
  nis_sampler_draw(&t->s, STREAM_SAMPLE, 0, POINTS, &t->points);
  return POINTS;
}

static size_t density_work(struct subject *t)
{
  nis_sampler_density(&t->s, NULL, POINTS, t->points.x, t->points.log_q, NULL);
  return POINTS;
}

static int next_step(struct step *step, void *context)
{
  struct subject *t = context;
  *step = (struct step){.batch = t->batch, .rate = 1e-4};
  return t->steps-- > 0;
}

static size_t train_work(struct subject *t)
{
  enum { AT_ONCE = 16 }; /* a round's worth */
  t->steps = AT_ONCE;
  nis_take_steps(&t->s, (struct learner *[]){&t->learner}, 1, next_step, t);
  return AT_ONCE * t->batch.n;
}

static double timed(struct subject *t, unit_work *unit)
{
  double start = nis_clock(), seconds;
  size_t points = 0;
  do {
    points += unit(t);
    seconds = nis_clock() - start;
  } while (seconds < slot_seconds);
  return (double)points / seconds;
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static struct rate repeat(struct subject *t, unit_work *unit, int repeats)
{
  double rates[BENCH_REPEATS];
  unit(t);
  for (int i = 0; i < repeats; i++) rates[i] = timed(t, unit);
  qsort(rates, (size_t)repeats, sizeof *rates, ascending);
  return (struct rate){rates[repeats / 2], rates[0], rates[repeats - 1]};
}

static int subject_init(struct subject *t, const nis_options *o)
{
  *t = (struct subject){0};
  NIS_TRY(nis_sampler_init(&t->s, cheap, o));
  NIS_TRY(nis_points_init(&t->points, POINTS, o->dim));
  NIS_TRY(nis_learner_init(&t->learner, &t->s.mixture.flow));
  t->slot = NIS_NEW(size_t, o->minibatch);
  if (!t->slot) return nis_no_memory();
  /* as most mixtures end */
  t->s.mixture.share[CHANNEL_UNIFORM] = 0.05, t->s.mixture.share[CHANNEL_FLOW] = 0.95;
  for (int i = 0; i < o->minibatch; i++) t->slot[i] = (size_t)i * 7919 % STORED;
  nis_sampler_draw(&t->s, STREAM_TRAIN, 0, STORED, &t->points);
  NIS_TRY(nis_replay_init(&t->replay, o->dim, STORED));
  for (int i = 0; i < STORED; i++) t->points.f[i] = 1;
  nis_replay_store(&t->replay, &t->points);
  nis_replay_prepare(&t->replay, STORED, 1);
  t->batch = (struct minibatch){.n = (size_t)o->minibatch,
                                .slot = t->slot,
                                .replay = &t->replay,
                                .loss = nis_loss(NIS_LOSS_KL, 0)};
  return NIS_OK;
}

static void subject_clear(struct subject *t)
{
  nis_sampler_clear(&t->s);
  nis_points_clear(&t->points);
  nis_learner_clear(&t->learner);
  free(t->slot);
  nis_replay_clear(&t->replay);
}

static int measure_speed(const nis_options *o, int repeats, struct speed *out)
{
  struct subject t;
  int status = subject_init(&t, o);
  if (status == NIS_OK) {
    out->threads = o->threads;
    out->train = repeat(&t, train_work, repeats);
    out->sample = repeat(&t, sample_work, repeats);
    out->density = repeat(&t, density_work, repeats);
  }
  subject_clear(&t);
  return status;
}

/* The best of many short looks: another process on the core must not lower the bar. */
static double measure_peak(int repeats)
{
  double best = 0;
  for (int i = 0; i < repeats; i++) {
    double start = nis_clock(), flops = nis_kernels()->peak(4000000);
    best = fmax(best, flops / (nis_clock() - start));
  }
  return best;
}

/* 2 operations for each weight of the nets that is not a bias */
static double pass_flops(const struct flow *flow)
{
  double flops = 0;
  for (int i = 0; i < flow->layers; i++) {
    const struct net_shape *n = &flow->coupling[i].net;
    if (n->inputs == 0) continue;
    double width = n->width, inner = (n->hidden_layers - 1) * width * width;
    flops += 2 * (n->inputs * width + inner + width * n->outputs);
  }
  return flops;
}

/* ---- shares of the time: the kernels of a run wrapped in clocks ------------------------ */

static const struct kernels *plain;
static const struct transform *plain_transform;
static double spent[SHARES];

#define CLOCKED(share, call)                                                                       \
  double start = nis_clock();                                                                      \
  call;                                                                                            \
  spent[share] += nis_clock() - start

static void clocked_uniforms(uint64_t seed, uint32_t stream, uint64_t first, size_t dim, double *u)
{
  CLOCKED(SHARE_RANDOM, plain->uniforms(seed, stream, first, dim, u));
}

static void clocked_forward(const struct net_shape *shape, const float *parameters, const float *in,
                            float *hidden, float *out)
{
  CLOCKED(SHARE_NET, plain->net_forward(shape, parameters, in, hidden, out));
}

static void clocked_backward(const struct net_shape *shape, const float *parameters,
                             const float *in, float *hidden, const float *dout, float *gradient,
                             float *din, float *work)
{
  CLOCKED(SHARE_NET, plain->net_backward(shape, parameters, in, hidden, dout, gradient, din, work));
}

static void clocked_density(int bins, float *raw, double *x, double *log_slope, float *kept)
{
  CLOCKED(SHARE_TRANSFORM, plain_transform->density(bins, raw, x, log_slope, kept));
}

static void clocked_sample(int bins, float *raw, double *u, double *log_slope)
{
  CLOCKED(SHARE_TRANSFORM, plain_transform->sample(bins, raw, u, log_slope));
}

static void clocked_transform_backward(int bins, float *raw, const float *kept, const float *dlog,
                                       float *adjoint)
{
  CLOCKED(SHARE_TRANSFORM, plain_transform->backward(bins, raw, kept, dlog, adjoint));
}

static void clocked_adam(size_t n, const struct adam *adam, const float *gradient, float *mean,
                         float *square, float *parameters)
{
  CLOCKED(SHARE_ADAM, plain->adam_step(n, adam, gradient, mean, square, parameters));
}

/* What the flow of these options calls, wrapped. */
static struct kernels clock_kernels(struct transform *clocked, const nis_options *o)
{
  plain = nis_kernels();
  plain_transform = plain->transform[o->coupling];
  *clocked = *plain_transform;
  clocked->density = clocked_density;
  clocked->sample = clocked_sample;
  clocked->backward = clocked_transform_backward;
  struct kernels k = *plain;
  k.uniforms = clocked_uniforms;
  k.net_forward = clocked_forward;
  k.net_backward = clocked_backward;
  k.adam_step = clocked_adam;
  k.transform[o->coupling] = clocked;
  return k;
}

static int measure_shares(const nis_options *given, struct flow_bench *out)
{
  nis_options o = *given;
  struct sampler s;
  struct transform transform;
  const struct kernels clocked = clock_kernels(&transform, given);
  memset(spent, 0, sizeof spent);
  o.threads = 1;
  int status = nis_sampler_init(&s, cheap, &o);
  double start = nis_clock();
  if (status == NIS_OK) {
    s.mixture.flow.kernels = &clocked;
    struct training training = {0};
    status = nis_train_flow(&s, 0, 20000, &o, &training);
    memcpy(out->stages, training.seconds, sizeof training.seconds);
    nis_training_clear(&training);
  }
  double total = nis_clock() - start, *rest = &out->stages[STAGES];
  *rest = total;
  for (int i = 0; i < STAGES; i++) *rest -= out->stages[i];
  for (int i = 0; i < BENCH_STAGES; i++) out->stages[i] /= total;
  for (int i = 0; i < SHARES; i++) out->shares[i] = spent[i] / total;
  nis_sampler_clear(&s);
  return status;
}

static int describe(const nis_options *o, struct flow_bench *out)
{
  struct sampler s;
  int status = nis_sampler_init(&s, cheap, o);
  if (status == NIS_OK) {
    *out = (struct flow_bench){.dim = o->dim,
                               .parameters = s.mixture.flow.nparameters,
                               .layers = o->layers,
                               .hidden_layers = o->hidden_layers,
                               .hidden_width = o->hidden_width,
                               .bins = o->bins,
                               .coupling = s.mixture.flow.kernels->transform[o->coupling]->name,
                               .flops = pass_flops(&s.mixture.flow)};
  }
  nis_sampler_clear(&s);
  return status;
}

int bench_flow(const nis_options *given, int repeats, struct flow_bench *out)
{
  nis_options o;
  NIS_TRY(nis_settings_resolve(given, &o));
  NIS_TRY(describe(&o, out));
  out->peak = measure_peak(25);
  nis_options one = o;
  one.threads = 1;
  NIS_TRY(measure_speed(&one, repeats, &out->one));
  out->all = out->one;
  if (o.threads > 1) NIS_TRY(measure_speed(&o, repeats, &out->all));
  return measure_shares(&o, out);
}
