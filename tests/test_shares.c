/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many points each channel gets.
 *
 * Oracles: analytic densities on a line; their variances on a fine grid of points, and the smallest
 * of them over a grid of shares; the steps point by point. No random numbers but one fixed sample.
 */
#include "mixture/shares.h"

#include "quadrature.h"
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

enum { POINTS = 2000, SIDE = 60 };

typedef double function(double x);

/* ---- functions of integral 1 -------------------------------------------------------------- */

static double flat(double x)
{
  (void)x;
  return 1;
}

static double ramp(double x)
{
  return 2 * x;
}

static double fall(double x)
{
  return 3 * (1 - x) * (1 - x);
}

/* A normal distribution whose tails outside do not matter */
static double bell(double x)
{
  double z = (x - 0.4) / 0.05;
  return exp(-z * z / 2) / (0.05 * sqrt(2 * M_PI));
}

static double nowhere(double x)
{
  (void)x;
  return 0;
}

/* Targets */
static double half_and_half(double x)
{
  return 0.5 * ramp(x) + 0.5 * bell(x);
}

static double all_three(double x)
{
  return 0.2 + 0.5 * ramp(x) + 0.3 * bell(x);
}

static double wave(double x)
{
  return 1 + 0.8 * sin(7 * x);
}

static double step(double x)
{
  return x > 0.25 && x < 0.5 ? 4 : 0;
}

/* As a ramp, with waves that no mixture follows */
static double nearly_a_ramp(double x)
{
  return ramp(x) * (1 + 0.1 * sin(100 * x));
}

static double nearly_half_and_half(double x)
{
  return half_and_half(x) * (1 + 0.5 * sin(100 * x));
}

/* ---- helpers ------------------------------------------------------------------------------ */

struct line {
  function *channel[CHANNELS];
  double target[POINTS], density[POINTS][CHANNELS];
  double log_target[POINTS], log_p[POINTS], log_channel[POINTS * CHANNELS];
  double work[(POINTS + LANES) * (CHANNELS + 1)];
};

static double at(size_t i)
{
  return ((double)i + 0.5) / POINTS;
}

/* The channels that tests use; any others stay without density and share. */
enum { USED = 3 };
static const enum channel used[USED] = {CHANNEL_UNIFORM, CHANNEL_FLOW, CHANNEL_PEAKS};

static void set(double *share, const double *values)
{
  memset(share, 0, CHANNELS * sizeof *share);
  for (int k = 0; k < USED; k++) share[used[k]] = values[k];
}

/* Points in equal steps; the target comes with a factor, which shares do not depend on. */
static struct share_points make(struct line *l, function *target, function *flow, function *peaks)
{
  for (size_t c = 0; c < CHANNELS; c++) l->channel[c] = nowhere;
  l->channel[CHANNEL_UNIFORM] = flat, l->channel[CHANNEL_FLOW] = flow;
  l->channel[CHANNEL_PEAKS] = peaks;
  for (size_t i = 0; i < POINTS; i++) {
    l->target[i] = target(at(i));
    l->log_target[i] = log(l->target[i]) + 300;
    l->log_p[i] = 0;
    for (size_t c = 0; c < CHANNELS; c++)
      l->log_channel[i * CHANNELS + c] = log(l->density[i][c] = l->channel[c](at(i)));
  }
  ck_assert_uint_le(nis_shares_work(POINTS), LENGTH(l->work));
  return (struct share_points){POINTS,         l->log_target, l->log_p,
                               l->log_channel, nis_kernels(), l->work};
}

/* integral of f^2/q / (integral of f)^2 - 1 */
static double variance(const struct line *l, const double *share)
{
  double square = 0, sum = 0;
  for (size_t i = 0; i < POINTS; i++) {
    double f = l->target[i], q = 0;
    for (size_t c = 0; c < CHANNELS; c++) q += share[c] * l->density[i][c];
    if (q <= 0 && f > 0) return HUGE_VAL;
    square += f > 0 ? f * f / q : 0;
    sum += f;
  }
  return square * POINTS / (sum * sum) - 1;
}

/* The smallest variance over a triangle of shares above the floors */
static double least_variance(const struct line *l, const double *floor, double *share)
{
  double best = HUGE_VAL, left = 1;
  for (int c = 0; c < CHANNELS; c++) left -= floor[c];
  for (int a = 0; a <= SIDE; a++)
    for (int b = 0; a + b <= SIDE; b++) {
      double here[CHANNELS], part[] = {left * a / SIDE, left * b / SIDE, 0};
      part[2] = left - part[0] - part[1];
      set(here, part);
      for (int c = 0; c < CHANNELS; c++) here[c] += floor[c];
      double value = variance(l, here);
      if (!(value < best)) continue;
      best = value;
      memcpy(share, here, sizeof here);
    }
  return best;
}

