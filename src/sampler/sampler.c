/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sampler.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <math.h>
#include <stddef.h>

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
  return 3 * dim + 1;
}

double *nis_sampler_tile(const struct sampler *s, int worker)
{
  return s->tiles + (size_t)worker * tile_rows(s->flow.dim) * LANES;
}

struct flow_scratch *nis_sampler_scratch(const struct sampler *s, const struct flow *flow)
{
  return flow == &s->map ? s->map_scratch : s->scratch;
}

static int scratch_init(struct sampler *s)
{
  s->scratch = NIS_NEW(struct flow_scratch, s->threads);
  s->map_scratch = NIS_NEW(struct flow_scratch, s->threads);
  if (!s->scratch || !s->map_scratch) return nis_no_memory();
  for (int i = 0; i < s->threads; i++) {
    NIS_TRY(nis_flow_scratch_init(&s->scratch[i], &s->flow));
    NIS_TRY(nis_flow_scratch_init(&s->map_scratch[i], &s->map));
  }
  return NIS_OK;
}

static void scratch_clear(struct flow_scratch *scratch, int threads)
{
  for (int i = 0; scratch && i < threads; i++) nis_flow_scratch_clear(&scratch[i]);
  free(scratch);
}

int nis_sampler_init(struct sampler *s, nis_integrand *f, const nis_options *o)
{
  *s = (struct sampler){.threads = o->threads, .seed = o->seed};
  s->share[CHANNEL_FLOW] = 1;
  s->monitor = (struct monitor){.callback = o->progress, .params = o->progress_params};
  NIS_TRY(nis_integrand_init(&s->integrand, f, o));
  struct flow_shape shape = shape_of(o);
  NIS_TRY(nis_flow_init(&s->flow, &shape, o->seed));
  NIS_TRY(nis_flow_init(&s->negative, &shape, o->seed));
  shape.layers = 0;
  NIS_TRY(nis_flow_init(&s->map, &shape, o->seed));
  NIS_TRY(nis_peaks_init(&s->peaks, o->dim));
  NIS_TRY(copy_hints(s, o));
  s->tiles = NIS_NEW(double, (size_t)s->threads *tile_rows(o->dim) * LANES);
  return s->tiles ? scratch_init(s) : nis_no_memory();
}

