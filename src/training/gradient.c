/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gradient.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <math.h>

enum { SLICE = 4096 }; /* weights that one worker adds up at a time */

/* One point must not rule a step: what leaves these ranges is taken to lie at their ends. */
static const double least_log_ratio = -5, largest_log_ratio = 1.6; /* of f/(Z q) */
static const double largest_coefficient = 10;

int nis_gradient_init(struct gradient *g, struct flow *flow)
{
  *g = (struct gradient){.flow = flow, .nweights = flow->nweights};
  g->values = NIS_NEW(float, nis_product(GRADIENT_CHUNKS, flow->nweights));
  return g->values ? NIS_OK : nis_no_memory();
}

void nis_gradient_clear(struct gradient *g)
{
  free(g->values);
  *g = (struct gradient){0};
}

struct job {
  struct gradient *g;
  struct sampler *s;
  const struct minibatch *batch;
  size_t tiles;
  double *square; /* [slices] of weights */
};

/* Points first .. of the minibatch as a tile z[dim][LANES]; lanes past n repeat the centre. */
static void gather(const struct minibatch *batch, size_t dim, size_t first, size_t n, double *z)
{
  for (size_t l = 0; l < LANES; l++)
    for (size_t j = 0; j < dim; j++)
      z[j * LANES + l] = l < n ? batch->replay->x[batch->slot[first + l] * dim + j] : 0.5;
}

/* -dL/dlog q at one point, which stands for a part (q/p)/s of the integral over q */
static double coefficient(const struct minibatch *batch, size_t i, double log_q)
{
  const struct replay *r = batch->replay;
  size_t slot = batch->slot[i];
  double log_t = nis_replay_log_part(r, slot, batch->part) - log_q;
  log_t = fmax(least_log_ratio, fmin(log_t, largest_log_ratio));
  double part = exp(log_q - r->log_p[slot]) / nis_replay_share(r, slot);
  double c = batch->loss(log_t, batch->baseline) * part;
  return fmax(-largest_coefficient, fmin(c, largest_coefficient));
}

/* Adds one tile to a chunk's gradient. */
static void add_tile(const struct job *job, size_t tile, int worker, float *gradient)
{
  struct sampler *s = job->s;
  const struct minibatch *batch = job->batch;
  const struct flow *flow = job->g->flow;
  struct flow_scratch *scratch = &nis_sampler_scratch(s, flow)[worker];
  size_t dim = flow->dim, first = tile * LANES;
  size_t n = batch->n - first < LANES ? batch->n - first : LANES;
  double *z = nis_sampler_tile(s, worker), *log_q = z + dim * LANES;
  gather(batch, dim, first, n, z);
  nis_flow_density(flow, z, log_q, scratch);
  float dlog_q[LANES] = {0};
  for (size_t l = 0; l < n; l++) {
    double c = coefficient(batch, first + l, log_q[l]) / (double)batch->n;
    dlog_q[l] = (float)-c;
  }
  nis_flow_backward(flow, dlog_q, gradient, scratch);
}

static void compute_chunk(void *context, size_t chunk, int worker)
{
  struct job *job = context;
  float *gradient = job->g->values + chunk * job->g->nweights;
  memset(gradient, 0, job->g->nweights * sizeof *gradient);
  size_t end = job->tiles * (chunk + 1) / GRADIENT_CHUNKS;
  for (size_t tile = job->tiles * chunk / GRADIENT_CHUNKS; tile < end; tile++)
    add_tile(job, tile, worker, gradient);
}

/* Adds the chunks' gradients for one slice of the weights, in chunk order. */
static void add_slice(void *context, size_t slice, int worker)
{
  struct job *job = context;
  size_t first = slice * SLICE, n = job->g->nweights;
  size_t end = n - first < SLICE ? n : first + SLICE;
  float *sum = job->g->values;
  (void)worker;
  for (int chunk = 1; chunk < GRADIENT_CHUNKS; chunk++)
    for (size_t i = first; i < end; i++) sum[i] += sum[(size_t)chunk * n + i];
  double square = 0;
  for (size_t i = first; i < end; i++) square += (double)sum[i] * sum[i];
  job->square[slice] = square;
}

void nis_gradient_compute(struct gradient *g, struct sampler *s, const struct minibatch *batch)
{
  size_t slices = (g->nweights + SLICE - 1) / SLICE;
  double square[slices];
  struct job job = {.g = g, .s = s, .batch = batch, .square = square};
  job.tiles = (batch->n + LANES - 1) / LANES;
  nis_parallel_for(s->threads, GRADIENT_CHUNKS, compute_chunk, &job);
  nis_parallel_for(s->threads, slices, add_slice, &job);
  g->norm = 0;
  for (size_t i = 0; i < slices; i++) g->norm += square[i];
  g->norm = sqrt(g->norm);
}
