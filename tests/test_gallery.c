/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The benchmarks of vegas+, ZuNIS and MadNIS, and what holds for every row of the table.
 * Independent of the code under test: hand-written terms, product rules, midpoints, volumes as in
 * books, a split of the plane along the other axis. */
#include "noise.h"
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

/* ---- vegas+ -------------------------------------------------------------------- */

START_TEST(short_ridge_is_a_ridge)
{
  static const double x[] = {0.45, 0.52, 0.5, 0.61};
  double sum = 0;
  for (int k = 0; k < 1000; k++) {
    double r2 = 0, centre = 0.4 + 0.2 * k / 999;
    for (int i = 0; i < 4; i++) r2 += square(x[i] - centre);
    sum += exp(-100 * r2);
  }
  ck_assert_relative(value_at("short_ridge", 4, "", x), square(100 / M_PI) * sum / 1000, 1e-12);
  ck_assert_double_eq(exact_value("short_ridge", 4, ""),
                      exact_value("ridge", 4, "from=0.4 to=0.6"));
  ck_assert_relative(exact_value("short_ridge", 2, ""), gauss_value("short_ridge", 2, "", 64),
                     1e-12);
}
END_TEST

/* As documented: the first coordinate on (-1, 1), hence twice the value. */
START_TEST(narrow_gaussian_as_documented)
{
  static const double x[] = {0.72, 0.45, 0.6, 0.5};
  double r2 = square(2 * 0.72 - 1 - 0.5) + square(0.05) + square(0.1);
  ck_assert_relative(value_at("narrow_gaussian", 4, "", x), 2 * 1013.2118364296088 * exp(-100 * r2),
                     1e-12);
}
END_TEST

START_TEST(narrow_gaussian_values)
{
  ck_assert_double_eq_tol(exact_value("narrow_gaussian", 4, ""), 1, 1e-12);
  for (size_t dim = 1; dim <= 3; dim++) {
    ck_assert_relative(exact_value("narrow_gaussian", dim, ""),
                       gauss_value("narrow_gaussian", dim, "", 96), 1e-11);
    ck_assert_relative(exact_value("narrow_gaussian", dim, "width=0.7"),
                       gauss_value("narrow_gaussian", dim, "width=0.7", 64), 1e-12);
  }
}
END_TEST

/* ---- ZuNIS --------------------------------------------------------------------- */

START_TEST(hyperrectangle_at_points)
{
  static const double x[] = {0.29, 0.31, 0.1};
  ck_assert_double_eq(value_at("hyperrectangle", 3, "", x), 1);
  ck_assert_double_eq(value_at("hyperrectangle", 3, "frac=0.3", x), 1);
  ck_assert_double_eq(value_at("hyperrectangle", 3, "frac=0.29", x), 0);
  ck_assert_double_eq(value_at("hyperrectangle", 3, "frac=0.3 axes=2", x), 0);
  ck_assert_double_eq(value_at("hyperrectangle", 3, "frac=0.32 axes=64", x), 1);
}
END_TEST

START_TEST(hyperrectangle_values)
{
  ck_assert_double_eq(exact_value("hyperrectangle", 8, ""), 0.5);
  ck_assert_double_eq(exact_value("hyperrectangle", 8, "frac=0.3"), 0.3);
  ck_assert_relative(exact_value("hyperrectangle", 3, "frac=0.3 axes=3"), 0.027, 1e-15);
  ck_assert_relative(exact_value("hyperrectangle", 3, "frac=0.3 axes=64"), 0.027, 1e-15);
  ck_assert_relative(exact_value("hyperrectangle", 2, "frac=0.3 axes=2"),
                     midpoint_value("hyperrectangle", "frac=0.3 axes=2", 100), 1e-12);
}
END_TEST

