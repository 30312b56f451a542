/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Observables of the physics rows: sum rules, and slow ways to the same numbers. */
#include "observables.h"

#include "jet_cut.h"
#include "noise.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>

enum { POINTS = 200, PARTONS = 5 };

static uint64_t noise_state = 7;

static double value(const struct integrand *row, const void *state, const double *x,
                    const char *name)
{
  const struct observable *o = row->observables;
  while (o->name && strcmp(o->name, name) != 0) o++;
  require(o->name, "%s has no %s", row->name, name);
  return o->f(row, state, x, o->which);
}

/* Every direction of a fine grid gives at most the thrust, and the best of them nearly that. */
static void check_thrust(int n, const double (*p)[4], double thrust)
{
  double best = 0, all = 0;
  for (int i = 0; i < n; i++) all += p[i][0];
  for (int a = 0; a < 60; a++)
    for (int b = 0; b < 120; b++) {
      double cosine = (a + 0.5) / 60, sine = sqrt(1 - cosine * cosine), phi = 2 * M_PI * b / 120;
      double sum = 0;
      for (int i = 0; i < n; i++)
        sum += fabs(p[i][1] * sine * cos(phi) + p[i][2] * sine * sin(phi) + p[i][3] * cosine);
      best = fmax(best, sum / all);
    }
  check_between(thrust, best - 1e-12, best + 0.005, "thrust");
}

static void check_point(const struct integrand *row, const void *state, const double *x)
{
  int n = row->legs - 2;
  double p[PARTONS][4], energies = 0, masses = 0, sqrts = 0, least[2] = {INFINITY, INFINITY};
  char name[32];
  row->momenta(state, x, p);
  for (int i = 0; i < n; i++) sqrts += p[i][0];
  if (sqrts == 0) return; /* no momenta: outside of the cut */
  for (int i = 1; i <= n; i++) {
    snprintf(name, sizeof name, "energy%d", i);
    energies += value(row, state, x, name);
    for (int k = i + 1; k <= n; k++) {
      snprintf(name, sizeof name, "m%d%d", i, k);
      masses += pow(value(row, state, x, name), 2);
      for (int m = JADE; m <= DURHAM; m++) {
        struct jet_cut cut = {sqrts * sqrts, 0, m};
        least[m] = fmin(least[m], jet_resolution(&cut, p[i - 1], p[k - 1]));
      }
    }
  }
  double thrust = value(row, state, x, "thrust"), y23 = value(row, state, x, "y23");
  const char *last = n == 3 ? "y23" : n == 4 ? "y34" : "y45";
  snprintf(name, sizeof name, "jade_%s", last);
  ck_assert_double_eq_tol(energies, 2, 1e-12);
  ck_assert_double_eq_tol(masses, sqrts * sqrts, 1e-9 * sqrts * sqrts);
  ck_assert_double_eq_tol(value(row, state, x, last), least[DURHAM], 1e-10);
  ck_assert_double_eq_tol(value(row, state, x, name), least[JADE], 1e-10);
  ck_assert_double_le(fabs(value(row, state, x, "cos_theta")), 1);
  check_thrust(n, (const double(*)[4])p, thrust);
  if (n == 3) ck_assert_double_eq_tol(thrust, value(row, state, x, "energy1"), 1e-12);
  if (n > 3) ck_assert_double_ge(y23, value(row, state, x, "y34"));
  check_between(y23, 0, 0.35, "y23");
}

START_TEST(jets)
{
  static const char *const names[] = {"ee3j", "ee4j", "ee4q", "ee5j", "ee4qg"};
  const struct integrand *row = integrand_find(names[_i]);
  double x[3 * PARTONS], values[INTEGRAND_MAX_PARAMETERS];
  integrand_defaults(row, values);
  void *state = integrand_make(row, row->dim_default, values);
  for (int i = 0; i < samples(POINTS); i++) {
    for (size_t j = 0; j < row->dim_default; j++) x[j] = next_uniform(&noise_state);
    check_point(row, state, x);
  }
  free(state);
}
END_TEST

/* Whatever a row says: names and ranges are good, and what is in a point's reach is a number. */
START_TEST(all_rows)
{
  for (int r = 0; integrand_table[r]; r++) {
    const struct integrand *row = integrand_table[r];
    double x[NIS_MOST_DIM], values[INTEGRAND_MAX_PARAMETERS];
    if (!row->observables) continue;
    integrand_defaults(row, values);
    void *state = integrand_make(row, row->dim_default, values);
    for (const struct observable *o = row->observables; o->name; o++) {
      require(o->low < o->high && o->unit && *o->description && !strpbrk(o->name, ":, "), "%s %s",
              row->name, o->name);
      for (const struct observable *p = row->observables; p != o; p++)
        require(strcmp(p->name, o->name) != 0, "%s twice", o->name);
      for (int i = 0; i < 64; i++) {
        for (size_t j = 0; j < row->dim_default; j++) x[j] = next_uniform(&noise_state);
        double got = o->f(row, state, x, o->which);
        require(!isinf(got), "%s %s: %g", row->name, o->name, got);
      }
    }
    free(state);
  }
}
END_TEST

START_TEST(known)
{
  const double mercedes[3][4] = {
      {1, 1, 0, 0}, {1, -0.5, 0.8660254037844386, 0}, {1, -0.5, -0.8660254037844386, 0}};
  const double cross[4][4] = {{1, 1, 0, 0}, {1, -1, 0, 0}, {1, 0, 1, 0}, {1, 0, -1, 0}};
  ck_assert_double_eq_tol(thrust_of(3, mercedes), 2.0 / 3, 1e-15);
  ck_assert_double_eq_tol(thrust_of(4, cross), sqrt(0.5), 1e-15);
  ck_assert_double_eq_tol(jet_rate(DURHAM, 3, mercedes, 2), 2 * 1.5 / 9, 1e-15);
  ck_assert_double_eq_tol(jet_rate(JADE, 4, cross, 3), 2.0 / 16, 1e-15);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("observables");
  TCase *tcase = tcase_create("observables");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, jets, 0, 5);
  tcase_add_test(tcase, all_rows);
  tcase_add_test(tcase, known);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
