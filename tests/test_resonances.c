/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * e+ e- -> mu- mu+ and p p -> l- l+. Independent of the code under test: vector and axial couplings
 * in place of chiralities, the parton densities written out and held against their sum rules, and
 * the value by GSL's adaptive rule, in other variables.
 */
#include "electroweak.h"
#include "jacobian.h"
#include "rows.h"
#include "suite.h"

#include <complex.h>
#include <math.h>

/* ---- couplings ----------------------------------------------------------------------------- */

struct fermion {
  double charge, isospin;
};

static const struct fermion lepton = {-1, -0.5}, up = {2.0 / 3, 0.5}, down = {-1.0 / 3, -0.5};

/* g = e / (2 s_W c_W) gamma (v - a gamma5) */
static double vector_coupling(struct fermion f)
{
  return f.isospin - 2 * f.charge * sin2_weak_angle();
}

/* A boson of this mass and width over the photon: s / (s - M^2 + i M Gamma) / (4 s_W^2 c_W^2) */
static double complex propagator(double s, double mass, double width)
{
  double sin2 = sin2_weak_angle();
  return s / (s - mass * mass + I * mass * width) / (4 * sin2 * (1 - sin2));
}

/* dsigma / dcos of a f -> b b, massless, averaged over spins, one colour, in pb: pi alpha^2 / (2 s)
 * [A (1 + cos^2) + B cos], chi: sum of the propagators */
static double angular(struct fermion f, struct fermion b, double s, double complex chi,
                      double cosine)
{
  double v = vector_coupling(f), w = vector_coupling(b), a = f.isospin, c = b.isospin;
  double q = f.charge * b.charge, alpha = 1 / INVERSE_ALPHA;
  double even = q * q + 2 * q * creal(chi) * v * w +
                cabs(chi) * cabs(chi) * (v * v + a * a) * (w * w + c * c);
  double odd = 4 * q * creal(chi) * a * c + 8 * cabs(chi) * cabs(chi) * v * a * w * c;
  return PB_GEV2 * M_PI * alpha * alpha / (2 * s) * (even * (1 + cosine * cosine) + odd * cosine);
}

/* ---- e+ e- -> mu- mu+ ------------------------------------------------------------------------ */

static double muons(double sqrts, double cosine)
{
  double s = sqrts * sqrts;
  return angular(lepton, lepton, s, propagator(s, Z_MASS, Z_WIDTH), cosine);
}

START_TEST(muons_at_points)
{
  static const double energy[] = {10, 60, 91.188, 92, 500};
  for (size_t i = 0; i < LENGTH(energy); i++)
    for (double u = 0.05; u < 1; u += 0.1) {
      char settings[32];
      snprintf(settings, sizeof settings, "sqrts=%.17g", energy[i]);
      ck_assert_relative(value_at("ee_mumu", 2, settings, (double[]){u, 0.3}),
                         2 * muons(energy[i], 2 * u - 1), 1e-12);
    }
}
END_TEST

/* 4 pi alpha^2 / 3 s of the photon alone, which the Z hardly changes at 1 GeV */
START_TEST(muons_in_all)
{
  double alpha = 1 / INVERSE_ALPHA;
  ck_assert_relative(exact_value("ee_mumu", 2, "sqrts=1"), PB_GEV2 * 4 * M_PI * alpha * alpha / 3,
                     1e-4);
  ck_assert_relative(exact_value("ee_mumu", 2, ""), gauss_value("ee_mumu", 2, "", 4), 1e-13);
  ck_assert_relative(exact_value("ee_mumu", 2, "sqrts=70 cosine=0.6"),
                     gauss_value("ee_mumu", 2, "sqrts=70 cosine=0.6", 4), 1e-13);
}
END_TEST

