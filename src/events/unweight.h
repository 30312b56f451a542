/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unweighted events: accept a point with probability min(1, |w|/w_max), carry max(1, |w|/w_max). */
#ifndef NIS_UNWEIGHT_H
#define NIS_UNWEIGHT_H

#include "nis_events.h"
#include "sampler/sampler.h"
#include "numerics/weights.h"

struct event_plan {
  uint64_t first_point;   /* of the events' stream */
  uint64_t events, calls; /* UINT64_MAX: any number */
  struct w_max_rule rule;
  int whole_run, unit_weights;   /* as in nis_event_options */
  const struct weights *weights; /* of the estimate */
  /* Takes events: how many of them, and NIS_OK or the status that ends the run */
  int (*take)(const nis_event_block *block, size_t *taken, void *params);
  void *take_params;
};

/* Makes the events; *used is the number of points up to the last one. *weights, initialised by the
 * caller, becomes that of the estimate and of all points tried. Before the first event is taken,
 * w_max and unit of the summary are known. */
int nis_unweight(struct sampler *s, const struct event_plan *plan, struct weights *weights,
                 nis_event_summary *summary, uint64_t *used);

#endif
