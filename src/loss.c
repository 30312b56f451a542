/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loss.h"

#include <math.h>

double nis_loss_kl(double log_t, double baseline)
{
  return exp(log_t) - baseline;
}

double nis_loss_chi2(double log_t, double baseline)
{
  double t = exp(log_t);
  return t * t - baseline;
}