/* dsigma / dcos = |M|^2 / (32 pi s), and the event that belongs to the point */
START_TEST(muon_events_and_matrix_element)
{
  struct made made = make_row("ee_mumu", 2, "sqrts=85 cosine=0.9");
  for (int i = 0; i < 50; i++) {
    double x[] = {(i + 0.5) / 50, fmod(0.618 * i, 1)}, p[4][4];
    nis_event event = {0};
    made.row->particles(x, 2, &event, made.state);
    ck_assert_int_eq(event.nparticles, 4);
    for (int k = 0; k < 4; k++) memcpy(p[k], event.particle[k].p, sizeof p[k]);
    check_momenta(2, 85, p + 2, 1e-13);
    double squared = made.row->squared(made.state, (const double(*)[4])p);
    ck_assert_relative(PB_GEV2 * squared / (32 * M_PI * 85 * 85), muons(85, 0.9 * (2 * x[0] - 1)),
                       1e-12);
  }
  free(made.state);
}
END_TEST

/* ---- p p -> l- l+ ---------------------------------------------------------------------------- */

enum { U, D, S, UBAR, DBAR, SBAR, PARTONS };

/* x f(x) of the toy densities of the Les Houches benchmark */
static double parton(int which, double x)
{
  double sea = 0.1939875 * pow(x, -0.1) * pow(1 - x, 6);
  switch (which) {
  case U: return 5.1072 * pow(x, 0.8) * pow(1 - x, 3) + sea * (1 - x);
  case D: return 3.06432 * pow(x, 0.8) * pow(1 - x, 4) + sea;
  case UBAR: return sea * (1 - x);
  case DBAR: return sea;
  default: return 0.2 * (sea + sea * (1 - x));
  }
}

static double valence(double x, void *which)
{
  int q = *(int *)which;
  return (parton(q, x) - parton(q + UBAR, x)) / x;
}

static double momentum(double x, void *unused)
{
  double sum = 1.7 * pow(x, -0.1) * pow(1 - x, 5); /* gluons */
  (void)unused;
  for (int i = 0; i < PARTONS; i++) sum += parton(i, x);
  return sum;
}

/* Two up, one down, and all of the proton's momentum: the formula is remembered rightly. */
START_TEST(sum_rules_of_the_densities)
{
  int u = U, d = D;
  ck_assert_double_eq_tol(qags_value(valence, &u, 0, 1), 2, 1e-4);
  ck_assert_double_eq_tol(qags_value(valence, &d, 0, 1), 1, 1e-4);
  ck_assert_double_eq_tol(qags_value(momentum, NULL, 0, 1), 1, 1e-4);
}
END_TEST

struct collider {
  double sqrts, mass, width, strength; /* of the Z' */
};

/* dsigma / dx1 dx2 dc x1 x2 */
static double protons(const struct collider *k, double x1, double x2, double cosine)
{
  const struct fermion quark[] = {up, down, down};
  double s = x1 * x2 * k->sqrts * k->sqrts, sum = 0;
  double complex chi =
      propagator(s, Z_MASS, Z_WIDTH) + k->strength * propagator(s, k->mass, k->width);
  for (int q = 0; q < 3; q++) {
    sum += parton(q, x1) * parton(q + UBAR, x2) * angular(quark[q], lepton, s, chi, cosine);
    sum += parton(q + UBAR, x1) * parton(q, x2) * angular(quark[q], lepton, s, chi, -cosine);
  }
  return sum / 3; /* colours */
}

/* log tau and y are even in the cube. */
START_TEST(leptons_at_points)
{
  static const struct collider k = {8000, 300, 2, 0.25};
  for (int i = 0; i < 200; i++) {
    double x[] = {fmod(0.5 + 0.7548776662 * i, 1), fmod(0.5 + 0.5698402909 * i, 1),
                  fmod(0.5 + 0.2843 * i, 1), 0.5};
    double log_low = 2 * log(20 / 8000.), log_tau = log_low * (1 - x[0]);
    double y = -log_tau * (0.5 - x[1]), jacobian = 2 * log_low * log_tau;
    double expected =
        jacobian * protons(&k, exp(log_tau / 2 + y), exp(log_tau / 2 - y), 2 * x[2] - 1);
    ck_assert_relative(value_at("drell_yan", 4,
                                "sqrts=8000 mass_low=20 zp_mass=300 zp_width=2 zp_coupling=0.5", x),
                       expected, 1e-10);
  }
}
END_TEST

/* Over the momentum fractions themselves: x1 x2 above tau, all angles at once */
struct fraction {
  const struct collider *k;
  double tau, x1;
};

