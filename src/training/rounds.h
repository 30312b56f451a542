/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The points of a training: the survey, the rounds after it, and how large components are. */
#ifndef NIS_ROUNDS_H
#define NIS_ROUNDS_H

#include "trainer.h"

/* The next round into t->fresh; `first` is the number of the training's first point. Nothing has
 * been learnt before the very first one, the survey: singular ends that it shows are stretched. */
int nis_round_draw(struct trainer *t, uint64_t first);

/* n more points of the stream, from number `first` on, into t->fresh, a block at a time; fewer
 * where the run is stopped or the time over */
int nis_round_more(struct trainer *t, enum stream stream, uint64_t first, size_t n);

/* t->log_z by the newest round, and its own estimate of the integral for the progress table */
int nis_round_report(struct trainer *t);

/* The plan shrinks to the calls that fit into the time, as far as the past tells. */
void nis_round_keep_to_time(struct trainer *t);

int nis_round_time_is_over(const struct trainer *t);

/* The newest round gets the channel weights that the mixture has now, where these are learnt. */
void nis_round_weigh(struct trainer *t);

/* The domain's ends; what is stored of other coordinates of the cube comes along. */
void nis_round_stretch(struct trainer *t, const struct stretch *to);

/* A few uniform points tell how large the components are, and the rounds correct it. */
int nis_round_scale_components(struct trainer *t);
void nis_round_follow_components(struct trainer *t);

#endif
