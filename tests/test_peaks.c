/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The test functions of vegas+ and ZuNIS, and two Gaussians of different widths. Independent
 * of the code under test: the formulas written out term by term; published and computed
 * values; product rules of Gauss and midpoints. */
#include "rows.h"
#include "suite.h"

static double square(double x)
{
  return x * x;
}

/* exp(-|x - c|^2 / width^2), the same centre in every coordinate. */
static double bell(size_t dim, const double *x, double centre, double width)
{
  double product = 1;
  for (size_t i = 0; i < dim; i++) product *= exp(-square((x[i] - centre) / width));
  return product;
}

static double norm(size_t dim, double width)
{
  return pow(width * sqrt(M_PI), -(double)dim);
}

/* Spread over the cube, the same each time. */
static void spread_point(size_t i, size_t dim, double *x)
{
  for (size_t j = 0; j < dim; j++)
    x[j] = fmod(0.17 + 0.6180339887 * (double)i + 0.4142135623 * (double)(j * (i + 1)), 1);
}

/* ---- ridge --------------------------------------------------------------------- */

struct ridge {
  const char *settings;
  size_t dim;
  int peaks;
  double from, to, width;
};

static const struct ridge ridges[] = {
    {"", 4, 1000, 0.25, 0.75, 0.1},
    {"", 1, 1000, 0.25, 0.75, 0.1},
    {"from=0.4 to=0.6", 4, 1000, 0.4, 0.6, 0.1},
    {"from=0.9 to=0.1 peaks=7", 3, 7, 0.9, 0.1, 0.1},
    {"peaks=2 width=0.03", 2, 2, 0.25, 0.75, 0.03},
    {"peaks=1 width=0.3", 5, 1, 0.5, 0.5, 0.3},
    {"from=0.3 to=0.3 peaks=3", 2, 3, 0.3, 0.3, 0.1},
    {"peaks=20000 width=0.02 from=0 to=1", 2, 20000, 0, 1, 0.02},
};

static double ridge_sum(const struct ridge *r, const double *x)
{
  double sum = 0, step = r->peaks > 1 ? (r->to - r->from) / (r->peaks - 1) : 0;
  for (int k = 0; k < r->peaks; k++) sum += bell(r->dim, x, r->from + k * step, r->width);
  return sum * norm(r->dim, r->width) / r->peaks;
}

/* Corners and ends, where the nearest peak is the first or the last, too. */
START_TEST(ridge_is_the_sum_of_its_peaks)
{
  for (size_t i = 0; i < LENGTH(ridges); i++) {
    const struct ridge *r = &ridges[i];
    struct made made = make_row("ridge", r->dim, r->settings);
    for (size_t k = 0; k < 40; k++) {
      double x[8];
      spread_point(k, r->dim, x);
      if (k < 11)
        for (size_t j = 0; j < r->dim; j++) x[j] = 0.1 * (double)k;
      ck_assert_double_eq_tol(call(&made, x), ridge_sum(r, x), 1e-11 * ridge_sum(r, x) + 1e-290);
    }
    free(made.state);
  }
}
END_TEST

START_TEST(ridge_values)
{
  ck_assert_relative(exact_value("ridge", 4, ""), 0.999941839456619, 1e-14);
  ck_assert_relative(exact_value("ridge", 4, "peaks=1 width=0.2"), 0.99837318532033, 1e-13);
  for (size_t dim = 1; dim <= 2; dim++)
    for (size_t i = 2; i < 7; i++)
      ck_assert_relative(exact_value("ridge", dim, ridges[i].settings),
                         gauss_value("ridge", dim, ridges[i].settings, 128), 1e-11);
}
END_TEST

/* The published runs: 0.99987(29) and, on a shorter ridge, 1.0002(11). */
START_TEST(ridge_values_as_published)
{
  ck_assert_double_eq_tol(exact_value("ridge", 4, ""), 0.99987, 0.00029);
  ck_assert_double_eq_tol(exact_value("ridge", 4, "from=0.4 to=0.6"), 1.0002, 0.0011);
}
END_TEST

/* Numbers of peaks are whole. */
START_TEST(ridge_rounds_its_peaks)
{
  ck_assert_double_eq(exact_value("ridge", 2, "peaks=2.4 width=0.3"),
                      exact_value("ridge", 2, "peaks=2 width=0.3"));
  ck_assert_double_ne(exact_value("ridge", 2, "peaks=2.6 width=0.3"),
                      exact_value("ridge", 2, "peaks=2 width=0.3"));
}
END_TEST