static double over_x2(double x2, void *params)
{
  const struct fraction *f = params;
  double c = 1 / sqrt(3);
  return (protons(f->k, f->x1, x2, c) + protons(f->k, f->x1, x2, -c)) / (f->x1 * x2);
}

static double over_x1(double x1, void *params)
{
  struct fraction f = *(struct fraction *)params;
  f.x1 = x1;
  return qags_value(over_x2, &f, f.tau / x1, 1);
}

START_TEST(leptons_in_all)
{
  static const struct collider k = {1000, 400, 40, 1};
  struct fraction f = {&k, 0.0225, 0}; /* 150 GeV: above the Z */
  ck_assert_relative(exact_value("drell_yan", 4, "sqrts=1000 mass_low=150 zp_width=40"),
                     qags_value(over_x1, &f, f.tau, 1), 1e-7);
}
END_TEST

/* With less width the resonance grows as 1 / width: the rest is that without one. */
START_TEST(narrow_resonance)
{
  double none = exact_value("drell_yan", 4, "zp_coupling=0 mass_low=200");
  double one = exact_value("drell_yan", 4, "zp_width=0.01 mass_low=200") - none;
  double two = exact_value("drell_yan", 4, "zp_width=0.02 mass_low=200") - none;
  ck_assert_relative(one / two, 2.0, 1e-3);
}
END_TEST

/* Points of one mass and rapidity in all channels: of each the density in log m^2 is the slope of
 * the mass that the map gives, inverted here. */
static double mass_number(int channel, double low, double high, double m2)
{
  static const double mass[] = {0, 91.188, 300}, width[] = {0, 2.441404, 2};
  double u[3], at[] = {low, m2, high}, m = mass[channel];
  for (int i = 0; i < 3; i++)
    u[i] = channel ? atan((at[i] - m * m) / (m * width[channel])) : -1 / at[i];
  return (u[1] - u[0]) / (u[2] - u[0]);
}

START_TEST(channels_of_drell_yan_add_up)
{
  static const char settings[] = "sqrts=8000 mass_low=20 zp_mass=300 zp_width=2 zp_coupling=";
  static const double masses[] = {25, 60, 91, 150, 299, 300.5, 700, 3000}, step = 1e-5;
  for (size_t i = 0; i < 2 * LENGTH(masses); i++) {
    int channels = i % 2 ? 3 : 2;
    double m2 = masses[i / 2] * masses[i / 2], low = 400, high = 64e6, sum = 0;
    double x[] = {0, 0.3, 0.8, 0.5, 0}, plain[] = {log(m2 / low) / log(high / low), 0.3, 0.8, 0.5};
    char words[128];
    snprintf(words, sizeof words, "%s%g", settings, i % 2 ? 0.5 : 0.);
    for (int k = 0; k < channels; k++) {
      double up = mass_number(k, low, high, m2 * exp(step));
      double down = mass_number(k, low, high, m2 * exp(-step));
      x[0] = mass_number(k, low, high, m2), x[4] = (k + 0.5) / channels;
      sum += (up - down) / (2 * step) * log(high / low) / channels *
             value_at("drell_yan_channels", 5, words, x);
    }
    ck_assert_relative(sum, value_at("drell_yan", 4, words, plain), 1e-5);
  }
}
END_TEST

/* ---- two photons ---------------------------------------------------------------------------- */

#define FINE_STRUCTURE (1 / 137.035999)
#define MUON 0.1056583755

/* Photons of fraction x and virtuality q2 of a proton or an electron of mass m */
static double photon_flux(int electron, double x, double q2)
{
  double m = electron ? 0.51099895e-3 : 0.93827209, least = m * m * x * x / (1 - x);
  double ge = electron ? 1 : 1 / ((1 + q2 / 0.71) * (1 + q2 / 0.71));
  double gm = electron ? 1 : 2.7928473 * ge;
  double fe = electron ? 1 : (4 * m * m * ge * ge + q2 * gm * gm) / (4 * m * m + q2);
  if (q2 < least) return 0;
  return FINE_STRUCTURE / (M_PI * q2) * ((1 - x) * (1 - least / q2) * fe + x * x * gm * gm / 2);
}

