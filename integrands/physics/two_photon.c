/* SPDX-License-Identifier: GPL-3.0-or-later */
/* p p -> p mu- mu+ p, or e e -> e mu- mu+ e, by two photons of fractions x1, x2 of the beams'
 * energies and virtualities Q1^2, Q2^2, of which only the flux knows:
 *
 *     sigma = 2 int dlog W dY dc N(x1, Q1^2) dQ1^2 N(x2, Q2^2) dQ2^2 s(W, c),
 *     x1 x2 S = W^2,  x1 / x2 = exp(2 Y),
 *     N(x, Q^2) = alpha / pi / Q^2 [ (1 - x) (1 - Qmin^2 / Q^2) F_E + x^2 / 2 F_M ],
 *     Qmin^2 = m^2 x^2 / (1 - x) < Q^2 < q2_max,
 *     s(W, c) = 2 pi alpha^2 b / W^2 [1 + 2 b^2 (1 - b^2) (1 - c^2) - b^4 c^4] / (1 - b^2 c^2)^2.
 *
 * Of a proton F_M = G_M^2 and F_E = (4 m^2 G_E^2 + Q^2 G_M^2) / (4 m^2 + Q^2) with the dipole form,
 * of an electron both are 1; b is the muons' velocity and c the cosine of one in their rest frame.
 * Both muons have to pass cuts in transverse momentum and rapidity. log W, Y and c are even in the
 * cube; Q^2 = q2_max u^power, so that the poles at Q^2 = 0, which the lower end cuts off at a place
 * that depends on W and Y, are left to the integrator for the most part. */
#include "electroweak.h"
#include "integrands.h"

#include <gsl/gsl_integration.h>
#include <math.h>

#define ALPHA (1 / 137.035999)
#define MUON_MASS 0.1056583755
#define PROTON_MASS 0.93827209
#define ELECTRON_MASS 0.51099895e-3
#define MAGNETIC_MOMENT 2.7928473 /* of the proton */
#define DIPOLE 0.71               /* GeV^2 */

enum { BEAM, SQRTS, PT, RAPIDITY, MASS_HIGH, Q2_MAX, POWER };

static const struct parameter parameters[] = {
    {"beam", "proton,electron", 0, 0, 1, "what the photons come from"},
    {"sqrts", NULL, 13000, 100, 1e5, "of the beams, in GeV"},
    {"pt", NULL, 4, 0, 20, "least transverse momentum of a muon, in GeV"},
    {"rapidity", NULL, 2.4, 0.1, 10, "largest |rapidity| of a muon"},
    {"mass_high", NULL, 100, 45, 1000, "largest mass of the two muons, in GeV"},
    {"q2_max", NULL, 2, 1e-3, 100, "largest virtuality of a photon, in GeV^2"},
    {"power", NULL, 4, 1, 10, "of u in Q^2 = q2_max u^power"},
    {NULL, NULL, 0, 0, 0, NULL},
};

struct two_photon {
  int electron;
  double sqrts, mass2; /* of a beam particle, squared */
  double pt, rapidity, q2_max, power;
  double log_low, log_high; /* of W */
};

static void setup(void *state, size_t dim, const double *values)
{
  struct two_photon *t = state;
  (void)dim;
  t->electron = values[BEAM] == 1;
  t->sqrts = values[SQRTS];
  t->mass2 = pow(t->electron ? ELECTRON_MASS : PROTON_MASS, 2);
  t->pt = values[PT];
  t->rapidity = values[RAPIDITY];
  t->q2_max = values[Q2_MAX];
  t->power = values[POWER];
  t->log_low = log(2 * hypot(t->pt, MUON_MASS));
  t->log_high = log(values[MASS_HIGH]);
}

static double least_q2(const struct two_photon *t, double x)
{
  return t->mass2 * x * x / (1 - x);
}

/* Where Qmin^2 reaches q2_max */
static double largest_fraction(const struct two_photon *t)
{
  return 2 / (1 + sqrt(1 + 4 * t->mass2 / t->q2_max));
}

