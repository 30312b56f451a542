/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running mean and variance of numbers, in one pass and without cancellation. */
#ifndef NIS_MOMENTS_H
#define NIS_MOMENTS_H

#include "base/archive.h"

#include <stdint.h>

/* Mean and sum of squared deviations: Welford, Technometrics 4 (1962) 419; merged as in Chan,
 * Golub, LeVeque, Am. Stat. 37 (1983) 242. */
struct moments {
  uint64_t n;
  double mean, squares;
};

void nis_moments_add(struct moments *m, double w);
void nis_moments_merge(struct moments *into, const struct moments *from);
double nis_moments_error(const struct moments *m);  /* of the mean; 0 for n < 2 */
double nis_moments_spread(const struct moments *m); /* sd of one weight over |mean| */

/* A mean with its error, and the relative standard deviation of one number */
struct estimate {
  double value, error, spread;
};

void nis_moments_archive(struct archive *a, struct moments *m);

#endif
