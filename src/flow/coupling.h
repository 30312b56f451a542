/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One coupling layer (Dinh, Krueger, Bengio, arXiv:1410.8516): some coordinates pass, and a net
 * that sees only these gives each of the others its transform. Here floats meet doubles.
 *
 * A periodic coordinate is a point of a circle (Rezende et al., arXiv:2002.02428): the net sees its
 * cosine and sine, and its transform, whose slopes at 0 and 1 are the same, comes after a turn.
 *
 * A discrete coordinate has one of n values, each of which is an n-th of [0,1]: the net sees which,
 * one-hot, and no gradient comes back.
 */
#ifndef NIS_COUPLING_H
#define NIS_COUPLING_H

#include "kernels/kernels.h"

struct coupling {
  struct net_shape net;    /* outputs: raw_rows of each moving coordinate, then 2 of each turn */
  int transform, bins;     /* which of the kernels' transforms */
  int raw_rows, kept_rows; /* of one moving coordinate */
  int passing, moving;     /* how many coordinates */
  int *pass, *move;        /* which; owned */
  int *circle;             /* [dim] 1: periodic; NULL: none is; owned */
  const int *values;       /* [dim] of a discrete coordinate, else 0; NULL: none is; the flow's */
  size_t first_parameter;  /* of this layer in the flow's block */
};

/* What a layer leaves for the backward pass: slices of one block, arrays are [rows][LANES] */
struct coupling_tile {
  float *in, *hidden, *raw, *kept;
};

size_t nis_coupling_rows(const struct coupling *c);

/* Of a net's input, that a passing coordinate takes */
int nis_coupling_seen_rows(const struct coupling *c, int coordinate);
struct coupling_tile nis_coupling_slices(const struct coupling *c, float *block);

/* z[dim][LANES] in place; log_slope[LANES] is added to. x -> u and u -> x. */
void nis_coupling_density(const struct coupling *c, const struct kernels *k,
                          const float *parameters, double *z, double *log_slope,
                          struct coupling_tile tile);
void nis_coupling_sample(const struct coupling *c, const struct kernels *k, const float *parameters,
                         double *z, double *log_slope, struct coupling_tile tile);

/* After density: adjoint[dim][LANES] dL/dz of its output becomes that of its input; dlog[LANES]
 * is dL/dlog_slope; gradient of the flow's parameters is added to. din holds net.inputs rows. */
void nis_coupling_backward(const struct coupling *c, const struct kernels *k,
                           const float *parameters, const float *dlog, float *adjoint,
                           float *gradient, struct coupling_tile tile, float *din, float *work);

#endif