/* N without alpha / pi, times Q^2 */
static double flux(const struct two_photon *t, double x, double q2)
{
  double least = least_q2(t, x), electric = 1, magnetic = 1;
  if (!(x < 1) || q2 <= least || q2 > t->q2_max) return 0;
  if (!t->electron) {
    double dipole = pow(1 + q2 / DIPOLE, -4);
    magnetic = MAGNETIC_MOMENT * MAGNETIC_MOMENT * dipole;
    electric = (4 * t->mass2 * dipole + q2 * magnetic) / (4 * t->mass2 + q2);
  }
  return (1 - x) * (1 - least / q2) * electric + x * x / 2 * magnetic;
}

/* Largest |c| for which both muons pass the cuts; below 0 for none */
static double largest_cosine(const struct two_photon *t, double mass, double y)
{
  double velocity = sqrt(1 - pow(2 * MUON_MASS / mass, 2)), sine = 2 * t->pt / (mass * velocity);
  if (sine > 1 || fabs(y) > t->rapidity) return -1;
  return fmin(sqrt(1 - sine * sine), tanh(t->rapidity - fabs(y)) / velocity);
}

/* In pb */
static double muon_pairs(double mass, double c)
{
  double b2 = 1 - pow(2 * MUON_MASS / mass, 2), pole = 1 - b2 * c * c;
  double shape = 1 + 2 * b2 * (1 - b2) * (1 - c * c) - b2 * b2 * pow(c, 4);
  return PB_GEV2 * 2 * M_PI * ALPHA * ALPHA * sqrt(b2) / (mass * mass) * shape / (pole * pole);
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct two_photon *t = state;
  double mass = exp(t->log_low + (t->log_high - t->log_low) * x[0]);
  double y = t->rapidity * (2 * x[1] - 1), c = 2 * x[2] - 1;
  double value = 2 * (t->log_high - t->log_low) * 2 * t->rapidity * 2;
  (void)dim;
  if (fabs(c) > largest_cosine(t, mass, y)) return 0;
  for (int side = 0; side < 2; side++) {
    double fraction = mass / t->sqrts * exp(side ? -y : y), u = x[3 + side];
    value *= ALPHA / M_PI * flux(t, fraction, t->q2_max * pow(u, t->power)) * t->power / u;
  }
  return value * muon_pairs(mass, c);
}

enum { MASS_OF, RAPIDITY_OF, COSINE_OF, FIRST_Q2, SECOND_Q2 };

static double observe(const struct integrand *row, const void *state, const double *x, int which)
{
  const struct two_photon *t = state;
  (void)row;
  switch (which) {
  case MASS_OF: return exp(t->log_low + (t->log_high - t->log_low) * x[0]);
  case RAPIDITY_OF: return t->rapidity * (2 * x[1] - 1);
  case COSINE_OF: return 2 * x[2] - 1;
  default: return t->q2_max * pow(x[which == FIRST_Q2 ? 3 : 4], t->power);
  }
}

static const struct observable observables[] = {
    {"mass", "GeV", "mass of the two muons", 0, 100, observe, MASS_OF},
    {"rapidity", "", "of the two muons", -2.4, 2.4, observe, RAPIDITY_OF},
    {"cos_theta", "", "cosine of a muon in their rest frame", -1, 1, observe, COSINE_OF},
    {"virtuality1", "GeV^2", "Q^2 of the first photon", 0, 2, observe, FIRST_Q2},
    {"virtuality2", "GeV^2", "of the second", 0, 2, observe, SECOND_Q2},
    {NULL, NULL, NULL, 0, 0, NULL, 0},
};

/* ---- the value --------------------------------------------------------------------------- */

struct slice {
  const struct two_photon *t;
  gsl_integration_glfixed_table *rule;
  double x, mass, y;
};

static double over(double (*f)(double, void *), struct slice *s, double from, double to)
{
  gsl_function function = {f, s};
  return to > from ? gsl_integration_glfixed(&function, from, to, s->rule) : 0;
}

