/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integration with the frozen flow: weights of fresh points, in iterations for chi2. */
#ifndef NIS_ESTIMATE_H
#define NIS_ESTIMATE_H

#include "sampler.h"
#include "tally.h"

/* Adds `calls` points first_point .. of the integration stream to the tally, ending early with
 * NIS_OK when a goal is met; *used says how many points went in. */
int nis_estimate_flow(struct sampler *s, struct tally *tally, uint64_t first_point, uint64_t calls,
                      double rel_error, double abs_error, uint64_t *used);

/* Whether a goal is set and met. */
int nis_goal_met(const struct tally *tally, double rel_error, double abs_error);

#endif
