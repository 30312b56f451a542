/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many points each channel gets: the shares with the least variance of f/q (Kleiss, Pittau,
 * hep-ph/9405257, eq. 14): while the training goes on by each round's points, in the end by those
 * of a round that no channel has learnt from. */
#ifndef NIS_SHARES_H
#define NIS_SHARES_H

#include "mixture.h"

struct share_points {
  size_t n;
  const double *log_target;  /* [n] log |target|, -inf for 0 */
  const double *log_p;       /* [n] of the density that each was drawn from */
  const double *log_channel; /* [n][CHANNELS] */
  const struct kernels *kernels;
  double *work; /* [nis_shares_work(n)] */
};

size_t nis_shares_work(size_t n);

/* From where the shares are; each stays at least floor[c]. */
void nis_shares_fit(const struct share_points *p, const double *floor, double *share);

/* The relative variance of f/q for these shares; infinite where f is not 0 and no point comes. */
double nis_shares_variance(const struct share_points *p, const double *share);

/* Without floors; with `alone`, one channel is preferred to a mixture that gains next to nothing.
 * Where the weights spread, some uniform points are kept. */
void nis_shares_choose(const struct share_points *p, double *share, int alone);

/* Some uniform points where weights of this relative variance spread, in place of others */
void nis_shares_defend(double *share, double variance);

#endif
