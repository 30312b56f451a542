/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "three_jets.h"

#include "momenta.h"

#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_dilog.h>
#include <math.h>

enum { ELECTRON, POSITRON, QUARK, ANTIQUARK, GLUON };

/* ---- kinematics ---------------------------------------------------------------- */

/* y_ij of two partons with energy fractions x_i, x_j and invariant s_ij / s. */
static double durham_pair(double invariant, double x_i, double x_j)
{
  return x_i < x_j ? invariant * x_i / x_j : invariant * x_j / x_i;
}

double durham_resolution(const struct dalitz *d)
{
  double x_q = d->b + d->c, x_qbar = d->a + d->c, x_g = d->a + d->b;
  double y = durham_pair(d->a, x_qbar, x_g);
  y = fmin(y, durham_pair(d->b, x_q, x_g));
  return fmin(y, durham_pair(d->c, x_q, x_qbar));
}

/* No difference from 1 is formed: the distances of a and b to their upper ends come from expm1,
 * so a point right at an end has no negative logarithm, and y = 1e-9 keeps all digits. */
double map_triangle(double y, const double r[2], struct dalitz *d)
{
  double log_a = log1p((1 - 3 * y) / y);
  d->a = y * exp(r[0] * log_a);
  double room = -(1 - 2 * y) * expm1((r[0] - 1) * log_a); /* 1 - 2y - a */
  double log_b = log1p(room / y);
  d->b = y * exp(r[1] * log_b);
  d->c = y - (room + y) * expm1((r[1] - 1) * log_b);
  return log_a * log_b;
}

struct euler three_jet_angles(const double u[3])
{
  return (struct euler){2 * u[0] - 1, 2 * M_PI * u[1], 2 * M_PI * u[2]};
}

/* p = scale (energy, along * axis + across * normal) */
static void set_momentum(double p[4], double scale, double energy, double along, double across,
                         const double axis[3], const double normal[3])
{
  p[0] = scale * energy;
  for (int i = 0; i < 3; i++) p[i + 1] = scale * (along * axis[i] + across * normal[i]);
}

/* The axis along the quark, and the normal to it on which the antiquark lies. */
static void event_plane(const struct euler *angles, double axis[3], double normal[3])
{
  double cos_theta = angles->cos_theta;
  double sin_theta = sqrt((1 - cos_theta) * (1 + cos_theta));
  double cos_phi = cos(angles->phi), sin_phi = sin(angles->phi);
  double cos_chi = cos(angles->chi), sin_chi = sin(angles->chi);
  axis[0] = sin_theta * cos_phi;
  axis[1] = sin_theta * sin_phi;
  axis[2] = cos_theta;
  normal[0] = cos_chi * cos_theta * cos_phi - sin_chi * sin_phi;
  normal[1] = cos_chi * cos_theta * sin_phi + sin_chi * cos_phi;
  normal[2] = -cos_chi * sin_theta;
}

void three_jet_momenta(double sqrts, const struct dalitz *d, const struct euler *angles,
                       double p[3][4])
{
  double axis[3], normal[3];
  event_plane(angles, axis, normal);
  double scale = 0.5 * sqrts;
  double x_q = d->b + d->c, x_qbar = d->a + d->c, x_g = d->a + d->b;
  /* x_q x_qbar (1 - cos) = 2 c and x_q x_qbar (1 + cos) = 2 a b between the quarks, and
   * the same with x_g and b <-> c between quark and gluon */
  double across = 2 * sqrt(d->a * d->b * d->c) / x_q;
  set_momentum(p[0], scale, x_q, x_q, 0, axis, normal);
  set_momentum(p[1], scale, x_qbar, x_qbar - 2 * d->c / x_q, across, axis, normal);
  set_momentum(p[2], scale, x_g, x_g - 2 * d->b / x_q, -across, axis, normal);
}

/* ---- matrix element ------------------------------------------------------------ */

static double square(double x)
{
  return x * x;
}

double eeqqg_squared(const struct ee_couplings *c, const double p[5][4])
{
  const double *em = p[ELECTRON], *ep = p[POSITRON];
  const double *q = p[QUARK], *qbar = p[ANTIQUARK], *g = p[GLUON];
  double s = 2 * product(em, ep);
  double g2[2][2];
  ee_couplings_squared(c, s, g2);
  double same = square(product(em, qbar)) + square(product(ep, q));
  double opposite = square(product(em, q)) + square(product(ep, qbar));
  double chiralities =
      (g2[LEFT][LEFT] + g2[RIGHT][RIGHT]) * same + (g2[LEFT][RIGHT] + g2[RIGHT][LEFT]) * opposite;
  double colour = 4; /* N_c C_F */
  double average = 0.25;
  return average * 16 * c->strong * colour / (2 * s) * chiralities /
         (product(q, g) * product(qbar, g));
}

/* ---- rates --------------------------------------------------------------------- */

double jade_rate(double y)
{
  gsl_sf_result dilog;
  gsl_sf_dilog_e(y / (1 - y), &dilog); /* between 0 and 1/2, where it cannot fail */
  double log_ratio = log(y / (1 - y));
  return (3 - 6 * y) * log(y / (1 - 2 * y)) + 2 * log_ratio * log_ratio + 2.5 - 6 * y -
         4.5 * y * y + 4 * dilog.val - M_PI * M_PI / 3;
}

/* With a <= b <= c the smallest y_ij is a (a + b) / (1 - b), so the cut bounds b from
 * below. The spectrum (x_q^2 + x_qbar^2) / ((1 - x_q)(1 - x_qbar)), summed over the six
 * ways to name the partons, is integrated over b up to (1 - a) / 2 by hand, and over
 * log a by quadrature. */
static double durham_slice(double log_a, void *params)
{
  double y = *(const double *)params, a = exp(log_a), t = 1 - a;
  double b = fmax(a, (y - a * a) / (y + a)), c = t - b;
  double logs = ((1 + t * t) / a + (1 + a * a) / t) * log(c / b);
  return 2 * a * (logs - (c - b) * (1 + (2 - 0.5 * t) / a));
}

double durham_rate(double y)
{
  gsl_integration_glfixed_table *rule = gsl_integration_glfixed_table_alloc(64);
  if (!rule) return NAN;
  gsl_function slice = {durham_slice, &y};
  double kink = log(0.25 * (sqrt(y * y + 8 * y) - y)); /* where b = a meets the cut */
  double sum = gsl_integration_glfixed(&slice, log(y), kink, rule) +
               gsl_integration_glfixed(&slice, kink, -log(3), rule);
  gsl_integration_glfixed_table_free(rule);
  return sum;
}
