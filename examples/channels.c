/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sums with integrals in one call: of helicities by discrete coordinates, of maps by channels. */
#include <math.h>
#include <nis.h>
#include <stdio.h>

/* e+ e- -> mu+ mu- without its factors: x[0] is the angle, x[1] and x[2] the two helicities */
static double helicities(double *x, size_t dim, void *params)
{
  double cosine = 2 * x[0] - 1, same = x[1] == x[2];
  (void)dim, (void)params;
  return 0.25 * pow(same ? 1 + cosine : 1 - cosine, 2);
}

enum { CHANNELS = 2 };
static const double mass[CHANNELS] = {1, 3}, width[CHANNELS] = {0.01, 0.001}, low = 0.1, high = 20;

/* What grows with s as the integral of a Breit-Wigner curve does */
static double angle(int k, double s)
{
  return atan((s - mass[k] * mass[k]) / (mass[k] * width[k]));
}

static double curve(int k, double s)
{
  double off = s - mass[k] * mass[k], mw = mass[k] * width[k];
  return mw / (off * off + mw * mw);
}

/* Two resonances, and how they decay. Channel k draws s like curve k: its density is g_k, its
 * weight alpha_k = g_k / (g_0 + g_1), and its integrand alpha_k f / g_k. */
static double resonances(double *x, size_t dim, void *params)
{
  int k = (int)x[dim - 1];
  double from = angle(k, low), to = angle(k, high), g = 0, cosine = 2 * x[1] - 1;
  double s = mass[k] * mass[k] + mass[k] * width[k] * tan(from + x[0] * (to - from));
  double f = curve(0, s) + curve(1, s) * (1 + cosine * cosine);
  (void)params;
  for (int j = 0; j < CHANNELS; j++) g += curve(j, s) / (angle(j, high) - angle(j, low));
  return f / g;
}

int main(void)
{
  const int discrete[] = {0, 2, 2};
  nis_result r = nis_integrate(helicities, 3, .discrete = discrete, .calls = 20000);
  printf("helicities  %.5f +- %.5f\n", r.value, r.error); /* 4 / 3 */

  nis *s;
  if (nis_create(&s, resonances, &(nis_options){.dim = 3, .channels = CHANNELS, .calls = 20000}))
    return 1;
  nis_run(s, &r);
  printf("resonances  %.5f +- %.5f\n", r.value, r.error); /* about pi + 4 pi / 3 */
  for (size_t k = 0; k < CHANNELS; k++) {
    nis_channel_result c;
    nis_channel(s, k, &c);
    printf("channel %zu   %.5f +- %.5f, %d points, efficiency %.2f\n", k, c.value, c.error,
           (int)c.calls, c.efficiency);
  }
  nis_free(s);
  return r.status < 0;
}
