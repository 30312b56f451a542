/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Genz's families. Independent of the code under test: coefficients and values from a program in 60
 * digits, hand-written terms, product rules with their kinks in place, the sum over the corners. */
#include "noise.h"
#include "rows.h"
#include "suite.h"

enum { OSCILLATORY, PRODUCT_PEAK, CORNER_PEAK, GAUSSIAN, CONTINUOUS, DISCONTINUOUS, FAMILIES };

static const char *const name[FAMILIES] = {"genz_oscillatory", "genz_product_peak",
                                           "genz_corner_peak", "genz_gaussian",
                                           "genz_continuous",  "genz_discontinuous"};
static const double difficulty[FAMILIES] = {9, 7.25, 1.85, 7.03, 20.4, 4.3};

/* Of seed 1; the a before they are scaled. */
enum { KNOWN = 4 };
static const double u[KNOWN] = {0.7663017573390861, 0.6849302968778451, 0.5768997622768771,
                                0.6593603716248461};
static const double a_drawn[KNOWN] = {0.21748923448407254, 0.4476295210660469, 0.05309558717236473,
                                      0.0076574749512342555};

static void scale(size_t dim, double sum, double a[KNOWN])
{
  double drawn = 0;
  for (size_t i = 0; i < dim; i++) drawn += a_drawn[i];
  for (size_t i = 0; i < dim; i++) a[i] = sum * a_drawn[i] / drawn;
}

/* ---- at points ----------------------------------------------------------------- */

static double square(double x)
{
  return x * x;
}

static double by_hand(int family, const double *a, const double *x)
{
  double sum = a[0] * x[0] + a[1] * x[1] + a[2] * x[2];
  double y[] = {x[0] - u[0], x[1] - u[1], x[2] - u[2]};
  switch (family) {
  case OSCILLATORY: return cos(2 * M_PI * u[0] + sum);
  case PRODUCT_PEAK:
    return 1 / ((1 / square(a[0]) + square(y[0])) * (1 / square(a[1]) + square(y[1])) *
                (1 / square(a[2]) + square(y[2])));
  case CORNER_PEAK: return 1 / square(square(1 + sum));
  case GAUSSIAN: return exp(-square(a[0] * y[0]) - square(a[1] * y[1]) - square(a[2] * y[2]));
  case CONTINUOUS: return exp(-a[0] * fabs(y[0]) - a[1] * fabs(y[1]) - a[2] * fabs(y[2]));
  default: return y[0] > 0 || y[1] > 0 ? 0 : exp(sum);
  }
}

static void check_point(int family, const char *settings, double sum, const double *x)
{
  double a[KNOWN];
  scale(3, sum, a);
  double expected = by_hand(family, a, x);
  ck_assert_double_eq_tol(value_at(name[family], 3, settings, x), expected,
                          1e-13 * fabs(expected) + 1e-300);
}

START_TEST(families_at_points)
{
  static const double x[][3] = {{0.5, 0.5, 0.5}, {0.1, 0.6, 0.9}, {0.7, 0.69, 0.2}, {0.8, 0.1, 0.3},
                                {0.75, 0.68, 1}, {0, 0, 0.99},    {0.77, 0.7, 0.1}};
  for (int family = 0; family < FAMILIES; family++)
    for (size_t i = 0; i < LENGTH(x); i++) {
      check_point(family, "", difficulty[family], x[i]);
      check_point(family, "difficulty=3 seed=1", 3, x[i]);
    }
}
END_TEST

/* The known answer of SplitMix64 for the seed 0: its first number is 0xe220a8397b1dcdaf. */
START_TEST(seed_0_begins_as_published)
{
  double first = ((double)(0xe220a8397b1dcdaf >> 12) + 0.5) * 0x1p-52;
  ck_assert_relative(value_at("genz_oscillatory", 1, "seed=0 difficulty=2", (double[]){0.25}),
                     cos(2 * M_PI * first + 0.5), 1e-14);
}
END_TEST

