/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events on their way out: what the options mean, the unweighting, a file and the user's sink. */
#ifndef NIS_GENERATE_H
#define NIS_GENERATE_H

#include "sampler/sampler.h"
#include "nis_events.h"
#include "numerics/moments.h"
#include "numerics/weights.h"

/* NIS_INVALID or NIS_NO_FILE, with a sentence, where these options cannot work. */
int nis_generate_check(const nis_event_options *o);

/* Events from points first_point .. of their stream; *used is the number of points up to the last
 * event. The weights
 * that the estimate has seen are not all 0. */
int nis_generate(struct sampler *s, const struct weights *seen, struct estimate estimate,
                 uint64_t first_point, const nis_event_options *o, nis_event_summary *summary,
                 uint64_t *used);

#endif
