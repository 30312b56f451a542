/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Learned channel weights: gradients, what they gain, files, merges, threads, errors. */
#include "mixture/weighting.h"
#include "nis_events.h"
#include "alarm.h"
#include "noise.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>

/* ---- the net -------------------------------------------------------------------------------- */

enum { CHANNELS_OF_NET = 3, FEATURES = 2, OUTPUTS = CHANNELS_OF_NET + FEATURES };

static double noise(void)
{
  static uint64_t state = 1;
  return 2 * next_uniform(&state) - 1;
}

struct machine {
  struct weighting w;
  struct weighting_scratch scratch;
  double outputs[LANES][OUTPUTS];
};

static void fill(struct machine *m)
{
  ck_assert_int_eq(nis_weighting_init(&m->w, CHANNELS_OF_NET, FEATURES, 3), NIS_OK);
  ck_assert_int_eq(nis_weighting_scratch_init(&m->scratch, &m->w), NIS_OK);
  for (int l = 0; l < LANES; l++)
    for (int i = 0; i < OUTPUTS; i++)
      m->outputs[l][i] = i < CHANNELS_OF_NET ? 1 + noise() : noise();
  m->outputs[5][1] = 0;
}

static void clear(struct machine *m)
{
  nis_weighting_scratch_clear(&m->scratch);
  nis_weighting_clear(&m->w);
}

static void look(struct machine *m)
{
  for (size_t l = 0; l < LANES; l++) nis_weighting_put(&m->w, &m->scratch, l, m->outputs[l]);
  nis_weighting_tile(&m->w, &m->scratch);
}

static void standardise(struct machine *m)
{
  float view[LANES * OUTPUTS];
  double f[LANES];
  for (int l = 0; l < LANES; l++) {
    nis_weighting_see(&m->w, m->outputs[l], view + l * OUTPUTS);
    f[l] = 1;
  }
  ck_assert(!nis_weighting_is_standardised(&m->w));
  nis_weighting_standardise(&m->w, LANES, f, view);
  ck_assert(nis_weighting_is_standardised(&m->w));
}

/* Untrained they are the prior; trained they add up to 1, and stored points have the same. */
START_TEST(weights_of_points)
{
  struct machine m;
  fill(&m);
  for (int trained = 0; trained < 2; trained++) {
    if (trained) standardise(&m);
    for (size_t i = 0; trained && i < m.w.nparameters; i++)
      m.w.parameters[i] += (float)(0.3 * noise());
    look(&m);
    double alpha[CHANNELS_OF_NET * LANES];
    memcpy(alpha, m.scratch.alpha, sizeof alpha);
    for (size_t l = 0; l < LANES; l++) {
      double sum = 0, prior = 0;
      float view[OUTPUTS];
      for (int k = 0; k < CHANNELS_OF_NET; k++) prior += m.outputs[l][k];
      for (int k = 0; k < CHANNELS_OF_NET; k++) {
        sum += alpha[k * LANES + l];
        if (!trained) ck_assert_double_eq_tol(alpha[k * LANES + l], m.outputs[l][k] / prior, 1e-14);
      }
      ck_assert_double_eq_tol(sum, 1, 1e-14);
      nis_weighting_see(&m.w, m.outputs[l], view);
      nis_weighting_put_view(&m.w, &m.scratch, l, view);
    }
    ck_assert_double_eq(alpha[LANES + 5], 0);
    nis_weighting_tile(&m.w, &m.scratch);
    for (int i = 0; i < CHANNELS_OF_NET * LANES; i++)
      ck_assert_double_eq_tol(m.scratch.alpha[i], alpha[i], 1e-6);
  }
  clear(&m);
}
END_TEST

START_TEST(priors_that_are_none)
{
  const double wrong[][CHANNELS_OF_NET] = {{0, 0, 0}, {1, -1e-9, 1}, {NAN, 1, 1}, {INFINITY, 1, 1}};
  struct machine m;
  fill(&m);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    memcpy(m.outputs[i], wrong[i], sizeof *wrong);
  look(&m);
  for (int i = 0; i < CHANNELS_OF_NET * LANES; i++)
    ck_assert(!isnan(m.scratch.alpha[i]) == (i % LANES >= 4));
  clear(&m);
}
END_TEST

static double sum_log_alpha(struct machine *m, const float *d, const size_t *channel)
{
  double sum = 0;
  look(m);
  for (size_t l = 0; l < LANES; l++)
    if (d[l] != 0) sum += d[l] * log(m->scratch.alpha[channel[l] * LANES + l]);
  return sum;
}

