/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The squared amplitudes of e+ e- -> q qbar g ... g.
 *
 * Oracles: the closed formulas for none and for one gluon; gauge invariance of each gluon; symmetry
 * of identical gluons; independence of the frame, and so of the phases of all spinors and
 * polarisations; factorisation where a gluon is soft and where two partons are collinear.
 */
#include "ee_jets.h"
#include "any_event.h"
#include "suite.h"
#include "three_jets.h"

enum { MOST = 4 + EE_MOST_GLUONS, POINTS = 50 };

static const double sqrts = 200;
static const double n_c = 3, c_f = 4.0 / 3;
static uint64_t state = 3;
static struct ee_couplings couplings;
static struct ee_jets jets[EE_MOST_GLUONS + 1];

static void set_up(void)
{
  ee_couplings_set(&couplings, 2, 0.118);
  for (int gluons = 0; gluons <= EE_MOST_GLUONS; gluons++) ee_jets_set(&jets[gluons], gluons);
}

/* ---- momenta --------------------------------------------------------------------------------- */

static double squared(int gluons, double p[][4])
{
  return ee_jets_squared(&jets[gluons], &couplings, (const double(*)[4])p);
}

static void check_ratio(double a, double b, double tolerance)
{
  require(fabs(a / b - 1) < tolerance, "%.15g and %.15g differ by %.2g", a, b, a / b - 1);
}

/* ---- closed formulas ------------------------------------------------------------------------- */

/* N_c [(|g_LL|^2 + |g_RR|^2) u^2 + (|g_LR|^2 + |g_RL|^2) t^2] / s^2 */
START_TEST(no_gluon)
{
  double p[MOST][4], g2[2][2], s = sqrts * sqrts;
  ee_couplings_squared(&couplings, s, g2);
  for (int i = 0; i < POINTS; i++) {
    any_event(&state, sqrts, 2, p);
    double u = 2 * product(p[0], p[3]), t = 2 * product(p[0], p[2]);
    double same = g2[LEFT][LEFT] + g2[RIGHT][RIGHT], opposite = g2[LEFT][RIGHT] + g2[RIGHT][LEFT];
    check_ratio(squared(0, p), n_c * (same * u * u + opposite * t * t) / (s * s), 1e-12);
  }
}
END_TEST

START_TEST(one_gluon)
{
  double p[MOST][4];
  for (int i = 0; i < POINTS; i++) {
    any_event(&state, sqrts, 3, p);
    check_ratio(squared(1, p), eeqqg_squared(&couplings, (const double(*)[4])p), 1e-11);
  }
}
END_TEST

/* ---- symmetries ------------------------------------------------------------------------------ */

START_TEST(gauge_invariance)
{
  double p[MOST][4];
  for (int gluons = 1; gluons <= EE_MOST_GLUONS; gluons++)
    for (int i = 0; i < POINTS; i++) {
      any_event(&state, sqrts, 2 + gluons, p);
      double all = squared(gluons, p);
      for (int g = 0; g < gluons; g++) {
        /* amplitudes: 1e-10; a polarisation has length 1, a momentum its energy */
        double off = ee_jets_gauge_check(&jets[gluons], &couplings, (const double(*)[4])p, g);
        require(off < 1e-20 * all * p[4 + g][0] * p[4 + g][0], "%g of %g", off, all);
      }
    }
}
END_TEST

START_TEST(gluons_are_identical)
{
  double p[MOST][4];
  for (int i = 0; i < POINTS; i++)
    for (int a = 0; a < 3; a++)
      for (int b = 0; b < a; b++) {
        double kept[4];
        any_event(&state, sqrts, 5, p);
        double before = squared(3, p);
        memcpy(kept, p[4 + a], sizeof kept);
        memcpy(p[4 + a], p[4 + b], sizeof kept);
        memcpy(p[4 + b], kept, sizeof kept);
        check_ratio(squared(3, p), before, 1e-10);
      }
}
END_TEST

/* Every phase changes with the frame, the square does not. */
START_TEST(any_frame)
{
  double p[MOST][4], rest[4];
  for (int gluons = 0; gluons <= EE_MOST_GLUONS; gluons++)
    for (int i = 0; i < POINTS; i++) {
      any_event(&state, sqrts, 2 + gluons, p);
      double before = squared(gluons, p);
      isotropic(&state, 0.8, rest);
      rest[0] = 1;
      for (int k = 0; k < 4 + gluons; k++) boost_from_rest(rest, sqrt(mass_squared(rest)), p[k]);
      check_ratio(squared(gluons, p), before, 1e-9);
    }
}
END_TEST

/* The square of each set of helicities alone, too: what changes is the phase of the little
 * group. */
START_TEST(each_helicity_in_any_frame)
{
  double p[MOST][4], rest[4];
  for (int gluons = 1; gluons <= EE_MOST_GLUONS; gluons++)
    for (int i = 0; i < POINTS; i++) {
      struct ee_jets_squares before, after;
      int helicities = (int)(next_uniform(&state) * (1 << gluons));
      any_event(&state, sqrts, 2 + gluons, p);
      ee_jets_helicities(&jets[gluons], (const double(*)[4])p, helicities, &before);
      isotropic(&state, 0.8, rest);
      rest[0] = 1;
      for (int k = 0; k < 4 + gluons; k++) boost_from_rest(rest, sqrt(mass_squared(rest)), p[k]);
      ee_jets_helicities(&jets[gluons], (const double(*)[4])p, helicities, &after);
      for (int e = 0; e < 2; e++) {
        check_ratio(after.all[e], before.all[e], 1e-7);
        for (int r = 0; r < jets[gluons].orders; r++)
          check_ratio(after.order[r][e], before.order[r][e], 1e-7);
      }
    }
}
END_TEST

