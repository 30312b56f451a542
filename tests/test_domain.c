/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The box of the user and the unit cube: strictly inside, there and back. */
#include "integrand/domain.h"

#include "base/error.h"
#include "noise.h"
#include "suite.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static const double edges[][2] = {
    {0, 1},
    {-1, 1},
    {0.1, 0.3},
    {-0.7, 0.1},
    {1e300, 1.5e300},
    {-1e16, 1},
    {-1e-310, 3e-310},
    {1, 1 + 0x1p-50},
    {0, 1e300}, /* the smallest doubles are 0 of it */
    {-DBL_MAX / 4, DBL_MAX / 4},
};

static const double cube_points[] = {0x1p-1022, 1e-300, 0x1p-53, 0.1, 0.5, 0.9, 1 - 0x1p-53};

static uint64_t noise_state = 1;

/* in (0, 1) */
static double noise(void)
{
  return next_uniform(&noise_state);
}

static struct domain interval(double lower, double upper)
{
  struct domain d;
  ck_assert_int_eq(nis_domain_init(&d, 1, &lower, &upper), NIS_OK);
  return d;
}

static void check_inside(const struct domain *d, double lower, double upper, double u)
{
  double x;
  nis_domain_out(d, &u, &x);
  require(x > lower && x < upper, "%.17g of the cube is %.17g, outside of (%.17g, %.17g)", u, x,
          lower, upper);
}

START_TEST(points_are_strictly_inside)
{
  for (size_t i = 0; i < LENGTH(edges); i++) {
    struct domain d = interval(edges[i][0], edges[i][1]);
    for (size_t k = 0; k < LENGTH(cube_points); k++)
      check_inside(&d, edges[i][0], edges[i][1], cube_points[k]);
    nis_domain_clear(&d);
  }
}
END_TEST

/* lower + (upper - lower) rounds to something above upper for many boxes. */
START_TEST(points_are_strictly_inside_any_box)
{
  for (int i = 0; i < 10000; i++) {
    double lower = -noise() / 3, upper = noise() * noise();
    struct domain d = interval(lower, upper);
    for (size_t k = 0; k < LENGTH(cube_points); k++) check_inside(&d, lower, upper, cube_points[k]);
    nis_domain_clear(&d);
  }
}
END_TEST

/* What double allows: a few spacings of x, seen from the cube. */
static void check_round_trip(double lower, double upper, double u)
{
  struct domain d = interval(lower, upper);
  double largest = fmax(fabs(lower), fabs(upper)), x, back;
  double spacing = fmax(largest * DBL_EPSILON, DBL_TRUE_MIN) / (upper - lower);
  nis_domain_out(&d, &u, &x);
  nis_domain_in(&d, &x, &back);
  require(fabs(back - u) <= 3 * spacing + 0x1p-52, "%.17g came back as %.17g in (%g, %g)", u, back,
          lower, upper);
  require(back > 0 && back < 1, "%.17g is not in the cube", back);
  nis_domain_clear(&d);
}

START_TEST(out_then_in_is_the_identity)
{
  for (size_t i = 0; i < LENGTH(edges); i++)
    for (size_t k = 0; k < LENGTH(cube_points); k++)
      check_round_trip(edges[i][0], edges[i][1], cube_points[k]);
  for (int i = 0; i < 10000; i++) check_round_trip(-3, 2 + noise(), noise());
}
END_TEST

START_TEST(neighbours_of_the_edges_are_in_the_cube)
{
  for (size_t i = 0; i < LENGTH(edges); i++) {
    double lower = edges[i][0], upper = edges[i][1];
    struct domain d = interval(lower, upper);
    const double x[] = {nextafter(lower, upper), nextafter(upper, lower)};
    for (int k = 0; k < 2; k++) {
      double u;
      nis_domain_in(&d, &x[k], &u);
      ck_assert_msg(u > 0 && u < 1, "%.17g became %.17g", x[k], u);
    }
    nis_domain_clear(&d);
  }
}
END_TEST

/* Each coordinate by its own limits, in long double. */
START_TEST(map_is_affine)
{
  const double lower[] = {-1, 0, 100}, upper[] = {1, 0.25, 103};
  struct domain d;
  ck_assert_int_eq(nis_domain_init(&d, 3, lower, upper), NIS_OK);
  for (int i = 0; i < 1000; i++) {
    double u[] = {noise(), noise(), noise()}, x[3], back[3];
    nis_domain_out(&d, u, x);
    nis_domain_in(&d, x, back);
    for (int j = 0; j < 3; j++) {
      long double exact = lower[j] + ((long double)upper[j] - lower[j]) * u[j];
      require(fabsl(x[j] - exact) <= 1e-15L * fabs(upper[j]), "coordinate %d: %.17g", j, x[j]);
      require(fabs(back[j] - u[j]) <= 1e-14, "coordinate %d came back as %.17g", j, back[j]);
    }
  }
  nis_domain_clear(&d);
}
END_TEST

