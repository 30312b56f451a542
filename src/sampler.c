/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sampler.h"

#include "error.h"
#include "memory.h"
#include "parallel.h"

#include <math.h>

_Static_assert((int)NIS_RATIONAL_QUADRATIC == RATIONAL_QUADRATIC &&
                   (int)NIS_PIECEWISE_QUADRATIC == PIECEWISE_QUADRATIC &&
                   (int)NIS_PIECEWISE_LINEAR == PIECEWISE_LINEAR && (int)NIS_AFFINE == AFFINE,
               "nis_coupling numbers the transforms");

static struct flow_shape shape_of(const nis_options *o)
{
  return (struct flow_shape){o->dim,           o->layers,       o->bins,
                             o->hidden_layers, o->hidden_width, (int)o->coupling};
}

static int copy_hints(struct sampler *s, const nis_options *o)
{
  s->nhints = o->nhints;
  s->hints = NIS_NEW(double, o->nhints * o->dim);
  if (!s->hints) return nis_no_memory();
  for (size_t i = 0; i < o->nhints; i++)
    nis_domain_in(&s->integrand.domain, o->hints + i * o->dim, s->hints + i * o->dim);
  return NIS_OK;
}

static size_t tile_rows(size_t dim)
{
  return 2 * dim + 1;
}

double *nis_sampler_tile(const struct sampler *s, int worker)
{
  return s->tiles + (size_t)worker * tile_rows(s->flow.dim) * LANES;
}

int nis_sampler_init(struct sampler *s, nis_integrand *f, const nis_options *o)
{
  *s = (struct sampler){.threads = o->threads, .seed = o->seed};
  s->share[CHANNEL_FLOW] = 1;
  s->monitor = (struct monitor){.callback = o->progress, .params = o->progress_params};
  NIS_TRY(nis_integrand_init(&s->integrand, f, o));
  struct flow_shape shape = shape_of(o);
  NIS_TRY(nis_flow_init(&s->flow, &shape, o->seed));
  NIS_TRY(nis_peaks_init(&s->peaks, o->dim));
  NIS_TRY(copy_hints(s, o));
  s->tiles = NIS_NEW(double, (size_t)s->threads *tile_rows(o->dim) * LANES);
  s->scratch = NIS_NEW(struct flow_scratch, s->threads);
  if (!s->tiles || !s->scratch) return nis_no_memory();
  for (int i = 0; i < s->threads; i++) NIS_TRY(nis_flow_scratch_init(&s->scratch[i], &s->flow));
  return NIS_OK;
}

void nis_sampler_clear(struct sampler *s)
{
  for (int i = 0; s->scratch && i < s->threads; i++) nis_flow_scratch_clear(&s->scratch[i]);
  free(s->scratch);
  free(s->tiles);
  free(s->hints);
  nis_flow_clear(&s->flow);
  nis_peaks_clear(&s->peaks);
  nis_integrand_clear(&s->integrand);
}

int nis_points_init(struct points *p, size_t capacity, size_t dim)
{
  *p = (struct points){.capacity = capacity};
  p->x = NIS_NEW(double, capacity *(dim + 2 + CHANNELS));
  if (!p->x) return nis_no_memory();
  p->log_q = p->x + capacity * dim;
  p->f = p->log_q + capacity;
  p->log_channel = p->f + capacity;
  return NIS_OK;
}

void nis_points_clear(struct points *p)
{
  free(p->x);
  *p = (struct points){0};
}

/* Tiles [dim][LANES] to points [lane][dim] and back; lanes past n are padding. */
static void untile(size_t dim, size_t n, const double *tile, double *x)
{
  for (size_t j = 0; j < dim; j++)
    for (size_t l = 0; l < n; l++) x[l * dim + j] = tile[j * LANES + l];
}

static void tile_points(size_t dim, size_t n, const double *x, double *tile)
{
  for (size_t j = 0; j < dim; j++)
    for (size_t l = 0; l < LANES; l++) tile[j * LANES + l] = l < n ? x[l * dim + j] : 0.5;
}

/* ---- the mixture ------------------------------------------------------------------------ */

static double mixture_log_density(const double *share, const double *log_channel)
{
  double top = -HUGE_VAL, sum = 0;
  for (int c = 0; c < CHANNELS; c++) top = fmax(top, log_channel[c]);
  if (isinf(top)) return top;
  for (int c = 0; c < CHANNELS; c++) sum += share[c] * exp(log_channel[c] - top);
  return top + log(sum);
}

/* The channels' log-densities at one point, given the flow's. */
static void channel_log_densities(const struct sampler *s, const double *x, double log_flow,
                                  double *log_channel)
{
  log_channel[CHANNEL_UNIFORM] = s->share[CHANNEL_UNIFORM] > 0 ? 0 : -HUGE_VAL;
  log_channel[CHANNEL_FLOW] = s->share[CHANNEL_FLOW] > 0 ? log_flow : -HUGE_VAL;
  log_channel[CHANNEL_PEAKS] =
      s->share[CHANNEL_PEAKS] > 0 ? nis_peaks_log_density(&s->peaks, x) : -HUGE_VAL;
}

