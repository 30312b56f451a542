/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shares.h"

#include <math.h>
#include <string.h>

enum { STEPS = 200 };

static const double defence = 0.05; /* largest uniform share; it costs this part of the variance */
static const double worth = 0.02;   /* least relative gain in variance for a mixture of channels */

/* w = |target| / (Z q) of point i, and the densities of the channels and of q over its own */
static double weigh(const struct share_points *p, size_t i, const double *share, double *ratio,
                    double *q)
{
  *q = 0;
  for (int c = 0; c < CHANNELS; c++)
    *q += share[c] * (ratio[c] = exp(p->log_channel[i * CHANNELS + c] - p->log_p[i]));
  double target = exp(p->log_target[i] - p->log_p[i] - p->log_z);
  return *q > 0 ? target / *q : target > 0 ? HUGE_VAL : 1;
}

/* The relative variance of w. Z is the points' own mean for these shares, so that none is left
 * where the target is proportional to q. */
static double variance(const struct share_points *p, const double *share)
{
  double ratio[CHANNELS], q, norm = 0, mean = 0, sum = 0;
  for (size_t i = 0; i < p->n; i++) {
    double w = weigh(p, i, share, ratio, &q);
    if (isinf(w)) return HUGE_VAL;
    if (q == 0) continue;
    norm += q;
    double off = w - mean;
    mean += off * q / norm;
    sum += q * off * (w - mean);
  }
  return mean > 0 ? sum / (norm * mean * mean) : HUGE_VAL;
}

/* For each channel of density g the pull E[w^2 g], minus the slope of E[w^2 q] in its share. Means
 * over points of density p, and written so that what is known to be 1 is not estimated: the noise
 * vanishes with w - 1. */
static void pulls(const struct share_points *p, const double *share, double *pull)
{
  double ratio[CHANNELS], q;
  for (int c = 0; c < CHANNELS; c++) pull[c] = (double)p->n;
  for (size_t i = 0; i < p->n; i++) {
    double w = weigh(p, i, share, ratio, &q);
    for (int c = 0; c < CHANNELS; c++) pull[c] += (w * w - 1) * ratio[c];
  }
}

static double log_mean_weight(const struct share_points *p)
{
  double top = -HUGE_VAL, sum = 0;
  for (size_t i = 0; i < p->n; i++) top = fmax(top, p->log_target[i] - p->log_p[i]);
  if (isinf(top)) return top;
  for (size_t i = 0; i < p->n; i++) sum += exp(p->log_target[i] - p->log_p[i] - top);
  return top + log(sum / (double)p->n);
}

static void keep_floors(const double *floor, double *share)
{
  double free = 1, sum = 0;
  for (int c = 0; c < CHANNELS; c++) {
    free -= floor[c];
    sum += share[c] = fmax(share[c] - floor[c], 0);
  }
  for (int c = 0; c < CHANNELS; c++) share[c] = floor[c] + (sum > 0 ? free * share[c] / sum : 0);
}

/* One step of Kleiss and Pittau; all pulls are equal at the minimum. */
static void step(const struct share_points *p, const double *floor, double *share)
{
  double pull[CHANNELS], sum = 0;
  pulls(p, share, pull);
  for (int c = 0; c < CHANNELS; c++) sum += share[c] * (pull[c] = sqrt(fmax(pull[c], 0)));
  if (!(sum > 0)) return;
  for (int c = 0; c < CHANNELS; c++) share[c] *= pull[c] / sum;
  keep_floors(floor, share);
}

void nis_shares_fit(struct share_points *p, const double *floor, double *share)
{
  p->log_z = log_mean_weight(p);
  if (isinf(p->log_z)) return;
  for (int i = 0; i < STEPS; i++) step(p, floor, share);
}

/* Uniform points as far as they cost little: what the points did not show weighs less then. */
static void defend(double *share, double variance)
{
  double uniform = defence * fmin(variance, 1);
  for (int c = 0; c < CHANNELS; c++) share[c] *= 1 - uniform;
  share[CHANNEL_UNIFORM] += uniform;
}

void nis_shares_choose(struct share_points *p, double *share, int alone)
{
  const double none[CHANNELS] = {0};
  nis_shares_fit(p, none, share);
  if (isinf(p->log_z)) return;
  double best = variance(p, share) * (1 + worth);
  for (int c = 0; alone && c < CHANNELS; c++) {
    double one[CHANNELS] = {0};
    one[c] = 1;
    double here = variance(p, one);
    if (here > best) continue;
    best = here;
    memcpy(share, one, sizeof one);
  }
  defend(share, best / (1 + worth));
}
