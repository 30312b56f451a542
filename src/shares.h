/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many points each channel gets: the shares with the least variance of f/q (Kleiss, Pittau,
 * hep-ph/9405257, eq. 14), found on points that no channel has learnt from. */
#ifndef NIS_SHARES_H
#define NIS_SHARES_H

#include "sampler.h"

/* log_weight[n] = log of |target| / (density that the point was drawn from). Each share stays at
 * least `floor[c]`; a channel whose log-densities are -inf gets none. */
void nis_shares_fit(size_t n, const double *log_target, const double *log_p,
                    const double *log_channel, const double *floor, double *share);

#endif
