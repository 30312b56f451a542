/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Momenta (E, px, py, pz) */
#ifndef MOMENTA_H
#define MOMENTA_H

#include <math.h>

static inline double product(const double p[4], const double k[4])
{
  return p[0] * k[0] - p[1] * k[1] - p[2] * k[2] - p[3] * k[3];
}

static inline double mass_squared(const double p[4])
{
  return product(p, p);
}

/* p from the rest frame of something of this mass to the frame in which that has the momentum
 * `whole`; with its momentum reversed, back again */
static inline void boost_from_rest(const double whole[4], double mass, double p[4])
{
  double along = p[1] * whole[1] + p[2] * whole[2] + p[3] * whole[3];
  double energy = (p[0] * whole[0] + along) / mass, factor = (p[0] + energy) / (whole[0] + mass);
  for (int m = 1; m < 4; m++) p[m] += factor * whole[m];
  p[0] = energy;
}

/* Massless, evenly over the sphere for x evenly in (0, 1)^2: cosine and azimuth */
static inline void set_direction(double energy, const double x[2], double p[4])
{
  double cosine = 2 * x[0] - 1, sine = 2 * sqrt(x[0] * (1 - x[0])), phi = 2 * M_PI * x[1];
  p[0] = energy;
  p[1] = energy * sine * cos(phi);
  p[2] = energy * sine * sin(phi);
  p[3] = energy * cosine;
}

/* The same, and another one against it */
static inline void set_back_to_back(double energy, const double x[2], double p[4], double k[4])
{
  set_direction(energy, x, p);
  k[0] = energy;
  for (int m = 1; m < 4; m++) k[m] = -p[m];
}

/* Two incoming particles of half the energy each, the first along +z */
static inline void set_beams(double sqrts, double p[2][4])
{
  for (int i = 0; i < 2; i++) {
    p[i][0] = 0.5 * sqrts, p[i][1] = p[i][2] = 0;
    p[i][3] = i ? -0.5 * sqrts : 0.5 * sqrts;
  }
}

#endif
