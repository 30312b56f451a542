/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integration with the frozen flow: weights of fresh points, in iterations for chi2. */
#ifndef NIS_ESTIMATE_H
#define NIS_ESTIMATE_H

#include "components.h"
#include "sampler/sampler.h"
#include "tally.h"

/* An estimate that grows towards a goal, as it is at a look */
struct look {
  uint64_t points;
  double error, goal; /* wanted */
  double least;       /* points before the error is one to end by; infinite: other points */
};

/* Who follows it: `leave` says whether it is to be given up; `see`, which may be NULL, is shown all
 * points with their values. */
struct watcher {
  int (*leave)(void *context, const struct look *now);
  int (*see)(void *context, const struct points *p);
  void *context;
  uint64_t first; /* points before the first look, about */
};

enum { NIS_STOP_LEFT = -1 }; /* beside nis_stop */

struct integration {
  struct tally *tally;
  struct components *components;
  uint64_t first_point, calls;
  uint64_t likely;             /* the calls that fit into the time, about, or all of them */
  double rel_error, abs_error; /* goals; 0: none */
  int all;                     /* components are to reach them, or the first */
  int replicates; /* whole replicates of Sobol points, each an iteration; or random points */
  const struct watcher *watcher; /* of an estimate that grows; or NULL */
  const nis_options *options;    /* whose sink takes the points, if there is one */
  int part,
      parts; /* only part 1 .. parts of its iterations; 0: all. Not for one that grows, nor with
                      a goal */
  uint64_t from, to; /* out: the points of the stream that went in */
  int stop;          /* out: nis_stop or NIS_STOP_LEFT, what ended it where the status is NIS_OK */
};

/* The component that is furthest from its goal, of those that the goals are of: its error, and what
 * it is to be */
struct aim {
  size_t component;
  double error, goal;
};

struct aim nis_estimate_aim(const struct integration *plan);

/* What fits into whole replicates: 16 to 31 of them, of 2^m points each */
uint64_t nis_estimate_calls(uint64_t calls, int replicates);

/* Adds points to tally and components, numbered from first_point on: `calls`, or what of them fits
 * into whole replicates, ending early with NIS_OK when a goal is met or the monitor's deadline is
 * near; an error from a few values other than 0, or none, meets no goal. *used says how many points
 * went in.
 *
 * With a watcher, 16 replicates (or 4 iterations of random points) grow together by doubling, until
 * the goal is met, the watcher leaves, or not all can double once more: then, or where little is
 * missing, others of the same size join them. Tally and components must be empty. */
int nis_estimate_flow(struct sampler *s, struct integration *plan, uint64_t *used);

#endif
