/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Maps from the unit cube to momenta: on shell, conserved, with the weight that numeric
 * derivatives give, and with the volume of the textbooks, exactly where the map is even, else as
 * the mean of the weights. */
#include "alarm.h"
#include "phase_space.h"
#include "jacobian.h"
#include "mean.h"
#include "noise.h"
#include "suite.h"

#include <math.h>

enum { POINTS = 20 };

static const double sqrts = 91.188, s = 91.188 * 91.188;
static uint64_t state = 9;

static void any_point(double *x, double low)
{
  for (int j = 0; j < MOST_DIM; j++) x[j] = low + (1 - 2 * low) * next_uniform(&state);
}

/* ---- the maps ----------------------------------------------------------------------------- */

static double even(int n, const double *x, double (*p)[4], const void *params)
{
  (void)params;
  return nis_rambo_on_diet(n, sqrts, x, p);
}

static double sequential(int n, const double *x, double (*p)[4], const void *shape)
{
  return nis_sequential(n, sqrts, shape, x, p);
}

static double three_jets(int n, const double *x, double (*p)[4], const void *ycut)
{
  (void)n;
  return nis_three_jets(sqrts, *(const double *)ycut, x, p);
}

enum { SHAPES = 4, MOST_SHAPES = NIS_PHASE_SPACE_MOST - 2 };

/* Flat, roots, poles above a cut, and resonances one above the other */
static void make_shape(int which, struct nis_propagator shape[MOST_SHAPES])
{
  for (int i = 0; i < MOST_SHAPES; i++) {
    double mass = sqrts * (0.8 - 0.1 * i);
    const struct nis_propagator all[SHAPES] = {
        {0},
        {.power = 0.5},
        {.power = 1 + 0.2 * i, .low = s * (0.02 - 0.002 * i)},
        {mass, 20, 0, 0}};
    shape[i] = all[which];
  }
}

/* ---- tests -------------------------------------------------------------------------------- */

static void check_map(const struct map *map, int n)
{
  double x[MOST_DIM], p[MOST_PARTICLES][4];
  for (int i = 0; i < 1000; i++) {
    any_point(x, 0);
    map->f(n, x, p, map->params);
    check_momenta(n, sqrts, p, 1e-11);
  }
  for (int i = 0; i < POINTS; i++) {
    any_point(x, 0.1);
    double weight = map->f(n, x, p, map->params), numeric = numeric_weight(map, n, x);
    require(fabs(numeric / weight - 1) < 2e-5, "n = %d: %g and %g", n, weight, numeric);
  }
}

START_TEST(even_momenta_and_weights)
{
  for (int n = 2; n <= NIS_PHASE_SPACE_MOST; n++) check_map(&(struct map){even, NULL}, n);
}
END_TEST

START_TEST(sequential_momenta_and_weights)
{
  struct nis_propagator shape[MOST_SHAPES];
  for (int which = 0; which < SHAPES; which++) {
    make_shape(which, shape);
    for (int n = 2; n <= NIS_PHASE_SPACE_MOST; n++) check_map(&(struct map){sequential, shape}, n);
  }
}
END_TEST

START_TEST(three_jet_momenta_and_weights)
{
  static const double ycut[] = {0.01, 0.2, 0.3};
  for (int i = 0; i < 3; i++) check_map(&(struct map){three_jets, &ycut[i]}, 3);
}
END_TEST

/* One of `checks` in the test */
static void check_volume(const struct map *map, int n, double volume, int checks)
{
  struct mean weights = {0};
  double x[MOST_DIM], p[MOST_PARTICLES][4];
  for (int i = 0; i < 100000; i++) {
    any_point(x, 0);
    mean_add(&weights, map->f(n, x, p, map->params));
  }
  double mean = mean_value(&weights), error = mean_error(&weights);
  require(fabs(mean - volume) < alarm_errors(checks) * error + 1e-10 * volume,
          "n = %d: %g +- %g, not %g", n, mean, error, volume);
  require(error < 0.02 * volume, "n = %d: %g of %g", n, error, volume);
}

