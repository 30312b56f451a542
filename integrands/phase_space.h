/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the unit cube to momenta. Momenta are (E, px, py, pz); a map's weight is the phase space
 *
 *     dPhi_n = prod_i d^3 p_i / ((2 pi)^3 2 E_i) (2 pi)^4 delta^4(P - sum_i p_i)
 *
 * per volume of the cube, in GeV^(2n - 4). */
#ifndef PHASE_SPACE_H
#define PHASE_SPACE_H

enum { PHASE_SPACE_MOST = 8 };

/* RAMBO on diet (Plaetzer, arXiv:1308.2922): n = 2 .. 8 massless momenta p[n][4] in their rest frame
 * from 3n - 4 numbers in (0, 1), evenly in phase space: the weight, which is returned, is the same
 * everywhere, (pi/2)^(n-1) s^(n-2) / ((n-1)! (n-2)!) (2 pi)^(4-3n). */
double rambo_on_diet(int n, double sqrts, const double *x, double (*p)[4]);

/* p from the rest frame of something of this mass to the frame in which that has the momentum `whole` */
void boost_from_rest(const double whole[4], double mass, double p[4]);

#endif