/* ---- infinite ranges ----------------------------------------------------------------- */

static const double ranges[][2] = {{2, INFINITY},    {-INFINITY, -3}, {-INFINITY, INFINITY},
                                   {INFINITY, -1},   {5, -INFINITY},  {INFINITY, -INFINITY},
                                   {-1e15, INFINITY}};

START_TEST(infinite_ranges_there_and_back)
{
  for (size_t i = 0; i < LENGTH(ranges); i++) {
    double low = fmin(ranges[i][0], ranges[i][1]), high = fmax(ranges[i][0], ranges[i][1]);
    struct domain d = interval(ranges[i][0], ranges[i][1]);
    for (size_t k = 0; k < LENGTH(cube_points); k++) check_inside(&d, low, high, cube_points[k]);
    for (int k = 0; k < 1000; k++) {
      double u = noise(), x, back, last = isfinite(low) ? low : isfinite(high) ? high : 0;
      nis_domain_out(&d, &u, &x);
      nis_domain_in(&d, &x, &back);
      ck_assert(isfinite(x));
      double rounded = DBL_EPSILON * fabs(last); /* of x, and then of u */
      require(fabs(back - u) <= 1e-12 + rounded, "%.17g came back as %.17g", u, back);
    }
    nis_domain_clear(&d);
  }
}
END_TEST

/* dx/du by central differences; reversed limits make it negative. */
START_TEST(jacobian_is_the_slope)
{
  for (size_t i = 0; i + 1 < LENGTH(ranges); i++) {
    struct domain d = interval(ranges[i][0], ranges[i][1]);
    double sign = ranges[i][0] < ranges[i][1] ? 1 : -1;
    for (int k = 1; k < 100; k++) {
      double u = 0.01 * k, h = 1e-6, before = u - h, after = u + h, a, b;
      nis_domain_out(&d, &before, &a);
      nis_domain_out(&d, &after, &b);
      double slope = sign * (b - a) / (2 * h);
      ck_assert_double_eq_tol(nis_domain_jacobian(&d, &u) / slope, 1, 1e-6);
    }
    nis_domain_clear(&d);
  }
}
END_TEST

static const struct stretch stretches[] = {{1, 1}, {2, 1}, {1, 3}, {2, 2}, {10, 1.5}, {1.2, 20}};

START_TEST(jacobian_of_stretched_ends_is_the_slope)
{
  for (size_t i = 0; i + 1 < LENGTH(ranges); i++)
    for (size_t s = 0; s < LENGTH(stretches); s++) {
      struct domain d = interval(ranges[i][0], ranges[i][1]);
      nis_domain_set_stretch(&d, 0, stretches[s]);
      double sign = ranges[i][0] < ranges[i][1] ? 1 : -1;
      for (int k = 20; k < 80; k++) {
        double u = 0.01 * k, h = 1e-5, before = u - h, after = u + h, a, b, x, back;
        nis_domain_out(&d, &before, &a);
        nis_domain_out(&d, &after, &b);
        nis_domain_out(&d, &u, &x);
        double slope = sign * (b - a) / (2 * h), exact = nis_domain_jacobian(&d, &u);
        double rounding = 1e-15 * (1 + fabs(x)) / h;
        require(fabs(exact - slope) < 1e-4 * fabs(exact) + rounding, "%g for %g", exact, slope);
        nis_domain_in(&d, &x, &back);
        double lost = 1e-15 * (1 + fabs(x)) / fabs(exact);
        require(fabs(back - u) < 1e-13 + 4 * lost, "%.17g back from %.17g", back, u);
      }
      nis_domain_clear(&d);
    }
}
END_TEST

/* Next to 0 and to infinity, where the plain coordinate would be 1 - 1e-16 at most */
START_TEST(stretched_ends_are_seen_from_near)
{
  struct domain d = interval(0, INFINITY);
  double x[] = {1e-250, 1e-3, 1, 1e10, 1e100}, u, back;
  nis_domain_set_stretch(&d, 0, (struct stretch){20, 8});
  for (size_t i = 0; i < LENGTH(x); i++) {
    nis_domain_in(&d, &x[i], &u);
    nis_domain_out(&d, &u, &back);
    require(fabs(back / x[i] - 1) < 1e-2, "%g came back as %g", x[i], back);
  }
  nis_domain_clear(&d);
}
END_TEST

