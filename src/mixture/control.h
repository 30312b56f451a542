/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control variates from the mixture that points are drawn from: the density q_c of every channel
 * integrates to 1, so q_c/q - 1 has the mean 0 over points of q, and
 *   v = f/q - sum_c beta_c (q_c/q - 1)
 * has the mean of f/q whatever beta is, and no variance at all where f is a sum of the q_c of any
 * signs (Owen, Zhou, J. Am. Stat. Assoc. 95 (2000) 135). With beta from other points than those
 * it is used on, nothing is biased.
 */
#ifndef NIS_CONTROL_H
#define NIS_CONTROL_H

#include "mixture.h"

/* beta[CHANNELS] by least squares from n points of known f, drawn from the density q, with the
 * channels' log_channel[n][CHANNELS], for the mixture with these shares; all 0 where one channel is
 * alone or nothing is gained. */
void nis_control_fit(size_t n, const double *f, const double *log_q, const double *log_channel,
                     const double *share, double *beta);

/* The weights f/q of n <= LANES points, and v */
void nis_control_values(size_t n, const double *f, const double *log_q, const double *log_channel,
                        const double *beta, const struct kernels *kernels, double *weight,
                        double *value);

#endif