/* In pb, by t and u of the massive Breit-Wheeler process, (m^2 - t) = s (1 - b c) / 2 */
static double breit_wheeler(double w, double c)
{
  double s = w * w, m2 = MUON * MUON, b = sqrt(1 - 4 * m2 / s);
  double t = s * (1 - b * c) / 2, u = s * (1 + b * c) / 2;
  double square = t / u + u / t + 4 * m2 * s / (t * u) - 4 * m2 * m2 * s * s / (t * t * u * u);
  return PB_GEV2 * M_PI * FINE_STRUCTURE * FINE_STRUCTURE * b / s * square;
}

/* By the muons' own momenta */
static int muons_pass(double w, double y, double c, double pt, double rapidity)
{
  double p = sqrt(w * w / 4 - MUON * MUON), e = w / 2, along = p * c;
  double one = y + 0.5 * log((e + along) / (e - along)),
         two = y + 0.5 * log((e - along) / (e + along));
  return p * sqrt(1 - c * c) > pt && fabs(one) < rapidity && fabs(two) < rapidity;
}

START_TEST(photons_at_points)
{
  static const char *const settings[] = {
      "beam=proton sqrts=500 pt=2 rapidity=1.5 mass_high=60 q2_max=4 power=3",
      "beam=electron sqrts=500 pt=2 rapidity=1.5 mass_high=60 q2_max=4 power=3"};
  double largest = 0;
  for (int electron = 0; electron <= 1; electron++)
    for (int i = 0; i < 400; i++) {
      double x[5], low = log(2 * hypot(2, MUON)), value = 1;
      for (int j = 0; j < 5; j++) x[j] = fmod(0.5 + i * sqrt(j + 2), 1);
      x[0] /= 4, x[1] = 0.3 + 0.4 * x[1];
      double w = exp(low + (log(60) - low) * x[0]), y = 1.5 * (2 * x[1] - 1), c = 2 * x[2] - 1;
      for (int k = 0; k < 2; k++) {
        double q2 = 4 * pow(x[3 + k], 3);
        value *= photon_flux(electron, w / 500 * exp(k ? -y : y), q2) * 3 * q2 / x[3 + k];
      }
      value *= breit_wheeler(w, c) * 2 * (log(60) - low) * 3 * 2;
      if (!muons_pass(w, y, c, 2, 1.5)) value = 0;
      largest = fmax(largest, value);
      ck_assert_double_eq_tol(value_at("two_photon", 5, settings[electron], x), value,
                              1e-9 * value + 1e-300);
    }
  ck_assert_double_gt(largest, 0);
}
END_TEST

struct two_photons {
  int electron;
  double sqrts, pt, rapidity, q2_max; /* as the parameters */
  double x, w, c;
};

static double gauss_over(double (*f)(double, void *), void *params, double from, double to)
{
  static struct rule rule;
  double sum = 0;
  if (rule.n == 0) rule = gauss_rule(40);
  for (size_t i = 0; i < rule.n; i++) sum += rule.w[i] * f(from + (to - from) * rule.x[i], params);
  return sum * (to - from);
}

static double virtuality(double log_q2, void *params)
{
  const struct two_photons *p = params;
  return exp(log_q2) * photon_flux(p->electron, p->x, exp(log_q2));
}

/* Of electrons in closed form */
static double all_photons(struct two_photons *p, double x)
{
  double m = p->electron ? 0.51099895e-3 : 0.93827209, least = m * m * x * x / (1 - x);
  p->x = x;
  if (!p->electron) return gauss_over(virtuality, p, log(least), log(p->q2_max));
  return FINE_STRUCTURE / M_PI *
         ((1 - x + x * x / 2) * log(p->q2_max / least) - (1 - x) * (1 - least / p->q2_max));
}

static double luminosity_at(double y, void *params)
{
  struct two_photons *p = params;
  return all_photons(p, p->w / p->sqrts * exp(y)) * all_photons(p, p->w / p->sqrts * exp(-y));
}

/* The rapidities of the pair that the two muons of this angle leave */
static double at_cosine(double c, void *params)
{
  struct two_photons *p = params;
  double momentum = sqrt(p->w * p->w / 4 - MUON * MUON);
  double y = p->rapidity - atanh(2 * momentum * c / p->w);
  return y > 0 ? breit_wheeler(p->w, c) * 2 * gauss_over(luminosity_at, p, 0, y) : 0;
}

