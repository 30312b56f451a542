/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gradient of the training loss on a minibatch of stored points. The points are cut into a
 * fixed number of chunks whose gradients are added in order, so that the bits do not depend on
 * the number of threads.
 */
#ifndef NIS_GRADIENT_H
#define NIS_GRADIENT_H

#include "flow/loss.h"
#include "replay.h"

enum { GRADIENT_CHUNKS = 8 };

struct minibatch {
  size_t n;
  const size_t *slot; /* [n] which of the stored points */
  const struct replay *replay;
  loss_slope *loss;
  double baseline; /* see loss.h */
  enum part part;  /* of f, that the flow follows */
};

struct gradient {
  struct flow *flow; /* one of the sampler's */
  size_t nweights;
  float *values;  /* [GRADIENT_CHUNKS][nweights]; the first holds the result; owned */
  double *square; /* of each slice of the result; owned */
  double norm;    /* Euclidean */
};

int nis_gradient_init(struct gradient *g, struct flow *flow);
void nis_gradient_clear(struct gradient *g);
void nis_gradient_compute(struct gradient *g, struct sampler *s, const struct minibatch *batch);

#endif
