/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sampler.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

#include <math.h>

_Static_assert((int)NIS_RATIONAL_QUADRATIC == RATIONAL_QUADRATIC &&
                   (int)NIS_PIECEWISE_QUADRATIC == PIECEWISE_QUADRATIC &&
                   (int)NIS_PIECEWISE_LINEAR == PIECEWISE_LINEAR && (int)NIS_AFFINE == AFFINE,
               "nis_coupling numbers the transforms");

struct flow_shape nis_sampler_shape(const nis_options *o)
{
  return (struct flow_shape){.dim = o->dim,
                             .layers = o->layers,
                             .bins = o->bins,
                             .hidden_layers = o->hidden_layers,
                             .hidden_width = o->hidden_width,
                             .transform = (int)o->coupling,
                             .periodic = o->periodic,
                             .values = o->discrete};
}

/* The channel's own alpha, from the outputs of the point: of LANES points at most */
static void weigh_tile(struct weighting_scratch *scratch, const struct weighting *w, size_t n,
                       const double *last, size_t dim, double *alpha)
{
  nis_weighting_tile(w, scratch);
  for (size_t l = 0; l < n; l++)
    alpha[l] = scratch->alpha[nis_channel_of(w->channels, last[l * dim]) * LANES + l];
}

/* 0 stays 0, also where there is no alpha. */
static double weighed(double value, double alpha)
{
  return value == 0 ? 0 : value * alpha;
}

/* The integrand's values become those times alpha. */
static void weigh(void *context, int worker, size_t n, const double *x, const double *outputs,
                  size_t step, double *f, double *components)
{
  struct sampler *s = context;
  const struct weighting *w = &s->mixture.weighting;
  struct weighting_scratch *scratch = &s->work[worker].weighting;
  size_t dim = s->mixture.dim, ncomp = components ? s->integrand.ncomp : 0;
  for (size_t at = 0; at < n; at += LANES) {
    double alpha[LANES];
    size_t lanes = n - at < LANES ? n - at : LANES;
    for (size_t l = 0; l < lanes; l++) nis_weighting_put(w, scratch, l, outputs + (at + l) * step);
    weigh_tile(scratch, w, lanes, x + at * dim + dim - 1, dim, alpha);
    for (size_t l = 0; l < lanes; l++) {
      double *component = ncomp > 0 ? components + (at + l) * ncomp : NULL;
      double sum = f[at + l] = weighed(f[at + l], alpha[l]);
      for (size_t k = 0; k < ncomp; k++) sum += component[k] = weighed(component[k], alpha[l]);
      if (isnan(sum)) f[at + l] = NAN;
    }
  }
}

int nis_sampler_init(struct sampler *s, nis_integrand *f, const nis_options *o)
{
  struct flow_shape shape = nis_sampler_shape(o);
  *s = (struct sampler){.threads = o->threads, .seed = o->seed};
  s->monitor = (struct monitor){.callback = o->progress, .params = o->progress_params};
  NIS_TRY(nis_integrand_init(&s->integrand, f, o));
  NIS_TRY(nis_mixture_init(&s->mixture, &shape, o->seed, o->threads));
  struct weighting *w = &s->mixture.weighting;
  NIS_TRY(nis_weighting_init(w, o->channel_weights ? o->channels : 0, o->features, o->seed));
  if (o->channel_weights) s->integrand.weigh = weigh, s->integrand.weigher = s;
  s->work = NIS_NEW(struct workspace, s->threads);
  if (!s->work) return nis_no_memory();
  for (int i = 0; i < s->threads; i++) NIS_TRY(nis_workspace_init(&s->work[i], &s->mixture, i));
  return NIS_OK;
}

void nis_sampler_clear(struct sampler *s)
{
  for (int i = 0; s->work && i < s->threads; i++) nis_workspace_clear(&s->work[i]);
  free(s->work);
  nis_mixture_clear(&s->mixture);
  nis_integrand_clear(&s->integrand);
}

/* Points in a worker's hand at a time: enough for all threads to have some. No result depends on
 * where the pieces end. */
