/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many calls of the integrand fit into a wall time. */
#ifndef NIS_PACE_H
#define NIS_PACE_H

#include "sampler/sampler.h"

/* Times a few calls, about 1 % of the seconds, and lowers *calls to what fits beside them. */
int nis_pace(struct sampler *s, double seconds, uint64_t *calls);

#endif
