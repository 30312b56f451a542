/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Squared amplitudes of e+ e- -> jets against Feynman rules evaluated naively (naive_tree.h).
 *
 * These are checked first: their algebra; the closed formulas for none and for one gluon; gauge
 * invariance; the collinear limits; exchange of identical quarks; and the process with quarks
 * crossed and a soft boson, where the textbook formulas of q Q -> q Q show the relative signs of
 * all diagrams.
 */
#include "ee_jets.h"
#include "any_event.h"
#include "naive_tree.h"
#include "suite.h"
#include "three_jets.h"

enum { UP = 2, DOWN = 1, MOST = 7, Q = 2, QBAR, R, RBAR };

static const double alpha_s = 0.118, sqrts = 200;
static const double n_c = 3, c_f = 4.0 / 3, t_r = 0.5;
static uint64_t state = 11;

static struct naive_process process(int quarks, int gluons, int first, int second)
{
  const int pdg[2] = {first, second};
  struct naive_process x;
  naive_process_set(&x, quarks, gluons, pdg, alpha_s);
  return x;
}

static double squared(const struct naive_process *x, double p[][4])
{
  return naive_squared(x, (const double(*)[4])p);
}

static void check_ratio(double a, double b, double tolerance)
{
  require(fabs(a / b - 1) < tolerance, "%.15g and %.15g differ by %.2g", a, b, a / b - 1);
}

static void swap(double a[4], double b[4])
{
  double kept[4];
  memcpy(kept, a, sizeof kept);
  memcpy(a, b, sizeof kept);
  memcpy(b, kept, sizeof kept);
}

/* ---- algebra --------------------------------------------------------------------------------- */

/* {gamma^m, gamma^n} = 2 g^mn */
START_TEST(dirac_matrices)
{
  struct naive_process x = process(2, 0, UP, UP);
  for (int m = 0; m < 4; m++)
    for (int n = 0; n < 4; n++) {
      struct naive_matrix mn = naive_times(&x.algebra.gamma[m], &x.algebra.gamma[n]);
      struct naive_matrix nm = naive_times(&x.algebra.gamma[n], &x.algebra.gamma[m]);
      double metric = m != n ? 0 : m == 0 ? 1 : -1;
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
          ck_assert(mn.at[i][j] + nm.at[i][j] == (i == j ? 2 * metric : 0));
    }
}
END_TEST

/* Summed over chiralities, u ubar is pslash (energies < 0: -pslash); each u is of its chirality. */
START_TEST(spinors)
{
  struct naive_process x = process(2, 0, UP, UP);
  for (int sign = -1; sign <= 1; sign += 2)
    for (int n = 0; n < 100; n++) {
      double p[4];
      double complex u[2][4], bar[2][4];
      isotropic(&state, 1, p);
      for (int m = 0; m < 4; m++) p[m] *= sign;
      struct naive_matrix slash = naive_real_slash(&x.algebra, p);
      for (int c = 0; c < 2; c++) {
        naive_spinor(&x.algebra, p, c, u[c]);
        naive_bar(u[c], bar[c]);
      }
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
          double complex sum = u[0][i] * bar[0][j] + u[1][i] * bar[1][j], wrong = 0;
          require(cabs(sum - sign * slash.at[i][j]) < 1e-12, "%d %d", i, j);
          for (int k = 0; k < 4; k++) wrong += x.algebra.projector[RIGHT].at[i][k] * u[LEFT][k];
          require(cabs(wrong) < 1e-15, "%g", cabs(wrong));
        }
    }
}
END_TEST

