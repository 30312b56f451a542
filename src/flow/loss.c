/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loss.h"

#include <math.h>

/* A stored point counts t q/(p s) < 2 in t, p its density then and s as in replay.h: however far a
 * flow has left a place behind, t brings it back. What grows faster than t is taken at this t. */
static const double largest_t = 5;

/* phi = t log t */
static double kullback_leibler(double log_t, double baseline)
{
  return exp(log_t) - baseline;
}

/* phi = (t - 1)^2 */
static double variance(double log_t, double baseline)
{
  return fmin(exp(2 * log_t), largest_t * largest_t) - baseline;
}

/* phi = t log^2 t */
static double exponential(double log_t, double baseline)
{
  (void)baseline; /* g(1) is 0 anyway */
  double bounded = fmin(log_t, log(largest_t));
  return 2 * exp(bounded) * bounded;
}

/* phi = (1 - sqrt t)^2 */
static double hellinger(double log_t, double baseline)
{
  return exp(log_t / 2) - baseline;
}

/* phi = (t - 1) log t */
static double jeffreys(double log_t, double baseline)
{
  return exp(log_t) - baseline + log_t;
}

/* phi = (t - 1)^2 / t */
static double forward_chi2(double log_t, double baseline)
{
  (void)baseline; /* without all of it this is no loss at all */
  return 2 * (1 - exp(-log_t));
}

loss_slope *nis_loss(nis_loss_kind kind, int finishing)
{
  static loss_slope *const table[] = {
      [NIS_LOSS_KL] = kullback_leibler,     [NIS_LOSS_VARIANCE] = variance,
      [NIS_LOSS_EXPONENTIAL] = exponential, [NIS_LOSS_HELLINGER] = hellinger,
      [NIS_LOSS_JEFFREYS] = jeffreys,       [NIS_LOSS_FORWARD_CHI2] = forward_chi2,
  };
  if (kind == NIS_LOSS_DEFAULT) return finishing ? variance : kullback_leibler;
  return table[kind];
}
