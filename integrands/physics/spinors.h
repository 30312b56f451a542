/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two-component spinors of massless momenta, vectors, and quark lines made of them; metric + - - -.
 * With s = (1, sigma) and sbar = (1, -sigma) a left-handed quark line is the chain
 * psi^+ sbar.J s.P sbar.J ... psi. A right-handed one is the same of the reflected vectors. */
#ifndef SPINORS_H
#define SPINORS_H

#include "momenta.h"

#include <complex.h>

typedef double complex vector[4];

struct spinor {
  double complex a, b;
};

static inline double complex dot(const vector x, const vector y)
{
  return x[0] * y[0] - x[1] * y[1] - x[2] * y[2] - x[3] * y[3];
}

static inline double complex dot_real(const double p[4], const vector y)
{
  return p[0] * y[0] - p[1] * y[1] - p[2] * y[2] - p[3] * y[3];
}

/* psi psi^+ = p.s: left-handed. E + pz would have no digits of a momentum along -z. */
static inline struct spinor spinor_of(const double p[4])
{
  double across2 = p[1] * p[1] + p[2] * p[2];
  double plus = p[3] < 0 ? across2 / (p[0] - p[3]) : p[0] + p[3];
  if (plus <= 0) return (struct spinor){sqrt(p[0] - p[3]), 0};
  double root = sqrt(plus);
  return (struct spinor){-(p[1] - I * p[2]) / root, root};
}

/* Rows: psi^+ sbar.J, the row given as (a, b). */
static inline struct spinor row_bar(struct spinor r, const vector j)
{
  return (struct spinor){r.a * (j[0] + j[3]) + r.b * (j[1] + I * j[2]),
                         r.a * (j[1] - I * j[2]) + r.b * (j[0] - j[3])};
}

static inline struct spinor row_momentum(struct spinor r, const double p[4])
{
  return (struct spinor){r.a * (p[0] - p[3]) - r.b * (p[1] + I * p[2]),
                         -r.a * (p[1] - I * p[2]) + r.b * (p[0] + p[3])};
}

/* Columns: sbar.J xi, s.P xi */
static inline struct spinor bar_column(const vector j, struct spinor c)
{
  return (struct spinor){(j[0] + j[3]) * c.a + (j[1] - I * j[2]) * c.b,
                         (j[1] + I * j[2]) * c.a + (j[0] - j[3]) * c.b};
}

static inline struct spinor momentum_column(const double p[4], struct spinor c)
{
  return (struct spinor){(p[0] - p[3]) * c.a - (p[1] - I * p[2]) * c.b,
                         -(p[1] + I * p[2]) * c.a + (p[0] + p[3]) * c.b};
}

static inline struct spinor conjugate(struct spinor s)
{
  return (struct spinor){conj(s.a), conj(s.b)};
}

static inline void add_scaled(struct spinor *to, struct spinor s, double factor)
{
  to->a += factor * s.a;
  to->b += factor * s.b;
}

/* row sbar^mu column */
static inline void open_line(struct spinor r, struct spinor c, vector j)
{
  j[0] = r.a * c.a + r.b * c.b;
  j[1] = -(r.a * c.b + r.b * c.a);
  j[2] = -(-I * r.a * c.b + I * r.b * c.a);
  j[3] = -(r.a * c.a - r.b * c.b);
}

/* psi^+(p) sbar^mu psi(k) */
static inline void current(const double p[4], const double k[4], vector j)
{
  open_line(conjugate(spinor_of(p)), spinor_of(k), j);
}

/* The conjugate polarisation, for an outgoing gluon of helicity +1 or -1: transverse to k */
static inline void polarisation(const double k[4], int helicity, vector e)
{
  double across = hypot(k[1], k[2]), cosine = k[3] / k[0], sine = across / k[0];
  double cos_phi = across > 0 ? k[1] / across : 1, sin_phi = across > 0 ? k[2] / across : 0;
  double complex i = -helicity * I;
  e[0] = 0;
  e[1] = M_SQRT1_2 * (cosine * cos_phi - i * sin_phi);
  e[2] = M_SQRT1_2 * (cosine * sin_phi + i * cos_phi);
  e[3] = -M_SQRT1_2 * sine;
}

/* Two gluons of this colour order and the one that they come from, but for its propagator:
 * sqrt(1/2) [2 (P2.J1) J2 - 2 (P1.J2) J1 + (J1.J2) (P1 - P2)], for P1.J1 = P2.J2 = 0 */
static inline void add_three_gluons(const vector j1, const double p1[4], const vector j2,
                                    const double p2[4], vector sum)
{
  double complex a = 2 * dot_real(p2, j1), b = 2 * dot_real(p1, j2), c = dot(j1, j2);
  for (int m = 0; m < 4; m++) sum[m] += M_SQRT1_2 * (a * j2[m] - b * j1[m] + c * (p1[m] - p2[m]));
}

#endif
