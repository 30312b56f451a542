/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinematics, jet measures and matrix element of e+ e- -> q qbar g, all massless.
 * Momenta are (E, px, py, pz) in the centre-of-mass frame, e- along +z. */
#ifndef THREE_JETS_H
#define THREE_JETS_H

#include "electroweak.h"

/* A point of the Dalitz plot: a = 1 - x_q = s(qbar g) / s, b = 1 - x_qbar = s(q g) / s,
 * c = 1 - x_g = s(q qbar) / s with x = 2 E / sqrt(s). Each is kept for its own sake, as
 * a difference from the sum of 1 would have lost the digits of a small one. */
struct dalitz {
  double a, b, c;
};

/* The quark's direction, and the turn of the event plane about it. */
struct euler {
  double cos_theta, phi, chi;
};

/* The triangle a, b, c > y, for y < 1/3, from two numbers in (0, 1):
 *
 *     a = y ((1 - 2y) / y)^r1        y < a < 1 - 2y
 *     b = y ((1 - a - y) / y)^r2     y < b < 1 - a - y
 *
 * Returns the Jacobian over a b, log((1 - 2y) / y) log((1 - a - y) / y). The phase space of
 * three is s / (128 pi^3) da db times the average over the three angles. */
double map_triangle(double y, const double r[2], struct dalitz *d);

struct euler three_jet_angles(const double u[3]); /* from numbers in (0, 1), evenly */

/* Smallest 2 min(E_i, E_j)^2 (1 - cos theta_ij) / s of the three pairs. */
double durham_resolution(const struct dalitz *d);

/* p: q, qbar, g. Each is on shell to rounding relative to its own energy. */
void three_jet_momenta(double sqrts, const struct dalitz *d, const struct euler *angles,
                       double p[3][4]);

/* |M|^2, averaged over the spins of the leptons, summed over all else; in GeV^-2.
 * p: e-, e+, q, qbar, g. */
double eeqqg_squared(const struct ee_couplings *c, const double p[5][4]);

/* Cross section inside ycut in units of sigma(e+ e- -> q qbar) alpha_s C_F / (2 pi), for
 * ycut < 1/3. durham_rate needs memory, and returns NaN without. */
double jade_rate(double ycut);
double durham_rate(double ycut);

#endif
