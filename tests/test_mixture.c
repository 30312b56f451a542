/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cut-off normal distributions of the sampling mixture.
 *
 * Oracles: Gauss quadrature of the density on panels a sigma wide; the sampling's slope by
 * differences; histograms; Fisher's information for the errors of what is fitted; the formulas and
 * the rounds of fitting point by point with libm. Seeds are fixed.
 */
#include "alarm.h"
#include "mixture/peaks.h"

#include "nis.h"
#include "quadrature.h"
#include "suite.h"

#include <gsl/gsl_cdf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* ---- helpers --------------------------------------------------------------------- */

static uint64_t noise_state = 1;

/* uniform in (0, 1) */
static double noise(void)
{
  noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
  return ((double)(noise_state >> 12) + 0.5) * 0x1p-52;
}

static double normal(void)
{
  return sqrt(-2 * log(noise())) * cos(2 * M_PI * noise());
}

static int threads = 1; /* of those that follow */

static struct peaks make(size_t dim)
{
  struct peaks p;
  ck_assert_int_eq(nis_peaks_init(&p, dim, NULL, threads), NIS_OK);
  return p;
}

/* One peak of the square, x1 following x0 with a slope. */
struct shape {
  double share, mean[2], sigma[2], slope;
};

static struct peaks make_shapes(size_t dim, size_t n, const struct shape *shape)
{
  struct peaks p = make(dim);
  for (size_t k = 0; k < n; k++) {
    nis_peaks_add(&p, shape[k].mean, shape[k].sigma, 0.5, 0);
    if (dim == 2) p.peak[k].slope[2] = shape[k].slope;
  }
  for (size_t k = 0; k < n; k++) p.peak[k].share = shape[k].share;
  return p;
}

static double share_sum(const struct peaks *p)
{
  double sum = 0;
  for (int k = 0; k < p->count; k++) sum += p->peak[k].share;
  return sum;
}

/* ---- the density integrates to 1 ---------------------------------------------------- */

enum { REACH = 10, MOST_EDGES = 512 };

struct panels {
  size_t n;
  double edge[MOST_EDGES];
};

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Panels a sigma wide around a centre, cut at the walls */
static void add_edges(struct panels *p, double centre, double sigma)
{
  for (int k = -REACH; k <= REACH; k++) {
    double x = centre + k * sigma;
    if (x > 0 && x < 1) p->edge[p->n++] = x;
  }
  ck_assert_uint_lt(p->n, MOST_EDGES - 2);
}

/* What lies behind a wall falls off from there. */
static void add_peak_edges(struct panels *p, double centre, double sigma)
{
  add_edges(p, centre, sigma);
  add_edges(p, 0, sigma);
  add_edges(p, 1, sigma);
}

static void close_panels(struct panels *p)
{
  p->edge[p->n++] = 0;
  p->edge[p->n++] = 1;
  qsort(p->edge, p->n, sizeof *p->edge, ascending);
}

static struct panels panels_along(const struct peaks *p, size_t axis, double x0)
{
  struct panels panels = {0};
  for (int k = 0; k < p->count; k++) {
    const struct peak *peak = &p->peak[k];
    double centre = peak->mean[axis];
    if (axis == 1) centre += peak->slope[2] * (x0 - fmax(0, fmin(peak->mean[0], 1)));
    add_peak_edges(&panels, centre, peak->sigma[axis]);
  }
  close_panels(&panels);
  return panels;
}

static double integral_over(const struct peaks *p, size_t axis, double *x)
{
  struct panels panels = panels_along(p, axis, x[0]);
  static struct rule rule;
  if (!rule.n) rule = gauss_rule(20);
  double sum = 0;
  for (size_t k = 0; k + 1 < panels.n; k++)
    for (size_t i = 0; i < rule.n; i++) {
      double width = panels.edge[k + 1] - panels.edge[k];
      x[axis] = panels.edge[k] + width * rule.x[i];
      double inner =
          axis + 1 == p->dim ? exp(nis_peaks_log_density(p, x)) : integral_over(p, axis + 1, x);
      sum += width * rule.w[i] * inner;
    }
  return sum;
}

static void check_integral(const struct peaks *p, const char *what)
{
  double x[2], integral = integral_over(p, 0, x);
  ck_assert_msg(fabs(integral - 1) < 1e-7, "%s: 1 + %g", what, integral - 1);
}

/* Inside, at a wall, behind it near and far; flat and narrow */
static const double means[] = {0.5, 0.13, 0, 1, -0.02, 1.3, -7, 40};
static const double sigmas[] = {1e-7, 1e-3, 0.1, 3};

START_TEST(density_on_a_line_integrates_to_1)
{
  for (size_t i = 0; i < LENGTH(means); i++)
    for (size_t j = 0; j < LENGTH(sigmas); j++) {
      struct peaks p = make(1);
      char what[64];
      snprintf(what, sizeof what, "mean %g, sigma %g", means[i], sigmas[j]);
      nis_peaks_add(&p, &means[i], &sigmas[j], 1, 0);
      check_integral(&p, what);
      nis_peaks_clear(&p);
    }
}
END_TEST

/* The last three lean: x1 leaves the square where x0 is far from its mean, and slopes of 50 with
 * these sigmas are correlations of 0.9998. */
static const struct shape shapes[] = {
    {0.3, {0.5, 0.4}, {0.1, 0.2}, 0},      {0.1, {-0.1, 1.02}, {0.1, 0.05}, 0},
    {0.2, {0.7, 0.2}, {0.2, 3}, 0.5},      {0.05, {0.3, 0.3}, {1e-6, 1e-7}, 1},
    {0.15, {0.5, 0.5}, {0.1, 1e-3}, 0.99}, {0.1, {0.5, 0.6}, {0.2, 0.2}, -50},
    {0.1, {0, 1}, {0.3, 0.01}, -3},
};