void nis_sampler_clear(struct sampler *s)
{
  scratch_clear(s->scratch, s->threads);
  scratch_clear(s->map_scratch, s->threads);
  free(s->tiles);
  free(s->hints);
  nis_flow_clear(&s->flow);
  nis_flow_clear(&s->negative);
  nis_flow_clear(&s->map);
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

struct points nis_points_part(const struct points *p, size_t from, size_t n, size_t dim)
{
  return (struct points){.capacity = n,
                         .n = n,
                         .x = p->x + from * dim,
                         .log_q = p->log_q + from,
                         .f = p->f + from,
                         .log_channel = p->log_channel + from * CHANNELS};
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

/* Channels with a net: points or densities of a whole tile at once */
static const struct {
  enum channel channel;
  size_t flow; /* where in the sampler */
} net_channels[] = {{CHANNEL_FLOW, offsetof(struct sampler, flow)},
                    {CHANNEL_NEGATIVE, offsetof(struct sampler, negative)},
                    {CHANNEL_MAP, offsetof(struct sampler, map)}};
enum { NET_CHANNELS = sizeof net_channels / sizeof *net_channels };

static const struct flow *flow_of(const struct sampler *s, int net)
{
  return (const struct flow *)((const char *)s + net_channels[net].flow);
}

/* log_channel[lanes][CHANNELS] at the points of the tile x[dim][LANES], which stays; spoils y. A
 * channel without share gets -inf. */
static void channel_densities(const struct sampler *s, int worker, size_t lanes, const double *x,
                              double *y, double *log_channel)
{
  size_t dim = s->flow.dim;
  double log_net[LANES], point[dim];
  for (size_t l = 0; l < lanes; l++) {
    double *to = log_channel + l * CHANNELS;
    for (int c = 0; c < CHANNELS; c++) to[c] = -HUGE_VAL;
    if (s->share[CHANNEL_UNIFORM] > 0) to[CHANNEL_UNIFORM] = 0;
    if (s->share[CHANNEL_PEAKS] <= 0) continue;
    for (size_t j = 0; j < dim; j++) point[j] = x[j * LANES + l];
    to[CHANNEL_PEAKS] = nis_peaks_log_density(&s->peaks, point);
  }
  for (int i = 0; i < NET_CHANNELS; i++) {
    enum channel c = net_channels[i].channel;
    if (s->share[c] <= 0) continue;
    const struct flow *flow = flow_of(s, i);
    memcpy(y, x, dim * LANES * sizeof *y);
    nis_flow_density(flow, y, log_net, &nis_sampler_scratch(s, flow)[worker]);
    for (size_t l = 0; l < lanes; l++) log_channel[l * CHANNELS + c] = log_net[l];
  }
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
  const struct net *net; /* or NULL: random numbers */
  enum stream stream;
  uint64_t first;
  size_t n;
  struct points *p;
};

/* What a tile's lanes are drawn from */
struct choice {
  enum channel channel[LANES];
  double left[LANES]; /* uniform in (0,1) */
  int lanes[CHANNELS];
};

static void choose_lanes(const struct sampler *s, const double *u, struct choice *choice)
{
  memset(choice->lanes, 0, sizeof choice->lanes);
  for (int l = 0; l < LANES; l++) {
    choice->left[l] = u[l];
    choice->channel[l] = choose(s, &choice->left[l]);
    choice->lanes[choice->channel[l]]++;
  }
}

static void draw_peak_lanes(const struct sampler *s, const struct choice *choice, double *x)
{
  size_t dim = s->flow.dim;
  double from[dim], to[dim];
  for (int l = 0; l < LANES; l++) {
    if (choice->channel[l] != CHANNEL_PEAKS) continue;
    for (size_t j = 0; j < dim; j++) from[j] = x[j * LANES + l];
    nis_peaks_sample(&s->peaks, nis_peaks_choose(&s->peaks, choice->left[l]), from, to);
    for (size_t j = 0; j < dim; j++) x[j * LANES + l] = to[j];
  }
}

/* x[dim][LANES] from the uniform u[dim][LANES]; spoils y. */
static void draw_lanes(const struct sampler *s, int worker, const struct choice *choice,
                       const double *u, double *x, double *y)
{
  size_t dim = s->flow.dim;
  double unused[LANES];
  memcpy(x, u, dim * LANES * sizeof *x);
  if (choice->lanes[CHANNEL_PEAKS] > 0) draw_peak_lanes(s, choice, x);
  for (int i = 0; i < NET_CHANNELS; i++) {
    enum channel c = net_channels[i].channel;
    if (choice->lanes[c] == 0) continue;
    const struct flow *flow = flow_of(s, i);
    memcpy(y, u, dim * LANES * sizeof *y);
    nis_flow_sample(flow, y, unused, &nis_sampler_scratch(s, flow)[worker]);
    for (size_t j = 0; j < dim; j++)
      for (int l = 0; l < LANES; l++)
        if (choice->channel[l] == c) x[j * LANES + l] = y[j * LANES + l];
  }
}

/* u[dim + 1][LANES]; the last chooses the channel, so it gets the best coordinate of a net. */
static void latent_tile(const struct draw *d, uint64_t first, double *u)
{
  struct sampler *s = d->s;
  size_t dim = s->flow.dim;
  if (!d->net) {
    s->flow.kernels->uniforms(s->seed, d->stream, first, dim + 1, u);
    return;
  }
  nis_net_tile(d->net, 0, first, u + dim * LANES);
  for (size_t j = 0; j < dim; j++) nis_net_tile(d->net, j + 1, first, u + j * LANES);
}

static void draw_tile(void *context, size_t item, int worker)
{
  struct draw *d = context;
  struct sampler *s = d->s;
  struct points *p = d->p;
  struct choice choice;
  size_t dim = s->flow.dim, at = item * LANES, n = d->n - at < LANES ? d->n - at : LANES;
  double *u = nis_sampler_tile(s, worker), *x = u + (dim + 1) * LANES, *y = x + dim * LANES;
  double *log_channel = p->log_channel + at * CHANNELS;
  latent_tile(d, d->first + at, u);
  choose_lanes(s, u + dim * LANES, &choice);
  draw_lanes(s, worker, &choice, u, x, y);
  untile(dim, n, x, p->x + at * dim);
  channel_densities(s, worker, n, x, y, log_channel);
  for (size_t l = 0; l < n; l++)
    p->log_q[at + l] = mixture_log_density(s->share, log_channel + l * CHANNELS);
}

static size_t tiles(size_t n)
{
  return (n + LANES - 1) / LANES;
}

static void draw(struct draw *d)
{
  nis_parallel_for(d->s->threads, tiles(d->n), draw_tile, d);
  d->p->n = d->n;
}

void nis_sampler_draw(struct sampler *s, enum stream stream, uint64_t first, size_t n,
                      struct points *p)
{
  draw(&(struct draw){s, NULL, stream, first, n, p});
}

void nis_sampler_draw_net(struct sampler *s, const struct net *net, uint64_t first, size_t n,
                          struct points *p)
{
  draw(&(struct draw){s, net, STREAM_SCRAMBLE, first, n, p});
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
  double *x = nis_sampler_tile(s, worker), *y = x + dim * LANES, local[LANES * CHANNELS];
  double *log_channel = d->log_channel ? d->log_channel + at * CHANNELS : local;
  tile_points(dim, n, d->x + at * dim, x);
  channel_densities(s, worker, n, x, y, log_channel);
  for (size_t l = 0; l < n; l++)
    d->log_q[at + l] = mixture_log_density(s->share, log_channel + l * CHANNELS);
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
  int status = nis_integrand_evaluate(&s->integrand, p->n, p->x, p->f, p->components, p->bad,
                                      &s->monitor, &done);
  p->n = done;
  return status;
}

double nis_point_weight(const struct points *p, size_t i)
{
  return p->f[i] == 0 ? 0 : p->f[i] * exp(-p->log_q[i]);
}