START_TEST(balls_at_points)
{
  static const double in[] = {0.3, 0.2, 0.45}, out[] = {0.3, 0.2, 0.48}, far[] = {0.7, 0.8, 0.75};
  ck_assert_double_eq(value_at("two_balls", 3, "", in), 1 + 2e-6);
  ck_assert_double_eq(value_at("two_balls", 3, "", out), 2e-6);
  ck_assert_double_eq(value_at("two_balls", 3, "floor=0", far), 1);
  ck_assert_double_eq(value_at("hypersphere", 3, "", in), 1);
  ck_assert_double_eq(value_at("hypersphere", 3, "centre=0.25 radius=0.24", in), 1);
  ck_assert_double_eq(value_at("hypersphere", 3, "centre=0.25 radius=0.24 floor=0.5", out), 0.5);
}
END_TEST

/* Length, area and volume; pi^2 / 2, 8 pi^2 / 15 and pi^32 / 32! beyond. */
START_TEST(balls_values)
{
  static const double r = 0.3;
  const double volume[] = {2 * r, M_PI * square(r), 4 * M_PI / 3 * pow(r, 3),
                           square(M_PI) / 2 * pow(r, 4), 8 * square(M_PI) / 15 * pow(r, 5)};
  for (size_t dim = 1; dim <= 5; dim++) {
    double twice = 2 * volume[dim - 1] * pow(0.8, (double)dim);
    ck_assert_relative(exact_value("hypersphere", dim, "radius=0.3 centre=0.6"), volume[dim - 1],
                       1e-13);
    ck_assert_relative(exact_value("two_balls", dim, ""), twice + 2e-6, 1e-13);
    ck_assert_relative(exact_value("two_balls", dim, "floor=0.25"), twice + 0.5, 1e-13);
  }
  ck_assert_relative(exact_value("hypersphere", 64, "radius=0.5"),
                     pow(M_PI, 32) * pow(0.5, 64) / tgamma(33), 1e-12);
}
END_TEST

