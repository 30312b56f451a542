/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Maps from the unit cube to massless momenta p[n][4], each (E, px, py, pz), in their rest frame.
 * Every map returns its weight: the phase space
 *
 *     dPhi_n = prod_i d^3 p_i / ((2 pi)^3 2 E_i) (2 pi)^4 delta^4(P - sum_i p_i)
 *
 * per volume of the cube, in GeV^(2n - 4). With x evenly in the cube the mean of weight * g(p) is
 * the integral of g dPhi_n; so a cross section is that of 1 / (2 s) |M|^2, for two massless
 * particles that collide. x[j] lies in (0, 1). Nothing is kept or allocated.
 */
#ifndef NIS_PHASE_SPACE_H
#define NIS_PHASE_SPACE_H

#include "nis.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NIS_PHASE_SPACE_MOST = 8 };

/* RAMBO on diet (Plaetzer, arXiv:1308.2922): n = 2 .. 8 momenta from x[3n - 4], evenly in phase
 * space: the weight is the same everywhere, (pi/2)^(n-1) s^(n-2) / ((n-1)! (n-2)!) (2
 * pi)^(4-3n). */
NIS_API double nis_rambo_on_diet(int n, double sqrts, const double *x, double (*p)[4]);

/* How the squared mass m^2 of a system is drawn, above `low` (GeV^2) */
struct nis_propagator {
  double mass, width; /* GeV; where width > 0 like 1 / ((m^2 - mass^2)^2 + mass^2 width^2) ... */
  double power;       /* ... else like 1 / (m^2)^power: 0 is flat; below 1 where low is 0 */
  double low;         /* >= 0, and not above that of the system before */
};

/* Decays one after the other (Byckling, Kajantie, Nucl. Phys. B 9 (1969) 568): n = 2 .. 8
 * momenta from x[3n - 4]. x[0 .. n-3] are for the squared masses of p_1 + ... + p_(n-1), p_2 +
 * ... + p_(n-1), ..., which are drawn as shape[0 .. n-3] say; two numbers each, cosine and
 * azimuth in the rest frame of the system that decays, are for the directions of p_0, p_1, ...
 * Needs shape[0].low < s. */
NIS_API double nis_sequential(int n, double sqrts, const struct nis_propagator *shape,
                              const double *x, double (*p)[4]);

/* Three jets with all s_ij > ycut s, 0 < ycut < 1/3. With a = s_12 / s and b = s_02 / s, the
 * distances of 2 E_0 / sqrt s and 2 E_1 / sqrt s from 1, the points lie like 1 / (a b), up to
 * logarithms:
 *     a = ycut ((1 - 2 ycut) / ycut)^x[0], b = ycut ((1 - a - ycut) / ycut)^x[1],
 * and x[2 .. 4] are cosine and azimuth of p_0, and the turn of the plane about it. */
NIS_API double nis_three_jets(double sqrts, double ycut, const double x[5], double p[3][4]);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
