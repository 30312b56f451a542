/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The training loss on a minibatch, L = - (1/n) sum_i c_i log q(x_i), and its gradient. The points
 * are cut into a fixed number of chunks whose gradients are added in order, so that the bits do not
 * depend on the number of threads.
 */
#ifndef NIS_GRADIENT_H
#define NIS_GRADIENT_H

#include "sampler.h"

enum { GRADIENT_CHUNKS = 8 };

/* c_i = 1 (Kullback-Leibler), or, with a finite log_z, c_i = min(f/(Z q), clip) of the current q
 * (variance: Mueller et al., arXiv:1808.03856, eq. 15, without the tail). */
struct minibatch {
  size_t n;
  const size_t *slot;  /* [n] which of the stored points */
  const double *x;     /* [slots][dim] */
  const double *log_f; /* [slots] */
  double log_z, clip;  /* log_z NAN: every c_i is 1 */
};

struct gradient {
  size_t nweights;
  float *values; /* [GRADIENT_CHUNKS][nweights]; the first holds the result; owned */
  double loss;
  double norm; /* Euclidean */
};

int nis_gradient_init(struct gradient *g, const struct flow *flow);
void nis_gradient_clear(struct gradient *g);
void nis_gradient_compute(struct gradient *g, struct sampler *s, const struct minibatch *batch);

#endif
