/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unweighted events: accept a point with probability min(1, |w|/w_max), carry max(1, |w|/w_max). */
#ifndef NIS_UNWEIGHT_H
#define NIS_UNWEIGHT_H

#include "sampler.h"
#include "tally.h"

/* w_max and the integral that an event of weight 1 stands for, from the weights of an estimate. */
struct event_scale {
  double w_max, unit;
};

int nis_event_scale(const struct tally *tally, struct event_scale *scale);

/* Hands n events to the sink, from points first_point .. of the events' stream; *used is the number
 * of points up to the last event. */
int nis_unweight(struct sampler *s, const struct event_scale *scale, uint64_t first_point,
                 uint64_t n, nis_event_sink *sink, void *params, nis_event_summary *summary,
                 uint64_t *used);

#endif