/* ---- three peaks --------------------------------------------------------------- */

START_TEST(three_peaks_at_points)
{
  static const double centre[] = {0.23, 0.39, 0.74};
  double x[20], sum = 0;
  spread_point(3, 20, x);
  for (int i = 0; i < 20; i++) x[i] = 0.4 + 0.2 * x[i];
  for (int k = 0; k < 3; k++) sum += bell(5, x, centre[k], 0.1) * bell(15, x + 5, 0.45, 0.1);
  ck_assert_relative(value_at("three_peaks", 20, "", x), 356047712484621.56 * sum, 1e-12);
  for (int i = 0; i < 20; i++) x[i] = i < 5 ? 0.74 : 0.45;
  ck_assert_relative(value_at("three_peaks", 20, "", x), 356047712484621.56, 1e-12);
}
END_TEST

START_TEST(three_peaks_value)
{
  double value = exact_value("three_peaks", 20, "");
  ck_assert_double_eq_tol(value, 0.9991466, 5e-8);
  ck_assert_double_eq_tol(value, 0.99910, 0.00031);
  ck_assert_relative(exact_value("three_peaks", 5, "width=0.4"),
                     gauss_value("three_peaks", 5, "width=0.4", 16), 1e-8);
  ck_assert_relative(exact_value("three_peaks", 6, "width=0.8"),
                     gauss_value("three_peaks", 6, "width=0.8", 10), 1e-8);
}
END_TEST

/* ---- two Gaussians ------------------------------------------------------------- */

START_TEST(two_gaussians_at_points)
{
  double x[5];
  for (size_t k = 0; k < 10; k++) {
    spread_point(k, 5, x);
    for (int i = 0; i < 5; i++) x[i] = (k % 2 ? 0.35 : 0.7) + 0.05 * (x[i] - 0.5);
    double narrow = norm(5, 0.025) * bell(5, x, 0.7, 0.025);
    double broad = norm(5, 0.12) * bell(5, x, 0.35, 0.12);
    ck_assert_relative(value_at("two_gaussians", 5, "", x), 0.5 * (narrow + broad), 1e-12);
    ck_assert_relative(value_at("two_gaussians", 5, "share=0.9", x), 0.9 * narrow + 0.1 * broad,
                       1e-12);
  }
}
END_TEST