/* ---- all gluons of one helicity -------------------------------------------------------------- */

/* |A|^2 of one order by the formula of Parke and Taylor (Phys. Rev. Lett. 56 (1986) 2459), for a
 * left-handed quark. With all outgoing, quark and one lepton have helicity -1/2, antiquark and the
 * other lepton +1/2; gluons of +1 leave the first two alone in their kind, gluons of -1 the others.
 * An incoming left-handed electron is an outgoing lepton of +1/2. */
static double parke_taylor(int gluons, double p[][4], const int *order, int electron, int helicity)
{
  const double *from = p[2];
  double around = 1;
  for (int i = 0; i <= gluons; i++) {
    const double *to = i < gluons ? p[4 + order[i]] : p[3];
    around *= 2 * product(from, to);
    from = to;
  }
  const double *quark = p[helicity > 0 ? 2 : 3];
  const double *lepton = p[(electron == LEFT) == (helicity > 0)];
  double top = 2 * product(quark, lepton);
  return 4 * 2 * product(p[0], p[1]) * top * top / around;
}

START_TEST(gluons_of_one_helicity)
{
  double p[MOST][4];
  for (int gluons = 1; gluons <= EE_MOST_GLUONS; gluons++)
    for (int i = 0; i < POINTS; i++)
      for (int sign = 0; sign < 2; sign++) {
        struct ee_jets_squares got;
        any_event(&state, sqrts, 2 + gluons, p);
        ee_jets_helicities(&jets[gluons], (const double(*)[4])p, sign ? (1 << gluons) - 1 : 0,
                           &got);
        for (int e = 0; e < 2; e++)
          for (int r = 0; r < jets[gluons].orders; r++)
            check_ratio(got.order[r][e],
                        parke_taylor(gluons, p, jets[gluons].order[r], e, sign ? 1 : -1), 1e-8);
      }
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

static double eikonal(const double p[4], const double q[4], const double k[4])
{
  return product(p, q) / (product(p, k) * product(q, k));
}

/* g^2 [N_c (S_q1 + S_12 + ... + S_nqbar) - S_qqbar / N_c] for one and for no hard gluon */
START_TEST(soft_gluon)
{
  for (int hard = 0; hard < 2; hard++)
    for (int i = 0; i < POINTS; i++) {
      double p[MOST][4], rest[4] = {sqrts, 0, 0, 0};
      set_beams(sqrts, p);
      double *k = p[4 + hard];
      isotropic(&state, 1e-6 * sqrts, k);
      add(rest, -1, k);
      share_out(&state, rest, 2 + hard, p + 2);
      double factor = 2 * c_f * eikonal(p[2], p[3], k);
      if (hard)
        factor =
            n_c * (eikonal(p[2], p[4], k) + eikonal(p[3], p[4], k)) - eikonal(p[2], p[3], k) / n_c;
      check_ratio(squared(hard + 1, p), couplings.strong * factor * squared(hard, p), 1e-3);
    }
}
END_TEST

/* 2 g^2 P(z) / s of the event before, for the mean over two orthogonal azimuths */
static void check_collinear(int gluons, int parent, double (*kernel)(double z))
{
  for (int i = 0; i < POINTS; i++) {
    double before[MOST][4], z = 0.1 + 0.8 * next_uniform(&state), mean = 0, mass2 = 0;
    any_event(&state, sqrts, 2 + gluons, before);
    for (int azimuth = 0; azimuth < 2; azimuth++) {
      double p[MOST][4];
      memcpy(p, before, sizeof p);
      mass2 = split(p, parent, parent == 2 ? 3 : 2, 4 + gluons, z, 1e-6, 0.3 + azimuth * M_PI / 2);
      mean += squared(gluons + 1, p) / 2;
    }
    double expected = 2 * couplings.strong * kernel(z) / mass2 * squared(gluons, before);
    check_ratio(mean, expected, 1e-2);
  }
}

static double quark_to_quark(double z)
{
  return c_f * (1 + z * z) / (1 - z);
}

static double gluon_to_gluons(double z)
{
  return 2 * n_c * (z / (1 - z) + (1 - z) / z + z * (1 - z));
}

START_TEST(collinear_partons)
{
  for (int gluons = 0; gluons < EE_MOST_GLUONS; gluons++) {
    check_collinear(gluons, 2, quark_to_quark);
    check_collinear(gluons, 3, quark_to_quark);
    if (gluons > 0) check_collinear(gluons, 4, gluon_to_gluons);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("ee_jets");
  TCase *all = tcase_create("ee_jets");
  tcase_set_timeout(all, 300);
  tcase_add_checked_fixture(all, set_up, NULL);
  tcase_add_test(all, no_gluon);
  tcase_add_test(all, one_gluon);
  tcase_add_test(all, gauge_invariance);
  tcase_add_test(all, gluons_are_identical);
  tcase_add_test(all, any_frame);
  tcase_add_test(all, each_helicity_in_any_frame);
  tcase_add_test(all, gluons_of_one_helicity);
  tcase_add_test(all, soft_gluon);
  tcase_add_test(all, collinear_partons);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
