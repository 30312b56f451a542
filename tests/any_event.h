/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of massless particles for the tests of matrix elements */
#ifndef ANY_EVENT_H
#define ANY_EVENT_H

#include "momenta.h"
#include "noise.h"

#include <string.h>

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
    boost_from_rest(back, own, p[i]);
    for (int m = 0; m < 4; m++) p[i][m] *= mass / own;
    boost_from_rest(total, mass, p[i]);
  }
}

/* e-, e+ and `legs` others in their rest frame */
static inline void any_event(uint64_t *state, double sqrts, int legs, double p[][4])
{
  const double total[4] = {sqrts, 0, 0, 0};
  set_beams(sqrts, p);
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
