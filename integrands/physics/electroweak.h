/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Couplings of e+ e- -> photon or Z -> massless quarks or muons. Energies in GeV. */
#ifndef ELECTROWEAK_H
#define ELECTROWEAK_H

#include <complex.h>

#define INVERSE_ALPHA 132.507 /* at M_Z */
#define FERMI_CONSTANT 1.16639e-5
#define Z_MASS 91.188
#define Z_WIDTH 2.441404
#define PB_GEV2 0.3893793656e9 /* (hbar c)^2 in pb GeV^2 */

enum { LEFT, RIGHT };

/* Everything but the momenta. The amplitude of given chiralities is proportional to
 * g_ij = photon + z[i][j] s / (s - M_Z^2 + i M_Z Gamma_Z). */
struct ee_couplings {
  double photon;  /* e^2 Q_e Q_q, and so for muons */
  double z[2][2]; /* [electron][quark]; zero switches the Z off */
  double z_mass, z_width;
  double strong; /* g_s^2 */
};

double w_mass(void);
double sin2_weak_angle(void); /* on-shell: 1 - M_W^2 / M_Z^2 */

/* Names of the quarks, and Particle Data Group numbers in their order */
#define QUARKS "u,d,s,c,b"
enum { FLAVOURS_OF_QUARKS = 5, ALL_QUARKS = FLAVOURS_OF_QUARKS }; /* behind them the word "all" */
extern const int quark_pdg[FLAVOURS_OF_QUARKS];

/* pdg: 1 .. 5 for d u s c b; 13, 15 for mu, tau. */
void ee_couplings_set(struct ee_couplings *out, int pdg, double alpha_s);

/* g_ij, and squared[i][j] = |g_ij|^2, at this s. */
double complex ee_coupling(const struct ee_couplings *c, double s, int i, int j);
void ee_couplings_squared(const struct ee_couplings *c, double s, double squared[2][2]);

#endif
