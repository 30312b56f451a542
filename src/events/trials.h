/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The points that are tried for events: one stream, which every call goes on with where the call
 * before ended. Points that were evaluated and not looked at wait here, with all that decides
 * whether they are accepted, so what waits changes no event, only the number of calls.
 */
#ifndef NIS_TRIALS_H
#define NIS_TRIALS_H

#include "sampler/sampler.h"

/* Where the stream goes on */
struct place {
  uint64_t point; /* number of the next point to look at */
  uint64_t given; /* events that it has become; if any, it has been counted as tried */
};

struct trials {
  struct place place;
  uint64_t begun; /* number of the first point of the present flow */
  uint64_t first; /* number of the first of the points below */
  struct points points;
  double *weight, *chance; /* [points.capacity] f/q, and uniform in (0,1); owned through weight,
                              as points.outputs are */
};

void nis_trials_clear(struct trials *t); /* also one that is all zero */

/* The flow changes: what waits is of no use, and no more events of a point begun are to come. */
void nis_trials_forget(struct trials *t);

/* The next n points are passed over, and what is left of one that has been begun. */
void nis_trials_skip(struct trials *t, uint64_t n);

/* Points from number `from` on: *n of them, the first at index *at. Where none wait, up to `want`
 * (1 .. BLOCK_POINTS, rounded up to whole tiles, though not beyond point `end`) are evaluated; the
 * status is that of the integrand, and *n the number of those that have a value. */
int nis_trials_get(struct trials *t, struct sampler *s, uint64_t from, uint64_t end, double want,
                   size_t *at, size_t *n);

/* Points to evaluate at least when a call needs any: few at first, then a sixteenth of those that
 * the calls before have used, so that many small calls do not mean many small blocks. */
double nis_trials_advance(const struct trials *t);

/* Where the stream goes on, and the points that wait, with `extra` outputs each; reading: into one
 * that is all zero. Where the integrand has another number of them, they are to be evaluated again:
 * the events stay the same. */
void nis_trials_archive(struct archive *a, struct trials *t, const struct sampler *s, size_t extra);

#endif
