/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shares.h"

#include <math.h>

enum { STEPS = 200 };

/* E_p[f^2 g_c / (p q^2)] of each channel c with density g_c, up to a common factor: minus the slope
 * of E[f^2/q] in its share. Equal for all channels in use at the minimum. */
static void pulls(size_t n, const double *log_target, const double *log_p,
                  const double *log_channel, const double *share, double *pull)
{
  double top = -HUGE_VAL;
  for (size_t i = 0; i < n; i++) top = fmax(top, log_target[i] - log_p[i]);
  for (int c = 0; c < CHANNELS; c++) pull[c] = 0;
  for (size_t i = 0; i < n; i++) {
    const double *g = log_channel + i * CHANNELS;
    double ratio[CHANNELS], q = 0; /* over p */
    if (isinf(log_target[i])) continue;
    for (int c = 0; c < CHANNELS; c++) q += share[c] * (ratio[c] = exp(g[c] - log_p[i]));
    if (q <= 0) continue;
    double w = exp(log_target[i] - log_p[i] - top) / q;
    for (int c = 0; c < CHANNELS; c++) pull[c] += w * w * ratio[c];
  }
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

void nis_shares_fit(size_t n, const double *log_target, const double *log_p,
                    const double *log_channel, const double *floor, double *share)
{
  for (int step = 0; step < STEPS; step++) {
    double pull[CHANNELS], sum = 0;
    pulls(n, log_target, log_p, log_channel, share, pull);
    for (int c = 0; c < CHANNELS; c++) sum += share[c] * sqrt(pull[c]);
    if (!(sum > 0)) return;
    for (int c = 0; c < CHANNELS; c++) share[c] *= sqrt(pull[c]) / sum;
    keep_floors(floor, share);
  }
}