START_TEST(density_on_a_square_integrates_to_1)
{
  for (size_t k = 0; k < LENGTH(shapes); k++) {
    struct peaks p = make_shapes(2, 1, &shapes[k]);
    char what[32];
    snprintf(what, sizeof what, "shape %zu", k);
    p.peak[0].share = 1;
    check_integral(&p, what);
    nis_peaks_clear(&p);
  }
}
END_TEST

START_TEST(mixtures_integrate_to_1)
{
  for (size_t dim = 1; dim <= 2; dim++) {
    struct peaks p = make_shapes(dim, dim == 1 ? LENGTH(shapes) : 3, shapes);
    if (dim == 2)
      for (int k = 0; k < p.count; k++) p.peak[k].share /= 0.6;
    check_integral(&p, "a mixture");
    nis_peaks_clear(&p);
  }
}
END_TEST

START_TEST(no_peaks_have_no_density)
{
  struct peaks p = make(3);
  ck_assert_double_eq(nis_peaks_log_density(&p, (double[]){0.1, 0.2, 0.3}), -HUGE_VAL);
  nis_peaks_clear(&p);
}
END_TEST

/* Uncorrelated and far from the walls: a normal distribution */
START_TEST(far_from_walls_the_density_is_normal)
{
  struct peaks p = make(2);
  const double mean[] = {0.4, 0.6}, sigma[] = {0.01, 0.02}, x[] = {0.41, 0.57};
  nis_peaks_add(&p, mean, sigma, 1, 0);
  double expected = -0.5 * (1 + 2.25) - log(2 * M_PI * 0.01 * 0.02);
  ck_assert_double_eq_tol(nis_peaks_log_density(&p, x), expected, 1e-12);
  nis_peaks_clear(&p);
}
END_TEST

/* ---- sampling ------------------------------------------------------------------------ */

static void sample(const struct peaks *p, int k, const double *u, double *x)
{
  memcpy(x, u, p->dim * sizeof *x);
  nis_peaks_sample(p, 0, k, 1, x);
}

/* dx_i/du_i at u, by differences in the middle of (0, 1) */
static double slope_of_sample(const struct peaks *p, const double *u, size_t i)
{
  double up[2], down[2], moved[2] = {u[0], p->dim > 1 ? u[1] : 0}, step = 1e-4;
  moved[i] = u[i] + step;
  sample(p, 0, moved, up);
  moved[i] = u[i] - step;
  sample(p, 0, moved, down);
  return (up[i] - down[i]) / (2 * step);
}

/* Coordinate i depends on u_0 .. u_i alone, so the Jacobian's determinant is a product. */
static void check_jacobian(const struct peaks *p, size_t k)
{
  for (int repeat = 0; repeat < 200; repeat++) {
    double u[2] = {0.05 + 0.9 * noise(), 0.05 + 0.9 * noise()}, x[2], product = 1;
    sample(p, 0, u, x);
    for (size_t i = 0; i < p->dim; i++) product *= slope_of_sample(p, u, i);
    double error = log(product) + nis_peaks_log_density(p, x);
    require(fabs(error) < 1e-4, "shape %zu: log(q dx/du) = %g at u = %g, %g", k, error, u[0], u[1]);
  }
}

START_TEST(density_is_the_slope_of_sampling)
{
  for (size_t k = 0; k < LENGTH(shapes); k++) {
    struct peaks p = make_shapes(2, 1, &shapes[k]);
    p.peak[0].share = 1;
    if (shapes[k].sigma[0] > 1e-5) check_jacobian(&p, k); /* else x is rounded */
    nis_peaks_clear(&p);
  }
}
END_TEST

START_TEST(samples_are_inside)
{
  static const double u[] = {0x1p-53, 1e-9, 0.3, 0.5, 1 - 1e-9, 1 - 0x1p-53};
  for (size_t k = 0; k < LENGTH(means) * LENGTH(sigmas); k++) {
    struct shape shape = {1, {means[k % LENGTH(means)], 0.5}, {sigmas[k / LENGTH(means)], 0.1}, 9};
    struct peaks p = make_shapes(2, 1, &shape);
    for (size_t i = 0; i < LENGTH(u) * LENGTH(u); i++) {
      double x[2], from[] = {u[i % LENGTH(u)], u[i / LENGTH(u)]};
      sample(&p, 0, from, x);
      require(x[0] > 0 && x[0] < 1 && x[1] > 0 && x[1] < 1, "%.17g %.17g", x[0], x[1]);
      require(isfinite(nis_peaks_log_density(&p, x)), "no density at %.17g %.17g", x[0], x[1]);
    }
    nis_peaks_clear(&p);
  }
}
END_TEST

enum { SIDE = 10, DRAWN = 200000 };

/* Gauss on each square of the histogram, which is at most 4 sigma wide */
static double square_mass(const struct peaks *p, size_t square)
{
  static struct rule rule;
  if (!rule.n) rule = gauss_rule(32);
  double sum = 0;
  for (size_t i = 0; i < rule.n * rule.n; i++) {
    size_t a = i % rule.n, b = i / rule.n;
    double x[] = {((double)(square % SIDE) + rule.x[a]) / SIDE,
                  ((double)(square / SIDE) + rule.x[b]) / SIDE};
    sum += rule.w[a] * rule.w[b] / (SIDE * SIDE) * exp(nis_peaks_log_density(p, x));
  }
  return sum;
}

static void count_samples(const struct peaks *p, double *count)
{
  for (int n = 0; n < DRAWN; n++) {
    double u[] = {noise(), noise()}, x[2];
    sample(p, nis_peaks_choose(p, noise()), u, x);
    count[(size_t)(x[0] * SIDE) + SIDE * (size_t)(x[1] * SIDE)]++;
  }
}

