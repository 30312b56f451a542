/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Squared amplitudes of e+ e- -> q qbar Q Qbar (g) against Feynman rules (naive_tree.h, which
 * test_tree.c checks). */
#include "ee_four_quarks.h"
#include "any_event.h"
#include "naive_tree.h"
#include "suite.h"

enum { DOWN = 1, UP, STRANGE, MOST = 7 };

static const double alpha_s = 0.118;
static uint64_t state = 17;

static void compare(int gluons, int first, int second, double sqrts, int points)
{
  const int pdg[2] = {first, second};
  struct naive_process slow;
  struct ee_four_quarks fast;
  naive_process_set(&slow, 4, gluons, pdg, alpha_s);
  ee_four_quarks_set(&fast, gluons, pdg, alpha_s);
  for (int i = 0; i < points; i++) {
    double p[MOST][4];
    any_event(&state, sqrts, 4 + gluons, p);
    double a = ee_four_quarks_squared(&fast, (const double(*)[4])p);
    double b = naive_squared(&slow, (const double(*)[4])p);
    require(fabs(a / b - 1) < 1e-9, "%d %d, %d gluons, %g GeV: %.15g, not %.15g", first, second,
            gluons, sqrts, a, b);
  }
}

/* Different flavours of both types and of one type, and identical ones */
static void compare_flavours(int gluons, int points)
{
  const int pdg[][2] = {{UP, DOWN}, {DOWN, UP}, {DOWN, STRANGE}, {DOWN, DOWN}, {UP, UP}};
  for (size_t n = 0; n < sizeof pdg / sizeof *pdg; n++) {
    compare(gluons, pdg[n][0], pdg[n][1], Z_MASS, points);
    compare(gluons, pdg[n][0], pdg[n][1], 500, points);
  }
}

START_TEST(no_gluon)
{
  compare_flavours(0, 20);
}
END_TEST

START_TEST(one_gluon)
{
  compare_flavours(1, 5);
}
END_TEST

/* Amplitudes: 1e-10 */
START_TEST(gauge_invariance)
{
  for (int second = DOWN; second <= UP; second++) {
    const int pdg[2] = {UP, second};
    struct ee_four_quarks f;
    ee_four_quarks_set(&f, 1, pdg, alpha_s);
    for (int i = 0; i < 50; i++) {
      double p[MOST][4];
      any_event(&state, 200, 5, p);
      double all = ee_four_quarks_squared(&f, (const double(*)[4])p);
      double off = ee_four_quarks_gauge_check(&f, (const double(*)[4])p);
      require(off < 1e-20 * all * p[6][0] * p[6][0], "%g of %g", off, all);
    }
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("four_quarks");
  TCase *all = tcase_create("four_quarks");
  tcase_set_timeout(all, 300);
  tcase_add_test(all, no_gluon);
  tcase_add_test(all, one_gluon);
  tcase_add_test(all, gauge_invariance);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
