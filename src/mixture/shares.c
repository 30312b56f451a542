/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shares.h"

#include <math.h>
#include <string.h>

enum { STEPS = 200 };

static const double defence = 0.05; /* largest uniform share; it costs this part of the variance */
static const double worth = 0.02;   /* least relative gain in variance for a mixture of channels */

/* What all steps need of the points: over the density that each was drawn from, the densities of
 * the channels and the target, whose mean is 1. Rows of a whole number of blocks; what is past the
 * points is 0 everywhere. */
struct ratios {
  size_t n;       /* a multiple of LANES */
  double *target; /* [n] */
  double *channel[CHANNELS];
};

static size_t padded(size_t n)
{
  return (n + LANES - 1) / LANES * LANES;
}

size_t nis_shares_work(size_t n)
{
  return padded(n) * (CHANNELS + 1);
}

/* Whether the target is anywhere but 0 */
static int ratios_init(struct ratios *r, const struct share_points *p)
{
  double top = -HUGE_VAL, sum = 0;
  *r = (struct ratios){.n = padded(p->n), .target = p->work};
  for (size_t i = 0; i < r->n; i++)
    r->target[i] = i < p->n ? p->log_target[i] - p->log_p[i] : -HUGE_VAL;
  for (size_t i = 0; i < p->n; i++) top = fmax(top, r->target[i]);
  if (isinf(top)) return 0;
  for (size_t i = 0; i < r->n; i++) r->target[i] -= top;
  p->kernels->exp(r->n, r->target, r->target);
  for (size_t i = 0; i < p->n; i++) sum += r->target[i];
  for (size_t i = 0; i < p->n; i++) r->target[i] *= (double)p->n / sum;
  for (int c = 0; c < CHANNELS; c++) {
    double *row = r->channel[c] = p->work + (size_t)(c + 1) * r->n;
    for (size_t i = 0; i < r->n; i++)
      row[i] = i < p->n ? p->log_channel[i * CHANNELS + (size_t)c] - p->log_p[i] : -HUGE_VAL;
    p->kernels->exp(r->n, row, row);
  }
  return 1;
}

/* q[LANES] of these shares over the points' own density, from point i on */
static void mixture(const struct ratios *r, const double *share, size_t i, double *q)
{
  for (int l = 0; l < LANES; l++) q[l] = 0;
  for (int c = 0; c < CHANNELS; c++) {
    const double *row = r->channel[c] + i;
    if (share[c] <= 0) continue;
    for (int l = 0; l < LANES; l++) q[l] += share[c] * row[l];
  }
}

/* The relative variance of w = target/q. Its mean is the points' own for these shares, so that none
 * is left where the target is proportional to q. */
static double variance(const struct ratios *r, const double *share)
{
  double q[LANES], norm = 0, mean = 0, sum = 0;
  for (size_t i = 0; i < r->n; i++) {
    double target = r->target[i], here;
    if (i % LANES == 0) mixture(r, share, i, q);
    if ((here = q[i % LANES]) <= 0) {
      if (target > 0) return HUGE_VAL;
      continue;
    }
    norm += here;
    double off = target / here - mean;
    mean += off * here / norm;
    sum += here * off * (target / here - mean);
  }
  return mean > 0 ? sum / (norm * mean * mean) : HUGE_VAL;
}

/* For each channel of density g with a share the pull E[w^2 g], minus the slope of E[w^2 q] in its
 * share. Means over the points, and written so that what is known to be 1 is not estimated: the
 * noise vanishes with w - 1. Returns 0 where the target is and q is not: nothing is finite there.
 */
static int pulls(const struct ratios *r, size_t points, const double *share, double *pull)
{
  double sum[CHANNELS][LANES] = {{0}}, q[LANES], excess[LANES];
  int unreached = 0;
  for (size_t i = 0; i < r->n; i += LANES) {
    const double *target = r->target + i;
    mixture(r, share, i, q);
    for (int l = 0; l < LANES; l++) {
      int none = q[l] <= 0;
      double w = target[l] / (none ? 1 : q[l]);
      excess[l] = none ? 0 : w * w - 1;
      unreached |= none & (target[l] > 0);
    }
    for (int c = 0; c < CHANNELS; c++) {
      const double *row = r->channel[c] + i;
      if (share[c] <= 0) continue;
      for (int l = 0; l < LANES; l++) sum[c][l] += excess[l] * row[l];
    }
  }
  for (int c = 0; c < CHANNELS; c++) {
    pull[c] = (double)points;
    for (int l = 0; l < LANES; l++) pull[c] += sum[c][l];
  }
  return !unreached;
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

/* One step of Kleiss and Pittau, after which all pulls are equal at the minimum; 0 if it moved
 * nothing. */
static int step(const struct ratios *r, size_t points, const double *floor, double *share)
{
  double pull[CHANNELS], sum = 0, before[CHANNELS], moved = 0;
  memcpy(before, share, sizeof before);
  if (!pulls(r, points, share, pull)) return 0;
  for (int c = 0; c < CHANNELS; c++) sum += share[c] * (pull[c] = sqrt(fmax(pull[c], 0)));
  if (!(sum > 0)) return 0;
  for (int c = 0; c < CHANNELS; c++) share[c] *= pull[c] / sum;
  keep_floors(floor, share);
  for (int c = 0; c < CHANNELS; c++) moved = fmax(moved, fabs(share[c] - before[c]));
  return moved > 0x1p-53;
}

static void fit(const struct ratios *r, size_t points, const double *floor, double *share)
{
  for (int i = 0; i < STEPS && step(r, points, floor, share); i++) continue;
}

void nis_shares_fit(const struct share_points *p, const double *floor, double *share)
{
  struct ratios ratios;
  if (ratios_init(&ratios, p)) fit(&ratios, p->n, floor, share);
}

double nis_shares_variance(const struct share_points *p, const double *share)
{
  struct ratios ratios;
  return ratios_init(&ratios, p) ? variance(&ratios, share) : 0;
}

/* Uniform points as far as they cost little: what the points did not show weighs less then. */
void nis_shares_defend(double *share, double variance)
{
  double uniform = defence * fmin(variance, 1);
  for (int c = 0; c < CHANNELS; c++) share[c] *= 1 - uniform;
  share[CHANNEL_UNIFORM] += uniform;
}

void nis_shares_choose(const struct share_points *p, double *share, int alone)
{
  const double none[CHANNELS] = {0};
  struct ratios ratios;
  if (!ratios_init(&ratios, p)) return;
  fit(&ratios, p->n, none, share);
  double best = variance(&ratios, share) * (1 + worth);
  for (int c = 0; alone && c < CHANNELS; c++) {
    double one[CHANNELS] = {0};
    one[c] = 1;
    double here = variance(&ratios, one);
    if (here > best) continue;
    best = here;
    memcpy(share, one, sizeof one);
  }
  nis_shares_defend(share, best / (1 + worth));
}