START_TEST(histogram_follows_the_density)
{
  static const struct shape broad[] = {{0.5, {0.3, 0.6}, {0.1, 0.05}, 0.8},
                                       {0.2, {1.05, -0.1}, {0.1, 0.2}, 0},
                                       {0.3, {0.6, 0.2}, {3, 0.2}, -0.7}};
  struct peaks p = make_shapes(2, LENGTH(broad), broad);
  double count[SIDE * SIDE] = {0}, chi2 = 0, rest = 0, rest_seen = 0;
  int bins = 0;
  count_samples(&p, count);
  for (size_t k = 0; k < SIDE * SIDE; k++) {
    double expected = DRAWN * square_mass(&p, k);
    if (expected < 20) {
      rest += expected, rest_seen += count[k];
      continue;
    }
    chi2 += (count[k] - expected) * (count[k] - expected) / expected;
    bins++;
  }
  ck_assert_int_gt(bins, SIDE * SIDE / 2);
  ck_assert_double_gt(gsl_cdf_chisq_Q(chi2, bins - 1), ALARM_RATE / 2);
  ck_assert_double_lt(fabs(rest_seen - rest), alarm_errors(2) * sqrt(rest) + 10);
  nis_peaks_clear(&p);
}
END_TEST

START_TEST(peaks_are_chosen_by_share)
{
  struct peaks p = make_shapes(1, LENGTH(shapes), shapes);
  double count[LENGTH(shapes)] = {0};
  for (int n = 0; n < DRAWN; n++) count[nis_peaks_choose(&p, noise())]++;
  for (size_t k = 0; k < LENGTH(shapes); k++) {
    double s = shapes[k].share;
    require(fabs(count[k] - s * DRAWN) < alarm_errors(LENGTH(shapes)) * sqrt(s * (1 - s) * DRAWN),
            "peak %zu: %g", k, count[k] / DRAWN);
  }
  ck_assert_int_eq(nis_peaks_choose(&p, 1 - 0x1p-53), LENGTH(shapes) - 1);
  nis_peaks_clear(&p);
}
END_TEST

/* ---- fitting --------------------------------------------------------------------------- */

enum { FITTED = 40000 };

/* Points of a mixture, those outside the cube thrown away */
static void draw(size_t n, const struct shape *shape, size_t count, double *x)
{
  for (size_t i = 0; i < count;) {
    double u = noise(), z[] = {normal(), normal()};
    size_t k = 0;
    while (k + 1 < n && (u -= shape[k].share) > 0) k++;
    const struct shape *s = &shape[k];
    double x0 = s->mean[0] + s->sigma[0] * z[0];
    double x1 = s->mean[1] + s->slope * (x0 - s->mean[0]) + s->sigma[1] * z[1];
    if (!(x0 > 0 && x0 < 1 && x1 > 0 && x1 < 1)) continue;
    x[2 * i] = x0, x[2 * i + 1] = x1;
    i++;
  }
}

static void fit(struct peaks *p, size_t n, double *x, int rounds)
{
  double *work = calloc(n * PEAKS_MOST, sizeof *work);
  ck_assert_ptr_nonnull(work);
  nis_peaks_fit(p, n, x, 0, rounds, work);
  free(work);
}

enum { FITTED_NUMBERS = 18 }; /* of three peaks; the most in a test */

static void check_near(double value, double expected, double error, const char *what)
{
  ck_assert_msg(fabs(value - expected) < alarm_errors(FITTED_NUMBERS) * error,
                "%s: %g is %g errors from %g", what, value, (value - expected) / error, expected);
}

/* Errors of the mean, of the sigma given what is before, and of a slope, from n points */
static void check_shape(const struct peak *k, const struct shape *s, size_t points)
{
  double n = s->share * (double)points;
  double wide = hypot(s->sigma[1], s->slope * s->sigma[0]);
  check_near(k->share, s->share, sqrt(s->share * (1 - s->share) / (double)points), "share");
  check_near(k->mean[0], s->mean[0], s->sigma[0] / sqrt(n), "mean of x0");
  check_near(k->mean[1], s->mean[1], wide / sqrt(n), "mean of x1");
  check_near(k->sigma[0], s->sigma[0], s->sigma[0] / sqrt(2 * n), "sigma of x0");
  check_near(k->sigma[1], s->sigma[1], s->sigma[1] / sqrt(2 * n), "sigma of x1");
  check_near(k->slope[2], s->slope, s->sigma[1] / s->sigma[0] / sqrt(n), "slope");
}

START_TEST(a_known_mixture_is_fitted)
{
  static const struct shape truth[] = {{0.5, {0.25, 0.3}, {0.03, 0.01}, 1},
                                       {0.3, {0.75, 0.3}, {0.02, 0.05}, 0},
                                       {0.2, {0.5, 0.8}, {0.04, 0.02}, -0.9}};
  double *x = calloc(2 * FITTED, sizeof *x);
  draw(LENGTH(truth), truth, FITTED, x);
  struct peaks p = make(2);
  for (size_t k = 0; k < LENGTH(truth); k++) {
    double start[] = {truth[k].mean[0] + 0.05, truth[k].mean[1] - 0.04};
    nis_peaks_add(&p, start, (double[]){0.1, 0.1}, 0.3, 0);
  }
  fit(&p, FITTED, x, 60);
  ck_assert_int_eq(p.count, LENGTH(truth));
  for (size_t k = 0; k < LENGTH(truth); k++) check_shape(&p.peak[k], &truth[k], FITTED);
  nis_peaks_clear(&p);
  free(x);
}
END_TEST