static size_t grain(const struct sampler *s, size_t n)
{
  size_t share = (n / (size_t)s->threads / 2 + LANES) / LANES * LANES;
  return share < MIXTURE_BLOCK ? share : MIXTURE_BLOCK;
}

/* A round trip costs as much as some hundred points. */
enum { LEAST_SHARED = 512 };

struct draw {
  struct sampler *s;
  const struct replicate *replicate; /* or NULL: random numbers */
  enum stream stream;
  uint64_t first;
  size_t n, grain;
  struct points *p;
};

/* The uniform numbers of n points: x[n][dim], and one more each that chooses the channel. In a
 * replicate it gets the best coordinate, if there is a choice. */
static void latents(const struct draw *d, struct workspace *w, uint64_t first, size_t n, double *x,
                    double *chooser)
{
  size_t dim = d->s->mixture.dim;
  double *u = w->tile;
  for (size_t at = 0; at < n; at += LANES) {
    size_t lanes = n - at < LANES ? n - at : LANES;
    if (d->replicate) {
      const struct kernels *kernels = d->s->mixture.flow.kernels;
      size_t choice = (size_t)nis_mixture_has_choice(&d->s->mixture);
      nis_replicate_tile(d->replicate, kernels, choice ? 0 : dim, first + at, u + dim * LANES);
      for (size_t j = 0; j < dim; j++)
        nis_replicate_tile(d->replicate, kernels, j + choice, first + at, u + j * LANES);
    } else {
      d->s->mixture.flow.kernels->uniforms(d->s->seed, d->stream, first + at, dim + 1, u);
    }
    memcpy(chooser + at, u + dim * LANES, lanes * sizeof *chooser);
    for (size_t l = 0; l < lanes; l++)
      for (size_t j = 0; j < dim; j++) x[(at + l) * dim + j] = u[j * LANES + l];
  }
}

static void draw_piece(void *context, size_t item, int worker)
{
  const struct draw *d = context;
  struct workspace *w = &d->s->work[worker];
  struct points *p = d->p;
  size_t at = item * d->grain, n = d->n - at < d->grain ? d->n - at : d->grain;
  double chooser[MIXTURE_BLOCK], *x = p->x + at * d->s->mixture.dim;
  latents(d, w, d->first + at, n, x, chooser);
  nis_mixture_draw(&d->s->mixture, w, n, chooser, x, p->log_channel + at * CHANNELS, p->log_q + at);
}

static void draw_alone(struct draw *d)
{
  d->grain = grain(d->s, d->n);
  nis_parallel_for(d->s->threads, (d->n + d->grain - 1) / d->grain, draw_piece, d);
}

/* Copies n points into a message, arrays behind each other, or back; returns its bytes. */
static size_t pack(const struct points *p, size_t n, size_t dim, double *to, int back)
{
  double *arrays[] = {p->x, p->log_q, p->log_channel};
  const size_t width[] = {dim, 1, CHANNELS};
  double *start = to;
  for (int i = 0; i < 3; to += n * width[i++]) {
    double *there = back ? arrays[i] : to, *here = back ? to : arrays[i];
    memcpy(there, here, n * width[i] * sizeof *to);
  }
  return (size_t)(to - start) * sizeof *to;
}

/* Each rank draws a part of the points. */
static int draw_together(struct draw *d, struct ranks *r)
{
  size_t dim = d->s->mixture.dim;
  struct draw own = *d;
  size_t from = nis_ranks_part(r, d->n, LANES, r->link.rank);
  own.n = nis_ranks_part(r, d->n, LANES, r->link.rank + 1) - from;
  own.first += from;
  struct points part = nis_points_part(d->p, from, own.n, dim);
  own.p = &part;
  draw_alone(&own);
  int status = nis_ranks_reserve(r, own.n * (dim + 1 + CHANNELS) * sizeof(double));
  if (status == NIS_OK) r->own.bytes = pack(&part, own.n, dim, (double *)(void *)r->outbox, 0);
  NIS_TRY(nis_ranks_exchange(r, d->first + d->n, status));
  for (int k = 0; k < r->link.size; k++) {
    size_t at = nis_ranks_part(r, d->n, LANES, k), n = nis_ranks_part(r, d->n, LANES, k + 1) - at;
    part = nis_points_part(d->p, at, n, dim);
    pack(&part, n, dim, (double *)(void *)(r->inbox + r->from[k]), 1);
  }
  return NIS_OK;
}

