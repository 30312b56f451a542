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

int nis_sampler_init(struct sampler *s, nis_integrand *f, const nis_options *o)
{
  *s = (struct sampler){.threads = o->threads, .seed = o->seed};
  s->monitor = (struct monitor){.callback = o->progress, .params = o->progress_params};
  NIS_TRY(nis_integrand_init(&s->integrand, f, o));
  struct flow_shape shape = shape_of(o);
  NIS_TRY(nis_flow_init(&s->flow, &shape, o->seed));
  s->tiles = NIS_NEW(double, (size_t)s->threads *(o->dim + 1) * LANES);
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
  nis_flow_clear(&s->flow);
  nis_integrand_clear(&s->integrand);
}

int nis_points_init(struct points *p, size_t capacity, size_t dim)
{
  *p = (struct points){.capacity = capacity};
  p->x = NIS_NEW(double, capacity *(dim + 2));
  if (!p->x) return nis_no_memory();
  p->log_q = p->x + capacity * dim;
  p->f = p->log_q + capacity;
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

struct draw {
  struct sampler *s;
  enum stream stream;
  uint64_t first;
  size_t n, uniform_points;
  double *x, *log_q;
};

static void draw_tile(void *context, size_t item, int worker)
{
  struct draw *d = context;
  struct sampler *s = d->s;
  size_t dim = s->flow.dim, at = item * LANES, n = d->n - at < LANES ? d->n - at : LANES;
  double *z = s->tiles + (size_t)worker * (dim + 1) * LANES, *log_q = z + dim * LANES;
  s->flow.kernels->uniforms(s->seed, d->stream, d->first + at, dim, z);
  if (at < d->uniform_points) {
    untile(dim, n, z, d->x + at * dim);
    nis_flow_density(&s->flow, z, log_q, &s->scratch[worker]);
  } else {
    nis_flow_sample(&s->flow, z, log_q, &s->scratch[worker]);
    untile(dim, n, z, d->x + at * dim);
  }
  memcpy(d->log_q + at, log_q, n * sizeof *log_q);
}

static size_t tiles(size_t n)
{
  return (n + LANES - 1) / LANES;
}

void nis_sampler_draw_defensive(struct sampler *s, enum stream stream, uint64_t first, size_t n,
                                size_t uniform_points, struct points *p)
{
  struct draw d = {s, stream, first, n, uniform_points, p->x, p->log_q};
  nis_parallel_for(s->threads, tiles(n), draw_tile, &d);
  p->n = n;
  if (uniform_points == 0) return;
  double share = uniform_points < n ? (double)uniform_points / (double)n : 1;
  for (size_t i = 0; i < n; i++) p->log_q[i] = log(share + (1 - share) * exp(p->log_q[i]));
}

void nis_sampler_draw(struct sampler *s, enum stream stream, uint64_t first, size_t n,
                      struct points *p)
{
  nis_sampler_draw_defensive(s, stream, first, n, 0, p);
}

struct look {
  struct sampler *s;
  size_t n;
  const double *x;
  double *log_q;
};

static void density_tile(void *context, size_t item, int worker)
{
  struct look *d = context;
  struct sampler *s = d->s;
  size_t dim = s->flow.dim, at = item * LANES, n = d->n - at < LANES ? d->n - at : LANES;
  double *z = s->tiles + (size_t)worker * (dim + 1) * LANES, *log_q = z + dim * LANES;
  tile_points(dim, n, d->x + at * dim, z);
  nis_flow_density(&s->flow, z, log_q, &s->scratch[worker]);
  memcpy(d->log_q + at, log_q, n * sizeof *log_q);
}

void nis_sampler_density(struct sampler *s, size_t n, const double *x, double *log_q)
{
  struct look d = {s, n, x, log_q};
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
