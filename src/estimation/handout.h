/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of an estimate on their way to the user's sink, block by block. */
#ifndef NIS_HANDOUT_H
#define NIS_HANDOUT_H

#include "integrand/domain.h"
#include "sampler/points.h"

struct handout {
  nis_point_sink *sink; /* NULL: there is none, and nothing to be done */
  void *params;
  nis_point_block block;      /* of these arrays, and the components of the caller of the next */
  double *x, *log_q, *weight; /* [most][dim], [most], [most]; owned through x */
  double *outputs;            /* [most][extra], for the integrand to write to; or NULL */
};

/* Room for blocks of up to `most` points, of nets or random ones, of as many values and outputs as
 * the options say */
int nis_handout_init(struct handout *h, size_t most, int nets, const nis_options *o);
void nis_handout_clear(struct handout *h);

/* Hands out p, of the weights h->weight and the outputs h->outputs, which are there already, and
 * where there are several values of the weights components[n][ncomp]. NIS_STOPPED where the sink
 * says so. */
int nis_handout_give(struct handout *h, const struct domain *domain, const struct points *p,
                     const double *components, uint64_t before, int iteration);

#endif
