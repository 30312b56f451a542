/* SPDX-License-Identifier: GPL-3.0-or-later */
/* p p -> l- l+ through photon, Z and a narrow Z' with the couplings of the Z, at leading order.
 * With tau = x1 x2 = m^2 / S of the leptons, y their rapidity, c the cosine between l- and the
 * first proton in their rest frame,
 *
 *     sigma = sum_q int dtau dy dc [ q(x1) qbar(x2) s_q(c) + qbar(x1) q(x2) s_q(-c) ],
 *     s_q(c) = 1 / (2 m^2) 1 / (8 pi) 1 / 2 1 / 12 sum_ij |g_ij|^2 (1 +- c)^2,
 *
 * + for equal chiralities i, j. The parton densities are a fixed formula, at no scale. log tau and
 * y are even in the cube: the resonances are left to the integrator. Not so with channels: number k
 * draws m^2 like g_k, which is 1 / m^4 for the photon and the Breit-Wigner curves of Z and Z', and
 * has the share g_k / sum_j g_j. */
#include "electroweak.h"
#include "integrands.h"

#include <gsl/gsl_integration.h>
#include <math.h>

enum { SQRTS, MASS_LOW, ZP_MASS, ZP_WIDTH, ZP_COUPLING };
enum { UP, DOWN, STRANGE, FLAVOURS };
enum { CHANNELS = 3 }; /* photon, Z, Z' */

static const struct parameter parameters[] = {
    {"sqrts", NULL, 13000, 1000, 1e5, "of the protons, in GeV"},
    {"mass_low", NULL, 15, 5, 500, "smallest mass of the two leptons, in GeV"},
    {"zp_mass", NULL, 400, 100, 900, "mass of the Z', in GeV"},
    {"zp_width", NULL, 0.5, 1e-3, 100, "width of the Z', in GeV"},
    {"zp_coupling", NULL, 1, 0, 10, "couplings of the Z' over those of the Z; 0: no Z'"},
    {NULL, NULL, 0, 0, 0, NULL},
};

/* What m^2 is drawn by */
struct channel {
  double pole, width; /* M^2 and M Gamma of a resonance; 0 for the photon */
  double low, high;   /* between the ends */
};

struct drell_yan {
  double s, log_tau; /* S in GeV^2; log of the smallest tau */
  double zp_mass, zp_width, zp_strength;
  struct channel channel[CHANNELS];
  struct ee_couplings couplings[FLAVOURS]; /* by symmetry those of q qbar -> l- l+ */
};

/* x q(x) and x qbar(x): the toy densities of Giele et al., hep-ph/0204316, section 1.3 */
static void densities(double x, double quark[FLAVOURS], double antiquark[FLAVOURS])
{
  double rest = 1 - x, valence = pow(x, 0.8) * rest * rest * rest;
  double sea = 0.1939875 * pow(x, -0.1) * pow(rest, 6);
  antiquark[DOWN] = sea;
  antiquark[UP] = sea * rest;
  antiquark[STRANGE] = quark[STRANGE] = 0.2 * (antiquark[UP] + antiquark[DOWN]);
  quark[UP] = 5.1072 * valence + antiquark[UP];
  quark[DOWN] = 3.06432 * valence * rest + antiquark[DOWN];
}

/* Sums of |g_ij|^2 for equal and for opposite chiralities */
static void couplings(const struct drell_yan *d, int flavour, double s, double sum[2])
{
  const struct ee_couplings *c = &d->couplings[flavour];
  double complex zp =
      d->zp_strength * s / (s - d->zp_mass * d->zp_mass + I * d->zp_mass * d->zp_width);
  sum[0] = sum[1] = 0;
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++) {
      double complex g = ee_coupling(c, s, i, j) + c->z[i][j] * zp;
      sum[i != j] += creal(g * conj(g));
    }
}

/* dsigma / dlog tau dy dc */
static double differential(const struct drell_yan *d, double tau, double y, double cosine)
{
  double value = 0, quark[2][FLAVOURS], antiquark[2][FLAVOURS], sum[2];
  double plus = (1 + cosine) * (1 + cosine), minus = (1 - cosine) * (1 - cosine);
  densities(sqrt(tau) * exp(y), quark[0], antiquark[0]);
  densities(sqrt(tau) * exp(-y), quark[1], antiquark[1]);
  for (int q = 0; q < FLAVOURS; q++) {
    couplings(d, q, tau * d->s, sum);
    double along = quark[0][q] * antiquark[1][q], against = antiquark[0][q] * quark[1][q];
    value += along * (sum[0] * plus + sum[1] * minus) + against * (sum[0] * minus + sum[1] * plus);
  }
  return PB_GEV2 / (2 * tau * d->s) / (8 * M_PI) / 24 * value;
}

