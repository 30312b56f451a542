/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Adam over all parameters of a flow, or of a net (Kingma, Ba, arXiv:1412.6980), with decoupled
 * weight decay (Loshchilov, Hutter, arXiv:1711.05101): each step shrinks the parameters by rate *
 * decay, so that what the gradients do not hold up falls back to the identity. The parameters are
 * cut into slices, which may be done in any order by any thread.
 */
#ifndef NIS_ADAM_H
#define NIS_ADAM_H

#include "flow.h"

enum { PARAMETER_SLICE = 4096 };

struct optimizer {
  const struct kernels *kernels;
  size_t n;
  float *parameters;    /* [n], not owned */
  float *mean, *square; /* [n] each, one block, owned */
  uint64_t step;        /* steps begun */
};

int nis_optimizer_init(struct optimizer *o, const struct kernels *kernels, size_t n,
                       float *parameters);
void nis_optimizer_clear(struct optimizer *o);

size_t nis_parameter_slices(const struct flow *flow);

/* How long a step is */
struct stride {
  double rate;         /* learning rate */
  double decay;        /* of the parameters, in units of the rate */
  double largest_norm; /* longer gradients are shortened to it */
};

/* One slice of step number o->step (from 1), along a gradient[n] of this norm; a norm
 * that is not finite changes nothing. */
void nis_optimizer_slice(struct optimizer *o, const struct stride *stride, const float *gradient,
                         double norm, size_t slice);

#endif
