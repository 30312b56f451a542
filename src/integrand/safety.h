/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the integrand bear to be called by several threads at once? */
#ifndef NIS_SAFETY_H
#define NIS_SAFETY_H

#include "integrand.h"

/* The n points x[n][dim] have just got their values f[n]. Two threads at the same moment call the
 * integrand at k <= n of them again, and if bits differ, one thread does so twice:
 *   - where it does not agree with itself the integrand is noisy by nature, which is the user's
 *     business;
 *   - where it agrees with the two threads as well, and with f at all n points, bits depend on
 * which points share a batch, which is no harm. Otherwise threads spoil each other's values: f gets
 * one thread's, and from now on one thread calls the integrand (c->serialized). Not more than 3 k +
 * n calls, as many for any number of threads unless they spoil something. */
int nis_safety_check(struct integrand_call *c, size_t k, size_t n, const double *x, double *f,
                     struct monitor *monitor);

#endif
