/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What nets of points make of a mixture: the variance of a weight does not tell. A map's weights
 * are smooth functions of the net's points, a flow's less so, and a mixture's jump with the choice
 * of the channel. Nothing of a rehearsal counts for the estimate, whose nets are others.
 */
#ifndef NIS_REHEARSAL_H
#define NIS_REHEARSAL_H

#include "sampler/sampler.h"

enum { REHEARSED_NETS = 8 };

struct rehearsal {
  size_t net; /* points of each; 0: none */
  int held;
  struct points points;
  struct replicate replicate;
};

int nis_rehearsal_init(struct rehearsal *r, size_t dim, size_t net);
void nis_rehearsal_clear(struct rehearsal *r);

/* The error of one net's mean, from the spread of REHEARSED_NETS by the mixture of the sampler */
int nis_rehearse(struct rehearsal *r, struct sampler *s, double *error);

#endif
