/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Maps from the unit cube to momenta: on shell, conserved, and with the weight that numeric derivatives
 * give. In the coordinates p_1 ... p_(n-2) and the direction of p_(n-1) in the rest frame of the last
 * two, phase space is prod_(i <= n-2) d^3 p_i / ((2 pi)^3 2 E_i) dOmega / (32 pi^2).
 */
#include "phase_space.h"
#include "momenta.h"
#include "noise.h"
#include "suite.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

enum { MOST_DIM = 3 * NIS_PHASE_SPACE_MOST - 4, POINTS = 20 };

static const double sqrts = 91.188;
static uint64_t state = 9;

static void check_momenta(int n, double (*p)[4])
{
  double sum[4] = {-sqrts, 0, 0, 0};
  for (int i = 0; i < n; i++) {
    double length = hypot(hypot(p[i][1], p[i][2]), p[i][3]);
    require(p[i][0] > 0, "energy %g", p[i][0]);
    require(fabs(p[i][0] - length) < 1e-12 * sqrts, "mass of %g", p[i][0] - length);
    for (int m = 0; m < 4; m++) sum[m] += p[i][m];
  }
  for (int m = 0; m < 4; m++) require(fabs(sum[m]) < 1e-12 * sqrts, "%d: off by %g", m, sum[m]);
}

/* The coordinates of the head of this file */
static void coordinates(int n, double (*p)[4], double *c)
{
  double pair[4], back[4], last[4];
  for (int i = 0; i < n - 2; i++)
    for (int m = 0; m < 3; m++) c[3 * i + m] = p[i][m + 1];
  for (int m = 0; m < 4; m++) {
    pair[m] = p[n - 2][m] + p[n - 1][m];
    back[m] = m ? -pair[m] : pair[m];
    last[m] = p[n - 2][m];
  }
  double mass2 = pair[0] * pair[0] - pair[1] * pair[1] - pair[2] * pair[2] - pair[3] * pair[3];
  boost_from_rest(back, sqrt(mass2), last);
  c[3 * n - 6] = last[3] / last[0];
  c[3 * n - 5] = atan2(last[2], last[1]);
}

/* d coordinates / d x_j */
static void differences(int n, const double *x, int j, double *slope)
{
  double p[NIS_PHASE_SPACE_MOST][4], y[MOST_DIM], c[2][MOST_DIM];
  const double h = 1e-6;
  for (int side = 0; side < 2; side++) {
    memcpy(y, x, sizeof y);
    y[j] += side ? h : -h;
    nis_rambo_on_diet(n, sqrts, y, p);
    coordinates(n, p, c[side]);
  }
  double turn = c[1][3 * n - 5] - c[0][3 * n - 5];
  for (int i = 0; i < 3 * n - 4; i++) slope[i] = (c[1][i] - c[0][i]) / (2 * h);
  slope[3 * n - 5] = remainder(turn, 2 * M_PI) / (2 * h);
}

static double numeric_weight(int n, const double *x)
{
  int dim = 3 * n - 4, sign;
  double slope[MOST_DIM], p[NIS_PHASE_SPACE_MOST][4], weight = 1 / (32 * M_PI * M_PI);
  gsl_matrix *matrix = gsl_matrix_alloc((size_t)dim, (size_t)dim);
  gsl_permutation *order = gsl_permutation_alloc((size_t)dim);
  for (int j = 0; j < dim; j++) {
    differences(n, x, j, slope);
    for (int i = 0; i < dim; i++) gsl_matrix_set(matrix, (size_t)i, (size_t)j, slope[i]);
  }
  gsl_linalg_LU_decomp(matrix, order, &sign);
  weight *= fabs(gsl_linalg_LU_det(matrix, sign));
  gsl_matrix_free(matrix);
  gsl_permutation_free(order);
  nis_rambo_on_diet(n, sqrts, x, p);
  for (int i = 0; i < n - 2; i++) weight /= pow(2 * M_PI, 3) * 2 * p[i][0];
  return weight;
}

START_TEST(momenta_are_on_shell_and_conserved)
{
  double x[MOST_DIM], p[NIS_PHASE_SPACE_MOST][4];
  for (int n = 2; n <= NIS_PHASE_SPACE_MOST; n++)
    for (int i = 0; i < 1000; i++) {
      for (int j = 0; j < MOST_DIM; j++) x[j] = next_uniform(&state);
      nis_rambo_on_diet(n, sqrts, x, p);
      check_momenta(n, p);
    }
}
END_TEST

START_TEST(weights_are_those_of_numeric_derivatives)
{
  double x[MOST_DIM], p[NIS_PHASE_SPACE_MOST][4];
  for (int n = 2; n <= NIS_PHASE_SPACE_MOST; n++)
    for (int i = 0; i < POINTS; i++) {
      for (int j = 0; j < MOST_DIM; j++) x[j] = 0.1 + 0.8 * next_uniform(&state);
      double weight = nis_rambo_on_diet(n, sqrts, x, p), numeric = numeric_weight(n, x);
      require(fabs(numeric / weight - 1) < 1e-5, "n = %d: %g and %g", n, weight, numeric);
    }
}
END_TEST

/* 1 / (8 pi) of two, s / (2 (4 pi)^3 2 pi ...): those of the textbooks */
START_TEST(volumes_are_known)
{
  double x[MOST_DIM] = {0.5, 0.5, 0.5, 0.5, 0.5}, p[NIS_PHASE_SPACE_MOST][4], s = sqrts * sqrts;
  ck_assert_double_eq_tol(nis_rambo_on_diet(2, sqrts, x, p), 1 / (8 * M_PI), 1e-15);
  ck_assert_double_eq_tol(nis_rambo_on_diet(3, sqrts, x, p) * 256 * pow(M_PI, 3) / s, 1, 1e-13);
}
END_TEST

/* Numbers at the ends of the cube: no NaN, energies of 0 at worst */
START_TEST(ends_of_the_cube)
{
  double x[MOST_DIM], p[NIS_PHASE_SPACE_MOST][4];
  for (int n = 2; n <= NIS_PHASE_SPACE_MOST; n++)
    for (int end = 0; end < 2; end++) {
      for (int j = 0; j < MOST_DIM; j++) x[j] = end ? 1 - 0x1p-53 : 0x1p-53;
      nis_rambo_on_diet(n, sqrts, x, p);
      for (int i = 0; i < 4 * n; i++) ck_assert(isfinite(p[i / 4][i % 4]));
    }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("phase_space");
  TCase *all = tcase_create("phase_space");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, momenta_are_on_shell_and_conserved);
  tcase_add_test(all, weights_are_those_of_numeric_derivatives);
  tcase_add_test(all, volumes_are_known);
  tcase_add_test(all, ends_of_the_cube);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
