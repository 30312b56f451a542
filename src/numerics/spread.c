/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "spread.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

/* Of k replicates with a skewness g the square of Student's ratio has the mean 1 + (2 + 2 g^2) / k,
 * to first order. What Student's t itself makes up for is the 2; this does for g^2, less what it is
 * of normal replicates by chance. Replicates of different sizes have no skewness in common. */
static double skewness_widening(int replicates, double k, double variance, double third)
{
  if (!(variance > 0) || k < 0.9 * replicates || !(k > 2)) return 1;
  double g = third / pow(variance, 1.5) * sqrt(k * (k - 1)) / (k - 2);
  return sqrt(1 + 2 * fmax(g * g - 6 / k, 0) / k);
}

double nis_spread_factor(int replicates, double equal, double variance, double third)
{
  const double one_sigma = 0.8413447460685429;
  return skewness_widening(replicates, equal, variance, third) *
         gsl_cdf_tdist_Pinv(one_sigma, equal - 1);
}
