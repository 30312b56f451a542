/* SPDX-License-Identifier: GPL-3.0-or-later */
/* e+ e- -> q qbar g g (g) and q qbar Q Qbar (g) at leading order: photon and Z, all lepton
 * correlations, massless quarks, jets by the resolution of every pair. The map follows the poles
 * (antennas.h). */
#include "antennas.h"
#include "ee_four_quarks.h"
#include "ee_jets.h"
#include "event.h"
#include "integrands.h"
#include "jet_cut.h"
#include "observables.h"

#include <math.h>
#include <string.h>

enum { SQRTS, MEASURE, YCUT, QUARK, ALPHA_S, SECOND_QUARK };

/* Of n partons the smallest JADE y is at most 2 / (n (n - 1)). */
#define PARAMETERS(most_y, quark)                                                                  \
  {"sqrts", NULL, Z_MASS, 10, 1e5, "centre-of-mass energy in GeV"},                                \
      {"measure", JET_MEASURES, JADE, JADE, DURHAM, "jet measure of the cut"},                     \
      {"ycut", NULL, 0.01, 1e-6, most_y, "smallest y_ij of two partons"}, quark,                   \
  {                                                                                                \
    "alpha_s", NULL, 0.118, 1e-4, 1, "strong coupling"                                             \
  }
#define FIRST                                                                                      \
  {                                                                                                \
    "quark", QUARKS, 0, 0, 4, "flavour of the quark, massless"                                     \
  }
#define ANY                                                                                        \
  {                                                                                                \
    "quark", QUARKS ",all", 0, 0, ALL_QUARKS,                                                      \
        "flavour of the quark, massless; all: their sum, in one dimension more"                    \
  }
#define SECOND                                                                                     \
  {                                                                                                \
    "quark2", QUARKS, 1, 0, 4, "flavour of the second quark; it may be that of the first"          \
  }
#define END                                                                                        \
  {                                                                                                \
    NULL, NULL, 0, 0, 0, NULL                                                                      \
  }

static const struct parameter of_four[] = {PARAMETERS(0.166, ANY), END};
static const struct parameter of_five[] = {PARAMETERS(0.0999, FIRST), END};
static const struct parameter of_four_quarks[] = {PARAMETERS(0.166, FIRST), SECOND, END};
static const struct parameter of_five_quarks[] = {PARAMETERS(0.0999, FIRST), SECOND, END};

struct ee_multijets {
  double sqrts, alpha_s;
  struct jet_cut cut;
  struct antennas map;
  int partons, gluons, quark[2]; /* Particle Data Group numbers; the second is 0 with two quarks */
  int flavours; /* of two quarks: those that are summed over have numbers and couplings of theirs */
  int pdg[FLAVOURS_OF_QUARKS];
  struct ee_couplings couplings[FLAVOURS_OF_QUARKS];
  struct ee_jets two;
  struct ee_four_quarks four;
  double factor; /* flux 1 / (2s) in pb, and 1 / n! of identical partons */
};

static void set(struct ee_multijets *m, const double *values)
{
  m->sqrts = values[SQRTS];
  m->alpha_s = values[ALPHA_S];
  m->cut = (struct jet_cut){m->sqrts * m->sqrts, values[YCUT], (int)values[MEASURE]};
  m->factor = PB_GEV2 / (2 * m->cut.s);
  m->flavours = 0;
}

static void add_flavour(struct ee_multijets *m, int pdg)
{
  int n = m->flavours++;
  m->pdg[n] = pdg;
  ee_couplings_set(&m->couplings[n], pdg, m->alpha_s);
}

static void set_two_quarks(struct ee_multijets *m, int gluons, const double *values)
{
  set(m, values);
  m->partons = 2 + gluons;
  m->gluons = gluons;
  m->quark[1] = 0;
  m->factor /= tgamma(gluons + 1);
  for (int i = 0, quark = (int)values[QUARK]; i < FLAVOURS_OF_QUARKS; i++)
    if (quark == i || quark == ALL_QUARKS) add_flavour(m, quark_pdg[i]);
  ee_jets_set(&m->two, gluons);
  antennas_of_gluons(&m->map, gluons, m->cut.s, m->cut.y);
}