/* ---- coefficients -------------------------------------------------------------- */

/* In the corner opposite the peak all a_i are added. */
START_TEST(difficulty_is_the_sum)
{
  static const size_t dims[] = {1, 2, 10, 64};
  double x[64];
  for (size_t i = 0; i < 64; i++) x[i] = 1;
  for (size_t k = 0; k < LENGTH(dims); k++) {
    double power = -(double)dims[k] - 1;
    ck_assert_relative(value_at("genz_corner_peak", dims[k], "difficulty=5 seed=9", x),
                       pow(6, power), 1e-12);
    ck_assert_relative(value_at("genz_corner_peak", dims[k], "", x), pow(2.85, power), 1e-12);
  }
}
END_TEST

START_TEST(difficulties_are_those_of_genz)
{
  static const double h[] = {284.6, 725, 185, 70.3, 2040, 430}, e[] = {1.5, 2, 2, 1, 2, 2};
  for (int family = 0; family < FAMILIES; family++) {
    const struct integrand *row = integrand_find(name[family]);
    ck_assert_relative(row->parameters[0].initial,
                       h[family] / pow((double)row->dim_default, e[family]), 1e-4);
    ck_assert_double_eq(row->parameters[0].initial, difficulty[family]);
  }
}
END_TEST

static void random_point(uint64_t *noise, double x[10])
{
  for (int i = 0; i < 10; i++) x[i] = 0.25 * next_uniform(noise);
}

/* Near the corner at 0, where the discontinuous one is not 0. */
static int agree(int family, const char *settings, const char *others)
{
  struct made made = make_row(name[family], 10, settings),
              other = make_row(name[family], 10, others);
  uint64_t noise = 5;
  int same = 1;
  for (int i = 0; i < 20; i++) {
    double x[10];
    random_point(&noise, x);
    same = same && call(&made, x) == call(&other, x);
  }
  free(made.state);
  free(other.state);
  return same;
}

START_TEST(seeds_are_integrands)
{
  for (int family = 0; family < FAMILIES; family++) {
    ck_assert(agree(family, "", "seed=1"));
    ck_assert(agree(family, "seed=77", "seed=77"));
    ck_assert(agree(family, "seed=77.4", "seed=77"));
    ck_assert(!agree(family, "", "seed=2"));
    ck_assert(!agree(family, "seed=999999999", "seed=1000000000"));
  }
}
END_TEST

/* ---- values -------------------------------------------------------------------- */

START_TEST(values_in_sixty_digits)
{
  static const double ten[] = {-0.593429817915845,  1.0626589815721599e-8, 0.0017398985070444646,
                               0.39785937687538807, 0.0052112821787085656, 4.5663990407168236};
  static const double many[] = {-0.89337600604305065,   2.5383433293597136e-139,
                                1.4132202509154131e-17, 0.84965683374341068,
                                0.0014912559668729773,  0.1041932244612234};
  for (int family = 0; family < FAMILIES; family++) {
    ck_assert_relative(exact_value(name[family], 10, ""), ten[family], 2e-13);
    ck_assert_relative(exact_value(name[family], 64, "seed=7"), many[family], 1e-12);
  }
}
END_TEST

static void check_smooth(int family, const char *settings)
{
  for (size_t dim = 1; dim <= 3; dim++)
    ck_assert_relative(exact_value(name[family], dim, settings),
                       gauss_value(name[family], dim, settings, 64), 1e-11);
}

START_TEST(smooth_families_agree_with_quadrature)
{
  static const int smooth[] = {OSCILLATORY, PRODUCT_PEAK, CORNER_PEAK, GAUSSIAN};
  for (size_t i = 0; i < LENGTH(smooth); i++) {
    check_smooth(smooth[i], "");
    check_smooth(smooth[i], "seed=3");
    check_smooth(smooth[i], "difficulty=1 seed=12345");
  }
}
END_TEST

