/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The normalizing flow: coupling layers in a row, a bijection x <-> u of the open unit cube. u is
 * uniform, so q(x) = |du/dx|. Works on one tile of LANES points; arrays are [dim][LANES].
 *
 * Discrete coordinates come first, so that the layers of the others, which do not move them, know
 * their values: q(c) q(x|c), and q(c) = prod_j q(c_j | c_1 .. c_{j-1}), each a histogram of the
 * values whose heights a net gives (Germain et al., arXiv:1502.03509, with a net for each j).
 */
#ifndef NIS_FLOW_H
#define NIS_FLOW_H

#include "base/archive.h"
#include "coupling.h"

/* No layers: one in which every coordinate has its own spline, whatever the others are; that is a
 * grid's kind of map. */
struct flow_shape {
  size_t dim;
  int layers, bins, hidden_layers, hidden_width;
  int transform;       /* of every layer; the number of its kernels */
  const int *periodic; /* [dim] 1: the coordinate's ends are one point; NULL: nobody's; copied */
  const int *values;   /* [dim] how many, of a discrete coordinate, else 0; NULL: none is; copied */
};

struct flow {
  size_t dim;
  int layers;
  struct coupling *coupling; /* [layers]; x meets the last one first, the discrete ones last */
  int *values;               /* [dim], or NULL; owned */
  float *parameters;         /* of all layers, one block */
  size_t nparameters;
  const struct kernels *kernels;
};

/* One worker's memory. Sampling keeps nothing, so all layers share one warm slice. */
struct flow_scratch {
  float *block;
  float **tile;   /* [layers], slices of block, kept for the backward pass */
  float *any;     /* a slice that fits every layer */
  float *adjoint; /* [dim][LANES] */
  float *din, *work;
};

int nis_flow_init(struct flow *flow, const struct flow_shape *shape, uint64_t seed);
void nis_flow_clear(struct flow *flow);

int nis_flow_scratch_init(struct flow_scratch *scratch, const struct flow *flow);
void nis_flow_scratch_clear(struct flow_scratch *scratch);

/* z in place: u -> x, and x -> u. log_q[LANES] is that of x. */
void nis_flow_sample(const struct flow *flow, double *u_to_x, double *log_q,
                     struct flow_scratch *scratch);
void nis_flow_density(const struct flow *flow, double *x_to_u, double *log_q,
                      struct flow_scratch *scratch);

/* Adds to gradient[nparameters] that of sum_l dlog_q[l] log q(x_l), for the points that
 * nis_flow_density has just seen in this scratch. */
void nis_flow_backward(const struct flow *flow, const float *dlog_q, float *gradient,
                       struct flow_scratch *scratch);

/* What a net begins with: numbers *next and following of the seed, but 0, as they are there, in its
 * last layer */
void nis_net_start(const struct net_shape *net, const struct kernels *kernels, uint64_t seed,
                   uint64_t *next, float *parameters);

/* How many parameters it would have, without memory for them */
int nis_flow_count(const struct flow_shape *shape, size_t *parameters);

/* The parameters; the shape is the owner's to keep. */
void nis_flow_archive(struct archive *a, struct flow *flow);

#endif