/* Moments x^0 .. x^4 of a normal distribution cut off at 0 and 1, by quadrature */
static void cut_moments(double mean, double sigma, double *moment)
{
  struct rule rule = gauss_rule(128);
  double sum[5] = {0};
  for (size_t i = 0; i < rule.n; i++) {
    double z = (rule.x[i] - mean) / sigma, w = rule.w[i] * exp(-z * z / 2);
    for (int k = 0; k < 5; k++) sum[k] += w * pow(rule.x[i], k);
  }
  for (int k = 0; k < 5; k++) moment[k] = sum[k] / sum[0];
}

/* An exponential family in a = mean/sigma^2 and b = -1/(2 sigma^2) with the statistics x and x^2,
 * whose covariance is the information: the errors of mean = -a/(2b) and sigma = (-2b)^(-1/2) */
static void cut_errors(double mean, double sigma, double n, double *dmean, double *dsigma)
{
  double m[5], s2 = sigma * sigma;
  cut_moments(mean, sigma, m);
  double aa = m[2] - m[1] * m[1], ab = m[3] - m[1] * m[2], bb = m[4] - m[2] * m[2];
  double det = aa * bb - ab * ab, va = bb / det, vab = -ab / det, vb = aa / det;
  double by_a = s2, by_b = 2 * mean * s2;
  *dmean = sqrt((by_a * by_a * va + 2 * by_a * by_b * vab + by_b * by_b * vb) / n);
  *dsigma = sigma * s2 * sqrt(vb / n);
}

/* Cut at its mean, beside it, and on both sides */
static void check_cut(double mean, double sigma)
{
  struct shape truth = {1, {mean, 0.5}, {sigma, 0.05}, 0};
  double *x = calloc(2 * FITTED, sizeof *x), dmean, dsigma;
  draw(1, &truth, FITTED, x);
  struct peaks p = make(2);
  nis_peaks_add(&p, (double[]){0.5, 0.5}, (double[]){0.3, 0.3}, 1, 0);
  fit(&p, FITTED, x, 3);
  cut_errors(mean, sigma, FITTED, &dmean, &dsigma);
  check_near(p.peak[0].mean[0], mean, dmean, "mean of a cut peak");
  check_near(p.peak[0].sigma[0], sigma, dsigma, "sigma of a cut peak");
  check_near(p.peak[0].mean[1], 0.5, 0.05 / sqrt(FITTED), "mean of an uncut one");
  nis_peaks_clear(&p);
  free(x);
}

START_TEST(a_peak_at_a_wall_is_fitted)
{
  check_cut(0.1, 0.1);
  check_cut(0.95, 0.1);
  check_cut(0, 0.2);
  check_cut(0.4, 0.4);
}
END_TEST

static double log_likelihood(const struct peaks *p, size_t n, const double *x)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += nis_peaks_log_density(p, x + i * p->dim);
  return sum / (double)n;
}

/* Overlapping, correlated, cut: the fit is no maximum of the likelihood then, but near one. */
START_TEST(fitting_raises_the_likelihood)
{
  static const struct shape truth[] = {{0.6, {0.1, 0.5}, {0.1, 0.1}, 0.8},
                                       {0.4, {0.4, 0.9}, {0.2, 0.1}, -0.3}};
  double *x = calloc(2 * FITTED, sizeof *x);
  draw(LENGTH(truth), truth, FITTED, x);
  struct peaks p = make(2), known = make_shapes(2, LENGTH(truth), truth);
  nis_peaks_add(&p, (double[]){0.3, 0.3}, (double[]){0.3, 0.3}, 1, 0);
  nis_peaks_add(&p, (double[]){0.6, 0.7}, (double[]){0.3, 0.3}, 0.5, 0);
  double start = log_likelihood(&p, FITTED, x);
  fit(&p, FITTED, x, 1);
  double once = log_likelihood(&p, FITTED, x);
  fit(&p, FITTED, x, 100);
  double end = log_likelihood(&p, FITTED, x), best = log_likelihood(&known, FITTED, x);
  ck_assert_double_gt(once, start + 0.1);
  ck_assert_double_gt(end, once);
  ck_assert_double_gt(end, best - 0.03);
  nis_peaks_clear(&p), nis_peaks_clear(&known);
  free(x);
}
END_TEST

/* ---- adding and dropping --------------------------------------------------------------- */

START_TEST(a_new_peak_gets_its_share)
{
  struct peaks p = make(1);
  double sigma = 0.1, at[] = {0.1, 0.2, 0.3};
  nis_peaks_add(&p, &at[0], &sigma, 0.4, 0);
  ck_assert_double_eq(p.peak[0].share, 1);
  nis_peaks_add(&p, &at[1], &sigma, 0.4, 0);
  nis_peaks_add(&p, &at[2], &sigma, 0.5, 0);
  ck_assert_int_eq(p.count, 3);
  ck_assert_double_eq_tol(p.peak[0].share, 0.3, 1e-14);
  ck_assert_double_eq_tol(p.peak[1].share, 0.2, 1e-14);
  ck_assert_double_eq_tol(p.peak[2].share, 0.5, 1e-14);
  ck_assert_double_eq(p.peak[1].mean[0], 0.2);
  nis_peaks_clear(&p);
}
END_TEST

static int holds(const struct peaks *p, double mean)
{
  for (int k = 0; k < p->count; k++)
    if (p->peak[k].mean[0] == mean) return 1;
  return 0;
}

static struct peaks full(int smallest)
{
  struct peaks p = make(2);
  for (int k = 0; k < PEAKS_MOST; k++) {
    nis_peaks_add(&p, (double[]){k / 100., 0.5}, (double[]){0.01, 0.02}, 0.5, 0);
    p.peak[k].slope[2] = k;
  }
  for (int k = 0; k < PEAKS_MOST; k++)
    p.peak[k].share = k == smallest ? 0.04 : 0.96 / (PEAKS_MOST - 1);
  return p;
}

