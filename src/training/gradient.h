/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gradient of the training loss on a minibatch of stored points. The points are cut into a
 * fixed number of chunks whose gradients are added in order, so that the bits do not depend on
 * the number of threads.
 */
#ifndef NIS_GRADIENT_H
#define NIS_GRADIENT_H

#include "flow/adam.h"
#include "flow/loss.h"
#include "replay.h"

enum { GRADIENT_CHUNKS = 16 };

struct minibatch {
  size_t n;
  const size_t *slot; /* [n] which of the stored points */
  const struct replay *replay;
  loss_slope *loss;
  double baseline; /* see loss.h */
};

struct gradient {
  struct flow *flow; /* one of the mixture's */
  float *values;     /* [GRADIENT_CHUNKS][nparameters]; the first holds the sum; owned */
  double *square;    /* [slices] of the sum; owned */
};

int nis_gradient_init(struct gradient *g, struct flow *flow);
void nis_gradient_clear(struct gradient *g);

/* Into how many chunks a minibatch is cut: GRADIENT_CHUNKS, or as many as it has tiles */
size_t nis_gradient_chunks(const struct minibatch *batch);

/* The chunks in any order, by any thread in its workspace, for the part of f that the flow follows;
 * when all are there, the slices of their sum likewise; and when these are there the norm. */
void nis_gradient_chunk(struct gradient *g, const struct mixture *m, struct workspace *w,
                        const struct minibatch *batch, enum part part, size_t chunk);
void nis_gradient_slice(struct gradient *g, size_t chunks, size_t slice);
double nis_gradient_norm(const struct gradient *g); /* Euclidean */

#endif
