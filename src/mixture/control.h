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

#include "sampler/sampler.h"

/* beta by least squares from points of known f and densities, for the mixture with these shares;
 * all 0 where one channel is alone or nothing is gained. */
void nis_control_fit(const struct points *p, const double *share, double *beta);

/* The weights f/q of points first .. first + n - 1 (n <= LANES), and v */
void nis_control_values(const struct points *p, size_t first, size_t n, const double *beta,
                        const struct kernels *kernels, double *weight, double *value);

#endif