static double flux_at(double log_q2, void *params)
{
  const struct slice *s = params;
  return ALPHA / M_PI * flux(s->t, s->x, exp(log_q2));
}

/* Photons of fraction x, all virtualities together */
static double photons(struct slice *s, double x)
{
  s->x = x;
  return x < 1 ? over(flux_at, s, log(least_q2(s->t, x)), log(s->t->q2_max)) : 0;
}

static double pairs_at(double c, void *params)
{
  const struct slice *s = params;
  return muon_pairs(s->mass, c);
}

/* The poles are at |c| = 1 / velocity: with c = tanh(eta) / velocity nothing is left of them. */
static double pairs_at_rapidity(double eta, void *params)
{
  const struct slice *s = params;
  double velocity = sqrt(1 - pow(2 * MUON_MASS / s->mass, 2)), c = tanh(eta) / velocity;
  return pairs_at(c, params) * (1 - pow(velocity * c, 2)) / velocity;
}

static double at_rapidity(double y, void *params)
{
  struct slice *s = params;
  double velocity = sqrt(1 - pow(2 * MUON_MASS / s->mass, 2));
  double c = largest_cosine(s->t, s->mass, y), x = s->mass / s->t->sqrts;
  if (c <= 0) return 0;
  return photons(s, x * exp(y)) * photons(s, x * exp(-y)) * 2 *
         over(pairs_at_rapidity, s, 0, atanh(fmin(velocity * c, 1 - 1e-15)));
}

/* Where the cut in rapidity takes over from that in transverse momentum there is a kink. */
static double at_mass(double log_mass, void *params)
{
  struct slice *s = params;
  s->mass = exp(log_mass);
  double velocity = sqrt(1 - pow(2 * MUON_MASS / s->mass, 2)),
         sine = 2 * s->t->pt / (s->mass * velocity), rapidity = s->t->rapidity;
  if (sine >= 1) return 0;
  double end = fmin(rapidity, log(largest_fraction(s->t) * s->t->sqrts / s->mass));
  double kink = rapidity - atanh(fmin(velocity * sqrt(1 - sine * sine), 1 - 1e-15));
  kink = fmin(fmax(0, kink), end);
  return 4 * (over(at_rapidity, s, 0, kink) + over(at_rapidity, s, kink, end));
}

/* Above a mass of 2 hypot(pt, m) cosh(rapidity) there are always muons beyond the cut in rapidity.
 * v^2 in place of log W - its least: the range of c opens with a root. */
static double at_root(double v, void *params)
{
  struct slice *s = params;
  return 2 * v * at_mass(s->t->log_low + v * v, s);
}

static int exact(const void *state, size_t dim, double *value)
{
  const struct two_photon *t = state;
  struct slice s = {.t = t, .rule = gsl_integration_glfixed_table_alloc(32)};
  (void)dim;
  *value = 0;
  if (!s.rule) return 0;
  double end = sqrt(t->log_high - t->log_low), kink = fmin(end, sqrt(log(cosh(t->rapidity))));
  *value = over(at_root, &s, 0, kink) + over(at_root, &s, kink, end);
  gsl_integration_glfixed_table_free(s.rule);
  return isfinite(*value);
}

const struct integrand two_photon_integrand = {
    .name = "two_photon",
    .dim_min = 5,
    .dim_max = 5,
    .dim_default = 5,
    .parameters = parameters,
    .state_size = sizeof(struct two_photon),
    .setup = setup,
    .f = evaluate,
    .exact = exact,
    .observables = observables,
    .unit = "pb",
    .source = "Budnev, Ginzburg, Meledin, Serbo, Phys. Rep. 15 (1975) 181, app. D and E; "
              "Brodsky, Kinoshita, Terazawa, Phys. Rev. D 4 (1971) 1532",
    .description = "p p -> p mu- mu+ p by two photons, with cuts: poles in both virtualities",
};
