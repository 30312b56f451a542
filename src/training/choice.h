/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a training: the last round, which nothing has learnt from, chooses between the
 * channels, and between what this training and the one before it have learnt.
 */
#ifndef NIS_CHOICE_H
#define NIS_CHOICE_H

#include "trainer.h"

/* The newest round under the tempered target */
struct share_points nis_choice_newest(struct trainer *t);

/* Sets shares and control variates for good. Calls that are kept for a rehearsal and not needed for
 * it become more points of the last round; `first` is the number of the training's first point. */
int nis_choice_make(struct trainer *t, uint64_t first);

/* Whether the fresh points show that the mixture of the sampler is better than that in the backup,
 * which is not to give way to one that is so by chance. */
int nis_choice_is_better(struct trainer *t);

#endif