START_TEST(two_gaussians_values)
{
  static const char *const settings[] = {"w1=0.1", "w1=0.2 share=0.8", "w1=0.3 w2=0.3 c1=0 c2=1",
                                         "share=0", "w1=0.1 w2=1 share=1"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (size_t dim = 1; dim <= 2; dim++)
      ck_assert_relative(exact_value("two_gaussians", dim, settings[i]),
                         gauss_value("two_gaussians", dim, settings[i], 96), 1e-12);
  /* only the broad peak's lower tail is outside: 5 erfc(0.35 / 0.12) / 4 */
  ck_assert_double_eq_tol(1 - exact_value("two_gaussians", 5, ""), 1.25 * erfc(0.35 / 0.12), 1e-8);
}
END_TEST

START_TEST(two_resonances_values)
{
  static const char *const settings[] = {"w1=0.3 w2=0.5", "w1=0.4 w2=0.2 share=0.8 c1=0 c2=1",
                                         "w1=1 share=1"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (size_t dim = 1; dim <= 2; dim++)
      ck_assert_relative(exact_value("two_resonances", dim, settings[i]),
                         gauss_value("two_resonances", dim, settings[i], 96), 1e-12);
  const double top[] = {0.7, 0.7}, far = 1 / (0.4 * 0.4 + 0.02 * 0.02);
  ck_assert_relative(value_at("two_resonances", 2, "share=0.25", top),
                     0.25 / pow(0.02 * M_PI, 2) + 0.75 * pow(0.02 / M_PI * far, 2), 1e-12);
}
END_TEST

/* ---- ZuNIS --------------------------------------------------------------------- */

START_TEST(zunis_camel_at_points)
{
  double x[3] = {0.3, 0.41, 0.22};
  ck_assert_relative(value_at("zunis_camel", 3, "sigma=0.2", x),
                     bell(3, x, 0.25, 0.2) + bell(3, x, 0.75, 0.2), 1e-13);
}
END_TEST

/* The widths with which the paper varies the dimension, and what was computed for them. */
START_TEST(zunis_camel_values)
{
  static const struct {
    size_t dim;
    const char *settings;
    double value;
  } row[] = {{2, "sigma=0.22083762", 0.273824088746},
             {4, "sigma=0.37842141", 0.185157570173},
             {8, "sigma=0.52250066", 0.0868091356058},
             {16, "sigma=0.66722974", 0.0269015147154},
             {32, "sigma=0.82523455", 0.00487412556121}};
  ck_assert_relative(exact_value("zunis_camel", 2, ""), 0.0628062861238234, 1e-13);
  for (size_t i = 0; i < LENGTH(row); i++)
    ck_assert_relative(exact_value("zunis_camel", row[i].dim, row[i].settings), row[i].value, 1e-6);
  for (size_t dim = 1; dim <= 3; dim++)
    ck_assert_relative(exact_value("zunis_camel", dim, ""), gauss_value("zunis_camel", dim, "", 64),
                       1e-12);
}
END_TEST

START_TEST(slashed_circle_at_points)
{
  static const double clamped[] = {0.5, 0.52}, ring[] = {0.35, 0.02}, between[] = {0.7, 0.55};
  ck_assert_double_eq(value_at("slashed_circle", 2, "", (double[]){0.2, 0.22}), 1);
  ck_assert_relative(value_at("slashed_circle", 2, "", clamped),
                     fmin(1, exp(-square((hypot(0.5, 0.52) - 0.3) / 0.1)) + exp(-0.04)), 1e-12);
  ck_assert_relative(value_at("slashed_circle", 2, "", ring),
                     exp(-square((hypot(0.35, 0.02) - 0.3) / 0.1)) + exp(-square(0.33 / 0.1)),
                     1e-12);
  ck_assert_relative(value_at("slashed_circle", 2, "radius=0.5 sigma=0.2", between),
                     exp(-square((hypot(0.7, 0.55) - 0.5) / 0.2)) + exp(-square(0.15 / 0.2)),
                     1e-12);
}
END_TEST

/* The clamp is a kink: midpoints are good to O(1 / n^2). */
START_TEST(slashed_circle_agrees_with_midpoints)
{
  static const char *const settings[] = {"", "sigma=0.03", "sigma=1", "radius=1 sigma=0.2",
                                         "radius=0.05"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    ck_assert_relative(exact_value("slashed_circle", 2, settings[i]),
                       midpoint_value("slashed_circle", settings[i], 1500), 3e-6);
}
END_TEST

START_TEST(sinusoid_at_points)
{
  static const double x[] = {0.1, 0.7, 0.25};
  ck_assert_relative(value_at("sinusoid", 2, "", x), square(cos(4.8)), 1e-12);
  ck_assert_relative(value_at("sinusoid", 3, "k=2", x), square(cos(2.1)), 1e-12);
}
END_TEST

START_TEST(sinusoid_values)
{
  static const char *const settings[] = {"", "k=0.1", "k=1.5", "k=20"};
  ck_assert_relative(exact_value("sinusoid", 2, ""), 0.500915030937944, 1e-14);
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (size_t dim = 1; dim <= 3; dim++)
      ck_assert_relative(exact_value("sinusoid", dim, settings[i]),
                         gauss_value("sinusoid", dim, settings[i], 64), 1e-12);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("peaks");
  TCase *vegas = tcase_create("vegas+"), *zunis = tcase_create("ZuNIS");
  tcase_add_test(vegas, ridge_is_the_sum_of_its_peaks);
  tcase_add_test(vegas, ridge_values);
  tcase_add_test(vegas, ridge_values_as_published);
  tcase_add_test(vegas, ridge_rounds_its_peaks);
  tcase_add_test(vegas, three_peaks_at_points);
  tcase_add_test(vegas, three_peaks_value);
  tcase_add_test(vegas, two_gaussians_at_points);
  tcase_add_test(vegas, two_gaussians_values);
  tcase_add_test(vegas, two_resonances_values);
  tcase_add_test(zunis, zunis_camel_at_points);
  tcase_add_test(zunis, zunis_camel_values);
  tcase_add_test(zunis, slashed_circle_at_points);
  tcase_add_test(zunis, slashed_circle_agrees_with_midpoints);
  tcase_add_test(zunis, sinusoid_at_points);
  tcase_add_test(zunis, sinusoid_values);
  suite_add_tcase(suite, vegas);
  suite_add_tcase(suite, zunis);
  return run_suite(suite);
}