static void check_sum(const double *share, const double *floor)
{
  double sum = 0;
  for (int c = 0; c < CHANNELS; c++) {
    ck_assert_double_ge(share[c], floor[c] - 1e-15);
    sum += share[c];
  }
  ck_assert_double_eq_tol(sum, 1, 1e-12);
}

static const double none[CHANNELS] = {0}, usual[USED] = {0.3, 0.4, 0.3};

/* ---- the minimum --------------------------------------------------------------------------- */

struct fit {
  function *target, *flow, *peaks;
  double start[USED];
};

/* A channel that starts without share stays without. */
static const struct fit fits[] = {
    {all_three, ramp, bell, {0.3, 0.4, 0.3}},     {all_three, ramp, bell, {0.98, 0.01, 0.01}},
    {half_and_half, ramp, bell, {0.1, 0.8, 0.1}}, {wave, ramp, bell, {0.3, 0.4, 0.3}},
    {wave, ramp, fall, {0.3, 0.4, 0.3}},          {bell, ramp, fall, {0.3, 0.4, 0.3}},
    {step, fall, bell, {0.3, 0.3, 0.4}},          {ramp, fall, bell, {0.3, 0.3, 0.4}},
    {half_and_half, bell, ramp, {0, 0.5, 0.5}},   {wave, fall, nowhere, {0.9, 0.1, 0}},
};

static void check_fit(const struct fit *f, const double *floor, double tolerance, const char *what)
{
  struct line l;
  struct share_points p = make(&l, f->target, f->flow, f->peaks);
  double share[CHANNELS], best_share[CHANNELS] = {0};
  set(share, f->start);
  nis_shares_fit(&p, floor, share);
  double best = least_variance(&l, floor, best_share), here = variance(&l, share);
  check_sum(share, floor);
  ck_assert_msg(here < best * (1 + tolerance) + 1e-3,
                "%s %d: %g with %.3f of the flow, but %g with %.3f", what, (int)(f - fits), here,
                share[CHANNEL_FLOW], best, best_share[CHANNEL_FLOW]);
}

START_TEST(the_variance_is_least)
{
  for (size_t i = 0; i < LENGTH(fits); i++) check_fit(&fits[i], none, 0.001, "fit");
}
END_TEST

START_TEST(floors_are_kept)
{
  static const double floors[][USED] = {{0.25, 0.35, 0.1}, {0.1, 0, 0}, {0.4, 0.4, 0.2}};
  for (size_t i = 0; i < LENGTH(fits) - 1; i++)
    for (size_t k = 0; k < LENGTH(floors); k++) {
      double floor[CHANNELS];
      set(floor, floors[k]);
      check_fit(&fits[i], floor, 0.02, "floors");
    }
}
END_TEST

/* What the target is made of, when the start has all of it */
START_TEST(shares_are_those_of_the_target)
{
  static const double expected[] = {0.2, 0.5, 0.3};
  struct line l;
  struct share_points p = make(&l, all_three, ramp, bell);
  double share[CHANNELS];
  set(share, usual);
  nis_shares_fit(&p, none, share);
  for (int k = 0; k < USED; k++) ck_assert_double_eq_tol(share[used[k]], expected[k], 0.01);
}
END_TEST

/* The same points in other densities: twice as many on the right half */
START_TEST(the_density_of_the_points_does_not_matter)
{
  struct line l;
  struct share_points p = make(&l, wave, ramp, bell);
  double even[CHANNELS], uneven[CHANNELS];
  set(even, usual), set(uneven, usual);
  nis_shares_fit(&p, none, even);
  for (size_t i = 0; i < POINTS; i++) {
    double u = at(i), x = u < 1. / 3 ? 1.5 * u : 0.5 + 0.75 * (u - 1. / 3);
    l.log_p[i] = log(x < 0.5 ? 2. / 3 : 4. / 3);
    l.log_target[i] = log(wave(x));
    for (size_t c = 0; c < CHANNELS; c++) l.log_channel[i * CHANNELS + c] = log(l.channel[c](x));
  }
  nis_shares_fit(&p, none, uneven);
  for (int c = 0; c < CHANNELS; c++) ck_assert_double_eq_tol(uneven[c], even[c], 0.002);
}
END_TEST

