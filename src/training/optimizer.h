/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Adam over all weights of a flow, by many threads. */
#ifndef NIS_OPTIMIZER_H
#define NIS_OPTIMIZER_H

#include "gradient.h"

struct optimizer {
  float *mean, *square; /* [nweights] each, one block, owned */
  uint64_t step;        /* steps done */
};

int nis_optimizer_init(struct optimizer *o, const struct flow *flow);
void nis_optimizer_clear(struct optimizer *o);

/* One step at this learning rate. A gradient longer than largest_norm is shortened to it; a
 * non-finite one changes nothing. */
void nis_optimizer_step(struct optimizer *o, struct sampler *s, const struct gradient *gradient,
                        double rate, double largest_norm);

#endif
