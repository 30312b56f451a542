/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the points of a training say of the integral: the result of a run that ends before the first
 * point of the estimate. And how much of the domain gives no number: a flow learns to keep away
 * from there, but every training point comes with a density of at least 1/4.
 */
#ifndef NIS_SEEN_H
#define NIS_SEEN_H

#include "components.h"
#include "numerics/moments.h"
#include "sampler/sampler.h"

struct seen {
  struct moments value; /* weights f/q of the first component */
  struct moments bad;   /* 1/q where f is not finite, else 0: its mean is that part of the domain */
  struct components components;
  double *weight; /* [ncomp] of a point; owned */
};

int nis_seen_init(struct seen *seen, size_t ncomp, int with_covariance);
void nis_seen_clear(struct seen *seen);
void nis_seen_reset(struct seen *seen);

/* A points_observer of a struct seen; p has its bad ones, and its components when there are
 * several. */
void nis_seen_add(void *seen, const struct points *p);

/* The part of the domain that gives no number; 0 where too few points know. */
double nis_seen_bad(const struct seen *seen);

void nis_seen_archive(struct archive *a, struct seen *seen);

#endif
