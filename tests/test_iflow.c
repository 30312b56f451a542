/* SPDX-License-Identifier: GPL-3.0-or-later */
/* i-flow's test functions beyond the Gaussian and the camel. Independent of the code under
 * test: the formulas as published, written out; the published values; other
 * parametrisations of the loops. */
#include "rows.h"
#include "suite.h"

/* ---- circles ------------------------------------------------------------------- */

START_TEST(circles_at_points)
{
  static const double on_both[] = {0.5, 0.5};
  double there = 0.125 * exp(-250 * fabs(0.01 + 0.01 - 0.0625));
  ck_assert_relative(value_at("circles", 2, "", on_both), 2 * there, 1e-13);
  /* top of the first ring; the second has (1 - y)^3 with 1 - y = 0.15 */
  static const double top[] = {0.4, 0.85};
  double second = pow(0.15, 3) * exp(-250 * fabs(0.45 * 0.45 + 0.2 * 0.2 - 0.0625));
  ck_assert_relative(value_at("circles", 2, "", top), pow(0.85, 3) + second, 1e-13);
  ck_assert_relative(value_at("circles", 2, "width=0.5", on_both), 0.25 * exp(-0.085), 1e-13);
}
END_TEST

START_TEST(circles_are_the_same_upside_down)
{
  static const double x[] = {0.23, 0.71}, turned[] = {1 - 0.23, 1 - 0.71};
  ck_assert_relative(value_at("circles", 2, "", x), value_at("circles", 2, "", turned), 1e-12);
}
END_TEST

START_TEST(circles_value)
{
  ck_assert_relative(exact_value("circles", 2, ""), 0.0136847767249, 1e-11);
  ck_assert_double_eq_tol(exact_value("circles", 2, ""), 0.0136848, 1e-7);
}
END_TEST

