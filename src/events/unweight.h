/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unweighted events: accept a point with probability min(1, |w|/w_max), carry max(1, |w|/w_max). */
#ifndef NIS_UNWEIGHT_H
#define NIS_UNWEIGHT_H

#include "nis_events.h"
#include "numerics/weights.h"
#include "trials.h"

struct event_plan {
  uint64_t events, calls; /* UINT64_MAX: any number */
  struct w_max_rule rule;
  int whole_run, unit_weights; /* as in nis_event_options */
  int brief; /* leave out what the summary says of the weights: it takes a while */
  const struct weights *weights; /* of the estimate */
  /* Takes events: how many of them, and NIS_OK or the status that ends the run */
  int (*take)(const nis_event_block *block, size_t *taken, void *params);
  void *take_params;
};

/* Makes the events from the points that are next. Where the run ends early, the next one begins
 * behind the last event that was taken, or behind the last point that was tried when all events up
 * to there were. *weights, initialised by the caller, becomes that of the estimate and of all
 * points tried. Before the first event is taken, w_max and unit of the summary are known. */
int nis_unweight(struct sampler *s, struct trials *trials, const struct event_plan *plan,
                 struct weights *weights, nis_event_summary *summary);

/* What turns a point into events when w_max is known */
struct acceptance {
  double w_max;
  int unit_weights;
  double unit;   /* integral that a weight of 1 stands for */
  double points; /* that it takes for an event, on the average */
};

struct acceptance nis_acceptance(const struct weights *weights, double w_max, int unit_weights);

/* The next event, from up to `calls` points, into x[dim + extra]: its outputs are behind its
 * coordinates. NIS_GOAL_MISSED without one. What a run that ended early has evaluated waits for the
 * next call. */
int nis_unweight_next(struct sampler *s, struct trials *trials, const struct acceptance *how,
                      uint64_t calls, double *x, nis_pulled_event *event);

#endif
