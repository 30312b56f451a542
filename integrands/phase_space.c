/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "phase_space.h"

#include <math.h>
#include <string.h>

void boost_from_rest(const double whole[4], double mass, double p[4])
{
  double along = p[1] * whole[1] + p[2] * whole[2] + p[3] * whole[3];
  double energy = (p[0] * whole[0] + along) / mass, factor = (p[0] + energy) / (whole[0] + mass);
  for (int m = 1; m < 4; m++) p[m] += factor * whole[m];
  p[0] = energy;
}

/* The root u of x = (k + 1) u^k - k u^(k+1), which rises from 0 to 1: Newton's steps, kept between the
 * bounds that they leave. */
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

/* A massless momentum in a direction of two numbers */
static void direct(double energy, const double x[2], double p[4])
{
  double cosine = 2 * x[0] - 1, sine = 2 * sqrt(x[0] * (1 - x[0])), phi = 2 * M_PI * x[1];
  p[0] = energy;
  p[1] = energy * sine * cos(phi);
  p[2] = energy * sine * sin(phi);
  p[3] = energy * cosine;
}

/* `whole`, of mass `from`, decays into a massless p and a rest of mass `to`, which it becomes. */
static void decay(double whole[4], double from, double to, const double x[2], double p[4])
{
  double energy = (from - to) * (from + to) / (2 * from), rest[4];
  direct(energy, x, p);
  rest[0] = hypot(energy, to);
  for (int m = 1; m < 4; m++) rest[m] = -p[m];
  boost_from_rest(whole, from, p);
  boost_from_rest(whole, from, rest);
  memcpy(whole, rest, sizeof rest);
}

static double volume(int n, double s)
{
  double value = 2 * M_PI * pow(2 * M_PI, 3 - 3 * n) * pow(M_PI / 2, n - 1) * pow(s, n - 2);
  return value / (tgamma(n) * tgamma(n - 1));
}

double rambo_on_diet(int n, double sqrts, const double *x, double (*p)[4])
{
  double whole[4] = {sqrts, 0, 0, 0}, mass = sqrts;
  const double *angles = x + n - 2;
  for (int i = 0; i < n - 2; i++, angles += 2) {
    double next = mass * sqrt(solve(n - 2 - i, x[i]));
    decay(whole, mass, next, angles, p[i]);
    mass = next;
  }
  direct(mass / 2, angles, p[n - 2]);
  p[n - 1][0] = mass / 2;
  for (int m = 1; m < 4; m++) p[n - 1][m] = -p[n - 2][m];
  for (int i = n - 2; i < n && n > 2; i++) boost_from_rest(whole, mass, p[i]);
  return volume(n, sqrts * sqrts);
}