/* Along random directions in the parameters */
START_TEST(gradients_are_those_of_differences)
{
  const double step = 2e-3;
  struct machine m;
  size_t channel[LANES];
  float d[LANES];
  fill(&m);
  standardise(&m);
  size_t n = m.w.nparameters;
  float *gradient = calloc(n, sizeof *gradient), *way = calloc(n, sizeof *way);
  for (size_t i = 0; i < n; i++) m.w.parameters[i] += (float)(0.3 * noise());
  for (size_t l = 0; l < LANES; l++) {
    channel[l] = l % CHANNELS_OF_NET;
    d[l] = l > 60 || l == 5 ? 0 : (float)noise();
  }
  sum_log_alpha(&m, d, channel);
  nis_weighting_backward(&m.w, d, channel, gradient, &m.scratch);
  for (int repeat = 0; repeat < 20; repeat++) {
    double slope = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
      way[i] = (float)noise();
      slope += way[i] * gradient[i];
      size += pow(way[i] * gradient[i], 2);
    }
    for (size_t i = 0; i < n; i++) m.w.parameters[i] += (float)step * way[i];
    double up = sum_log_alpha(&m, d, channel);
    for (size_t i = 0; i < n; i++) m.w.parameters[i] -= (float)(2 * step) * way[i];
    double down = sum_log_alpha(&m, d, channel);
    for (size_t i = 0; i < n; i++) m.w.parameters[i] += (float)step * way[i];
    check_between((up - down) / (2 * step) - slope, -0.05 * sqrt(size), 0.05 * sqrt(size), "slope");
  }
  free(gradient), free(way);
  clear(&m);
}
END_TEST

/* ---- two resonances -------------------------------------------------------------------------- */

/* Two ridges on the unit square, across each other: L(y_0) + L(s), s = (y_0 + y_1) / 2, where L(z)
 * = 1 / (1 + t^2), t = (z - 1/2) / width. The map of each channel takes one of them away: z comes
 * from tan, and the other coordinate is uniform. Of three channels the last holds nothing. */
struct toy {
  double width;
  int channels, exact; /* the prior: the maps' densities, else all alike */
  int logs;            /* features are logarithms of the densities, else y_0 and y_1 */
  int bad;             /* the prior is none where y_0 > 0.9 */
};

static double resonance(const struct toy *toy, double z)
{
  return 1 / (1 + pow((z - 0.5) / toy->width, 2));
}

/* Of y_0 - y_1 on the line of one s */
static double line(double s)
{
  return 4 * fmin(s, 1 - s);
}

static double toy_value(const struct toy *toy)
{
  double w = toy->width, angle = atan(0.5 / w);
  return 2 * w * angle + 4 * w * angle - 4 * w * w * log(1 + 0.25 / (w * w));
}

static double toy_function(double *x, size_t dim, void *params)
{
  const struct toy *toy = params;
  double angle = atan(0.5 / toy->width), norm = 2 * toy->width * angle, *extra = nis_extra();
  int channel = (int)x[dim - 1];
  double y[2] = {x[0], x[1]}, z = 0.5 + toy->width * tan((2 * x[0] - 1) * angle);
  if (channel == 0) y[0] = z;
  if (channel == 1) y[0] = z + (x[1] - 0.5) * line(z) / 2, y[1] = 2 * z - y[0];
  double s = (y[0] + y[1]) / 2;
  double g[3] = {resonance(toy, y[0]) / norm, resonance(toy, s) / norm / line(s), 1};
  for (int k = 0; k < toy->channels; k++) extra[k] = k == 2 ? 0 : toy->exact ? g[k] : 1;
  for (int j = 0; j < 2; j++) extra[toy->channels + j] = toy->logs ? log(g[j]) : y[j];
  if (toy->bad && y[0] > 0.9) extra[0] = -1;
  return (resonance(toy, y[0]) + resonance(toy, s)) / g[channel];
}

static nis_options toy_options(struct toy *toy, size_t features, uint64_t seed)
{
  return (nis_options){.dim = 3,
                       .params = toy,
                       .channels = (size_t)toy->channels,
                       .channel_weights = 1,
                       .features = features,
                       .extra = (size_t)toy->channels + 2,
                       .calls = 50000,
                       .effort = 0.5,
                       .seed = seed,
                       .threads = 2};
}