START_TEST(balls_agree_with_midpoints)
{
  static const char *const settings[] = {"", "radius=0.3 centre=0.35", "radius=0.1 floor=0.2"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    ck_assert_relative(exact_value("hypersphere", 2, settings[i]),
                       midpoint_value("hypersphere", settings[i], 2000), 1e-4);
  ck_assert_relative(exact_value("two_balls", 2, ""), midpoint_value("two_balls", "", 2000), 1e-4);
}
END_TEST

START_TEST(ball_beyond_the_cube_has_no_value)
{
  ck_assert(has_value("hypersphere", 4, "radius=0.5"));
  ck_assert(has_value("hypersphere", 4, "radius=0.25 centre=0.25"));
  ck_assert(has_value("hypersphere", 4, "radius=0.25 centre=0.75"));
  ck_assert(!has_value("hypersphere", 4, "radius=0.25 centre=0.24"));
  ck_assert(!has_value("hypersphere", 4, "radius=0.5 centre=0.51"));
}
END_TEST

/* ---- MadNIS: ring and line ----------------------------------------------------- */

/* The norm of the ring as a moment of a Gaussian: the part at negative radii is nothing. */
START_TEST(ring_line_at_points)
{
  static const double x[] = {0.52, 0.57};
  const double p[] = {0.24, 0.84}, rho = sqrt(square(0.24) + square(0.84));
  double ring = normal(rho - 1, 0.05) / (2 * M_PI);
  double line = normal((p[0] - p[1]) / M_SQRT2, 3) * normal((p[0] + p[1]) / M_SQRT2, 0.05);
  ck_assert_relative(value_at("ring_line", 2, "", x), 72 * (ring + line), 1e-11);
  ck_assert_relative(value_at("ring_line", 2, "share=1", x), 144 * ring, 1e-11);
  line = normal((p[0] - p[1]) / M_SQRT2, 2) * normal((p[0] + p[1]) / M_SQRT2, 0.5);
  ck_assert_relative(value_at("ring_line", 2, "share=0 length=2 thickness=0.5", x), 144 * line,
                     1e-12);
}
END_TEST

/* The part of the line in the square, slices across it. */
static double line_slice(double along, void *params)
{
  const double *sigma = params;
  return normal(along, sigma[0]) * erf((6 * M_SQRT2 - along) / (M_SQRT2 * sigma[1]));
}

static double line_part(double length, double thickness)
{
  double sigma[] = {length, thickness}, value, error;
  gsl_function function = {line_slice, sigma};
  gsl_integration_workspace *work = gsl_integration_workspace_alloc(500);
  gsl_integration_qags(&function, 0, 6 * M_SQRT2, 0, 1e-11, 500, work, &value, &error);
  gsl_integration_workspace_free(work);
  return 2 * value;
}

START_TEST(ring_line_values)
{
  ck_assert_relative(exact_value("ring_line", 2, ""), 0.5 + 0.5 * line_part(3, 0.05), 1e-10);
  ck_assert_relative(exact_value("ring_line", 2, "share=0"), line_part(3, 0.05), 1e-10);
  ck_assert_relative(exact_value("ring_line", 2, "share=0 length=10 thickness=1"), line_part(10, 1),
                     1e-10);
  ck_assert_double_eq(exact_value("ring_line", 2, "share=1"), 1);
}
END_TEST

/* A small ring whose middle is not empty, too; midpoints see a cusp there. */
START_TEST(ring_line_agrees_with_midpoints)
{
  static const char *const settings[] = {"", "radius=5 width=0.1", "length=10 thickness=1",
                                         "radius=0.1 width=0.1 share=1"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    ck_assert_relative(exact_value("ring_line", 2, settings[i]),
                       midpoint_value("ring_line", settings[i], 1500), 2e-5);
}
END_TEST

/* ---- MadNIS: one dimension, products, signs ------------------------------------ */

START_TEST(madnis_camel_at_points)
{
  static const double x[] = {0.31}, second[] = {0.84};
  ck_assert_relative(value_at("madnis_camel", 1, "", x), 6 * 0.35 * normal(-0.14, 0.5), 1e-12);
  ck_assert_relative(value_at("madnis_camel", 1, "", second),
                     6 * (0.35 * normal(3.04, 0.5) + 0.65 * normal(0.04, 0.1)), 1e-12);
  ck_assert_double_eq(value_at("madnis_camel", 1, "cut=2", x), 0);
  ck_assert_relative(value_at("madnis_camel", 1, "cut=2 sigma2=0.2 share=0.5", second),
                     3 * (normal(3.04, 0.5) + normal(0.04, 0.2)), 1e-12);
}
END_TEST

static double camel_pieces(const char *settings, double cut)
{
  const double ends[] = {cut / 6, 0.4, 0.78, 0.88, 1};
  struct rule rule = pieces_rule(32, 4, ends);
  struct made made = make_row("madnis_camel", 1, settings);
  double value = product_rule(&made, &rule);
  free(made.state);
  return value;
}

START_TEST(madnis_camel_values)
{
  ck_assert_relative(exact_value("madnis_camel", 1, ""), camel_pieces("", 0), 1e-12);
  ck_assert_relative(exact_value("madnis_camel", 1, "cut=2 sigma2=0.2 share=0.5"),
                     camel_pieces("cut=2 sigma2=0.2 share=0.5", 2), 1e-12);
  ck_assert_relative(exact_value("madnis_camel", 1, "cut=2 sigma2=0.2 share=0.5"), 0.75, 1e-6);
  ck_assert_relative(exact_value("madnis_camel", 1, "mean1=0 mean2=6"), 0.5, 1e-13);
  ck_assert_relative(exact_value("madnis_camel", 1, "share=1 mean1=1 sigma1=0.5 cut=5"),
                     0.5 * (erfc(8 / M_SQRT2) - erfc(10 / M_SQRT2)), 1e-13);
}
END_TEST

START_TEST(linear_product_at_points)
{
  static const double x[] = {0.5, 0.2, 0.9, 0.25};
  ck_assert_relative(value_at("linear_product", 4, "", x), 16 * 0.0225, 1e-14);
  ck_assert_relative(value_at("linear_product", 2, "power=3", x), 16 * 0.001, 1e-14);
  ck_assert_double_eq(value_at("linear_product", 4, "power=0", x), 1);
}
END_TEST

START_TEST(linear_product_values)
{
  static const char *const settings[] = {"", "power=0", "power=2", "power=10"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (size_t dim = 1; dim <= 4; dim++) {
      ck_assert_double_eq(exact_value("linear_product", dim, settings[i]), 1);
      ck_assert_double_eq_tol(gauss_value("linear_product", dim, settings[i], 8), 1, 1e-13);
    }
}
END_TEST

START_TEST(signed_gaussians_at_points)
{
  static const double x[] = {0.3, 0.6};
  double plus = exp(-(0.01 + 0.16) / 0.08), minus = exp(-(0.25 + 0.04) / 0.08);
  ck_assert_relative(value_at("signed_gaussians", 2, "", x), plus - minus, 1e-13);
  ck_assert_relative(value_at("signed_gaussians", 2, "ratio=0.5", x), plus - 0.5 * minus, 1e-13);
  ck_assert_relative(value_at("signed_gaussians", 2, "distance=0.1 sigma=0.1 ratio=2", x),
                     exp(-2.5) - 2 * exp(-4.5), 1e-12);
}
END_TEST

/* One under reflection: f changes its sign. */
START_TEST(signed_gaussians_cancel)
{
  static const double x[] = {0.3, 0.6, 0.95}, mirrored[] = {0.7, 0.4, 0.05};
  ck_assert_double_eq(exact_value("signed_gaussians", 2, ""), 0);
  ck_assert_double_eq_tol(value_at("signed_gaussians", 3, "", x),
                          -value_at("signed_gaussians", 3, "", mirrored), 1e-15);
}
END_TEST

START_TEST(signed_gaussians_values)
{
  static const char *const settings[] = {"ratio=0", "ratio=0.5", "ratio=2",
                                         "ratio=0.9 distance=0.5 sigma=0.1"};
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (size_t dim = 1; dim <= 3; dim++)
      ck_assert_relative(exact_value("signed_gaussians", dim, settings[i]),
                         gauss_value("signed_gaussians", dim, settings[i], 64), 1e-12);
}
END_TEST

/* Where both channels come to the same point, logit y = logit x + k - 1/2, their shares of f add
 * up. */
START_TEST(signed_channels_add_up)
{
  static const char *const settings[] = {"", "ratio=0.5 distance=0.1 sigma=0.1", "sigma=0.02"};
  uint64_t noise = 5;
  for (size_t i = 0; i < LENGTH(settings); i++)
    for (int point = 0; point < 50; point++) {
      double y[] = {next_uniform(&noise), next_uniform(&noise)}, sum = 0;
      for (int k = 0; k < 2; k++) {
        double x[3] = {0, 0, (k + 0.5) / 2}, slope = 1;
        for (int j = 0; j < 2; j++) {
          x[j] = 1 / (1 + (1 - y[j]) / y[j] * exp(k - 0.5));
          slope *= x[j] * (1 - x[j]) / (y[j] * (1 - y[j]));
        }
        sum += 0.5 * slope * value_at("signed_channels", 3, settings[i], x);
      }
      double f = value_at("signed_gaussians", 2, settings[i], y);
      require(fabs(sum - f) <= 1e-12 * fabs(f), "%s: %g and %g", settings[i], sum, f);
    }
  ck_assert_double_eq(exact_value("signed_channels", 3, "ratio=0.5"),
                      exact_value("signed_gaussians", 2, "ratio=0.5"));
}
END_TEST

/* ---- every row ----------------------------------------------------------------- */

/* Closer to the faces than this no point can be. */
static const double edge = 0x1p-53;

static double near_a_face(uint64_t *noise)
{
  switch ((int)(4 * next_uniform(noise))) {
  case 0: return edge;
  case 1: return 1 - edge;
  default: return next_uniform(noise);
  }
}

static void require_finite(const struct made *made, const double *x, const char *where)
{
  double value = call(made, x);
  require(isfinite(value), "%s in %zu dimensions: %g %s", made->row->name, made->dim, value, where);
}

/* Two corners, and points of which a half of the coordinates is at a face. */
static void check_finite(const struct made *made, int points, const char *where)
{
  uint64_t noise = 11;
  double x[256];
  for (size_t j = 0; j < made->dim; j++) x[j] = edge;
  require_finite(made, x, where);
  for (size_t j = 0; j < made->dim; j++) x[j] = 1 - edge;
  require_finite(made, x, where);
  for (int i = 0; i < points; i++) {
    for (size_t j = 0; j < made->dim; j++)
      x[j] = i % 2 ? next_uniform(&noise) : near_a_face(&noise);
    require_finite(made, x, where);
  }
}

START_TEST(rows_are_finite)
{
  for (int i = 0; integrand_table[i]; i++) {
    const struct integrand *row = integrand_table[i];
    struct made made = make_row(row->name, row->dim_default, "");
    check_finite(&made, 2000, "by default");
    free(made.state);
  }
}
END_TEST

/* All parameters at an end of their range: bit k of `ends` says which for parameter k. */
static void check_ends(const struct integrand *row, size_t dim, unsigned ends)
{
  double values[INTEGRAND_MAX_PARAMETERS], value = 0;
  char where[64];
  for (unsigned k = 0; row->parameters[k].name; k++)
    values[k] = ends >> k & 1 ? row->parameters[k].high : row->parameters[k].low;
  struct made made = {row, dim, integrand_make(row, dim, values)};
  ck_assert_ptr_nonnull(made.state);
  snprintf(where, sizeof where, "at the ends 0x%x", ends);
  check_finite(&made, 20, where);
  if (row->exact) row->exact(made.state, dim, &value);
  require(isfinite(value), "%s in %zu dimensions: value %g %s", row->name, dim, value, where);
  free(made.state);
}

static unsigned parameter_count(const struct integrand *row)
{
  unsigned n = 0;
  while (row->parameters[n].name) n++;
  return n;
}

START_TEST(parameters_go_to_their_ends)
{
  static const char *const names[] = {
      "short_ridge",    "narrow_gaussian",  "hyperrectangle",    "hypersphere",
      "two_balls",      "ring_line",        "madnis_camel",      "signed_gaussians",
      "linear_product", "genz_oscillatory", "genz_product_peak", "genz_corner_peak",
      "genz_gaussian",  "genz_continuous",  "genz_discontinuous"};
  for (size_t i = 0; i < LENGTH(names); i++) {
    const struct integrand *row = integrand_find(names[i]);
    const size_t dims[] = {row->dim_min, row->dim_default, row->dim_max};
    for (unsigned ends = 0; ends < 1u << parameter_count(row); ends++)
      for (size_t k = 0; k < LENGTH(dims); k++) check_ends(row, dims[k], ends);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("gallery");
  TCase *vegas = tcase_create("vegas+"), *zunis = tcase_create("ZuNIS");
  TCase *madnis = tcase_create("MadNIS"), *rows = tcase_create("every row");
  tcase_add_test(vegas, short_ridge_is_a_ridge);
  tcase_add_test(vegas, narrow_gaussian_as_documented);
  tcase_add_test(vegas, narrow_gaussian_values);
  tcase_add_test(zunis, hyperrectangle_at_points);
  tcase_add_test(zunis, hyperrectangle_values);
  tcase_add_test(zunis, balls_at_points);
  tcase_add_test(zunis, balls_values);
  tcase_add_test(zunis, balls_agree_with_midpoints);
  tcase_add_test(zunis, ball_beyond_the_cube_has_no_value);
  tcase_add_test(madnis, ring_line_at_points);
  tcase_add_test(madnis, ring_line_values);
  tcase_add_test(madnis, ring_line_agrees_with_midpoints);
  tcase_add_test(madnis, madnis_camel_at_points);
  tcase_add_test(madnis, madnis_camel_values);
  tcase_add_test(madnis, linear_product_at_points);
  tcase_add_test(madnis, linear_product_values);
  tcase_add_test(madnis, signed_gaussians_at_points);
  tcase_add_test(madnis, signed_gaussians_cancel);
  tcase_add_test(madnis, signed_gaussians_values);
  tcase_add_test(madnis, signed_channels_add_up);
  tcase_add_test(rows, rows_are_finite);
  tcase_add_test(rows, parameters_go_to_their_ends);
  suite_add_tcase(suite, vegas);
  suite_add_tcase(suite, zunis);
  suite_add_tcase(suite, madnis);
  suite_add_tcase(suite, rows);
  return run_suite(suite);
}
