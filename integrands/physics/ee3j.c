/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e+ e- -> q qbar g at leading order: photon and Z, all lepton correlations, massless quarks.
 *
 * The two collinear poles 1 / (a b) of |M|^2 cancel against the map (three_jets.h); what is left
 * are two logarithms times the correlations with the leptons. Durham's y_ij are never above
 * JADE's, so its region lies inside the map's triangle; the rest of that is zero. The sum over all
 * flavours has that of the quark as a sixth coordinate. */
#include "event.h"
#include "integrands.h"
#include "jet_cut.h"
#include "observables.h"
#include "phase_space.h"
#include "three_jets.h"

#include <math.h>

enum { SQRTS, MEASURE, YCUT, QUARK_FLAVOUR, ALPHA_S };

static const struct parameter parameters[] = {
    {"sqrts", NULL, Z_MASS, 10, 1e5, "centre-of-mass energy in GeV"},
    {"measure", JET_MEASURES, JADE, JADE, DURHAM, "jet measure of the cut"},
    {"ycut", NULL, 0.01, 1e-9, 0.333, "smallest y_ij of two partons"},
    {"quark", QUARKS ",all", 0, 0, ALL_QUARKS,
     "flavour of the quark, massless; all: their sum, in one dimension more"},
    {"alpha_s", NULL, 0.118, 1e-4, 1, "strong coupling"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct ee3j {
  double sqrts, ycut, alpha_s;
  int measure, flavours;
  double sigma0; /* sigma(e+ e- -> q qbar) in pb, of all flavours together */
  struct flavour {
    int quark;        /* Particle Data Group number */
    double weight[2]; /* of LL + RR and LR + RL: all factors that are no function of x */
    struct ee_couplings couplings;
  } flavour[FLAVOURS_OF_QUARKS];
};

enum { FLAVOUR = 5 }; /* the coordinate */

static size_t more(const double *values)
{
  return values[QUARK_FLAVOUR] == ALL_QUARKS;
}

static int values_of(const void *state, size_t coordinate)
{
  const struct ee3j *p = state;
  return coordinate == FLAVOUR ? p->flavours : 0;
}

static const struct flavour *flavour_of(const struct ee3j *p, const double *x)
{
  return &p->flavour[p->flavours > 1 ? (int)x[FLAVOUR] : 0];
}

static void add_flavour(struct ee3j *p, int pdg)
{
  struct flavour *f = &p->flavour[p->flavours++];
  double s = p->sqrts * p->sqrts, g2[2][2];
  f->quark = pdg;
  ee_couplings_set(&f->couplings, pdg, p->alpha_s);
  ee_couplings_squared(&f->couplings, s, g2);
  double same = g2[LEFT][LEFT] + g2[RIGHT][RIGHT];
  double opposite = g2[LEFT][RIGHT] + g2[RIGHT][LEFT];
  p->sigma0 += PB_GEV2 * 3 / (48 * M_PI * s) * (same + opposite);
  /* flux 1 / (2s), phase space s / (128 pi^3), and |M|^2 = g_s^2 N_c C_F / (2 s a b)
   * [...] with the bracket of correlations() */
  double factor = PB_GEV2 * f->couplings.strong * 4 / (512 * pow(M_PI, 3) * s);
  f->weight[0] = factor * same;
  f->weight[1] = factor * opposite;
}

static void setup(void *state, size_t dim, const double *values)
{
  struct ee3j *p = state;
  int quark = (int)values[QUARK_FLAVOUR], all = quark == ALL_QUARKS;
  (void)dim;
  *p = (struct ee3j){.sqrts = values[SQRTS],
                     .ycut = values[YCUT],
                     .alpha_s = values[ALPHA_S],
                     .measure = (int)values[MEASURE]};
  for (int i = 0; i < FLAVOURS_OF_QUARKS; i++)
    if (all || i == quark) add_flavour(p, quark_pdg[i]);
}

/* x_q (1 -+ cos theta_q) and x_qbar (1 -+ cos theta_qbar) are 4 / s times the products of
 * the quarks' momenta with the leptons'. The azimuth does not matter. */
static double correlations(const double weight[2], const struct dalitz *d,
                           const struct euler *angles)
{
  double x_q = d->b + d->c, x_qbar = d->a + d->c;
  double cosine = angles->cos_theta, sine = sqrt((1 - cosine) * (1 + cosine));
  double across = 2 * sqrt(d->a * d->b * d->c) / x_q;
  double q_z = x_q * cosine;
  double qbar_z = (x_qbar - 2 * d->c / x_q) * cosine - across * sine * cos(angles->chi);
  double em_q = x_q - q_z, ep_q = x_q + q_z;
  double em_qbar = x_qbar - qbar_z, ep_qbar = x_qbar + qbar_z;
  return weight[0] * (em_qbar * em_qbar + ep_q * ep_q) +
         weight[1] * (em_q * em_q + ep_qbar * ep_qbar);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct ee3j *p = state;
  const struct euler angles = three_jet_angles(x + 2);
  struct dalitz d;
  (void)dim;
  double jacobian = map_triangle(p->ycut, x, &d);
  if (p->measure == DURHAM && durham_resolution(&d) <= p->ycut) return 0;
  return jacobian * correlations(flavour_of(p, x)->weight, &d, &angles);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct ee3j *p = state;
  (void)dim;
  double rate = p->measure == JADE ? jade_rate(p->ycut) : durham_rate(p->ycut);
  *value = p->sigma0 * p->alpha_s * (4.0 / 3) / (2 * M_PI) * rate;
  return isfinite(*value);
}

static double matrix_element(const void *state, const double (*p)[4])
{
  const struct ee3j *m = state;
  double sum = 0;
  for (int i = 0; i < m->flavours; i++) sum += eeqqg_squared(&m->flavour[i].couplings, p);
  return sum;
}

static void momenta(const void *state, const double *x, double (*p)[4])
{
  const struct ee3j *m = state;
  nis_three_jets(m->sqrts, m->ycut, x, p);
}

/* ---- events -------------------------------------------------------------------- */

static int make_particles(const double *x, size_t dim, nis_event *out, void *state)
{
  const struct ee3j *p = state;
  double parton[3][4];
  int quark = flavour_of(p, x)->quark;
  (void)dim;
  momenta(p, x, parton);

  event_begin(out, p->sqrts, p->alpha_s, 11, -11);
  event_add(out, quark, 501, 0, parton[0]);
  event_add(out, -quark, 0, 502, parton[1]);
  event_add(out, 21, 502, 501, parton[2]);
  return 0;
}

const struct integrand ee3j_integrand = {
    .name = "ee3j",
    .dim_min = 5,
    .dim_max = 5,
    .dim_default = 5,
    .parameters = parameters,
    .state_size = sizeof(struct ee3j),
    .setup = setup,
    .more = more,
    .values = values_of,
    .f = evaluate,
    .exact = exact,
    .particles = make_particles,
    .legs = 5,
    .squared = matrix_element,
    .momenta = momenta,
    .observables = of_three_partons,
    .unit = "pb",
    .source = "Ellis, Gaillard, Ross, Nucl. Phys. B 111 (1976) 253; jet measures: JADE, "
              "Z. Phys. C 33 (1986) 23, Durham, Phys. Lett. B 269 (1991) 432",
    .description = "cross section of e+ e- -> q qbar g inside a jet cut",
};
