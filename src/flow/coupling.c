/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "coupling.h"

static int is_circle(const struct coupling *c, int coordinate)
{
  return c->circle && c->circle[coordinate];
}

static int values_of(const struct coupling *c, int coordinate)
{
  return c->values ? c->values[coordinate] : 0;
}

int nis_coupling_seen_rows(const struct coupling *c, int coordinate)
{
  int values = values_of(c, coordinate);
  return values > 0 ? values : is_circle(c, coordinate) ? 2 : 1;
}

size_t nis_coupling_rows(const struct coupling *c)
{
  return (size_t)(c->net.inputs + nis_net_hidden_rows(&c->net) + c->net.outputs +
                  c->moving * c->kept_rows);
}

struct coupling_tile nis_coupling_slices(const struct coupling *c, float *block)
{
  struct coupling_tile tile;
  tile.in = block;
  tile.hidden = tile.in + c->net.inputs * LANES;
  tile.raw = tile.hidden + nis_net_hidden_rows(&c->net) * LANES;
  tile.kept = tile.raw + c->net.outputs * LANES;
  return tile;
}

/* The raw rows of moving coordinate number i, and those of the first turn, after all of them */
static float *raw_of(const struct coupling *c, struct coupling_tile tile, int i)
{
  return tile.raw + i * c->raw_rows * LANES;
}

static float *turns_of(const struct coupling *c, struct coupling_tile tile)
{
  return raw_of(c, tile, c->moving);
}

/* The raw rows of both ends of a transform on a circle: the last becomes the first, or on the way
 * back its gradient goes there. */
static void tie_ends(const struct coupling *c, const struct transform *t, float *raw, int back)
{
  float *last = raw + (c->raw_rows - 1) * LANES, *first = last - c->bins * LANES;
  if (!t->ends) return;
  for (int l = 0; l < LANES; l++) {
    if (back) first[l] += last[l];
    last[l] = back ? 0 : first[l];
  }
}

/* 1 in the row of the value, 0 in the others */
static void see_value(int values, const double *z, float *in)
{
  for (int l = 0; l < LANES; l++) {
    int value = (int)(z[l] * values);
    for (int k = 0; k < values; k++) in[k * LANES + l] = k == value;
  }
}

/* The net sees passing coordinates as 2z - 1, as points of the circle, or as one of the values. */
static void condition(const struct coupling *c, const struct kernels *k, const float *parameters,
                      const double *z, struct coupling_tile tile)
{
  float *in = tile.in;
  for (int i = 0; i < c->passing; i++) {
    const double *from = z + c->pass[i] * LANES;
    int values = values_of(c, c->pass[i]);
    if (values > 0)
      see_value(values, from, in);
    else if (is_circle(c, c->pass[i]))
      k->circle_see(from, in);
    else
      for (int l = 0; l < LANES; l++) in[l] = (float)(2 * from[l] - 1);
    in += nis_coupling_seen_rows(c, c->pass[i]) * LANES;
  }
  k->net_forward(&c->net, parameters + c->first_parameter, tile.in, tile.hidden, tile.raw);
  for (int i = 0; i < c->moving; i++)
    if (is_circle(c, c->move[i])) tie_ends(c, k->transform[c->transform], raw_of(c, tile, i), 0);
}

void nis_coupling_density(const struct coupling *c, const struct kernels *k,
                          const float *parameters, double *z, double *log_slope,
                          struct coupling_tile tile)
{
  const struct transform *t = k->transform[c->transform];
  const float *turn = turns_of(c, tile);
  condition(c, k, parameters, z, tile);
  for (int i = 0; i < c->moving; i++) {
    double *x_to_u = z + c->move[i] * LANES;
    if (is_circle(c, c->move[i])) k->circle_turn(turn, 1, x_to_u), turn += 2 * LANES;
    t->density(c->bins, raw_of(c, tile, i), x_to_u, log_slope,
               tile.kept + i * c->kept_rows * LANES);
  }
}

void nis_coupling_sample(const struct coupling *c, const struct kernels *k, const float *parameters,
                         double *z, double *log_slope, struct coupling_tile tile)
{
  const struct transform *t = k->transform[c->transform];
  const float *turn = turns_of(c, tile);
  condition(c, k, parameters, z, tile);
  for (int i = 0; i < c->moving; i++) {
    double *u_to_x = z + c->move[i] * LANES;
    t->sample(c->bins, raw_of(c, tile, i), u_to_x, log_slope);
    if (is_circle(c, c->move[i])) k->circle_turn(turn, -1, u_to_x), turn += 2 * LANES;
  }
}

void nis_coupling_backward(const struct coupling *c, const struct kernels *k,
                           const float *parameters, const float *dlog, float *adjoint,
                           float *gradient, struct coupling_tile tile, float *din, float *work)
{
  const struct transform *t = k->transform[c->transform];
  float *turn = turns_of(c, tile);
  for (int i = 0; i < c->moving; i++) {
    float *raw = raw_of(c, tile, i), *to = adjoint + c->move[i] * LANES;
    t->backward(c->bins, raw, tile.kept + i * c->kept_rows * LANES, dlog, to);
    if (!is_circle(c, c->move[i])) continue;
    tie_ends(c, t, raw, 1);
    k->circle_turn_backward(turn, to), turn += 2 * LANES;
  }
  k->net_backward(&c->net, parameters + c->first_parameter, tile.in, tile.hidden, tile.raw,
                  gradient + c->first_parameter, din, work);
  const float *in = tile.in;
  for (int i = 0; i < c->passing; i++) {
    float *to = adjoint + c->pass[i] * LANES;
    int rows = nis_coupling_seen_rows(c, c->pass[i]);
    if (is_circle(c, c->pass[i]))
      k->circle_see_backward(in, din, to);
    else if (values_of(c, c->pass[i]) == 0)
      for (int l = 0; l < LANES; l++) to[l] += 2 * din[l];
    in += rows * LANES;
    din += rows * LANES;
  }
}
