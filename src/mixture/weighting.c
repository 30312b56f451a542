/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weighting.h"

#include "base/error.h"
#include "base/memory.h"
#include "flow/flow.h"
#include "numerics/moments.h"

#include <float.h>
#include <math.h>

enum {
  LAYERS = 2,
  WIDTH = 32 /* of the net */
};

static const double farthest = 20; /* widths from the centre that the net sees, at most */
static const uint64_t first_number = (uint64_t)1 << 40; /* of the net's start, beyond the flows' */

int nis_weighting_init(struct weighting *w, size_t channels, size_t features, uint64_t seed)
{
  *w = (struct weighting){.channels = channels, .features = features, .kernels = nis_kernels()};
  if (!nis_weighting_learns(w)) return NIS_OK;
  uint64_t next = first_number;
  w->net = (struct net_shape){(int)features, LAYERS, WIDTH, (int)channels};
  w->nparameters = nis_net_parameters(&w->net);
  w->nfloats = w->nparameters + 2 * features;
  w->parameters = NIS_NEW(float, w->nfloats);
  if (!w->parameters) return nis_no_memory();
  nis_net_start(&w->net, w->kernels, seed, &next, w->parameters);
  return NIS_OK;
}

void nis_weighting_clear(struct weighting *w)
{
  free(w->parameters);
  *w = (struct weighting){0};
}

int nis_weighting_scratch_init(struct weighting_scratch *s, const struct weighting *w)
{
  *s = (struct weighting_scratch){0};
  if (w->channels == 0) return NIS_OK;
  size_t in = w->features, hidden = (size_t)nis_net_hidden_rows(&w->net);
  size_t work = nis_weighting_learns(w) ? nis_net_work_floats(&w->net) : 0;
  size_t floats = (2 * in + hidden + w->channels) * LANES + work;
  s->alpha = NIS_NEW(double, w->channels *LANES + (floats + 1) / 2);
  if (!s->alpha) return nis_no_memory();
  s->in = (float *)(s->alpha + w->channels * LANES);
  s->hidden = s->in + in * LANES;
  s->out = s->hidden + hidden * LANES;
  s->din = s->out + w->channels * LANES;
  s->work = s->din + in * LANES;
  return NIS_OK;
}

void nis_weighting_scratch_clear(struct weighting_scratch *s)
{
  free(s->alpha);
  *s = (struct weighting_scratch){0};
}

int nis_weighting_learns(const struct weighting *w)
{
  return w->channels > 0 && w->features > 0;
}

size_t nis_weighting_view(const struct weighting *w)
{
  return nis_weighting_learns(w) ? w->channels + w->features : 0;
}

/* ---- points -------------------------------------------------------------------------------- */

/* The largest of a prior, which is above 0; NaN where it is none */
static double largest_prior(const struct weighting *w, const double *prior)
{
  double largest = 0;
  for (size_t k = 0; k < w->channels; k++) {
    if (!(prior[k] >= 0 && prior[k] <= DBL_MAX)) return NAN;
    largest = fmax(largest, prior[k]);
  }
  return largest > 0 ? largest : NAN;
}

/* A feature as it is seen, and stored: a number */
static float seen(double feature)
{
  return isnan(feature) ? 0 : (float)fmax(-FLT_MAX, fmin(feature, FLT_MAX));
}

void nis_weighting_see(const struct weighting *w, const double *outputs, float *view)
{
  double largest = largest_prior(w, outputs);
  for (size_t k = 0; k < w->channels; k++)
    view[k] = outputs[k] > 0 && largest > 0 ? (float)log(outputs[k] / largest) : -FLT_MAX;
  for (size_t i = 0; i < w->features; i++) view[w->channels + i] = seen(outputs[w->channels + i]);
}

static float *centre(const struct weighting *w)
{
  return w->parameters + w->nparameters;
}

static float *scale(const struct weighting *w)
{
  return centre(w) + w->features;
}

static void put_feature(const struct weighting *w, struct weighting_scratch *s, size_t lane,
                        size_t i, float feature)
{
  double far = ((double)feature - centre(w)[i]) * scale(w)[i];
  s->in[i * LANES + lane] = (float)fmax(-farthest, fmin(far, farthest));
}