/* Tr T^a T^b = delta_ab / 2, [T^a, T^b] = i f^abc T^c, sum of T^a T^a = C_F, f^acd f^bcd = N_c */
START_TEST(generators)
{
  struct naive_process x = process(2, 0, UP, UP);
  const struct naive_algebra *a = &x.algebra;
  for (int n = 0; n < 8; n++)
    for (int m = 0; m < 8; m++) {
      double complex trace = 0;
      double adjoint = 0;
      for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
          double complex off = 0;
          trace += a->t[n][i][j] * a->t[m][j][i];
          for (int k = 0; k < 3; k++)
            off += a->t[n][i][k] * a->t[m][k][j] - a->t[m][i][k] * a->t[n][k][j];
          for (int c = 0; c < 8; c++) off -= I * a->f[n][m][c] * a->t[c][i][j];
          require(cabs(off) < 1e-15, "%d %d", n, m);
        }
      for (int c = 0; c < 8; c++) adjoint += a->ff[n][c][m][c];
      require(cabs(trace - (n == m) * t_r) < 1e-15, "%d %d", n, m);
      require(fabs(adjoint - (n == m) * n_c) < 1e-14, "%d %d: %g", n, m, adjoint);
    }
}
END_TEST

START_TEST(polarisations)
{
  for (int n = 0; n < 100; n++) {
    double k[4], e[2][4];
    isotropic(&state, 3, k);
    naive_polarisations(k, e);
    for (int i = 0; i < 2; i++) {
      require(e[i][0] == 0 && fabs(product(e[i], k)) < 1e-14, "not transverse");
      for (int j = 0; j < 2; j++)
        require(fabs(product(e[i], e[j]) + (i == j)) < 1e-14, "not orthonormal");
    }
  }
}
END_TEST

/* ---- closed formulas ------------------------------------------------------------------------- */

/* N_c [(|g_LL|^2 + |g_RR|^2) u^2 + (|g_LR|^2 + |g_RL|^2) t^2] / s^2 */
START_TEST(no_gluon)
{
  struct naive_process x = process(2, 0, UP, UP);
  double p[MOST][4], g2[2][2], s = sqrts * sqrts;
  ee_couplings_squared(&x.couplings[0], s, g2);
  for (int i = 0; i < 50; i++) {
    any_event(&state, sqrts, 2, p);
    double u = 2 * product(p[0], p[QBAR]), t = 2 * product(p[0], p[Q]);
    double same = g2[LEFT][LEFT] + g2[RIGHT][RIGHT], opposite = g2[LEFT][RIGHT] + g2[RIGHT][LEFT];
    check_ratio(squared(&x, p), n_c * (same * u * u + opposite * t * t) / (s * s), 1e-11);
  }
}
END_TEST

START_TEST(one_gluon)
{
  struct naive_process x = process(2, 1, DOWN, DOWN);
  double p[MOST][4];
  for (int i = 0; i < 50; i++) {
    any_event(&state, sqrts, 3, p);
    check_ratio(squared(&x, p), eeqqg_squared(&x.couplings[0], (const double(*)[4])p), 1e-11);
  }
}
END_TEST

/* ---- symmetries ------------------------------------------------------------------------------ */

static void check_gauge(int quarks, int gluons, int first, int second, int points)
{
  struct naive_process x = process(quarks, gluons, first, second);
  double p[MOST][4];
  for (int i = 0; i < points; i++) {
    any_event(&state, sqrts, quarks + gluons, p);
    x.longitudinal = -1;
    double all = squared(&x, p);
    for (x.longitudinal = 0; x.longitudinal < gluons; x.longitudinal++) {
      double off = squared(&x, p), energy = p[2 + quarks + x.longitudinal][0];
      require(off < 1e-20 * all * energy * energy, "%g of %g", off, all);
    }
  }
}

START_TEST(gauge_invariance)
{
  check_gauge(2, 1, UP, UP, 10);
  check_gauge(2, 2, UP, UP, 5);
  check_gauge(2, 3, UP, UP, 1);
  check_gauge(4, 1, UP, DOWN, 5);
  check_gauge(4, 1, UP, UP, 5);
}
END_TEST

