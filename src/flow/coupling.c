/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "coupling.h"

size_t nis_coupling_rows(const struct coupling *c)
{
  return (size_t)(c->passing + nis_net_hidden_rows(&c->net) +
                  c->moving * (c->raw_rows + c->kept_rows));
}

struct coupling_tile nis_coupling_slices(const struct coupling *c, float *block)
{
  struct coupling_tile tile;
  tile.in = block;
  tile.hidden = tile.in + c->passing * LANES;
  tile.raw = tile.hidden + nis_net_hidden_rows(&c->net) * LANES;
  tile.kept = tile.raw + c->moving * c->raw_rows * LANES;
  return tile;
}

/* The net sees passing coordinates as 2z - 1. */
static void condition(const struct coupling *c, const struct kernels *k, const float *parameters,
                      const double *z, struct coupling_tile tile)
{
  for (int i = 0; i < c->passing; i++) {
    const double *from = z + c->pass[i] * LANES;
    for (int l = 0; l < LANES; l++) tile.in[i * LANES + l] = (float)(2 * from[l] - 1);
  }
  k->net_forward(&c->net, parameters + c->first_parameter, tile.in, tile.hidden, tile.raw);
}

void nis_coupling_density(const struct coupling *c, const struct kernels *k,
                          const float *parameters, double *z, double *log_slope,
                          struct coupling_tile tile)
{
  const struct transform *t = k->transform[c->transform];
  condition(c, k, parameters, z, tile);
  for (int i = 0; i < c->moving; i++)
    t->density(c->bins, tile.raw + i * c->raw_rows * LANES, z + c->move[i] * LANES, log_slope,
               tile.kept + i * c->kept_rows * LANES);
}

void nis_coupling_sample(const struct coupling *c, const struct kernels *k, const float *parameters,
                         double *z, double *log_slope, struct coupling_tile tile)
{
  const struct transform *t = k->transform[c->transform];
  condition(c, k, parameters, z, tile);
  for (int i = 0; i < c->moving; i++)
    t->sample(c->bins, tile.raw + i * c->raw_rows * LANES, z + c->move[i] * LANES, log_slope);
}

void nis_coupling_backward(const struct coupling *c, const struct kernels *k,
                           const float *parameters, const float *dlog, float *adjoint,
                           float *gradient, struct coupling_tile tile, float *din, float *work)
{
  const struct transform *t = k->transform[c->transform];
  for (int i = 0; i < c->moving; i++)
    t->backward(c->bins, tile.raw + i * c->raw_rows * LANES, tile.kept + i * c->kept_rows * LANES,
                dlog, adjoint + c->move[i] * LANES);
  k->net_backward(&c->net, parameters + c->first_parameter, tile.in, tile.hidden, tile.raw,
                  gradient + c->first_parameter, din, work);
  for (int i = 0; i < c->passing; i++) {
    float *to = adjoint + c->pass[i] * LANES;
    for (int l = 0; l < LANES; l++) to[l] += 2 * din[i * LANES + l];
  }
}