static double evaluate(double *x, size_t dim, void *state)
{
  const struct drell_yan *d = state;
  double log_tau = d->log_tau * (1 - x[0]), y = log_tau * (x[1] - 0.5);
  (void)dim;
  return 2 * d->log_tau * log_tau * differential(d, exp(log_tau), y, 2 * x[2] - 1);
}

/* ---- channels ----------------------------------------------------------------------------- */

static int channel_count(const struct drell_yan *d)
{
  return d->zp_strength > 0 ? 3 : 2;
}

/* Grows with m^2 as the integral of g_k does: -1 / m^2, or an angle */
static double height(const struct channel *c, double m2)
{
  return c->width > 0 ? atan((m2 - c->pole) / c->width) : -1 / m2;
}

static double draw_m2(const struct channel *c, double u)
{
  double at = c->low + u * (c->high - c->low);
  return c->width > 0 ? c->pole + c->width * tan(at) : -1 / at;
}

/* g_k, of log tau */
static double density(const struct channel *c, double m2)
{
  double off = (m2 - c->pole) / c->width;
  double slope = c->width > 0 ? 1 / (c->width * (1 + off * off)) : 1 / (m2 * m2);
  return m2 * slope / (c->high - c->low);
}

static void set_channels(struct drell_yan *d)
{
  const double mass[CHANNELS] = {0, Z_MASS, d->zp_mass}, width[] = {0, Z_WIDTH, d->zp_width};
  for (int k = 0; k < CHANNELS; k++) {
    struct channel *c = &d->channel[k];
    *c = (struct channel){.pole = mass[k] * mass[k], .width = mass[k] * width[k]};
    c->low = height(c, d->s * exp(d->log_tau));
    c->high = height(c, d->s);
  }
}

static void setup(void *state, size_t dim, const double *values)
{
  static const int pdg[FLAVOURS] = {2, 1, 3};
  struct drell_yan *d = state;
  (void)dim;
  d->s = values[SQRTS] * values[SQRTS];
  d->log_tau = 2 * log(values[MASS_LOW] / values[SQRTS]);
  d->zp_mass = values[ZP_MASS];
  d->zp_width = values[ZP_WIDTH];
  d->zp_strength = values[ZP_COUPLING] * values[ZP_COUPLING];
  for (int q = 0; q < FLAVOURS; q++) ee_couplings_set(&d->couplings[q], pdg[q], 0);
  set_channels(d);
}

static double evaluate_channel(double *x, size_t dim, void *state)
{
  const struct drell_yan *d = state;
  double m2 = draw_m2(&d->channel[(int)x[dim - 1]], x[0]), all = 0;
  double log_tau = fmin(log(m2 / d->s), 0), y = log_tau * (x[1] - 0.5);
  for (int k = 0; k < channel_count(d); k++) all += density(&d->channel[k], m2);
  return -2 * log_tau / all * differential(d, exp(log_tau), y, 2 * x[2] - 1);
}

static int values(const void *state, size_t coordinate)
{
  return coordinate == 4 ? channel_count(state) : 0;
}

/* ---- observables -------------------------------------------------------------------------- */

enum { MASS_OF, RAPIDITY_OF, COSINE_OF, FIRST_FRACTION, SECOND_FRACTION };

/* Of the row's own map */
static double log_tau_of(const struct integrand *row, const struct drell_yan *d, const double *x)
{
  if (!row->channels) return d->log_tau * (1 - x[0]);
  return fmin(log(draw_m2(&d->channel[(int)x[4]], x[0]) / d->s), 0);
}

static double observe(const struct integrand *row, const void *state, const double *x, int which)
{
  const struct drell_yan *d = state;
  double log_tau = log_tau_of(row, d, x), y = log_tau * (x[1] - 0.5);
  switch (which) {
  case MASS_OF: return exp(0.5 * log_tau) * sqrt(d->s);
  case RAPIDITY_OF: return y;
  case COSINE_OF: return 2 * x[2] - 1;
  default: return exp(0.5 * log_tau + (which == FIRST_FRACTION ? y : -y));
  }
}

