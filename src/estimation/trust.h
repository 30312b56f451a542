/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a result's error bar is to be believed. All counts are those of the estimate: what else
 * the handle has done is no evidence. */
#ifndef NIS_TRUST_H
#define NIS_TRUST_H

#include "components.h"
#include "tally.h"

/* Volume of the largest part of the unit cube that as many uniform points may all have missed. Of n
 * points, each uniform with probability u at least, none falls into a part of volume V with
 * probability (1 - u V)^n <= exp(-V n u) at most, also where u follows from the points before; for
 * V = log(20) / (n u) that is 5 %. */
double nis_trust_unseen(double uniform_points);

/* Whether so few values are not 0 that their spread says little. Of several components the first is
 * judged, unless it is 0 everywhere: then all together. With `all` no other may have few either,
 * unless it is 0 everywhere. */
int nis_trust_few(const struct tally *t, const struct components *c, int all);

/* Points that it takes, as far as those of the tally tell, until a run may end early by its error:
 * fewer have not seen the large weights, and the error is too small. Infinite with a heavy tail, 0
 * without any weight other than 0 in several components. */
double nis_trust_least_points(const struct tally *t, const struct components *c, int all);

/* The bits of nis_result.suspect for the result r of t and c; 0: nothing speaks against it. */
int nis_trust_doubts(const struct tally *t, const struct components *c, const nis_result *r);

/* Leaves a sentence of all doubts in r->suspect, with what to do, before the one that there already
 * is; returns NIS_SUSPECT. */
int nis_trust_explain(const struct tally *t, const struct components *c, const nis_result *r);

#endif