/* Where ranks are lost the integrand is not called any more, and says so. */
static void draw(struct draw *d)
{
  struct ranks *r = d->s->monitor.ranks;
  int together = r && !r->over && d->n >= LEAST_SHARED;
  if (!together || draw_together(d, r) != NIS_OK) draw_alone(d);
  d->p->n = d->n;
}

void nis_sampler_draw(struct sampler *s, enum stream stream, uint64_t first, size_t n,
                      struct points *p)
{
  draw(&(struct draw){.s = s, .stream = stream, .first = first, .n = n, .p = p});
}

void nis_sampler_draw_replicate(struct sampler *s, const struct replicate *replicate,
                                uint64_t first, size_t n, struct points *p)
{
  draw(&(struct draw){.s = s, .replicate = replicate, .first = first, .n = n, .p = p});
}

struct look {
  struct sampler *s;
  const double *share;
  size_t n, grain;
  const double *x;
  double *log_q, *log_channel;
};

static void density_piece(void *context, size_t item, int worker)
{
  const struct look *d = context;
  size_t at = item * d->grain, n = d->n - at < d->grain ? d->n - at : d->grain;
  for (size_t end = at + n; at < end; at += LANES) { /* few at a time: log_channel may be local */
    double local[LANES * CHANNELS];
    double *log_channel = d->log_channel ? d->log_channel + at * CHANNELS : local;
    nis_mixture_density(&d->s->mixture, &d->s->work[worker], d->share,
                        end - at < LANES ? end - at : LANES, d->x + at * d->s->mixture.dim,
                        log_channel, d->log_q + at);
  }
}

void nis_sampler_density(struct sampler *s, const double *share, size_t n, const double *x,
                         double *log_q, double *log_channel)
{
  struct look d = {s, share ? share : s->mixture.share, n, grain(s, n), x, log_q, log_channel};
  nis_parallel_for(s->threads, (n + d.grain - 1) / d.grain, density_piece, &d);
}

struct reweighing {
  struct sampler *s;
  size_t n, grain;
  const double *x;
  const float *view;
  double *log_alpha;
};

static void weigh_piece(void *context, size_t item, int worker)
{
  const struct reweighing *r = context;
  const struct weighting *w = &r->s->mixture.weighting;
  struct weighting_scratch *scratch = &r->s->work[worker].weighting;
  size_t dim = r->s->mixture.dim, step = nis_weighting_view(w);
  size_t at = item * r->grain, end = r->n - at < r->grain ? r->n : at + r->grain;
  for (; at < end; at += LANES) {
    double *alpha = r->log_alpha + at;
    size_t lanes = end - at < LANES ? end - at : LANES;
    for (size_t l = 0; l < lanes; l++)
      nis_weighting_put_view(w, scratch, l, r->view + (at + l) * step);
    weigh_tile(scratch, w, lanes, r->x + at * dim + dim - 1, dim, alpha);
    for (size_t l = 0; l < lanes; l++) alpha[l] = alpha[l] > 0 ? log(alpha[l]) : 0;
  }
}

void nis_sampler_weigh(struct sampler *s, size_t n, const double *x, const float *view,
                       double *log_alpha)
{
  struct reweighing r = {s, n, grain(s, n), x, view, log_alpha};
  nis_parallel_for(s->threads, (n + r.grain - 1) / r.grain, weigh_piece, &r);
}

int nis_sampler_evaluate(struct sampler *s, struct points *p)
{
  size_t done;
  int status = nis_integrand_evaluate(&s->integrand, p->n, p->x, p->f, p->components, p->outputs,
                                      p->bad, &s->monitor, &done);
  p->n = done;
  return status;
}

void nis_sampler_tell_shares(struct sampler *s)
{
  _Static_assert((int)NIS_SHARES == (int)CHANNELS && (int)NIS_SHARE_MAP == (int)CHANNEL_MAP,
                 "nis_progress has the mixture's channels in their order");
  memcpy(s->monitor.now.share, s->mixture.share, sizeof s->mixture.share);
}
