/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The integrands on which nothing is tuned. Independent of the code under test: moments,
 * alternating sums, GSL's adaptive rules on other forms, product rules, hand-written terms. */
#include "rows.h"
#include "suite.h"

static double square(double x)
{
  return x * x;
}

static double normal(double x, double sigma)
{
  return exp(-0.5 * square(x / sigma)) / (sigma * sqrt(2 * M_PI));
}

/* ---- shell --------------------------------------------------------------------- */

START_TEST(shell_at_points)
{
  static const double on[] = {0.5, 0.85, 0.5}, off[] = {0.5, 0.5, 0.5, 0.5, 0.16};
  ck_assert_relative(value_at("shell", 3, "", on), normal(0, 0.01), 1e-12);
  ck_assert_relative(value_at("shell", 5, "", off), normal(0.01, 0.01), 1e-12);
  ck_assert_relative(value_at("shell", 2, "radius=0.1 width=0.1", on), normal(0.25, 0.1), 1e-12);
}
END_TEST

/* Surface of the unit sphere times the mean of rho^(d - 1), by the moments of a Gaussian. */
START_TEST(shell_values)
{
  static const double r = 0.35, w = 0.01;
  const double mean[] = {1, r, r * r + w * w, pow(r, 3) + 3 * r * w * w,
                         pow(r, 4) + 6 * r * r * w * w + 3 * pow(w, 4)};
  const double area[] = {2, 2 * M_PI, 4 * M_PI, 2 * M_PI * M_PI, 8 * M_PI * M_PI / 3};
  for (size_t dim = 1; dim <= 5; dim++)
    ck_assert_relative(exact_value("shell", dim, ""), area[dim - 1] * mean[dim - 1], 1e-12);
  ck_assert_relative(exact_value("shell", 2, "radius=0.1 width=0.05"),
                     midpoint_value("shell", "radius=0.1 width=0.05", 400), 1e-5);
}
END_TEST

START_TEST(shell_beyond_the_cube_has_no_value)
{
  ck_assert(has_value("shell", 5, "radius=0.42"));
  ck_assert(!has_value("shell", 5, "radius=0.421"));
  ck_assert(!has_value("shell", 5, "radius=0.5"));
}
END_TEST

/* ---- corner peak --------------------------------------------------------------- */

START_TEST(corner_peak_at_points)
{
  static const double x[] = {0.1, 0.5, 0.25};
  ck_assert_relative(value_at("corner_peak", 3, "c=4", x), pow(4.4, -4), 1e-13);
  ck_assert_relative(value_at("corner_peak", 2, "", x), pow(2.2, -3), 1e-13);
}
END_TEST

/* Genz's own form: an alternating sum over the corners, by their number of ones. */
static double corner_sum(int dim, double c)
{
  double sum = 0, choose = 1;
  for (int k = 0; k <= dim; k++) {
    sum += choose / (1 + k * c);
    choose *= -(double)(dim - k) / (k + 1);
  }
  return sum / (tgamma(dim + 1) * pow(c, dim));
}

START_TEST(corner_peak_values)
{
  ck_assert_relative(exact_value("corner_peak", 6, ""), 1.0 / (3 * 5 * 7 * 9 * 11 * 13), 1e-13);
  ck_assert_relative(exact_value("corner_peak", 6, ""), corner_sum(6, 2), 1e-10);
  ck_assert_relative(exact_value("corner_peak", 4, "c=0.5"), corner_sum(4, 0.5), 1e-11);
  for (size_t dim = 1; dim <= 3; dim++)
    ck_assert_relative(exact_value("corner_peak", dim, "c=3"),
                       gauss_value("corner_peak", dim, "c=3", 64), 1e-12);
}
END_TEST

/* ---- resonance ----------------------------------------------------------------- */

