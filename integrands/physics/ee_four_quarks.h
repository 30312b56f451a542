/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Squared amplitudes of e+ e- -> q qbar Q Qbar, and with one gluon more, through photon or Z and
 * one gluon between the quark lines: order alpha^2 alpha_s^2, and alpha_s^3. All massless. */
#ifndef EE_FOUR_QUARKS_H
#define EE_FOUR_QUARKS_H

#include "electroweak.h"

enum { EE_COLOUR_FLOWS = 4 };

struct ee_four_quarks {
  int gluons;                       /* 0 or 1 */
  int identical;                    /* is q the same flavour as Q? */
  struct ee_couplings couplings[2]; /* of q and Q */
};

/* pdg: 1 .. 5 for d u s c b, of q and of Q; gluons: 0 or 1 */
void ee_four_quarks_set(struct ee_four_quarks *f, int gluons, const int pdg[2], double alpha_s);

/* |M|^2, averaged over the spins of the leptons, summed over all other spins and colours, without
 * a factor for identical quarks; in GeV^(-4 - 2 gluons). p: e-, e+, q, qbar, Q, Qbar, gluon. */
double ee_four_quarks_squared(const struct ee_four_quarks *f, const double (*p)[4]);

/* The shares of the colour flows, but for a common factor, by leading colour. The lines are, from
 * quark to antiquark, q Qbar and Q qbar (0), q qbar and Q Qbar (1); with a gluon it is on the first
 * of them (0, 2) or the second (1, 3). */
void ee_four_quarks_flows(const struct ee_four_quarks *f, const double (*p)[4],
                          double weight[EE_COLOUR_FLOWS]);

/* |M|^2 with the gluon's polarisation vector replaced by its momentum: 0 but for rounding */
double ee_four_quarks_gauge_check(const struct ee_four_quarks *f, const double (*p)[4]);

#endif
