/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resolution of jets in e+ e- */
#ifndef JET_CUT_H
#define JET_CUT_H

#include "momenta.h"

enum { JADE, DURHAM };
#define JET_MEASURES "jade,durham"

struct jet_cut {
  double s, y;
  int measure;
};

/* JADE: 2 E_i E_j (1 - cos) / s; Durham: 2 min(E_i, E_j)^2 (1 - cos) / s, which is never larger */
static inline double jet_resolution(const struct jet_cut *cut, const double a[4], const double b[4])
{
  double jade = 2 * product(a, b) / cut->s;
  return cut->measure == JADE ? jade : jade * fmin(a[0] / b[0], b[0] / a[0]);
}

/* Are all pairs of these partons above y? */
static inline int jet_cut_passes(const struct jet_cut *cut, int n, double (*p)[4])
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      if (!(jet_resolution(cut, p[i], p[j]) > cut->y)) return 0;
  return 1;
}

#endif