/* A number in (0,1) picks the channel; what is left of it is again uniform in (0,1). */
static enum channel choose(const struct sampler *s, double *u)
{
  for (enum channel c = 0; c < CHANNELS; c++) {
    if (*u < s->share[c]) {
      *u /= s->share[c];
      return c;
    }
    *u -= s->share[c];
  }
  return CHANNEL_FLOW; /* only by rounding */
}

struct draw {
  struct sampler *s;
  enum stream stream;
  uint64_t first;
  size_t n;
  struct points *p;
};

/* The lanes of other channels get their points; returns how many they are. */
static int draw_others(const struct sampler *s, const double *u, double *x)
{
  size_t dim = s->flow.dim;
  double from[dim], to[dim];
  int others = 0;
  for (int l = 0; l < LANES; l++) {
    double left = u[dim * LANES + l];
    enum channel c = choose(s, &left);
    if (c == CHANNEL_FLOW) continue;
    for (size_t j = 0; j < dim; j++) to[j] = from[j] = u[j * LANES + l];
    if (c == CHANNEL_PEAKS)
      nis_peaks_sample(&s->peaks, nis_peaks_choose(&s->peaks, left), from, to);
    for (size_t j = 0; j < dim; j++) x[j * LANES + l] = to[j];
    others++;
  }
  return others;
}

static void draw_tile(void *context, size_t item, int worker)
{
  struct draw *d = context;
  struct sampler *s = d->s;
  struct points *p = d->p;
  size_t dim = s->flow.dim, at = item * LANES, n = d->n - at < LANES ? d->n - at : LANES;
  double *u = nis_sampler_tile(s, worker), *x = u + (dim + 1) * LANES, log_flow[LANES] = {0};
  s->flow.kernels->uniforms(s->seed, d->stream, d->first + at, dim + 1, u);
  memcpy(x, u, dim * LANES * sizeof *x);
  if (s->share[CHANNEL_FLOW] > 0) nis_flow_sample(&s->flow, x, log_flow, &s->scratch[worker]);
  int others = s->share[CHANNEL_FLOW] < 1 ? draw_others(s, u, x) : 0;
  untile(dim, n, x, p->x + at * dim);
  if (others > 0 && s->share[CHANNEL_FLOW] > 0)
    nis_flow_density(&s->flow, x, log_flow, &s->scratch[worker]);
  for (size_t l = 0; l < n; l++) {
    double *log_channel = p->log_channel + (at + l) * CHANNELS;
    channel_log_densities(s, p->x + (at + l) * dim, log_flow[l], log_channel);
    p->log_q[at + l] = mixture_log_density(s->share, log_channel);
  }
}

static size_t tiles(size_t n)
{
  return (n + LANES - 1) / LANES;
}

void nis_sampler_draw(struct sampler *s, enum stream stream, uint64_t first, size_t n,
                      struct points *p)
{
  struct draw d = {s, stream, first, n, p};
  nis_parallel_for(s->threads, tiles(n), draw_tile, &d);
  p->n = n;
}

struct look {
  struct sampler *s;
  size_t n;
  const double *x;
  double *log_q, *log_channel;
};

static void density_tile(void *context, size_t item, int worker)
{
  struct look *d = context;
  struct sampler *s = d->s;
  size_t dim = s->flow.dim, at = item * LANES, n = d->n - at < LANES ? d->n - at : LANES;
  double *z = nis_sampler_tile(s, worker), log_flow[LANES], unused[CHANNELS];
  tile_points(dim, n, d->x + at * dim, z);
  nis_flow_density(&s->flow, z, log_flow, &s->scratch[worker]);
  for (size_t l = 0; l < n; l++) {
    double *log_channel = d->log_channel ? d->log_channel + (at + l) * CHANNELS : unused;
    channel_log_densities(s, d->x + (at + l) * dim, log_flow[l], log_channel);
    d->log_q[at + l] = mixture_log_density(s->share, log_channel);
  }
}

void nis_sampler_density(struct sampler *s, size_t n, const double *x, double *log_q,
                         double *log_channel)
{
  struct look d = {s, n, x, log_q, log_channel};
  nis_parallel_for(s->threads, tiles(n), density_tile, &d);
}

int nis_sampler_evaluate(struct sampler *s, struct points *p)
{
  size_t done;
  int status = nis_integrand_evaluate(&s->integrand, p->n, p->x, p->f, &s->monitor, &done);
  p->n = done;
  return status;
}

double nis_point_weight(const struct points *p, size_t i)
{
  return p->f[i] == 0 ? 0 : p->f[i] * exp(-p->log_q[i]);
}