START_TEST(points_stay_when_the_cube_is_stretched_anew)
{
  for (size_t s = 0; s < LENGTH(stretches); s++)
    for (size_t to = 0; to < LENGTH(stretches); to++) {
      struct domain d = interval(-1, 2);
      nis_domain_set_stretch(&d, 0, stretches[s]);
      for (int k = 1; k < 20; k++) {
        double v = 0.05 * k, w = v, x, y;
        double log_ratio = nis_domain_restretch(&d, &stretches[to], &w);
        double before = nis_domain_log_jacobian(&d, &v);
        nis_domain_out(&d, &v, &x);
        nis_domain_set_stretch(&d, 0, stretches[to]);
        nis_domain_out(&d, &w, &y);
        ck_assert_double_eq_tol(y, x, 1e-12);
        ck_assert_double_eq_tol(nis_domain_log_jacobian(&d, &w), before + log_ratio, 1e-9);
        nis_domain_set_stretch(&d, 0, stretches[s]);
      }
      nis_domain_clear(&d);
    }
}
END_TEST

/* A finite coordinate, an infinite one and a reversed one: the product. */
START_TEST(jacobian_is_a_product)
{
  const double lower[] = {0, 1, 4}, upper[] = {5, INFINITY, 1}, u[] = {0.3, 0.75, 0.2};
  struct domain d;
  ck_assert_int_eq(nis_domain_init(&d, 3, lower, upper), NIS_OK);
  ck_assert_double_eq_tol(nis_domain_jacobian(&d, u), 5 * 16 * -3, 1e-12);
  nis_domain_clear(&d);
}
END_TEST

START_TEST(limits_are_checked)
{
  const double bad[][2] = {{NAN, 1}, {0, NAN}, {INFINITY, INFINITY}, {-DBL_MAX, DBL_MAX}};
  struct domain d;
  for (size_t i = 0; i < LENGTH(bad); i++) {
    ck_assert_int_eq(nis_domain_init(&d, 1, &bad[i][0], &bad[i][1]), NIS_INVALID);
    ck_assert_ptr_nonnull(strstr(nis_last_error(), "coordinate 0"));
    nis_domain_clear(&d);
  }
  for (size_t i = 0; i < LENGTH(ranges); i++) {
    ck_assert_int_eq(nis_domain_init(&d, 1, &ranges[i][0], &ranges[i][1]), NIS_OK);
    nis_domain_clear(&d);
  }
}
END_TEST

static double volume_of(size_t dim, const double *lower, const double *upper)
{
  struct domain d;
  ck_assert_int_eq(nis_domain_init(&d, dim, lower, upper), NIS_OK);
  double volume = d.volume;
  nis_domain_clear(&d);
  return volume;
}

START_TEST(volume_is_the_product_of_the_widths)
{
  const double lower[] = {-1, 0, 100}, upper[] = {1, 0.25, 103}, half[] = {0.5, 0.5, 0.5};
  ck_assert_double_eq(volume_of(3, lower, upper), 1.5);
  ck_assert_double_eq(volume_of(2, lower, upper), 0.5);
  ck_assert_double_eq(volume_of(3, NULL, NULL), 1);
  ck_assert_double_eq(volume_of(3, half, NULL), 0.125);
  ck_assert_double_eq(volume_of(3, NULL, half), 0.125);
}
END_TEST

/* The product can leave double's range where no width does. */
START_TEST(volume_out_of_range_is_refused)
{
  double zero[40] = {0}, wide[40], narrow[40];
  struct domain d;
  for (int j = 0; j < 40; j++) wide[j] = 1e10, narrow[j] = 1e-10;
  ck_assert_int_eq(nis_domain_init(&d, 40, zero, wide), NIS_INVALID);
  ck_assert_ptr_nonnull(strstr(nis_last_error(), "volume"));
  nis_domain_clear(&d);
  ck_assert_int_eq(nis_domain_init(&d, 40, zero, narrow), NIS_INVALID);
  nis_domain_clear(&d);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("domain");
  TCase *tcase = tcase_create("domain");
  tcase_set_timeout(tcase, 60); /* sanitizers, busy machines */
  tcase_add_test(tcase, points_are_strictly_inside);
  tcase_add_test(tcase, points_are_strictly_inside_any_box);
  tcase_add_test(tcase, out_then_in_is_the_identity);
  tcase_add_test(tcase, neighbours_of_the_edges_are_in_the_cube);
  tcase_add_test(tcase, map_is_affine);
  tcase_add_test(tcase, infinite_ranges_there_and_back);
  tcase_add_test(tcase, jacobian_is_the_slope);
  tcase_add_test(tcase, jacobian_of_stretched_ends_is_the_slope);
  tcase_add_test(tcase, stretched_ends_are_seen_from_near);
  tcase_add_test(tcase, points_stay_when_the_cube_is_stretched_anew);
  tcase_add_test(tcase, jacobian_is_a_product);
  tcase_add_test(tcase, limits_are_checked);
  tcase_add_test(tcase, volume_is_the_product_of_the_widths);
  tcase_add_test(tcase, volume_out_of_range_is_refused);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