START_TEST(a_full_mixture_loses_its_smallest)
{
  for (int smallest = 0; smallest < PEAKS_MOST; smallest++) {
    struct peaks p = full(smallest);
    nis_peaks_add(&p, (double[]){0.7, 0.5}, (double[]){0.01, 0.02}, 0.25, 0);
    ck_assert_int_eq(p.count, PEAKS_MOST);
    for (int k = 0; k < PEAKS_MOST; k++) ck_assert_int_eq(holds(&p, k / 100.), k != smallest);
    for (int k = 0; k < PEAKS_MOST - 1; k++)
      ck_assert_double_eq_tol(p.peak[k].slope[2], 100 * p.peak[k].mean[0], 1e-9);
    ck_assert_double_eq(p.peak[PEAKS_MOST - 1].mean[0], 0.7);
    ck_assert_double_eq(p.peak[PEAKS_MOST - 1].slope[2], 0);
    ck_assert_double_eq_tol(p.peak[PEAKS_MOST - 1].share, 0.25, 1e-14);
    ck_assert_double_eq_tol(share_sum(&p), 1, 1e-14);
    nis_peaks_clear(&p);
  }
}
END_TEST

/* One point that is copied 50 times says nothing about a shape. */
START_TEST(copies_are_one_point)
{
  enum { COPIES = 50 };
  double x[2 * COPIES], work[COPIES * PEAKS_MOST];
  for (size_t i = 0; i < 2 * COPIES; i++) x[i] = 0.5;
  for (int distinct = 0; distinct < 2; distinct++) {
    struct peaks p = make(2);
    nis_peaks_add(&p, (double[]){0.5, 0.5}, (double[]){0.1, 0.1}, 1, 0);
    nis_peaks_fit(&p, COPIES, x, distinct, 1, work);
    ck_assert_int_eq(p.peak[0].sigma[0] < 0.05, !distinct);
    nis_peaks_clear(&p);
  }
}
END_TEST

START_TEST(a_young_peak_keeps_its_share)
{
  double x[400], work[200 * PEAKS_MOST];
  for (size_t i = 0; i < 200; i++) x[2 * i] = 0.3 + 1e-4 * (double)i, x[2 * i + 1] = x[2 * i];
  struct peaks p = make(2);
  nis_peaks_add(&p, (double[]){0.3, 0.3}, (double[]){0.1, 0.1}, 1, 0);
  nis_peaks_add(&p, (double[]){0.9, 0.9}, (double[]){0.01, 0.01}, 0.1, 3);
  for (int round = 0; round < 3; round++) {
    nis_peaks_fit(&p, 200, x, 0, 1, work);
    ck_assert_int_eq(p.count, 2);
    ck_assert_double_ge(p.peak[1].share, 0.07);
  }
  nis_peaks_fit(&p, 200, x, 0, 1, work);
  ck_assert_int_eq(p.count, 1);
  nis_peaks_clear(&p);
}
END_TEST

START_TEST(empty_peaks_are_dropped)
{
  static const struct shape truth = {1, {0.3, 0.3}, {0.02, 0.02}, 0};
  double *x = calloc(2 * FITTED, sizeof *x);
  draw(1, &truth, FITTED, x);
  struct peaks p = make(2);
  nis_peaks_add(&p, (double[]){0.9, 0.9}, (double[]){0.01, 0.01}, 1, 0);
  nis_peaks_add(&p, truth.mean, truth.sigma, 0.5, 0);
  fit(&p, FITTED, x, 1);
  ck_assert_int_eq(p.count, 1);
  ck_assert_double_eq(p.peak[0].share, 1);
  check_near(p.peak[0].mean[0], 0.3, 0.02 / sqrt(FITTED), "mean of the other");
  nis_peaks_clear(&p);
  free(x);
}
END_TEST

START_TEST(a_copy_has_the_same_density)
{
  struct peaks p = make_shapes(2, LENGTH(shapes), shapes), copy = make(2);
  nis_peaks_copy(&copy, &p);
  for (int repeat = 0; repeat < 100; repeat++) {
    double x[] = {noise(), noise()};
    require(nis_peaks_log_density(&copy, x) == nis_peaks_log_density(&p, x), "at %g %g", x[0],
            x[1]);
  }
  nis_peaks_clear(&p), nis_peaks_clear(&copy);
}
END_TEST

/* ---- against the naive way ---------------------------------------------------------- */

static double normal_cdf(double z)
{
  return 0.5 * erfc(-z / sqrt(2));
}

/* P(low < z < high), from the nearer tail */
static double mass(double low, double high)
{
  return low > 0 ? normal_cdf(-low) - normal_cdf(-high) : normal_cdf(high) - normal_cdf(low);
}

/* One peak at one point, as the header says it: each coordinate normal given those before, and cut
 * off by itself; its mean is held to 5 sigma beyond the walls. */
static double naive_log_density(const struct peak *k, size_t dim, const double *x)
{
  double delta[16], sum = 0;
  for (size_t i = 0; i < dim; i++) {
    double mean = k->mean[i], s = k->sigma[i];
    for (size_t j = 0; j < i; j++) mean += k->slope[i * dim + j] * delta[j];
    mean = fmin(fmax(mean, -5 * s), 1 + 5 * s);
    delta[i] = x[i] - mean;
    sum -= delta[i] * delta[i] / (2 * s * s) + log(s * sqrt(2 * M_PI));
    sum -= log(mass(-mean / s, (1 - mean) / s));
  }
  return sum;
}

static double naive_mixture(const struct peaks *p, const double *x, double *part)
{
  double top = -HUGE_VAL, sum = 0;
  for (int k = 0; k < p->count; k++)
    part[k] = log(p->peak[k].share) + naive_log_density(&p->peak[k], p->dim, x);
  for (int k = 0; k < p->count; k++) top = fmax(top, part[k]);
  for (int k = 0; k < p->count; k++) sum += exp(part[k] - top);
  return top + log(sum);
}

