/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events from momenta */
#ifndef EVENT_H
#define EVENT_H

#include "nis_events.h"

/* Two incoming particles of half the energy each, the first along +z */
void event_begin(nis_event *out, double sqrts, double alpha_s, int pdg, int pdg_too);

void event_add(nis_event *out, int pdg, int colour, int anticolour, const double p[4]);

/* One of n, in proportion to the weights. The point itself is the die, so that it always gives
 * the same event. */
int event_choose(const double *x, size_t dim, const double *weight, int n);

#endif