static const struct observable observables[] = {
    {"mass", "GeV", "mass of the two leptons", 15, 500, observe, MASS_OF},
    {"rapidity", "", "of the two leptons", -5, 5, observe, RAPIDITY_OF},
    {"cos_theta", "", "cosine between l- and the first proton in the leptons' rest frame", -1, 1,
     observe, COSINE_OF},
    {"fraction1", "", "momentum fraction of the parton from the first proton", 0, 1, observe,
     FIRST_FRACTION},
    {"fraction2", "", "likewise from the second", 0, 1, observe, SECOND_FRACTION},
    {NULL, NULL, NULL, 0, 0, NULL, 0},
};

/* ---- the value --------------------------------------------------------------------------- */

struct slice {
  const struct drell_yan *d;
  gsl_integration_glfixed_table *rule;
  double log_tau;
};

/* By c -> -c the mean of (1 +- c)^2 is that at c = 1 / sqrt 3 and its reflection. */
static double both_ways(double y, void *params)
{
  const struct slice *s = params;
  double tau = exp(s->log_tau), c = 1 / sqrt(3);
  return differential(s->d, tau, y, c) + differential(s->d, tau, y, -c);
}

static double over_rapidity(double log_tau, void *params)
{
  struct slice *s = params;
  gsl_function f = {both_ways, s};
  s->log_tau = log_tau;
  return 2 * gsl_integration_glfixed(&f, 0, -0.5 * log_tau, s->rule);
}

/* From a resonance outwards to `end`, in panels whose lengths double: the first is as long as the
 * resonance is wide. */
static double outwards(struct slice *s, double centre, double width, double end)
{
  gsl_function f = {over_rapidity, s};
  double sum = 0, from = centre, length = fabs(end - centre);
  for (double step = width, done = 0; done < length; step *= 2) {
    done = fmin(done + step, length);
    double to = centre + copysign(done, end - centre);
    sum += fabs(gsl_integration_glfixed(&f, from, to, s->rule));
    from = to;
  }
  return sum;
}

/* Halfway from each resonance to the next, or to an end */
static int exact(const void *state, size_t dim, double *value)
{
  const struct drell_yan *d = state;
  struct slice slice = {d, gsl_integration_glfixed_table_alloc(20), 0};
  double centre[] = {d->log_tau, 2 * log(Z_MASS) - log(d->s), 2 * log(d->zp_mass) - log(d->s), 0};
  double width[] = {0.5, 2 * Z_WIDTH / Z_MASS, 2 * d->zp_width / d->zp_mass, 0.5};
  (void)dim;
  *value = 0;
  for (int i = 0; i < 4; i++) centre[i] = fmax(centre[i], d->log_tau);
  for (int i = 0; i < 3 && slice.rule; i++) {
    double half = 0.5 * (centre[i] + centre[i + 1]);
    *value += outwards(&slice, centre[i], width[i], half);
    *value += outwards(&slice, centre[i + 1], width[i + 1], half);
  }
  if (slice.rule) gsl_integration_glfixed_table_free(slice.rule);
  return slice.rule && isfinite(*value);
}

#define ROW                                                                                        \
  .parameters = parameters, .state_size = sizeof(struct drell_yan), .setup = setup,                \
  .exact = exact, .observables = observables, .unit = "pb",                                        \
  .source = "Drell, Yan, Phys. Rev. Lett. 25 (1970) 316; the process of MadNIS, "                  \
            "arXiv:2212.06172; toy parton densities of Giele et al., hep-ph/0204316"

const struct integrand drell_yan_integrand = {
    ROW,
    .name = "drell_yan",
    .dim_min = 4,
    .dim_max = 4,
    .dim_default = 4,
    .f = evaluate,
    .description = "p p -> l- l+ through photon, Z and a narrow Z'",
};

const struct integrand drell_yan_channels_integrand = {
    ROW,
    .name = "drell_yan_channels",
    .dim_min = 5,
    .dim_max = 5,
    .dim_default = 5,
    .f = evaluate_channel,
    .values = values,
    .channels = 1,
    .description = "drell_yan by channels with maps of their own: photon, Z, Z'",
};