void nis_weighting_put(const struct weighting *w, struct weighting_scratch *s, size_t lane,
                       const double *outputs)
{
  double largest = largest_prior(w, outputs);
  for (size_t k = 0; k < w->channels; k++) s->alpha[k * LANES + lane] = outputs[k] / largest;
  for (size_t i = 0; i < w->features; i++)
    put_feature(w, s, lane, i, seen(outputs[w->channels + i]));
}

void nis_weighting_put_view(const struct weighting *w, struct weighting_scratch *s, size_t lane,
                            const float *view)
{
  for (size_t k = 0; k < w->channels; k++) s->alpha[k * LANES + lane] = exp(view[k]);
  for (size_t i = 0; i < w->features; i++) put_feature(w, s, lane, i, view[w->channels + i]);
}

/* The last layer, where the net is 0 as long as it is */
static float *last_layer(const struct weighting *w, size_t *n)
{
  *n = w->channels * (WIDTH + 1);
  return w->parameters + w->nparameters - *n;
}

int nis_weighting_has_learnt(const struct weighting *w)
{
  size_t n;
  const float *last = last_layer(w, &n);
  for (size_t i = 0; i < n; i++)
    if (last[i] != 0) return 1;
  return 0;
}

void nis_weighting_forget(struct weighting *w)
{
  size_t n;
  float *last = last_layer(w, &n);
  memset(last, 0, n * sizeof *last);
}

int nis_weighting_is_standardised(const struct weighting *w)
{
  for (size_t i = 0; i < w->features; i++)
    if (scale(w)[i] != 0) return 1;
  return 0;
}

void nis_weighting_standardise(struct weighting *w, size_t n, const double *f, const float *view)
{
  size_t step = nis_weighting_view(w);
  for (size_t i = 0; i < w->features; i++) {
    const float *feature = view + w->channels + i;
    struct moments moments = {0};
    for (size_t p = 0; p < n; p++)
      if (f[p] != 0) nis_moments_add(&moments, feature[p * step]);
    double width = moments.n > 1 ? sqrt(moments.squares / (double)moments.n) : 0;
    centre(w)[i] = (float)moments.mean;
    scale(w)[i] = width > FLT_MIN && width < FLT_MAX ? (float)(1 / width) : 0;
  }
}

/* ---- tiles --------------------------------------------------------------------------------- */

/* prior_k becomes prior_k exp(n_k), in units in which the largest exponential that counts is 1. */
static void correct(const struct weighting *w, struct weighting_scratch *s)
{
  double top[LANES], factor[LANES];
  w->kernels->net_forward(&w->net, w->parameters, s->in, s->hidden, s->out);
  for (int l = 0; l < LANES; l++) top[l] = -HUGE_VAL;
  for (size_t k = 0; k < w->channels; k++)
    for (size_t l = 0; l < LANES; l++)
      if (s->alpha[k * LANES + l] > 0) top[l] = fmax(top[l], s->out[k * LANES + l]);
  for (size_t k = 0; k < w->channels; k++) {
    double *prior = s->alpha + k * LANES;
    for (size_t l = 0; l < LANES; l++) factor[l] = fmin(0, s->out[k * LANES + l] - top[l]);
    w->kernels->exp(LANES, factor, factor);
    for (size_t l = 0; l < LANES; l++) prior[l] *= factor[l];
  }
}

void nis_weighting_tile(const struct weighting *w, struct weighting_scratch *s)
{
  double sum[LANES] = {0};
  if (nis_weighting_learns(w)) correct(w, s);
  for (size_t i = 0; i < w->channels * LANES; i++) sum[i % LANES] += s->alpha[i];
  for (size_t i = 0; i < w->channels * LANES; i++) s->alpha[i] /= sum[i % LANES];
}

/* d log alpha_c / d n_k = [k = c] - alpha_k */
void nis_weighting_backward(const struct weighting *w, const float *d, const size_t *channel,
                            float *gradient, struct weighting_scratch *s)
{
  for (size_t k = 0; k < w->channels; k++)
    for (size_t l = 0; l < LANES; l++) {
      size_t at = k * LANES + l;
      s->out[at] = d[l] == 0 ? 0 : d[l] * ((k == channel[l]) - (float)s->alpha[at]);
    }
  w->kernels->net_backward(&w->net, w->parameters, s->in, s->hidden, s->out, gradient, s->din,
                           s->work);
}

void nis_weighting_archive(struct archive *a, struct weighting *w)
{
  nis_archive_floats(a, "a parameter of the channel weights", w->nfloats, w->parameters, FLT_MAX);
}