/* Gauss between the u_i: seed 1 has u_3 < u_2 < u_1. */
static void check_pieces(int family, size_t dim, const char *settings)
{
  const double ends[] = {0, u[2], u[1], u[0], 1};
  struct rule rule = pieces_rule(16, 4, ends);
  struct made made = make_row(name[family], dim, settings);
  ck_assert_relative(exact_value(name[family], dim, settings), product_rule(&made, &rule), 1e-12);
  free(made.state);
}

START_TEST(families_with_edges_agree_with_quadrature)
{
  for (size_t dim = 1; dim <= 3; dim++) {
    check_pieces(CONTINUOUS, dim, "");
    check_pieces(CONTINUOUS, dim, "difficulty=2");
    check_pieces(DISCONTINUOUS, dim, "");
    check_pieces(DISCONTINUOUS, dim, "difficulty=9");
  }
}
END_TEST

/* ---- corner peak --------------------------------------------------------------- */

/* Genz's own form, for seed 1: an alternating sum over the corners. */
static double corner_sum(size_t dim, double sum)
{
  double a[KNOWN], total = 0, product = 1;
  scale(dim, sum, a);
  for (size_t i = 0; i < dim; i++) product *= a[i];
  for (unsigned corner = 0; corner < 1u << dim; corner++) {
    double s = 1, sign = 1;
    for (size_t i = 0; i < dim; i++)
      if (corner >> i & 1) {
        s += a[i];
        sign = -sign;
      }
    total += sign / s;
  }
  return total / (product * tgamma((double)dim + 1));
}

START_TEST(corner_peak_is_the_sum_over_corners)
{
  ck_assert_relative(exact_value(name[CORNER_PEAK], 1, ""), 1 / 2.85, 1e-13);
  ck_assert_relative(exact_value(name[CORNER_PEAK], 2, "difficulty=30"), corner_sum(2, 30), 1e-13);
  ck_assert_relative(exact_value(name[CORNER_PEAK], 3, "difficulty=100"), corner_sum(3, 100),
                     1e-12);
  ck_assert_relative(exact_value(name[CORNER_PEAK], 4, "difficulty=100"), corner_sum(4, 100),
                     1e-10);
}
END_TEST

/* From a program in 60 digits. */
START_TEST(corner_peak_from_flat_to_steep)
{
  static const struct {
    size_t dim;
    const char *settings;
    double value;
  } row[] = {
      {1, "difficulty=0.1", 0.90909090909090909},   {1, "difficulty=100", 0.009900990099009901},
      {5, "difficulty=0.1", 0.75042324400947796},   {5, "difficulty=100", 5.2782478760247726e-8},
      {64, "difficulty=0.1", 0.043371631551989161}, {64, "difficulty=100", 3.2467516639029283e-98}};
  for (size_t i = 0; i < LENGTH(row); i++)
    ck_assert_relative(exact_value(name[CORNER_PEAK], row[i].dim, row[i].settings), row[i].value,
                       1e-12);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("genz");
  TCase *points = tcase_create("points and coefficients"), *values = tcase_create("values");
  tcase_add_test(points, families_at_points);
  tcase_add_test(points, seed_0_begins_as_published);
  tcase_add_test(points, difficulty_is_the_sum);
  tcase_add_test(points, difficulties_are_those_of_genz);
  tcase_add_test(points, seeds_are_integrands);
  tcase_add_test(values, values_in_sixty_digits);
  tcase_add_test(values, smooth_families_agree_with_quadrature);
  tcase_add_test(values, families_with_edges_agree_with_quadrature);
  tcase_add_test(values, corner_peak_is_the_sum_over_corners);
  tcase_add_test(values, corner_peak_from_flat_to_steep);
  suite_add_tcase(suite, points);
  suite_add_tcase(suite, values);
  return run_suite(suite);
}
