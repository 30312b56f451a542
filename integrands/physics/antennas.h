/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Phase space of e+ e- -> q qbar and more partons, along the poles of QCD. A channel is a history:
 * two quarks back to back, then one parton more at each step, where a pair I, K becomes i, j, k:
 *
 *     dPhi_(n+1) = dPhi_n  s_IK / (16 pi^2)  da db dphi / (2 pi),
 *     a = s_ij / s_IK, b = s_jk / s_IK,
 *
 * exactly, with momentum conserved by the three alone (Gustafson, Pettersson, Nucl. Phys. B 306
 * (1988) 746). An emission is drawn like 1 / (a b), a gluon that splits like 1 / a. All channels
 * together are the density, as in HAAG (van Hameren, Papadopoulos, hep-ph/0204055), so their poles
 * cancel those of all colour orders.
 */
#ifndef ANTENNAS_H
#define ANTENNAS_H

enum { ANTENNA_PARTONS = 5, ANTENNA_STEPS = 3, ANTENNA_CHANNELS = 48 };

/* Parton i and the recoiling k were there before, j is new. */
struct antenna {
  int i, j, k;
  int splits; /* 1: i was a gluon, and is a quark now as j is; 0: j is a gluon */
};

struct antennas {
  int steps, pairs;    /* of quarks: those with numbers 0, 1 and 2, 3 */
  int channels, drawn; /* only the first are drawn; the others are these with the partons renamed */
  double s, y;         /* GeV^2; smallest s_ij / s of all pairs */
  struct {
    int quark, antiquark; /* of the first two partons */
    struct antenna step[ANTENNA_STEPS];
  } channel[ANTENNA_CHANNELS];
};

/* The processes. Partons are numbered q, qbar, and then as said; y < 1/6, 1/10 for five of them */

/* and 2 or 3 gluons */
void antennas_of_gluons(struct antennas *map, int gluons, double s, double y);

/* and Q, Qbar, and 0 or 1 gluon; `identical`: Q is of the flavour of q */
void antennas_of_quarks(struct antennas *map, int gluons, int identical, double s, double y);

/* Momenta p[2 + steps] at rest from x[2 + 3 steps] in (0, 1), and x[2 + 3 steps], the number of the
 * channel, 0 .. drawn-1, where more than one is drawn. x[1] gives the turn about the beams, and
 * whether the event is replaced by its CP image; nothing depends on it. Returns the weight, phase
 * space per volume of the cube (phase_space.h) times the share g_c / sum_k g_k that the channel has
 * of it by the densities of those that are drawn; or 0, and no momenta, where the last step would
 * leave a pair below y. */
double antennas_draw(const struct antennas *map, const double *x, double (*p)[4]);

/* Of given momenta: the mean of the densities of all channels, one over (drawn times the weight) */
double antennas_density(const struct antennas *map, const double (*p)[4]);

#endif