/* ---- against the naive way ----------------------------------------------------------------- */

/* A step of Kleiss and Pittau with all its exponentials, point by point: pulls are means of
 * (w^2 - 1) g/p + 1, of which 1 is known. */
static void naive_step(const struct share_points *p, double z, const double *floor, double *share)
{
  double pull[CHANNELS] = {0}, sum = 0, left = 1, above = 0;
  for (size_t i = 0; i < p->n; i++) {
    double q = 0, g[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) {
      g[c] = exp(p->log_channel[i * CHANNELS + (size_t)c] - p->log_p[i]);
      q += share[c] * g[c];
    }
    double w = q > 0 ? exp(p->log_target[i] - p->log_p[i]) / z / q : 1;
    for (int c = 0; c < CHANNELS; c++) pull[c] += (w * w - 1) * g[c] / (double)p->n;
  }
  for (int c = 0; c < CHANNELS; c++) sum += share[c] * sqrt(fmax(1 + pull[c], 0));
  for (int c = 0; c < CHANNELS; c++) share[c] *= sqrt(fmax(1 + pull[c], 0)) / sum;
  for (int c = 0; c < CHANNELS; c++) {
    left -= floor[c];
    above += share[c] = fmax(share[c] - floor[c], 0);
  }
  for (int c = 0; c < CHANNELS; c++) share[c] = floor[c] + left * share[c] / above;
}

/* At numbers of points that fill no block, and after as many steps as a fit takes */
START_TEST(fits_are_the_naive_steps)
{
  static const double floors[][USED] = {{0, 0, 0}, {0.25, 0.35, 0.1}};
  static const size_t n[] = {POINTS, 77};
  for (size_t k = 0; k < LENGTH(floors) * LENGTH(n); k++) {
    struct line l;
    struct share_points p = make(&l, fits[_i].target, fits[_i].flow, fits[_i].peaks);
    double share[CHANNELS], naive[CHANNELS], floor[CHANNELS], z = 0;
    set(share, fits[_i].start), set(naive, fits[_i].start), set(floor, floors[k % 2]);
    p.n = n[k / 2];
    for (size_t i = 0; i < POINTS; i++) l.log_target[i] -= 300;
    for (size_t i = 0; i < p.n; i++) z += exp(p.log_target[i] - p.log_p[i]) / (double)p.n;
    nis_shares_fit(&p, floor, share);
    for (int step = 0; z > 0 && step < 200; step++) naive_step(&p, z, floor, naive);
    for (int c = 0; c < CHANNELS; c++)
      ck_assert_msg(fabs(share[c] - naive[c]) < 1e-10, "fit %d, channel %d: %.17g, not %.17g", _i,
                    c, share[c], naive[c]);
  }
}
END_TEST

START_TEST(the_relative_variance_is_the_naive_one)
{
  for (size_t i = 0; i < LENGTH(fits); i++) {
    struct line l;
    struct share_points p = make(&l, fits[i].target, fits[i].flow, fits[i].peaks);
    double share[CHANNELS], norm = 0;
    set(share, fits[i].start);
    double here = nis_shares_variance(&p, share), naive = variance(&l, share);
    if (isinf(naive)) {
      ck_assert(isinf(here));
      continue;
    }
    /* w has the mean that the points give q, not 1 */
    for (size_t k = 0; k < POINTS; k++) {
      double q = 0;
      for (size_t c = 0; c < CHANNELS; c++) q += share[c] * l.density[k][c];
      norm += q / POINTS;
    }
    ck_assert_double_eq_tol(here, (naive + 1) * norm - 1, 1e-9 * (1 + naive));
  }
}
END_TEST

/* ---- one alone ------------------------------------------------------------------------------- */

static void choose(function *target, function *flow, function *peaks, double *share)
{
  struct line l;
  struct share_points p = make(&l, target, flow, peaks);
  set(share, usual);
  nis_shares_choose(&p, share, 1);
  check_sum(share, none);
}

static void check_alone(const double *share, int channel, double tolerance)
{
  for (int c = 0; c < CHANNELS; c++) ck_assert_double_eq_tol(share[c], c == channel, tolerance);
}

START_TEST(a_channel_that_is_the_target_is_alone)
{
  double share[CHANNELS];
  choose(ramp, ramp, bell, share);
  check_alone(share, CHANNEL_FLOW, 1e-5);
  choose(bell, ramp, bell, share);
  check_alone(share, CHANNEL_PEAKS, 1e-5);
  choose(flat, ramp, bell, share);
  check_alone(share, CHANNEL_UNIFORM, 1e-5);
}
END_TEST