static void set_four_quarks(struct ee_multijets *m, int gluons, const double *values)
{
  set(m, values);
  m->partons = 4 + gluons;
  m->gluons = gluons;
  m->quark[0] = quark_pdg[(int)values[QUARK]];
  m->quark[1] = quark_pdg[(int)values[SECOND_QUARK]];
  ee_four_quarks_set(&m->four, gluons, m->quark, m->alpha_s);
  if (m->four.identical) m->factor /= 4;
  antennas_of_quarks(&m->map, gluons, m->four.identical, m->cut.s, m->cut.y);
}

/* The number of the flavour is the last coordinate, where there are more. */
static int flavour_of(const struct ee_multijets *m, const double *x)
{
  return m->flavours > 1 ? (int)x[2 + 3 * m->map.steps] : 0;
}

static double squared_of(const struct ee_multijets *m, int flavour, const double (*p)[4])
{
  return m->quark[1] ? ee_four_quarks_squared(&m->four, p)
                     : ee_jets_squared(&m->two, &m->couplings[flavour], p);
}

static double squared(const void *state, const double (*p)[4])
{
  const struct ee_multijets *m = state;
  double sum = squared_of(m, 0, p);
  for (int i = 1; i < m->flavours; i++) sum += squared_of(m, i, p);
  return sum;
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct ee_multijets *m = state;
  double p[2 + ANTENNA_PARTONS][4];
  (void)dim;
  set_beams(m->sqrts, p);
  double weight = antennas_draw(&m->map, x, p + 2);
  if (!(weight > 0) || !jet_cut_passes(&m->cut, m->partons, p + 2)) return 0;
  return m->factor * weight * squared_of(m, flavour_of(m, x), (const double(*)[4])p);
}

/* Where there are none, all are 0, and observables are no numbers; f is 0 there. */
static void momenta(const void *state, const double *x, double (*p)[4])
{
  const struct ee_multijets *m = state;
  memset(p, 0, (size_t)m->partons * sizeof *p);
  antennas_draw(&m->map, x, p);
}

/* ---- events ------------------------------------------------------------------------------ */

enum { LINE = 501 }; /* the first number of a colour line */

/* From the quark over the gluons to the antiquark */
static void add_string(const struct ee_multijets *m, int quark, const int *order, double (*p)[4],
                       nis_event *out)
{
  int behind[EE_MOST_GLUONS];
  for (int i = 0; i < m->gluons; i++) behind[order[i]] = LINE + i;
  event_add(out, quark, LINE, 0, p[2]);
  event_add(out, -quark, 0, LINE + m->gluons, p[3]);
  for (int i = 0; i < m->gluons; i++) event_add(out, 21, behind[i] + 1, behind[i], p[4 + i]);
}

/* Two strings: q to qbar or to Qbar; a gluon is on the first or on the second of them. */
static void add_two_strings(const struct ee_multijets *m, int flow, double (*p)[4], nis_event *out)
{
  int straight = m->gluons ? flow / 2 : flow, place = flow % 2;
  int start[] = {LINE, LINE + 1}, end[] = {LINE, LINE + 1}; /* of the strings */
  if (m->gluons) end[place] = LINE + 2;
  event_add(out, m->quark[0], start[0], 0, p[2]);
  event_add(out, -m->quark[0], 0, end[!straight], p[3]);
  event_add(out, m->quark[1], start[1], 0, p[4]);
  event_add(out, -m->quark[1], 0, end[straight], p[5]);
  if (m->gluons) event_add(out, 21, end[place], start[place], p[6]);
}