/* Two passes over all points for each peak; Cholesky's factors of the covariance are slopes times
 * sigmas. Shapes of less than 4 points a coordinate stay. */
static void naive_maximise(struct peak *k, size_t dim, size_t n, const double *x, const double *w)
{
  double sum = 0, mean[16] = {0}, c[16][16] = {{0}}, g[16][16] = {{0}}, scale[16];
  for (size_t i = 0; i < n; i++) sum += w[i];
  k->share = sum / (double)n;
  if (sum < 4. * (double)dim) return;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < dim; j++) mean[j] += w[i] / sum * x[i * dim + j];
  for (size_t i = 0; i < n; i++)
    for (size_t a = 0; a < dim; a++)
      for (size_t b = 0; b <= a; b++)
        if (a == b || sum >= 10. * (double)dim)
          c[a][b] += w[i] / sum * (x[i * dim + a] - mean[a]) * (x[i * dim + b] - mean[b]);
  for (size_t j = 0; j < dim; j++) { /* the uncut distribution with these moments */
    double m = mean[j], s = sqrt(c[j][j]);
    for (int step = 0; step < 20; step++) {
      double a = -m / s, b = (1 - m) / s, inside = mass(a, b) * sqrt(2 * M_PI);
      double at_a = exp(-a * a / 2) / inside, at_b = exp(-b * b / 2) / inside, off = at_a - at_b;
      double seen = s * s * (1 + a * at_a - b * at_b - off * off);
      m = fmax(-0.5, fmin(m + mean[j] - (m + s * off), 1.5));
      s = fmin(s * sqrt(fmin(c[j][j] / seen, 2)), 3);
    }
    k->mean[j] = m;
    scale[j] = s / sqrt(c[j][j]);
  }
  for (size_t a = 0; a < dim; a++)
    for (size_t b = 0; b <= a; b++) {
      double left = c[a][b] * scale[a] * scale[b];
      for (size_t m = 0; m < b; m++) left -= g[a][m] * g[b][m];
      g[a][b] = a == b ? sqrt(left) : left / g[b][b];
      if (a == b) k->sigma[a] = g[a][a];
    }
  for (size_t a = 0; a < dim; a++)
    for (size_t b = 0; b < a; b++) k->slope[a * dim + b] = g[a][b] / g[b][b];
}

static void naive_fit(struct peaks *p, size_t n, const double *x)
{
  double *w = calloc(n * PEAKS_MOST, sizeof *w), part[PEAKS_MOST];
  for (size_t i = 0; i < n; i++) {
    double total = naive_mixture(p, x + i * p->dim, part);
    for (int k = 0; k < p->count; k++) w[(size_t)k * n + i] = exp(part[k] - total);
  }
  for (int k = 0; k < p->count; k++) naive_maximise(&p->peak[k], p->dim, n, x, w + (size_t)k * n);
  free(w);
}

/* Peaks in a row from wall to wall, of growing widths, and points around them */
static struct peaks make_row(size_t dim, int count)
{
  struct peaks p = make(dim);
  double mean[16], sigma[16];
  for (int k = 0; k < count; k++) {
    for (size_t j = 0; j < dim; j++)
      mean[j] = (k + 0.5) / count, sigma[j] = 0.02 * (k + 1 + (int)j);
    nis_peaks_add(&p, mean, sigma, 1. / (k + 1), 0);
  }
  return p;
}

static void fill_around(size_t dim, size_t n, int count, double *x)
{
  for (size_t i = 0; i < n; i++) {
    double centre = ((int)(i % (size_t)count) + 0.5) / count, common = normal();
    for (size_t j = 0; j < dim; j++)
      x[i * dim + j] = fmin(fmax(centre + 0.04 * (common + normal()), 1e-3), 1 - 1e-3);
  }
}

static void check_same(const double *a, const double *b, size_t n, double unit, const char *what)
{
  for (size_t i = 0; i < n; i++)
    require(fabs(a[i] - b[i]) <= 1e-8 * (unit + fabs(b[i])), "%s %zu: %.17g, not %.17g", what, i,
            a[i], b[i]);
}

static const struct {
  size_t dim;
  int count;
} rows[] = {{1, 1}, {2, 3}, {3, 16}, {8, 1}, {8, 4}, {16, 2}};

/* Rounds of fitting, and densities after each, at numbers of points that fill no tile */
START_TEST(fits_and_densities_are_the_naive_ones)
{
  enum { N = 1003 };
  size_t dim = rows[_i].dim;
  double *x = calloc(N * dim, sizeof *x), log_density[N], part[PEAKS_MOST];
  struct peaks p = make_row(dim, rows[_i].count), naive = make_row(dim, rows[_i].count);
  fill_around(dim, N, rows[_i].count, x);
  for (int round = 0; round < 4; round++) {
    ck_assert_int_eq(p.count, naive.count);
    nis_peaks_log_densities(&p, N, x, log_density);
    for (size_t i = 0; i < N; i++) {
      double expected = naive_mixture(&naive, x + i * dim, part);
      require(fabs(log_density[i] - expected) < 1e-8 * (1 + fabs(expected)), "%.17g, not %.17g",
              log_density[i], expected);
      require(nis_peaks_log_density(&p, x + i * dim) == log_density[i], "point %zu alone", i);
    }
    fit(&p, N, x, 1);
    naive_fit(&naive, N, x);
    for (int k = 0; k < p.count; k++) {
      const struct peak *a = &p.peak[k], *b = &naive.peak[k];
      check_same(&a->share, &b->share, 1, 1, "share");
      check_same(a->mean, b->mean, dim, 1, "mean");
      check_same(a->sigma, b->sigma, dim, 0, "sigma");
      check_same(a->slope, b->slope, dim * dim, 1, "slope");
    }
  }
  nis_peaks_clear(&p), nis_peaks_clear(&naive);
  free(x);
}
END_TEST