/* 1 / (8 pi) of two, s / (256 pi^3) of three */
START_TEST(even_volumes)
{
  double x[MOST_DIM] = {0.5, 0.5, 0.5, 0.5, 0.5}, p[MOST_PARTICLES][4];
  ck_assert_double_eq_tol(nis_rambo_on_diet(2, sqrts, x, p), 1 / (8 * M_PI), 1e-15);
  ck_assert_double_eq_tol(nis_rambo_on_diet(3, sqrts, x, p) * 256 * pow(M_PI, 3) / s, 1, 1e-13);
}
END_TEST

/* Where no mass is cut off: that of RAMBO */
START_TEST(sequential_volumes)
{
  struct nis_propagator shape[MOST_SHAPES];
  double x[MOST_DIM] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, p[MOST_PARTICLES][4];
  for (int which = 0; which < SHAPES; which++)
    for (int n = 2; n <= 5; n++) {
      make_shape(which, shape);
      if (shape[0].low > 0) continue;
      check_volume(&(struct map){sequential, shape}, n, nis_rambo_on_diet(n, sqrts, x, p),
                   4 * SHAPES);
    }
}
END_TEST

/* Of three above a mass cut m^2 > low: s / (256 pi^3) (1 - low / s)^2 */
START_TEST(sequential_volume_above_a_cut)
{
  const struct nis_propagator shape[] = {{.power = 1, .low = 0.3 * s},
                                         {.power = 2, .low = 0.3 * s}};
  for (int i = 0; i < 2; i++)
    check_volume(&(struct map){sequential, &shape[i]}, 3, s / (256 * pow(M_PI, 3)) * 0.7 * 0.7, 2);
}
END_TEST

/* The triangle has the area (1 - 3 y)^2 / 2 */
START_TEST(three_jet_volumes)
{
  static const double ycut[] = {0.001, 0.1, 0.3};
  for (int i = 0; i < 3; i++)
    check_volume(&(struct map){three_jets, &ycut[i]}, 3,
                 s / (256 * pow(M_PI, 3)) * pow(1 - 3 * ycut[i], 2), 3);
}
END_TEST

/* A propagator is flat in its own map: the mean of the weight times a Breit-Wigner is that of no
 * spread. */
START_TEST(resonances_cancel)
{
  const struct nis_propagator shape = {40, 1e-3, 0, 0};
  double x[MOST_DIM], p[MOST_PARTICLES][4], least = INFINITY, most = 0;
  for (int i = 0; i < 1000; i++) {
    any_point(x, 0);
    double weight = nis_sequential(3, sqrts, &shape, x, p);
    double m2 = 2 * product(p[1], p[2]), off = m2 - 1600;
    double value = weight / (off * off + 1600 * 1e-6) / (1 - m2 / s);
    least = fmin(least, value), most = fmax(most, value);
  }
  check_between(most / least, 1, 1 + 1e-6, "largest over smallest");
}
END_TEST

/* Numbers at the ends of the cube: no NaN, energies of 0 at worst */
START_TEST(ends_of_the_cube)
{
  double x[MOST_DIM], p[MOST_PARTICLES][4], ycut = 0.01;
  struct nis_propagator shape[MOST_SHAPES];
  for (int end = 0; end < 2; end++) {
    for (int j = 0; j < MOST_DIM; j++) x[j] = end ? 1 - 0x1p-53 : 0x1p-53;
    for (int n = 2; n <= NIS_PHASE_SPACE_MOST; n++)
      for (int which = -1; which < SHAPES; which++) {
        if (which >= 0) make_shape(which, shape);
        double weight = which < 0 ? even(n, x, p, NULL) : sequential(n, x, p, shape);
        ck_assert(isfinite(weight));
        for (int i = 0; i < 4 * n; i++) ck_assert(isfinite(p[i / 4][i % 4]));
      }
    ck_assert(isfinite(three_jets(3, x, p, &ycut)));
    for (int i = 0; i < 12; i++) ck_assert(isfinite(p[i / 4][i % 4]));
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("phase_space");
  TCase *all = tcase_create("phase_space");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, even_momenta_and_weights);
  tcase_add_test(all, sequential_momenta_and_weights);
  tcase_add_test(all, three_jet_momenta_and_weights);
  tcase_add_test(all, even_volumes);
  tcase_add_test(all, sequential_volumes);
  tcase_add_test(all, sequential_volume_above_a_cut);
  tcase_add_test(all, three_jet_volumes);
  tcase_add_test(all, resonances_cancel);
  tcase_add_test(all, ends_of_the_cube);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