static int make_particles(const double *x, size_t dim, nis_event *out, void *state)
{
  const struct ee_multijets *m = state;
  double p[2 + ANTENNA_PARTONS][4], weight[EE_MOST_ORDERS];
  const double(*momenta)[4] = (const double(*)[4])p;
  set_beams(m->sqrts, p);
  antennas_draw(&m->map, x, p + 2);
  event_begin(out, m->sqrts, m->alpha_s, 11, -11);
  if (m->quark[1]) {
    ee_four_quarks_flows(&m->four, momenta, weight);
    add_two_strings(m, event_choose(x, dim, weight, m->gluons ? 4 : 2), p, out);
  } else {
    int flavour = flavour_of(m, x);
    ee_jets_orders(&m->two, &m->couplings[flavour], momenta, weight);
    add_string(m, m->pdg[flavour], m->two.order[event_choose(x, dim, weight, m->two.orders)], p,
               out);
  }
  return 0;
}

/* ---- the last coordinate ------------------------------------------------------------------ */

static int channel_values(const void *state, size_t coordinate)
{
  const struct ee_multijets *m = state;
  return coordinate == 2 + 3 * (size_t)m->map.steps ? m->map.drawn : 0;
}

static size_t more(const double *values)
{
  return values[QUARK] == ALL_QUARKS;
}

static int flavour_values(const void *state, size_t coordinate)
{
  const struct ee_multijets *m = state;
  return coordinate == 2 + 3 * (size_t)m->map.steps ? m->flavours : 0;
}

/* ---- rows -------------------------------------------------------------------------------- */

static void set_ee4j(void *state, size_t dim, const double *values)
{
  (void)dim;
  set_two_quarks(state, 2, values);
}

static void set_ee5j(void *state, size_t dim, const double *values)
{
  (void)dim;
  set_two_quarks(state, 3, values);
}

static void set_ee4q(void *state, size_t dim, const double *values)
{
  (void)dim;
  set_four_quarks(state, 0, values);
}

static void set_ee4qg(void *state, size_t dim, const double *values)
{
  (void)dim;
  set_four_quarks(state, 1, values);
}

#define DIM(n) .dim_min = (n), .dim_max = (n), .dim_default = (n)
#define CHANNELS .values = channel_values, .channels = 1
#define ROW(number_of_partons)                                                                     \
  .legs = 2 + (number_of_partons), .state_size = sizeof(struct ee_multijets), .f = evaluate,       \
  .squared = squared, .particles = make_particles, .momenta = momenta, .unit = "pb",               \
  .source = "Berends, Giele, Nucl. Phys. B 306 (1988) 759; jet measures: JADE, Z. Phys. C 33 "     \
            "(1986) 23, Durham, Phys. Lett. B 269 (1991) 432"

const struct integrand ee4j_integrand = {
    ROW(4),
    DIM(8),
    .more = more,
    .values = flavour_values,
    .name = "ee4j",
    .observables = of_four_partons,
    .parameters = of_four,
    .setup = set_ee4j,
    .description = "cross section of e+ e- -> q qbar g g inside a jet cut",
};

const struct integrand ee5j_integrand = {
    ROW(5),
    DIM(12),
    CHANNELS,
    .name = "ee5j",
    .observables = of_five_partons,
    .parameters = of_five,
    .setup = set_ee5j,
    .description = "cross section of e+ e- -> q qbar g g g inside a jet cut",
};

const struct integrand ee4q_integrand = {
    ROW(4),
    DIM(9),
    CHANNELS,
    .name = "ee4q",
    .observables = of_four_partons,
    .parameters = of_four_quarks,
    .setup = set_ee4q,
    .description = "cross section of e+ e- -> q qbar Q Qbar by a gluon, inside a jet cut",
};

const struct integrand ee4qg_integrand = {
    ROW(5),
    DIM(12),
    CHANNELS,
    .name = "ee4qg",
    .observables = of_five_partons,
    .parameters = of_five_quarks,
    .setup = set_ee4qg,
    .description = "cross section of e+ e- -> q qbar Q Qbar g by gluons, inside a jet cut",
};