static double at_log_mass(double v, void *params)
{
  struct two_photons *p = params;
  p->w = 2 * hypot(p->pt, MUON) * exp(v * v);
  double momentum = sqrt(p->w * p->w / 4 - MUON * MUON), sine = fmin(p->pt / momentum, 1);
  double c = fmin(sqrt(1 - sine * sine), tanh(p->rapidity) * p->w / 2 / momentum);
  return 2 * v * 2 * 2 * gauss_over(at_cosine, p, 0, c);
}

/* Masses outermost, then angles, then rapidities; the virtualities of electrons in closed form */
START_TEST(photons_in_all)
{
  for (int electron = 0; electron <= 1; electron++) {
    struct two_photons beams = {electron, 400, 2, 1.5, 1, 0, 0, 0};
    double end = sqrt(log(50 / (2 * hypot(2, MUON)))), kink = sqrt(log(cosh(1.5)));
    double all =
        gauss_over(at_log_mass, &beams, 0, kink) + gauss_over(at_log_mass, &beams, kink, end);
    ck_assert_relative(exact_value("two_photon", 5,
                                   electron ? "beam=electron sqrts=400 pt=2 rapidity=1.5 "
                                              "mass_high=50 q2_max=1"
                                            : "sqrts=400 pt=2 rapidity=1.5 mass_high=50 q2_max=1"),
                       all, 1e-6);
  }
}
END_TEST

/* All angles: Breit and Wheeler's cross section, below the mass of which there is nothing */
START_TEST(photons_of_all_angles)
{
  for (int i = 0; i < 3; i++) {
    struct rule rule = gauss_rule(128);
    double x[] = {(double[]){1e-3, 0.02, 0.2}[i], 0.5, 0, 0.9, 0.9}, sum = 0;
    double low = log(2 * MUON), w = exp(low + (log(100) - low) * x[0]), q2 = 2 * pow(0.9, 4);
    double r = 4 * MUON * MUON / (w * w), b = sqrt(1 - r), n = photon_flux(0, w / 13000, q2);
    for (size_t k = 0; k < rule.n; k++) {
      /* c = tanh(z) / b */
      double z = atanh(b) * (2 * rule.x[k] - 1), c = tanh(z) / b;
      x[2] = (1 + c) / 2;
      sum += rule.w[k] * 2 * atanh(b) * (1 - b * b * c * c) / b / 2 *
             value_at("two_photon", 5, "pt=0 rapidity=10", x);
    }
    double total = PB_GEV2 * 4 * M_PI * FINE_STRUCTURE * FINE_STRUCTURE / (w * w) *
                   ((1 + r - r * r / 2) * 2 * atanh(b) - b * (1 + r));
    double expected = total * pow(n * 4 * q2 / 0.9, 2) * 2 * (log(100) - low) * 20;
    ck_assert_relative(sum, expected, 1e-9);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("resonances");
  TCase *muon = tcase_create("muons"), *lepton_pairs = tcase_create("protons");
  tcase_set_timeout(lepton_pairs, 60);
  tcase_add_test(muon, muons_at_points);
  tcase_add_test(muon, muons_in_all);
  tcase_add_test(muon, muon_events_and_matrix_element);
  tcase_add_test(lepton_pairs, sum_rules_of_the_densities);
  tcase_add_test(lepton_pairs, leptons_at_points);
  tcase_add_test(lepton_pairs, leptons_in_all);
  tcase_add_test(lepton_pairs, narrow_resonance);
  tcase_add_test(lepton_pairs, channels_of_drell_yan_add_up);
  TCase *photons = tcase_create("photons");
  tcase_set_timeout(photons, 60);
  tcase_add_test(photons, photons_at_points);
  tcase_add_test(photons, photons_of_all_angles);
  tcase_add_test(photons, photons_in_all);
  suite_add_tcase(suite, photons);
  suite_add_tcase(suite, muon);
  suite_add_tcase(suite, lepton_pairs);
  return run_suite(suite);
}
