/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A histogram of |w| with a bin for every 1/64 of an octave, from which any choice of w_max, and
 * what it is worth, follows in fixed memory.
 */
#ifndef NIS_WEIGHTS_H
#define NIS_WEIGHTS_H

#include "base/archive.h"
#include "nis_events.h"

struct weights {
  uint64_t n, zeros, negatives; /* n: all of them */
  double absolute;              /* sum |w| */
  double largest;
  unsigned first, end;     /* bins that are not empty lie in [first, end) */
  struct weight_bin *bins; /* owned */
};

int nis_weights_init(struct weights *t);
void nis_weights_clear(struct weights *t);
void nis_weights_reset(struct weights *t);
void nis_weights_copy(struct weights *to, const struct weights *from); /* both initialised */

void nis_weights_merge(struct weights *into, const struct weights *from);

void nis_weights_add(struct weights *t, double w);

double nis_weights_mean(const struct weights *t); /* of |w| */

/* mean of min(|w|, w_max) */
double nis_weights_capped_mean(const struct weights *t, double w_max);

/* The k-th largest |w|, rounded up to an edge, though not above the largest; k >= 1. */
double nis_weights_largest(const struct weights *t, uint64_t k);

/* Smallest edge of the histogram, though not above the largest |w|, that leaves at most a share eps
 * of sum|w| above it, counted as excess: sum over |w| > w_max of (|w| - w_max) <= eps sum|w|. */
double nis_weights_tail(const struct weights *t, double eps);

/* How w_max is chosen: one of nis_w_max_rule with its parameter. */
struct w_max_rule {
  nis_w_max_rule rule;
  double tail, quantile;
};

/* The rule of Sherpa and MadGraph, and what they leave above w_max */
#define DEFAULT_TAIL 1e-3
#define DEFAULT_QUANTILE 0.999
static const struct w_max_rule nis_default_rule = {NIS_W_MAX_TAIL, DEFAULT_TAIL, DEFAULT_QUANTILE};

double nis_weights_w_max(const struct weights *t, const struct w_max_rule *rule);

/* min(1, mean|w| / w_max): 0 if all weights are 0, NaN without any */
double nis_weights_efficiency(const struct weights *t, const struct w_max_rule *rule);

/* The same with w_max, and its standard error */
nis_unweighting nis_weights_unweighting(const struct weights *t, const struct w_max_rule *rule);

/* The mean of min(1, |w|/w_max), and its standard error */
nis_share nis_weights_partial(const struct weights *t, double w_max);

/* The share of weights that are not 0, and its standard error */
nis_share nis_weights_cut(const struct weights *t);

/* counts[n + 1] of |w| / mean |w| below edges[0], between two edges, and from the last one on;
 * those of a bin of the histogram stay together. The edges increase. */
void nis_weights_counts(const struct weights *t, size_t n, const double *edges, uint64_t *counts);

void nis_weights_archive(struct archive *a, struct weights *t); /* reading: into an empty one */

#endif
