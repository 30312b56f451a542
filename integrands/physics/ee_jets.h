/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Squared amplitudes of e+ e- -> q qbar g ... g through photon and Z at tree level, all
 * massless, by the recursion of Berends and Giele, Nucl. Phys. B 306 (1988) 759. */
#ifndef EE_JETS_H
#define EE_JETS_H

#include "electroweak.h"

#include <complex.h>

enum { EE_MOST_GLUONS = 3, EE_MOST_ORDERS = 6 };

struct ee_jets {
  int gluons, orders;                            /* orders: gluons! */
  int order[EE_MOST_ORDERS][EE_MOST_GLUONS];     /* the permutations */
  double colour[EE_MOST_ORDERS][EE_MOST_ORDERS]; /* Tr(T^a1 T^a2 ... (T^b1 T^b2 ...)^+), summed */
};

/* gluons: 0 .. 3 */
void ee_jets_set(struct ee_jets *j, int gluons);

/* |M|^2, averaged over the spins of the leptons, summed over all other spins and colours, without a
 * factor for identical gluons; in GeV^(-2 gluons). p: e-, e+, q, qbar, gluons; (E, px, py, pz). */
double ee_jets_squared(const struct ee_jets *j, const struct ee_couplings *c, const double (*p)[4]);

/* Colour flows: the squares of the amplitudes of each order alone; shares of the leading colour */
void ee_jets_orders(const struct ee_jets *j, const struct ee_couplings *c, const double (*p)[4],
                    double weight[EE_MOST_ORDERS]);

/* |M|^2 with the polarisation vector of one gluon replaced by its momentum: 0 but for rounding */
double ee_jets_gauge_check(const struct ee_jets *j, const struct ee_couplings *c,
                           const double (*p)[4], int gluon);

/* Without couplings, for a left-handed quark and given helicities of the gluons, bit i: gluon i
 * has +1. By the chirality of the electron: summed over colours, and of each order alone */
struct ee_jets_squares {
  double all[2], order[EE_MOST_ORDERS][2];
};
void ee_jets_helicities(const struct ee_jets *j, const double (*p)[4], int helicities,
                        struct ee_jets_squares *out);

#endif
