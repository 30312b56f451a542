/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the integrand bear to be called by several threads at once? */
#ifndef NIS_SAFETY_H
#define NIS_SAFETY_H

#include "integrand.h"

/* The n points x[n][dim] have just got their values f[n] from all threads. One thread calls the
 * integrand at k <= n of them again, and if bits differ
 *   - at these once more: where it does not agree with itself it is noisy by nature, which is the
 *     user's business;
 *   - at all n points: the same bits as before mean that they depend on which points share a batch.
 * Otherwise the threads have spoilt f: it gets one thread's values, and from now on one thread calls
 * the integrand (c->serialized). Not more than 2 k + n calls, as many for any number of threads
 * unless they spoil something. */
int nis_safety_check(struct integrand_call *c, size_t k, size_t n, const double *x, double *f,
                     struct monitor *monitor);

#endif
