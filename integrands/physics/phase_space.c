/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phase_space.h"

#include "momenta.h"
#include "three_jets.h"

#include <string.h>

/* ---- two-body decays ------------------------------------------------------------------ */

/* `whole`, of mass `from`, decays into a massless p and a rest of mass `to`, which it becomes. */
static void decay(double whole[4], double from, double to, const double x[2], double p[4])
{
  double energy = (from - to) * (from + to) / (2 * from), rest[4];
  set_direction(energy, x, p);
  rest[0] = hypot(energy, to);
  for (int m = 1; m < 4; m++) rest[m] = -p[m];
  boost_from_rest(whole, from, p);
  boost_from_rest(whole, from, rest);
  memcpy(whole, rest, sizeof rest);
}

/* The last two of a chain, at rest in `whole` of this mass */
static void decay_last(const double whole[4], double mass, const double x[2], double p[2][4])
{
  set_back_to_back(mass / 2, x, p[0], p[1]);
  for (int i = 0; i < 2; i++) boost_from_rest(whole, mass, p[i]);
}

/* ---- even ------------------------------------------------------------------------------- */

/* The root u of x = (k + 1) u^k - k u^(k+1), which rises from 0 to 1: Newton's steps, kept between
 * the bounds that they leave. */
static double solve(int k, double x)
{
  double low = 0, high = 1, u = pow(x / (k + 1), 1.0 / k);
  for (int i = 0; i < 100; i++) {
    double power = pow(u, k - 1), off = power * u * (k + 1 - k * u) - x;
    if (off > 0)
      high = u;
    else
      low = u;
    double next = u - off / (k * (k + 1) * power * (1 - u));
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (fabs(next - u) <= 1e-16 * u) break;
    u = next;
  }
  return u;
}

static double volume(int n, double s)
{
  double value = 2 * M_PI * pow(2 * M_PI, 3 - 3 * n) * pow(M_PI / 2, n - 1) * pow(s, n - 2);
  return value / (tgamma(n) * tgamma(n - 1));
}

double nis_rambo_on_diet(int n, double sqrts, const double *x, double (*p)[4])
{
  double whole[4] = {sqrts, 0, 0, 0}, mass = sqrts;
  const double *angles = x + n - 2;
  for (int i = 0; i < n - 2; i++, angles += 2) {
    double next = mass * sqrt(solve(n - 2 - i, x[i]));
    decay(whole, mass, next, angles, p[i]);
    mass = next;
  }
  decay_last(whole, mass, angles, p + n - 2);
  return volume(n, sqrts * sqrts);
}

/* ---- sequential ------------------------------------------------------------------------- */

/* m^2 between low and high; returns d m^2 / d x. */
static double resonance(const struct nis_propagator *shape, double high, double x, double *m2)
{
  double centre = shape->mass * shape->mass, scale = shape->mass * shape->width;
  double first = atan((shape->low - centre) / scale), last = atan((high - centre) / scale);
  double tangent = tan(first + x * (last - first));
  *m2 = fmin(fmax(centre + scale * tangent, shape->low), high);
  return scale * (1 + tangent * tangent) * (last - first);
}

static double pole(const struct nis_propagator *shape, double high, double x, double *m2)
{
  double low = shape->low, k = 1 - shape->power;
  if (k == 0) {
    double log_ratio = log(high / low);
    *m2 = low * exp(x * log_ratio);
    return *m2 * log_ratio;
  }
  double first = pow(low, k), last = pow(high, k);
  *m2 = pow(first + x * (last - first), 1 / k);
  return (last - first) / k * pow(*m2, shape->power);
}

double nis_sequential(int n, double sqrts, const struct nis_propagator *shape, const double *x,
                      double (*p)[4])
{
  double whole[4] = {sqrts, 0, 0, 0}, m2 = sqrts * sqrts, weight = 1;
  const double *angles = x + n - 2;
  for (int i = 0; i < n - 2; i++, angles += 2) {
    double high = m2;
    double slope = (shape[i].width > 0 ? resonance : pole)(&shape[i], high, x[i], &m2);
    m2 = fmax(m2, 1e-30 * high); /* what has no mass has no rest frame */
    weight *= slope / (2 * M_PI) * (1 - m2 / high) / (8 * M_PI);
    decay(whole, sqrt(high), sqrt(m2), angles, p[i]);
  }
  decay_last(whole, sqrt(m2), angles, p + n - 2);
  return weight / (8 * M_PI);
}

/* ---- three jets ------------------------------------------------------------------------- */

double nis_three_jets(double sqrts, double ycut, const double x[5], double p[3][4])
{
  struct dalitz d;
  const struct euler angles = three_jet_angles(x + 2);
  double jacobian = map_triangle(ycut, x, &d);
  three_jet_momenta(sqrts, &d, &angles, p);
  return sqrts * sqrts / (128 * pow(M_PI, 3)) * jacobian * d.a * d.b;
}
