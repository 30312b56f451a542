/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Massless momenta (E, px, py, pz) for the tests of matrix elements. */
#ifndef MOMENTA_H
#define MOMENTA_H

#include "noise.h"

#include <math.h>
#include <string.h>

static inline double product(const double p[4], const double k[4])
{
  return p[0] * k[0] - p[1] * k[1] - p[2] * k[2] - p[3] * k[3];
}

static inline void add(double p[4], double factor, const double k[4])
{
  for (int m = 0; m < 4; m++) p[m] += factor * k[m];
}

static inline void isotropic(uint64_t *state, double energy, double p[4])
{
  double cosine = 2 * next_uniform(state) - 1, phi = 2 * M_PI * next_uniform(state);
  double sine = sqrt((1 - cosine) * (1 + cosine));
  p[0] = energy;
  p[1] = energy * sine * cos(phi), p[2] = energy * sine * sin(phi), p[3] = energy * cosine;
}

/* From the rest frame of `rest` */
static inline void boost(const double rest[4], double p[4])
{
  double mass = sqrt(product(rest, rest));
  double along = p[1] * rest[1] + p[2] * rest[2] + p[3] * rest[3];
  double energy = (p[0] * rest[0] + along) / mass, factor = (p[0] + energy) / (rest[0] + mass);
  for (int m = 1; m < 4; m++) p[m] += factor * rest[m];
  p[0] = energy;
}

/* n massless momenta with the sum `total` (RAMBO: Kleiss, Stirling, Ellis 1986) */
static inline void share_out(uint64_t *state, const double total[4], int n, double (*p)[4])
{
  double sum[4] = {0}, mass = sqrt(product(total, total));
  for (int i = 0; i < n; i++) {
    isotropic(state, -log(next_uniform(state) * next_uniform(state)), p[i]);
    add(sum, 1, p[i]);
  }
  double own = sqrt(product(sum, sum)), back[4] = {sum[0], -sum[1], -sum[2], -sum[3]};
  for (int i = 0; i < n; i++) {
    boost(back, p[i]);
    for (int m = 0; m < 4; m++) p[i][m] *= mass / own;
    boost(total, p[i]);
  }
}

/* e-, e+ and `legs` others in their rest frame */
static inline void any_event(uint64_t *state, double sqrts, int legs, double p[][4])
{
  const double total[4] = {sqrts, 0, 0, 0}, e = sqrts / 2,
               both[2][4] = {{e, 0, 0, e}, {e, 0, 0, -e}};
  memcpy(p, both, sizeof both);
  share_out(state, total, legs, p + 2);
}

/* Splits parton a into z and 1 - z, with transverse momenta in units of it; parton b takes the
 * recoil. Returns the invariant mass squared. */
static inline double split(double p[][4], int a, int b, int into, double z, double size,
                           double angle)
{
  double axis[2][4] = {{0}}, parent[4], recoil = 2 * product(p[a], p[b]), along[2];
  memcpy(parent, p[a], sizeof parent);
  axis[0][1] = 1, axis[1][2] = 1;
  for (int t = 0; t < 2; t++) { /* transverse to both, and to each other */
    double pa = 2 * product(axis[t], p[a]) / recoil, pb = 2 * product(axis[t], p[b]) / recoil;
    add(axis[t], -pa, p[b]);
    add(axis[t], -pb, p[a]);
    if (t) add(axis[1], -product(axis[1], axis[0]) / product(axis[0], axis[0]), axis[0]);
    double length = sqrt(-product(axis[t], axis[t]));
    for (int m = 0; m < 4; m++) axis[t][m] /= length;
  }
  double kt = size * sqrt(recoil);
  along[0] = kt * kt / (z * recoil), along[1] = kt * kt / ((1 - z) * recoil);
  for (int part = 0; part < 2; part++) {
    double share = part ? 1 - z : z, sign = part ? -kt : kt, *to = p[part ? into : a];
    for (int m = 0; m < 4; m++)
      to[m] = share * parent[m] + along[part] * p[b][m] +
              sign * (cos(angle) * axis[0][m] + sin(angle) * axis[1][m]);
  }
  for (int m = 0; m < 4; m++) p[b][m] *= 1 - along[0] - along[1];
  return 2 * product(p[a], p[into]);
}

#endif