/* Midpoints see the ridge lines as kinks: the error is O(1 / n^2). */
START_TEST(circles_agree_with_midpoints)
{
  static const char *const settings[] = {"", "width=0.02", "width=1"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    ck_assert_relative(exact_value("circles", 2, settings[i]),
                       midpoint_value("circles", settings[i], 1500), 1e-5);
}
END_TEST

/* A thin ring of radius r holds 2 pi width * average of y^3, to second order in the width. */
START_TEST(thin_circles_are_lines)
{
  double average = pow(0.6, 3) + 1.5 * 0.6 * 0.0625;
  ck_assert_relative(exact_value("circles", 2, "width=5e-4"), 4 * 5e-4 * M_PI * average, 1e-4);
}
END_TEST

/* ---- annulus ------------------------------------------------------------------- */

START_TEST(annulus_at_points)
{
  static const double in[][2] = {{0.5, 0.71}, {0.5, 0.94}, {0.2, 0.3}, {0.82, 0.81}};
  static const double out[][2] = {{0.5, 0.5}, {0.5, 0.69}, {0.5, 0.96}, {0.05, 0.05}, {0.83, 0.82}};
  for (size_t i = 0; i < LENGTH(in); i++) ck_assert_double_eq(value_at("annulus", 2, "", in[i]), 1);
  for (size_t i = 0; i < LENGTH(out); i++)
    ck_assert_double_eq(value_at("annulus", 2, "", out[i]), 0);
}
END_TEST

START_TEST(annulus_value)
{
  ck_assert_relative(exact_value("annulus", 2, ""), M_PI * (0.45 * 0.45 - 0.2 * 0.2), 1e-14);
  ck_assert_relative(exact_value("annulus", 2, ""), 0.5105088062083414, 1e-14);
  ck_assert_relative(exact_value("annulus", 2, "r1=0.75 r2=0"), 1.0, 1e-14);
  ck_assert_relative(exact_value("annulus", 2, "r1=0.75 r2=0.5"), 1 - M_PI / 4, 1e-14);
}
END_TEST

/* Length of the line at x inside a disc of radius r and the square. */
static double chord(double x, double r)
{
  double square = r * r - (x - 0.5) * (x - 0.5);
  return square > 0 ? fmin(1, 2 * sqrt(square)) : 0;
}

/* Points count the area between edges to about one cell of a whole edge; chords to 1e-8. */
START_TEST(annulus_agrees_with_points_and_chords)
{
  static const struct {
    const char *settings;
    double outer, inner;
  } row[] = {{"", 0.45, 0.2},
             {"r2=0.6", 0.6, 0.45},
             {"r1=0.7 r2=0.65", 0.7, 0.65},
             {"r1=0.5 r2=0.53", 0.53, 0.5}};
  enum { LINES = 300000 };
  for (size_t i = 0; i < LENGTH(row); i++) {
    double value = exact_value("annulus", 2, row[i].settings), area = 0;
    for (int k = 0; k < LINES; k++)
      area += (chord((k + 0.5) / LINES, row[i].outer) - chord((k + 0.5) / LINES, row[i].inner));
    ck_assert_double_eq_tol(value, area / LINES, 1e-7);
    ck_assert_double_eq_tol(value, midpoint_value("annulus", row[i].settings, 1500), 5e-5);
  }
}
END_TEST

START_TEST(annulus_takes_radii_in_either_order)
{
  static const double in[] = {0.5, 0.8};
  ck_assert_double_eq(value_at("annulus", 2, "r1=0.2 r2=0.45", in), 1);
  ck_assert_double_eq(exact_value("annulus", 2, "r1=0.2 r2=0.45"), exact_value("annulus", 2, ""));
  ck_assert_double_eq(exact_value("annulus", 2, "r1=0.3 r2=0.3"), 0);
}
END_TEST

/* ---- loops --------------------------------------------------------------------- */

/* The published denominators, for any masses and order of the legs. */
static double triangle_denominator(const double t[2], const int p[3], const double m[3],
                                   double mass)
{
  return -m[p[0]] * m[p[0]] * t[0] - m[p[1]] * m[p[1]] * t[0] * t[1] - m[p[2]] * m[p[2]] * t[1] +
         (1 + t[0] + t[1]) * (t[0] + t[1] + 1) * mass * mass;
}

static double box_denominator(const double t[3], double s, double u, const int p[4],
                              const double m[4], double mass)
{
  double sum = 1 + t[0] + t[1] + t[2];
  return -s * t[1] - u * t[0] * t[2] - m[p[0]] * m[p[0]] * t[0] - m[p[1]] * m[p[1]] * t[0] * t[1] -
         m[p[2]] * m[p[2]] * t[1] * t[2] - m[p[3]] * m[p[3]] * t[2] + sum * sum * mass * mass;
}

START_TEST(triangle_as_published)
{
  static const double legs[] = {0, 0, 125}, t[] = {0.3, 0.8};
  static const int order[][3] = {{1, 2, 0}, {2, 0, 1}, {0, 1, 2}};
  double sum = 0;
  for (int i = 0; i < 3; i++)
    sum -= 1 / (1 + t[0] + t[1]) / triangle_denominator(t, order[i], legs, 175);
  ck_assert_relative(value_at("triangle", 2, "", t), sum, 1e-14);
  ck_assert_double_lt(sum, 0);
}
END_TEST

START_TEST(box_as_published)
{
  static const double legs[] = {0, 0, 0, 125}, t[] = {0.3, 0.8, 0.45};
  static const double s12 = 16900, s23 = -8450;
  static const int order[][4] = {{1, 2, 3, 0}, {2, 3, 0, 1}, {3, 0, 1, 2}, {0, 1, 2, 3}};
  double sum = 0;
  for (int i = 0; i < 4; i++)
    sum += pow(box_denominator(t, i % 2 ? s12 : s23, i % 2 ? s23 : s12, order[i], legs, 175), -2);
  ck_assert_relative(value_at("box", 3, "", t), sum, 1e-14);
}
END_TEST

START_TEST(loop_values_as_published)
{
  ck_assert_relative(exact_value("triangle", 2, ""), -1.70721682537767509e-5, 1e-14);
  ck_assert_relative(exact_value("box", 3, ""), 1.93696402386819321e-10, 1e-12);
}
END_TEST

START_TEST(triangle_agrees_with_quadrature)
{
  static const char *const settings[] = {"", "mass=100", "mass=1e4"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    ck_assert_relative(exact_value("triangle", 2, settings[i]),
                       gauss_value("triangle", 2, settings[i], 32), 1e-12);
}
END_TEST

/* Feynman's simplex instead of the four sectors: parameters a, b, c, d >= 0 with sum 1 for
 * the four propagators, folded onto the cube by a = 1 - x, b = x (1 - y), c = x y (1 - z). */
static double simplex_box(double mass)
{
  struct rule rule = gauss_rule(64);
  double sum = 0;
  for (size_t i = 0; i < rule.n; i++)
    for (size_t j = 0; j < rule.n; j++)
      for (size_t k = 0; k < rule.n; k++) {
        double x = rule.x[i], y = rule.x[j], z = rule.x[k];
        double a = 1 - x, b = x * (1 - y), c = x * y * (1 - z), d = x * y * z;
        double f = mass * mass - 16900 * a * c + 8450 * b * d - 15625 * a * d;
        sum += rule.w[i] * rule.w[j] * rule.w[k] * x * x * y / (f * f);
      }
  return sum;
}

START_TEST(box_agrees_with_the_simplex)
{
  ck_assert_relative(exact_value("box", 3, ""), simplex_box(175), 1e-12);
  ck_assert_relative(exact_value("box", 3, "mass=100"), simplex_box(100), 1e-12);
  ck_assert_relative(exact_value("box", 3, "mass=2000"), simplex_box(2000), 1e-12);
}
END_TEST

/* With a very heavy loop nothing depends on the momenta: 1/2 and 1/6 of the simplex. */
START_TEST(heavy_loops_are_points)
{
  ck_assert_relative(exact_value("triangle", 2, "mass=1e4"), -0.5e-8, 1e-4);
  ck_assert_relative(exact_value("box", 3, "mass=1e4"), 1e-16 / 6, 1e-4);
}
END_TEST

/* ---- polynomial ---------------------------------------------------------------- */

START_TEST(polynomial_at_points)
{
  static const double x[] = {0.5, 0.1, 0.25};
  ck_assert_relative(value_at("polynomial", 3, "", x), 0.25 + 0.09 + 0.1875, 1e-15);
  ck_assert_relative(value_at("polynomial", 1, "", x), 0.25, 1e-15);
}
END_TEST

START_TEST(polynomial_value)
{
  static const size_t dims[] = {1, 2, 18, 54, 96, 256};
  for (size_t i = 0; i < LENGTH(dims); i++)
    ck_assert_relative(exact_value("polynomial", dims[i], ""), (double)dims[i] / 6, 1e-15);
  ck_assert_relative(exact_value("polynomial", 3, ""), gauss_value("polynomial", 3, "", 2), 1e-14);
  ck_assert_uint_eq(integrand_find("polynomial")->dim_default, 18);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("iflow");
  TCase *flat = tcase_create("circles and annulus"), *loops = tcase_create("loops and polynomial");
  tcase_add_test(flat, circles_at_points);
  tcase_add_test(flat, circles_are_the_same_upside_down);
  tcase_add_test(flat, circles_value);
  tcase_add_test(flat, circles_agree_with_midpoints);
  tcase_add_test(flat, thin_circles_are_lines);
  tcase_add_test(flat, annulus_at_points);
  tcase_add_test(flat, annulus_value);
  tcase_add_test(flat, annulus_agrees_with_points_and_chords);
  tcase_add_test(flat, annulus_takes_radii_in_either_order);
  tcase_add_test(loops, triangle_as_published);
  tcase_add_test(loops, box_as_published);
  tcase_add_test(loops, loop_values_as_published);
  tcase_add_test(loops, triangle_agrees_with_quadrature);
  tcase_add_test(loops, box_agrees_with_the_simplex);
  tcase_add_test(loops, heavy_loops_are_points);
  tcase_add_test(loops, polynomial_at_points);
  tcase_add_test(loops, polynomial_value);
  suite_add_tcase(suite, flat);
  suite_add_tcase(suite, loops);
  return run_suite(suite);
}
