/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks for peaks that no point has hit. In the far tail of a missed peak f exceeds the density
 * of the channels by many powers of ten, though both are tiny: climbs of log|f| start from the
 * stored points where it does most, and where f is furthest from what it is at other points of the
 * same density of the peaks. Most turn out to lead to a known peak after their first probes. Where
 * one arrives at a new top, a peak of the widths there joins the sampling mixture.
 */
#ifndef NIS_SEARCH_H
#define NIS_SEARCH_H

#include "climb.h"
#include "replay.h"

enum { SEARCH_PAST = 256 };

/* All zero before the first search */
struct search {
  uint64_t calls;     /* spent so far */
  uint64_t point;     /* next of the random stream */
  int cold;           /* the target is |f| itself: what is found is no step on the way */
  struct climb climb; /* climbers that are under way when a search ends go on in the next one */
  double *past;       /* [SEARCH_PAST][dim] latest starts that led to known peaks; owned */
  size_t npast;       /* of them so far */
  int last;           /* no search follows: climbers count where they stand at its end */
  int found;          /* peaks that the channels had missed */
  int unseen; /* of these, at least a thousandth of the integral that hardly any point had hit */
};

/* About what a climb to a top takes */
uint64_t nis_search_climb_calls(size_t dim);

void nis_search_clear(struct search *search);

/* One search of `calls` climbing calls, and at most as many for widths, that starts from stored
 * points; log_z is that of |f|. */
int nis_search_replay(struct search *search, struct sampler *s, const struct replay *r,
                      double log_z, uint64_t calls);

/* The same from n given points x[n][dim] of the cube. */
int nis_search_from(struct search *search, struct sampler *s, size_t n, const double *x,
                    double log_z, uint64_t calls);

#endif