/* Identical quarks, identical antiquarks; and of any flavour, which line is called the first */
START_TEST(exchange)
{
  for (int gluons = 0; gluons < 2; gluons++) {
    struct naive_process ud = process(4, gluons, UP, DOWN), du = process(4, gluons, DOWN, UP);
    struct naive_process uu = process(4, gluons, UP, UP);
    double p[MOST][4];
    for (int i = 0; i < 4; i++) {
      any_event(&state, sqrts, 4 + gluons, p);
      double different = squared(&ud, p), same = squared(&uu, p);
      swap(p[Q], p[R]);
      check_ratio(squared(&uu, p), same, 1e-10);
      swap(p[QBAR], p[RBAR]);
      check_ratio(squared(&uu, p), same, 1e-10);
      check_ratio(squared(&du, p), different, 1e-10);
    }
  }
}
END_TEST

/* Two quarks of one flavour with the same momentum are not in the same state. */
START_TEST(exclusion)
{
  struct naive_process x = process(4, 0, UP, UP);
  double p[MOST][4];
  any_event(&state, sqrts, 3, p);
  memcpy(p[RBAR], p[R], sizeof p[R]);
  for (int m = 0; m < 4; m++) p[R][m] = p[Q][m] /= 2;
  double complex *all = naive_amplitudes(&x, (const double(*)[4])p);
  double total = squared(&x, p);
  for (int n = 0; n < NAIVE_QUARK_STATES * NAIVE_QUARK_STATES * NAIVE_QUARK_STATES; n++) {
    const int same = n % 6, legs[4] = {same, n / 6 % 6, same, n / 36};
    for (int electron = 0; electron < 2; electron++) {
      double size = cabs(all[naive_place(&x, legs) + (size_t)electron]);
      require(size < 1e-10 * sqrt(total), "%g", size);
    }
  }
  free(all);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

static double quark_to_quark(double z)
{
  return c_f * (1 + z * z) / (1 - z);
}

static double gluon_to_quark(double z)
{
  return t_r * (z * z + (1 - z) * (1 - z));
}

/* 2 g^2 P(z) / s of the event before, for the mean over two orthogonal azimuths. The momenta before
 * are those after without leg `into`. */
static void check_collinear(const struct naive_process *after, const struct naive_process *before,
                            int parent, int into, double (*kernel)(double z))
{
  int legs = after->quarks + after->gluons - 1;
  for (int i = 0; i < 2; i++) {
    double p[MOST][4], z = 0.1 + 0.8 * next_uniform(&state), mean = 0, mass2 = 0;
    any_event(&state, sqrts, legs, p);
    double expected = squared(before, p);
    for (int azimuth = 0; azimuth < 2; azimuth++) {
      double q[MOST][4], other[4];
      memcpy(q, p, sizeof q);
      int recoil = parent == 2 ? 3 : 2;
      mass2 = split(q, parent, recoil, legs + 2, z, 1e-5, 0.3 + azimuth * M_PI / 2);
      memcpy(other, q[legs + 2], sizeof other);
      memmove(q + into + 1, q + into, (size_t)(legs + 2 - into) * sizeof *q);
      memcpy(q[into], other, sizeof other);
      mean += squared(after, q) / 2;
    }
    expected *= 2 * after->couplings[0].strong * kernel(z) / mass2;
    check_ratio(mean, expected, 1e-2);
  }
}

/* q qbar g, with g -> Q Qbar */
START_TEST(collinear_quarks)
{
  for (int gluons = 0; gluons < 2; gluons++)
    for (int second = DOWN; second <= UP; second++) {
      struct naive_process after = process(4, gluons, UP, second);
      struct naive_process before = process(2, gluons + 1, UP, UP);
      check_collinear(&after, &before, R, RBAR, gluon_to_quark);
    }
}
END_TEST

START_TEST(collinear_gluon)
{
  for (int second = DOWN; second <= UP; second++) {
    struct naive_process after = process(4, 1, UP, second), before = process(4, 0, UP, second);
    for (int parent = Q; parent <= RBAR; parent++)
      check_collinear(&after, &before, parent, RBAR + 1, quark_to_quark);
  }
}
END_TEST

/* q Q -> q Q summed over spins and colours (Peskin and Schroeder, section 17.4: averages) */
static double scattering(double s, double t, double u, int identical)
{
  double sum = 4.0 / 9 * (s * s + u * u) / (t * t);
  if (identical) sum += 4.0 / 9 * (s * s + t * t) / (u * u) - 8.0 / 27 * s * s / (u * t);
  return 36 * sum;
}

/* The factor of a boson from two soft leptons: J^m J^n / (4 s^2) (sum over spins of vbar gamma^m u
 * ubar gamma^n v) with the current J of the charges. */
static double soft_boson(const struct naive_process *x, double p[][4])
{
  double k[4], current[4] = {0};
  memcpy(k, p[0], sizeof k);
  add(k, 1, p[1]);
  for (int leg = 0; leg < 4; leg++) {
    double charge = x->couplings[leg / 2].photon * (leg % 2 ? -1 : 1);
    add(current, charge / product(p[2 + leg], k), p[2 + leg]);
  }
  double along = product(p[0], current), s = product(k, k);
  return (-2 * along * along - product(current, current) * s / 2) / (s * s);
}

START_TEST(crossed)
{
  for (int second = DOWN; second <= UP; second++)
    for (int i = 0; i < 20; i++) {
      struct naive_process x = process(4, 0, UP, second);
      double p[MOST][4], e = sqrts / 2, total[4] = {sqrts, 0, 0, 0}, out[2][4], strong;
      const double in[2][4] = {{-e, 0, 0, -e}, {-e, 0, 0, e}};
      for (int n = 0; n < 2; n++) {
        memset(x.couplings[n].z, 0, sizeof x.couplings[n].z);
        isotropic(&state, 1e-7 * sqrts, p[n]);
        add(total, 1, p[n]);
      }
      share_out(&state, total, 2, out);
      memcpy(p[Q], out[0], sizeof *p), memcpy(p[R], out[1], sizeof *p);
      memcpy(p[QBAR], in[0], sizeof *p), memcpy(p[RBAR], in[1], sizeof *p);
      double s = 2 * product(in[0], in[1]), t = 2 * product(out[0], in[0]);
      strong = x.couplings[0].strong;
      double expected = strong * strong * scattering(s, t, -s - t, x.identical);
      check_ratio(squared(&x, p), expected * soft_boson(&x, p), 1e-3);
    }
}
END_TEST

/* ---- integrands/ ----------------------------------------------------------------------------- */

static void compare(int gluons, int points)
{
  const double energies[2] = {Z_MASS, 500};
  struct ee_jets jets;
  ee_jets_set(&jets, gluons);
  for (int flavour = DOWN; flavour <= UP; flavour++)
    for (int energy = 0; energy < 2; energy++)
      for (int i = 0; i < points; i++) {
        struct naive_process x = process(2, gluons, flavour, flavour);
        double p[MOST][4];
        any_event(&state, energies[energy], 2 + gluons, p);
        double fast = ee_jets_squared(&jets, &x.couplings[0], (const double(*)[4])p);
        check_ratio(fast, squared(&x, p), 1e-9);
      }
}

START_TEST(jets)
{
  compare(0, 20);
  compare(1, 20);
  compare(2, 10);
  compare(3, 2);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("tree");
  TCase *all = tcase_create("tree");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, dirac_matrices);
  tcase_add_test(all, spinors);
  tcase_add_test(all, generators);
  tcase_add_test(all, polarisations);
  tcase_add_test(all, no_gluon);
  tcase_add_test(all, one_gluon);
  tcase_add_test(all, gauge_invariance);
  tcase_add_test(all, exchange);
  tcase_add_test(all, exclusion);
  tcase_add_test(all, collinear_quarks);
  tcase_add_test(all, collinear_gluon);
  tcase_add_test(all, crossed);
  tcase_add_test(all, jets);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