/* Nearly the target: alone but for a few uniform points, as far as the weights spread */
START_TEST(a_channel_that_is_nearly_the_target_is_alone)
{
  double share[CHANNELS];
  choose(nearly_a_ramp, ramp, bell, share);
  check_alone(share, CHANNEL_FLOW, 1e-3);
  ck_assert_double_eq(share[CHANNEL_PEAKS], 0);
  ck_assert_double_gt(share[CHANNEL_UNIFORM], 1e-5);
}
END_TEST

START_TEST(a_mixture_that_gains_is_kept)
{
  double share[CHANNELS];
  choose(half_and_half, ramp, bell, share);
  ck_assert_double_eq_tol(share[CHANNEL_FLOW], 0.5, 0.02);
  ck_assert_double_eq_tol(share[CHANNEL_PEAKS], 0.5, 0.02);
}
END_TEST

/* Two steps, far from what ramps and bells can do together */
static double two_steps(double x)
{
  return x < 0.05 ? 10 : x > 0.35 && x < 0.4 ? 10 : 0;
}

/* Uniform points are a twentieth, or less as far as the variance is below 1. */
static void check_defence(function *target, function *flow, function *peaks, double low,
                          double high)
{
  double share[CHANNELS], fitted[CHANNELS];
  struct line l;
  struct share_points p = make(&l, target, flow, peaks);
  set(fitted, usual);
  choose(target, flow, peaks, share);
  nis_shares_fit(&p, none, fitted);
  double spread = variance(&l, fitted), uniform = 0.05 * fmin(spread, 1);
  ck_assert(spread > low && spread < high);
  for (int c = 0; c < CHANNELS; c++)
    ck_assert_double_eq_tol(share[c], (1 - uniform) * fitted[c] + uniform * (c == CHANNEL_UNIFORM),
                            1e-4);
}

START_TEST(spread_weights_keep_uniform_points)
{
  check_defence(two_steps, fall, bell, 1.5, 20);
  check_defence(nearly_half_and_half, ramp, bell, 0.05, 0.5);
}
END_TEST

/* ---- nothing to go by ------------------------------------------------------------------------ */

START_TEST(a_target_of_zero_leaves_the_shares)
{
  struct line l;
  struct share_points p = make(&l, nowhere, ramp, bell);
  double start[CHANNELS], share[CHANNELS];
  set(start, (double[]){0.25, 0.65, 0.1});
  memcpy(share, start, sizeof share);
  nis_shares_fit(&p, none, share);
  ck_assert(memcmp(share, start, sizeof share) == 0);
  nis_shares_choose(&p, share, 1);
  ck_assert(memcmp(share, start, sizeof share) == 0);
}
END_TEST

/* Few points, one of them with all the weight, and channels that see none of it */
START_TEST(few_points_leave_numbers)
{
  for (size_t n = 1; n <= 8; n++)
    for (int zeros = 0; zeros < 2; zeros++) {
      struct line l;
      struct share_points p = make(&l, bell, ramp, bell);
      double share[CHANNELS];
      set(share, usual);
      p.n = n;
      for (size_t i = (size_t)zeros; i < n; i++) l.log_target[i] = i == n / 2 ? 0 : -HUGE_VAL;
      for (size_t i = 0; i < n; i++) l.log_channel[i * CHANNELS + CHANNEL_PEAKS] = -HUGE_VAL;
      nis_shares_fit(&p, none, share);
      check_sum(share, none);
      nis_shares_choose(&p, share, 1);
      check_sum(share, none);
    }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("shares");
  TCase *tests = tcase_create("shares");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, the_variance_is_least);
  tcase_add_test(tests, floors_are_kept);
  tcase_add_test(tests, shares_are_those_of_the_target);
  tcase_add_test(tests, the_density_of_the_points_does_not_matter);
  tcase_add_loop_test(tests, fits_are_the_naive_steps, 0, LENGTH(fits));
  tcase_add_test(tests, the_relative_variance_is_the_naive_one);
  tcase_add_test(tests, a_channel_that_is_the_target_is_alone);
  tcase_add_test(tests, a_channel_that_is_nearly_the_target_is_alone);
  tcase_add_test(tests, a_mixture_that_gains_is_kept);
  tcase_add_test(tests, spread_weights_keep_uniform_points);
  tcase_add_test(tests, a_target_of_zero_leaves_the_shares);
  tcase_add_test(tests, few_points_leave_numbers);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