START_TEST(breit_wigner_at_points)
{
  static const double peak[] = {0.3, 0.3, 0.5}, side[] = {0.5, 0.5, 1};
  ck_assert_relative(value_at("breit_wigner", 3, "", peak), 0.75 / (M_PI * 0.3 * 0.008), 1e-10);
  double shape = 0.0024 / (square(0.16) + square(0.0024));
  ck_assert_relative(value_at("breit_wigner", 3, "", side), 1.5 / M_PI * shape, 1e-12);
}
END_TEST

/* With t = x y = m^2 + m w tan(angle) the resonance is flat, and -log t is left. */
static double luminosity(double angle, void *params)
{
  const double *m = params;
  return -log(fmax(m[0] * m[0] + m[0] * m[1] * tan(angle), 1e-300)) / M_PI;
}

START_TEST(breit_wigner_values)
{
  static const double row[][2] = {{0.3, 0.008}, {0.3, 1e-6}, {0.01, 1e-4}, {1, 0.1}, {0.8, 1}};
  for (size_t i = 0; i < LENGTH(row); i++) {
    double m[] = {row[i][0], row[i][1]};
    char settings[64];
    snprintf(settings, sizeof settings, "mass=%g width=%g", m[0], m[1]);
    double low = -atan(m[0] / m[1]), high = atan((1 - m[0] * m[0]) / (m[0] * m[1]));
    ck_assert_relative(exact_value("breit_wigner", 3, settings),
                       qags_value(luminosity, m, low, 0) + qags_value(luminosity, m, 0, high),
                       1e-7);
  }
  ck_assert_relative(exact_value("breit_wigner", 3, "mass=0.6 width=0.6"),
                     gauss_value("breit_wigner", 3, "mass=0.6 width=0.6", 64), 1e-11);
}
END_TEST

/* ---- twisted ------------------------------------------------------------------- */

START_TEST(twisted_at_points)
{
  static const double x[] = {0.7, 0.4, 0.42};
  ck_assert_relative(value_at("twisted", 3, "", x),
                     normal(0.2, 0.15) * normal(0.01, 0.0125) * normal(0.01, 0.0125), 1e-10);
  ck_assert_relative(value_at("twisted", 2, "bend=-1 width=0.1 sigma=0.3", x),
                     normal(0.2, 0.3) * normal(0.09, 0.1), 1e-10);
}
END_TEST

