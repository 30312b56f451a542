/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e+ e- -> mu+ mu- at leading order: photon and Z, massless muons. Between chiralities i of the
 * electron and j of the muon, with g_ij and s of electroweak.h,
 *
 *     |M|^2 = |g_ij|^2 (1 + cos theta)^2 for i = j, |g_ij|^2 (1 - cos theta)^2 else. */
#include "electroweak.h"
#include "event.h"
#include "integrands.h"
#include "momenta.h"
#include "observables.h"

#include <math.h>

enum { SQRTS, CUT };

static const struct parameter parameters[] = {
    {"sqrts", NULL, Z_MASS, 1, 1e5, "centre-of-mass energy in GeV"},
    {"cosine", NULL, 1, 0.01, 1, "largest |cos theta| of the muons"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct ee_mumu {
  double sqrts, cosine;
  struct ee_couplings couplings;
  double same, opposite; /* sums of |g_ij|^2 at sqrts, in pb: flux and phase space included */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct ee_mumu *m = state;
  double s = values[SQRTS] * values[SQRTS], g2[2][2];
  (void)dim;
  m->sqrts = values[SQRTS];
  m->cosine = values[CUT];
  ee_couplings_set(&m->couplings, 13, 0);
  ee_couplings_squared(&m->couplings, s, g2);
  double factor = PB_GEV2 / (2 * s) / (8 * M_PI) / 4 * m->cosine;
  m->same = factor * (g2[LEFT][LEFT] + g2[RIGHT][RIGHT]);
  m->opposite = factor * (g2[LEFT][RIGHT] + g2[RIGHT][LEFT]);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct ee_mumu *m = state;
  double cosine = m->cosine * (2 * x[0] - 1);
  (void)dim;
  return m->same * (1 + cosine) * (1 + cosine) + m->opposite * (1 - cosine) * (1 - cosine);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct ee_mumu *m = state;
  (void)dim;
  *value = (m->same + m->opposite) * (1 + m->cosine * m->cosine / 3);
  return 1;
}

/* p: e-, e+, mu-, mu+ */
static double squared(const void *state, const double (*p)[4])
{
  const struct ee_mumu *m = state;
  double s = 2 * product(p[0], p[1]), t = 2 * product(p[0], p[2]), u = 2 * product(p[0], p[3]);
  double g2[2][2];
  ee_couplings_squared(&m->couplings, s, g2);
  return ((g2[LEFT][LEFT] + g2[RIGHT][RIGHT]) * u * u +
          (g2[LEFT][RIGHT] + g2[RIGHT][LEFT]) * t * t) /
         (s * s);
}

static void momenta(const void *state, const double *x, double (*p)[4])
{
  const struct ee_mumu *m = state;
  double cosine = m->cosine * (2 * x[0] - 1);
  set_back_to_back(0.5 * m->sqrts, (const double[]){0.5 * (1 + cosine), x[1]}, p[0], p[1]);
}

static int make_particles(const double *x, size_t dim, nis_event *out, void *state)
{
  const struct ee_mumu *m = state;
  double p[2][4];
  (void)dim;
  momenta(m, x, p);
  event_begin(out, m->sqrts, 0.118, 11, -11);
  event_add(out, 13, 0, 0, p[0]);
  event_add(out, -13, 0, 0, p[1]);
  return 0;
}

const struct integrand ee_mumu_integrand = {
    .name = "ee_mumu",
    .dim_min = 2,
    .dim_max = 2,
    .dim_default = 2,
    .parameters = parameters,
    .state_size = sizeof(struct ee_mumu),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .particles = make_particles,
    .legs = 4,
    .squared = squared,
    .momenta = momenta,
    .observables = of_two_partons,
    .unit = "pb",
    .source = "Ellis, Stirling, Webber, QCD and Collider Physics (1996), section 8.2",
    .description = "cross section of e+ e- -> mu- mu+",
};
