/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "coupling.h"

size_t nis_coupling_rows(const struct coupling *c)
{
  return (size_t)(c->passing + nis_net_hidden_rows(&c->net) +
                  c->moving * (SPLINE_ROWS(c->bins) + KEPT_ROWS));
}

struct coupling_tile nis_coupling_slices(const struct coupling *c, float *block)
{
  struct coupling_tile tile;
  tile.in = block;
  tile.hidden = tile.in + c->passing * LANES;
  tile.raw = tile.hidden + nis_net_hidden_rows(&c->net) * LANES;
  tile.kept = tile.raw + c->moving * SPLINE_ROWS(c->bins) * LANES;
  return tile;
}

/* The net sees passing coordinates as 2z - 1. */
static void condition(const struct coupling *c, const struct kernels *k, const float *weights,
                      const double *z, struct coupling_tile tile)
{
  for (int i = 0; i < c->passing; i++) {
    const double *from = z + c->pass[i] * LANES;
    for (int l = 0; l < LANES; l++) tile.in[i * LANES + l] = (float)(2 * from[l] - 1);
  }
  k->net_forward(&c->net, weights + c->first_weight, tile.in, tile.hidden, tile.raw);
}

void nis_coupling_density(const struct coupling *c, const struct kernels *k, const float *weights,
                          double *z, double *log_slope, struct coupling_tile tile)
{
  condition(c, k, weights, z, tile);
  for (int i = 0; i < c->moving; i++)
    k->spline_density(c->bins, tile.raw + i * SPLINE_ROWS(c->bins) * LANES, z + c->move[i] * LANES,
                      log_slope, tile.kept + i * KEPT_ROWS * LANES);
}

void nis_coupling_sample(const struct coupling *c, const struct kernels *k, const float *weights,
                         double *z, double *log_slope, struct coupling_tile tile)
{
  condition(c, k, weights, z, tile);
  for (int i = 0; i < c->moving; i++)
    k->spline_sample(c->bins, tile.raw + i * SPLINE_ROWS(c->bins) * LANES, z + c->move[i] * LANES,
                     log_slope);
}

void nis_coupling_backward(const struct coupling *c, const struct kernels *k, const float *weights,
                           const float *dlog, float *adjoint, float *gradient,
                           struct coupling_tile tile, float *din, float *work)
{
  for (int i = 0; i < c->moving; i++)
    k->spline_backward(c->bins, tile.raw + i * SPLINE_ROWS(c->bins) * LANES,
                       tile.kept + i * KEPT_ROWS * LANES, dlog, adjoint + c->move[i] * LANES);
  k->net_backward(&c->net, weights + c->first_weight, tile.in, tile.hidden, tile.raw,
                  gradient + c->first_weight, din, work);
  for (int i = 0; i < c->passing; i++) {
    float *to = adjoint + c->pass[i] * LANES;
    for (int l = 0; l < LANES; l++) to[l] += 2 * din[i * LANES + l];
  }
}