START_TEST(twisted_values)
{
  static const char *const settings[] = {"width=0.05", "width=0.1 bend=2 sigma=0.3",
                                         "width=0.3 bend=-1 sigma=1", "width=0.05 bend=0"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (size_t dim = 2; dim <= 3; dim++)
      ck_assert_relative(exact_value("twisted", dim, settings[i]),
                         gauss_value("twisted", dim, settings[i], dim == 2 ? 128 : 100), 1e-10);
  /* the other coordinates are far inside; the first sticks out on both sides */
  ck_assert_relative(exact_value("twisted", 6, ""), erf(0.5 / (0.15 * M_SQRT2)), 1e-13);
}
END_TEST

/* ---- chain --------------------------------------------------------------------- */

START_TEST(chain_at_points)
{
  static const double x[] = {0.52, 0.5, 0.47};
  double sigma = 0.03 / sqrt(1 - 0.49);
  ck_assert_relative(value_at("chain", 3, "", x),
                     normal(0.02, sigma) * normal(-0.014, 0.03) * normal(-0.03, 0.03), 1e-12);
  ck_assert_relative(value_at("chain", 2, "rho=0 width=0.1", x), normal(0.02, 0.1) * normal(0, 0.1),
                     1e-12);
}
END_TEST

START_TEST(chain_values)
{
  static const char *const settings[] = {"", "width=0.05 rho=0", "width=0.04 rho=0.8"};
  ck_assert_double_eq(exact_value("chain", 16, ""), 1);
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (size_t dim = 2; dim <= 3; dim++)
      ck_assert_double_eq_tol(gauss_value("chain", dim, settings[i], dim == 2 ? 128 : 100),
                              exact_value("chain", dim, settings[i]), 1e-9);
}
END_TEST

/* In one coordinate 0.1 is 5 standard deviations to the wall: 5.7e-7 are outside. */
START_TEST(wide_chain_has_no_value)
{
  ck_assert(has_value("chain", 256, "width=0.05"));
  ck_assert(!has_value("chain", 2, "width=0.1 rho=0"));
  ck_assert(!has_value("chain", 16, "width=0.03 rho=0.99"));
}
END_TEST

/* The bulk (integral of f)^2 / (integral of f^2): each Gaussian takes 2 sqrt(pi) sigma. */
START_TEST(chain_is_a_tiny_part_of_the_cube)
{
  double sigma = 0.03 / sqrt(1 - 0.49), bulk = 2 * sqrt(M_PI) * sigma;
  for (int i = 1; i < 16; i++) bulk *= 2 * sqrt(M_PI) * 0.03;
  ck_assert_double_lt(bulk, 1e-15);
  ck_assert_uint_eq(integrand_find("chain")->dim_default, 16);
}
END_TEST

/* ---- cusps --------------------------------------------------------------------- */

START_TEST(cusps_at_points)
{
  static const double x[] = {0.45, 0.5, 0.55, 0.6, 0.65};
  double first = sqrt(square(0.05) + square(0.1) + square(0.15) + square(0.2));
  double second = sqrt(square(0.25) + square(0.2) + square(0.15) + square(0.1) + square(0.05));
  ck_assert_relative(value_at("cusps", 5, "", x),
                     247366.171 * (exp(-50 * first) + exp(-50 * second)), 1e-9);
}
END_TEST

/* One dimension in closed form; more by midpoints and by the published runs. */
START_TEST(cusps_values)
{
  double tails = exp(-0.45 * 8) + exp(-0.55 * 8) + exp(-0.7 * 8) + exp(-0.3 * 8);
  ck_assert_relative(exact_value("cusps", 1, "decay=8"), 1 - tails / 4, 1e-12);
  ck_assert_relative(exact_value("cusps", 1, "decay=1000"), 1.0, 1e-12);
  ck_assert_relative(exact_value("cusps", 2, "decay=8"), midpoint_value("cusps", "decay=8", 1000),
                     1e-5);
  ck_assert_relative(exact_value("cusps", 2, "c1=0 c2=1"),
                     midpoint_value("cusps", "c1=0 c2=1", 1000), 1e-3);
  ck_assert_relative(exact_value("cusps", 2, "c1=0 c2=1"), 0.25, 1e-9);
  ck_assert_relative(exact_value("cusps", 64, "decay=1000 c1=0.5 c2=0.5"), 1.0, 1e-10);
  ck_assert_double_eq_tol(exact_value("cusps", 5, ""), 0.9931, 2 * 0.0054);
}
END_TEST

/* A smooth floor: with a small slope three dimensions are within reach of a product rule. */
START_TEST(flat_cusps_agree_with_quadrature)
{
  ck_assert_relative(exact_value("cusps", 3, "decay=1"), gauss_value("cusps", 3, "decay=1", 100),
                     1e-6);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("unseen");
  TCase *one = tcase_create("shell, corner, resonance"), *two = tcase_create("Gaussians, cusps");
  tcase_add_test(one, shell_at_points);
  tcase_add_test(one, shell_values);
  tcase_add_test(one, shell_beyond_the_cube_has_no_value);
  tcase_add_test(one, corner_peak_at_points);
  tcase_add_test(one, corner_peak_values);
  tcase_add_test(one, breit_wigner_at_points);
  tcase_add_test(one, breit_wigner_values);
  tcase_add_test(two, twisted_at_points);
  tcase_add_test(two, twisted_values);
  tcase_add_test(two, chain_at_points);
  tcase_add_test(two, chain_values);
  tcase_add_test(two, wide_chain_has_no_value);
  tcase_add_test(two, chain_is_a_tiny_part_of_the_cube);
  tcase_add_test(two, cusps_at_points);
  tcase_add_test(two, cusps_values);
  tcase_add_test(two, flat_cusps_agree_with_quadrature);
  suite_add_tcase(suite, one);
  suite_add_tcase(suite, two);
  return run_suite(suite);
}
