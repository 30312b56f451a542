/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Components of an estimate together: sums and ratios, whose errors the covariance of the
 * components gives. Component 0 is the tally's.
 */
#ifndef NIS_COMBINE_H
#define NIS_COMBINE_H

#include "components.h"
#include "tally.h"

/* Component a, as the user gets it */
struct estimate nis_component(const struct tally *t, const struct components *c, size_t a);

/* The sum of `coefficients` times values. Infinite errors of what does not take part are none. */
struct estimate nis_components_sum(const struct tally *t, const struct components *c,
                                   const double *coefficients);

/* Value i over value j, by first order; NaN with an infinite error where the latter is 0 */
struct estimate nis_components_ratio(const struct tally *t, const struct components *c, size_t i,
                                     size_t j);

#endif
