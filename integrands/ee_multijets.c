/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e+ e- -> q qbar g g and q qbar g g g at leading order: photon and Z, all lepton correlations, massless
 * quarks, jets by the resolution of every pair. The map is even in phase space. */
#include "ee_jets.h"
#include "integrands.h"
#include "phase_space.h"

#include <math.h>

enum { SQRTS, MEASURE, YCUT, QUARK_FLAVOUR, ALPHA_S };
enum { JADE, DURHAM };
enum { MOST_PARTONS = 2 + EE_MOST_GLUONS };

static const struct parameter parameters[] = {
    {"sqrts", NULL, Z_MASS, 10, 1e5, "centre-of-mass energy in GeV"},
    {"measure", "jade,durham", JADE, JADE, DURHAM, "jet measure of the cut"},
    {"ycut", NULL, 0.01, 1e-6, 0.166, "smallest y_ij of two partons"},
    {"quark", "u,d,s,c,b", 0, 0, 4, "flavour of the quark, massless"},
    {"alpha_s", NULL, 0.118, 1e-4, 1, "strong coupling"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct ee_multijets {
  double sqrts, ycut;
  int measure, partons;
  struct ee_couplings couplings;
  struct ee_jets jets;
  double factor; /* flux 1 / (2s) in pb, and 1 / gluons! */
};

static void set(struct ee_multijets *p, int gluons, const double *values)
{
  static const int pdg[] = {2, 1, 3, 4, 5};
  double s = values[SQRTS] * values[SQRTS];
  p->sqrts = values[SQRTS];
  p->ycut = values[YCUT];
  p->measure = (int)values[MEASURE];
  p->partons = 2 + gluons;
  ee_couplings_set(&p->couplings, pdg[(int)values[QUARK_FLAVOUR]], values[ALPHA_S]);
  ee_jets_set(&p->jets, gluons);
  p->factor = PB_GEV2 / (2 * s * tgamma(gluons + 1));
}

static void set_two(void *state, size_t dim, const double *values)
{
  (void)dim;
  set(state, 2, values);
}

static void set_three(void *state, size_t dim, const double *values)
{
  (void)dim;
  set(state, 3, values);
}

/* JADE: 2 E_i E_j (1 - cos) / s; Durham: 2 min(E_i, E_j)^2 (1 - cos) / s */
static double resolution(const struct ee_multijets *p, const double a[4], const double b[4])
{
  double s = p->sqrts * p->sqrts;
  double jade = 2 * (a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]) / s;
  return p->measure == JADE ? jade : jade * fmin(a[0] / b[0], b[0] / a[0]);
}

static int passes(const struct ee_multijets *p, double (*jet)[4])
{
  for (int i = 0; i < p->partons; i++)
    for (int j = 0; j < i; j++)
      if (!(resolution(p, jet[i], jet[j]) > p->ycut)) return 0;
  return 1;
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct ee_multijets *p = state;
  double e = p->sqrts / 2, all[2 + MOST_PARTONS][4] = {{e, 0, 0, e}, {e, 0, 0, -e}};
  (void)dim;
  double weight = nis_rambo_on_diet(p->partons, p->sqrts, x, all + 2);
  if (!passes(p, all + 2)) return 0;
  return p->factor * weight * ee_jets_squared(&p->jets, &p->couplings, (const double(*)[4])all);
}

static double matrix_element(const void *state, const double (*p)[4])
{
  const struct ee_multijets *m = state;
  return ee_jets_squared(&m->jets, &m->couplings, p);
}

#define SOURCE                                                                                     \
  "Berends, Giele, Nucl. Phys. B 306 (1988) 759; jet measures: JADE, Z. Phys. C 33 (1986) 23, "    \
  "Durham, Phys. Lett. B 269 (1991) 432"

const struct integrand ee4j_integrand = {
    .name = "ee4j",
    .dim_min = 8,
    .dim_max = 8,
    .dim_default = 8,
    .parameters = parameters,
    .state_size = sizeof(struct ee_multijets),
    .setup = set_two,
    .f = evaluate,
    .legs = 6,
    .squared = matrix_element,
    .unit = "pb",
    .source = SOURCE,
    .description = "e+e- -> q qbar g g through photon and Z at leading order",
};

const struct integrand ee5j_integrand = {
    .name = "ee5j",
    .dim_min = 11,
    .dim_max = 11,
    .dim_default = 11,
    .parameters = parameters,
    .state_size = sizeof(struct ee_multijets),
    .setup = set_three,
    .f = evaluate,
    .legs = 7,
    .squared = matrix_element,
    .unit = "pb",
    .source = SOURCE,
    .description = "e+e- -> q qbar g g g through photon and Z at leading order",
};
