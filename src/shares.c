/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shares.h"

#include <math.h>
#include <string.h>

enum { STEPS = 200 };

static const double defence = 0.05; /* largest uniform share; it costs this part of the variance */
static const double worth = 0.02;   /* least relative gain in variance for a mixture of channels */

/* With w = |target| / (Z q): the variance of w, and for each channel of density g the pull
 * E[w^2 g], minus the slope of E[w^2 q] in that share. Both are means over points of density p, and
 * written so that what is known to be 1 is not estimated: the noise vanishes with w - 1. */
static double variance(const struct share_points *p, const double *share, double *pull)
{
  double sum = 0;
  for (int c = 0; c < CHANNELS; c++) pull[c] = (double)p->n;
  for (size_t i = 0; i < p->n; i++) {
    double ratio[CHANNELS], q = 0; /* over p */
    for (int c = 0; c < CHANNELS; c++)
      q += share[c] * (ratio[c] = exp(p->log_channel[i * CHANNELS + c] - p->log_p[i]));
    double a = exp(p->log_target[i] - p->log_p[i] - p->log_z);
    if (q <= 0 && a > 0) return HUGE_VAL;
    double w = q > 0 ? a / q : 1;
    sum += (w - 1) * (w - 1) * q;
    for (int c = 0; c < CHANNELS; c++) pull[c] += (w * w - 1) * ratio[c];
  }
  return sum / (double)p->n;
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
  variance(p, share, pull);
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

void nis_shares_choose(struct share_points *p, double *share)
{
  const double none[CHANNELS] = {0};
  double pull[CHANNELS];
  nis_shares_fit(p, none, share);
  if (isinf(p->log_z)) return;
  double best = variance(p, share, pull) * (1 + worth);
  for (int c = 0; c < CHANNELS; c++) {
    double alone[CHANNELS] = {0};
    alone[c] = 1;
    double here = variance(p, alone, pull);
    if (here > best) continue;
    best = here;
    memcpy(share, alone, sizeof alone);
  }
  defend(share, best / (1 + worth));
}