START_TEST(bits_of_a_fit_do_not_depend_on_threads)
{
  enum { N = 3000, DIM = 5 };
  double *x = calloc(N * DIM, sizeof *x), log_density[2][N];
  struct peaks p[2];
  fill_around(DIM, N, 4, x);
  for (int i = 0; i < 2; i++) {
    threads = i == 0 ? 1 : 5;
    p[i] = make_row(DIM, 4);
    threads = 1;
    fit(&p[i], N, x, 5);
    nis_peaks_log_densities(&p[i], N, x, log_density[i]);
  }
  ck_assert_int_eq(p[0].count, p[1].count);
  ck_assert_mem_eq(p[0].block, p[1].block, 4 * DIM * (DIM + 3) * sizeof(double));
  ck_assert_mem_eq(log_density[0], log_density[1], sizeof log_density[0]);
  nis_peaks_clear(&p[0]), nis_peaks_clear(&p[1]);
  free(x);
}
END_TEST

/* ---- degenerate points ------------------------------------------------------------------ */

static void check_finite(const struct peaks *p, const double *x, const char *what)
{
  ck_assert_msg(p->count > 0, "%s: no peak left", what);
  ck_assert_double_eq_tol(share_sum(p), 1, 1e-12);
  for (int k = 0; k < p->count; k++) {
    const struct peak *peak = &p->peak[k];
    for (size_t j = 0; j < p->dim; j++)
      ck_assert_msg(isfinite(peak->mean[j]) && peak->sigma[j] >= 1e-7 && peak->sigma[j] <= 3.000001,
                    "%s: mean %g, sigma %g", what, peak->mean[j], peak->sigma[j]);
    for (size_t j = 0; j < p->dim * p->dim; j++)
      ck_assert_msg(isfinite(peak->slope[j]), "%s: slope %g", what, peak->slope[j]);
  }
  ck_assert_msg(isfinite(nis_peaks_log_density(p, x)), "%s: no density", what);
}

static void check_degenerate(size_t dim, size_t n, double *x, const char *what)
{
  struct peaks p = make(dim);
  double mean[dim], sigma[dim];
  for (int k = 0; k < 3; k++) {
    for (size_t j = 0; j < dim; j++) mean[j] = 0.2 + 0.3 * k, sigma[j] = 0.3;
    nis_peaks_add(&p, mean, sigma, 0.3, 0);
  }
  for (int round = 0; round < 30; round++) {
    fit(&p, n, x, 1);
    check_finite(&p, x, what);
  }
  nis_peaks_clear(&p);
}

/* Spread evenly around a centre, and cut at the walls; on a line, all coordinates are alike. */
static void fill(size_t dim, size_t n, double centre, double spread, int line, double *x)
{
  for (size_t i = 0; i < n; i++) {
    double u = noise() - 0.5;
    for (size_t j = 0; j < dim; j++)
      x[i * dim + j] =
          fmax(0x1p-53, fmin(centre + spread * (line ? u : noise() - 0.5), 1 - 0x1p-53));
  }
}

START_TEST(degenerate_points_leave_numbers)
{
  enum { DIM = 8, MANY = 1000 };
  double *x = calloc(DIM * MANY, sizeof *x);
  fill(DIM, MANY, 0.4, 0, 0, x);
  check_degenerate(DIM, MANY, x, "all alike");
  fill(DIM, MANY, 0, 0, 0, x);
  check_degenerate(DIM, MANY, x, "all in a corner");
  fill(DIM, MANY, 0.5, 1, 1, x);
  check_degenerate(DIM, MANY, x, "on a line");
  fill(DIM, MANY, 0.5, 3, 0, x);
  check_degenerate(DIM, MANY, x, "at the walls");
  fill(DIM, MANY, 0.5, 1, 0, x);
  for (size_t n = 1; n < 100; n += n < 10 ? 1 : 9) check_degenerate(DIM, n, x, "few");
  free(x);
}
END_TEST

/* ---- circles ------------------------------------------------------------------------- */

/* A normal peak of the cylinder, whose first coordinate goes round, leaning and across the seam */
static const struct shape across = {1, {0.02, 0.5}, {0.05, 0.03}, 1.5};

static struct peaks make_cylinder(void)
{
  struct peaks p;
  ck_assert_int_eq(nis_peaks_init(&p, 2, (const int[]){1, 0}, threads), NIS_OK);
  return p;
}

/* n points of `across`, and of the same opposite where `both` */
static void draw_across(size_t n, int both, double *x)
{
  for (size_t i = 0; i < n; i++) {
    double x0 = across.sigma[0] * normal();
    x[2 * i + 1] = across.mean[1] + across.slope * x0 + across.sigma[1] * normal();
    x0 += across.mean[0] + (both && i % 2 ? 0.5 : 0);
    x[2 * i] = x0 - floor(x0);
    x[2 * i + 1] = fmax(1e-9, fmin(x[2 * i + 1], 1 - 1e-9));
  }
}

/* The mean of a peak on the circle, the short way from where it should be */
static double off_mean(const struct peaks *p, int k, double mean)
{
  double off = p->peak[k].mean[0] + p->cut[0] - mean;
  return off - rint(off);
}

static void check_goes_round(const struct peaks *p)
{
  for (double x1 = 0.1; x1 < 1; x1 += 0.2) {
    double low = nis_peaks_log_density(p, (double[]){1e-9, x1});
    double high = nis_peaks_log_density(p, (double[]){1 - 1e-9, x1});
    require(fabs(low - high) < 1e-5, "a jump of %g", low - high);
  }
}

