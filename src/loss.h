/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NIS_LOSS_H
#define NIS_LOSS_H

typedef double nis_loss_slope(double log_t, double baseline);
double nis_loss_kl(double log_t, double baseline);
double nis_loss_chi2(double log_t, double baseline);
#endif