/* By the midpoint rule, which is exact to many digits for a smooth periodic function */
static double integral_of_cylinder(const struct peaks *p)
{
  enum { SIDE = 400 };
  double sum = 0;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      double x[] = {(i + 0.5) / SIDE, (j + 0.5) / SIDE};
      sum += exp(nis_peaks_log_density(p, x)) / (SIDE * SIDE);
    }
  return sum;
}

START_TEST(a_peak_across_the_seam_is_one)
{
  double *x = calloc(2 * FITTED, sizeof *x);
  for (int both = 0; both < 2; both++) {
    struct peaks p = make_cylinder();
    nis_peaks_add(&p, (double[]){0.05, 0.5}, (double[]){0.1, 0.1}, 1, 0);
    if (both) nis_peaks_add(&p, (double[]){0.55, 0.5}, (double[]){0.1, 0.1}, 0.5, 0);
    for (int round = 0; round < 30; round++) {
      draw_across(FITTED, both, x);
      fit(&p, FITTED, x, 1);
    }
    ck_assert_int_eq(p.count, 1 + both);
    check_goes_round(&p);
    ck_assert_double_eq_tol(integral_of_cylinder(&p), 1, 1e-6);
    for (int k = 0; k < p.count; k++) {
      double n = FITTED / (1. + both);
      check_near(off_mean(&p, k, across.mean[0] + 0.5 * k), 0, 0.05 / sqrt(n), "mean");
      check_near(p.peak[k].sigma[0], 0.05, 0.05 / sqrt(2 * n), "sigma");
      check_near(p.peak[k].slope[2], 1.5, 0.03 / 0.05 / sqrt(n), "slope");
    }
    nis_peaks_clear(&p);
  }
  free(x);
}
END_TEST

/* q dx/du = 1 where the samples fall; from low to high the short way */
static void check_cylinder_jacobian(const struct peaks *p)
{
  const double step = 1e-4;
  for (double u0 = 0.1; u0 < 0.95; u0 += 0.1) {
    double x[2], low[2], high[2], u1 = 0.3;
    sample(p, 0, (double[]){u0, u1}, x);
    sample(p, 0, (double[]){u0 - step, u1}, low), sample(p, 0, (double[]){u0 + step, u1}, high);
    double slope0 = (high[0] - low[0] - rint(high[0] - low[0])) / (2 * step);
    sample(p, 0, (double[]){u0, u1 - step}, low), sample(p, 0, (double[]){u0, u1 + step}, high);
    double slope1 = (high[1] - low[1]) / (2 * step);
    double error = log(slope0 * slope1) + nis_peaks_log_density(p, x);
    require(fabs(error) < 1e-4, "log(q dx/du) = %g", error);
  }
}

/* A fit moves the cut away from the points; the peak stays, and no wall cuts it any more. */
START_TEST(a_moved_cut_leaves_peaks_where_they_are)
{
  struct peaks p = make_cylinder(), copy = make_cylinder();
  nis_peaks_add(&p, across.mean, across.sigma, 1, 0);
  p.peak[0].slope[2] = across.slope;
  check_cylinder_jacobian(&p);
  double points[200], x[] = {across.mean[0], 0.45}, off = 0.05 / 0.03;
  for (int i = 0; i < 100; i++) points[2 * i] = 0.01, points[2 * i + 1] = 0.5;
  nis_peaks_fit(&p, 100, points, 0, 0, points);
  ck_assert_double_eq_tol(p.cut[0], 0.5, 0.1);
  double expected = -log(2 * M_PI * 0.05 * 0.03) - 0.5 * off * off;
  ck_assert_double_eq_tol(nis_peaks_log_density(&p, x), expected, 1e-9);
  check_cylinder_jacobian(&p);
  check_goes_round(&p);
  nis_peaks_copy(&copy, &p);
  ck_assert(nis_peaks_log_density(&copy, x) == nis_peaks_log_density(&p, x));
  nis_peaks_clear(&p), nis_peaks_clear(&copy);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("mixture");
  TCase *tests = tcase_create("peaks");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, density_on_a_line_integrates_to_1);
  tcase_add_test(tests, density_on_a_square_integrates_to_1);
  tcase_add_test(tests, mixtures_integrate_to_1);
  tcase_add_test(tests, no_peaks_have_no_density);
  tcase_add_test(tests, far_from_walls_the_density_is_normal);
  tcase_add_test(tests, density_is_the_slope_of_sampling);
  tcase_add_test(tests, samples_are_inside);
  tcase_add_test(tests, histogram_follows_the_density);
  tcase_add_test(tests, peaks_are_chosen_by_share);
  tcase_add_test(tests, a_known_mixture_is_fitted);
  tcase_add_test(tests, a_peak_at_a_wall_is_fitted);
  tcase_add_test(tests, fitting_raises_the_likelihood);
  tcase_add_test(tests, a_new_peak_gets_its_share);
  tcase_add_test(tests, a_full_mixture_loses_its_smallest);
  tcase_add_test(tests, empty_peaks_are_dropped);
  tcase_add_test(tests, copies_are_one_point);
  tcase_add_test(tests, a_young_peak_keeps_its_share);
  tcase_add_test(tests, a_copy_has_the_same_density);
  tcase_add_loop_test(tests, fits_and_densities_are_the_naive_ones, 0, LENGTH(rows));
  tcase_add_test(tests, bits_of_a_fit_do_not_depend_on_threads);
  tcase_add_test(tests, a_peak_across_the_seam_is_one);
  tcase_add_test(tests, a_moved_cut_leaves_peaks_where_they_are);
  tcase_add_test(tests, degenerate_points_leave_numbers);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
