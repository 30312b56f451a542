/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running totals of weights against naive sums in long double and against sorting. */
#include "estimation/tally.h"
#include "suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* ---- helpers --------------------------------------------------------------------- */

static uint64_t noise_state = 1;

/* in (0, 1) */
static double noise(void)
{
  noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
  return ((double)(noise_state >> 12) + 0.5) * 0x1p-52;
}

/* about normal: twelve uniforms */
static double bell(void)
{
  double sum = -6;
  for (int i = 0; i < 12; i++) sum += noise();
  return sum;
}

enum { MOST = 20000 };

static double weight[MOST], sorted[MOST]; /* sorted: |w|, largest first */

static double flat(void)
{
  return noise();
}

static double log_normal(void)
{
  return exp(bell());
}

static double signed_with_zeros(void)
{
  return noise() < 0.3 ? 0 : bell();
}

static double two_values(void)
{
  return noise() < 0.9 ? 1 : 3;
}

static double forty_decades(void)
{
  return pow(10, 40 * noise() - 20);
}

typedef double distribution(void);
static distribution *const distributions[] = {flat, log_normal, signed_with_zeros, two_values,
                                              forty_decades};

static int by_size(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

static struct tally fill(size_t n, distribution *draw)
{
  struct tally t;
  ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
  for (size_t i = 0; i < n; i++) {
    weight[i] = draw();
    sorted[i] = fabs(weight[i]);
    nis_tally_add(&t, weight[i]);
  }
  nis_tally_end_iteration(&t);
  qsort(sorted, n, sizeof *sorted, by_size);
  return t;
}

static long double naive_mean(size_t n, const double *w)
{
  long double sum = 0;
  for (size_t i = 0; i < n; i++) sum += w[i];
  return sum / (long double)n;
}

static long double naive_squares(size_t n, const double *w)
{
  long double mean = naive_mean(n, w), sum = 0;
  for (size_t i = 0; i < n; i++) sum += (w[i] - mean) * (w[i] - mean);
  return sum;
}

static double naive_error(size_t n, const double *w)
{
  return (double)sqrtl(naive_squares(n, w) / ((long double)n * ((long double)n - 1)));
}

static void check_relative(double value, double expected, double tolerance, const char *what)
{
  require(fabs(value - expected) <= tolerance * fabs(expected), "%s: %.17g is not %.17g", what,
          value, expected);
}

/* The histogram's answer: its bins are 1/64 of an octave, and it rounds up. */
static void check_rounded_up(double value, double exact, const char *what)
{
  require(value >= exact * (1 - 1e-12) && value <= exact * (1 + 1. / 64) * (1 + 1e-12),
          "%s: %.17g is not %.17g rounded up to a bin", what, value, exact);
}

/* ---- moments --------------------------------------------------------------------- */

static struct moments moments_of(size_t n, const double *w)
{
  struct moments m = {0};
  for (size_t i = 0; i < n; i++) nis_moments_add(&m, w[i]);
  return m;
}

/* A mean far from zero is where sums of squares would lose all digits. */
static void fill_far_from_zero(size_t n, double offset)
{
  for (size_t i = 0; i < n; i++) weight[i] = offset + noise();
}

START_TEST(moments_are_naive_sums)
{
  static const double offset[] = {0, -3, 1e9, -1e12};
  for (size_t i = 0; i < LENGTH(offset); i++) {
    fill_far_from_zero(5000, offset[i]);
    struct moments m = moments_of(5000, weight);
    double tolerance = 1e-12 + 1e-15 * fabs(offset[i]);
    ck_assert_uint_eq(m.n, 5000);
    ck_assert_double_eq_tol(m.mean, (double)naive_mean(5000, weight),
                            1e-14 * (1 + fabs(offset[i])));
    check_relative(m.squares, (double)naive_squares(5000, weight), tolerance, "squares");
    check_relative(nis_moments_error(&m), naive_error(5000, weight), tolerance, "error");
    check_relative(nis_moments_spread(&m), naive_error(5000, weight) * sqrt(5000) / fabs(m.mean),
                   tolerance, "spread");
  }
}
END_TEST

START_TEST(moments_of_few_weights)
{
  const double pair[] = {1, 4};
  struct moments none = {0}, one = moments_of(1, pair), two = moments_of(2, pair);
  ck_assert_double_eq(nis_moments_error(&none), 0);
  ck_assert_double_eq(nis_moments_spread(&none), 0);
  ck_assert_double_eq(one.mean, 1);
  ck_assert_double_eq(nis_moments_error(&one), 0);
  ck_assert_double_eq(two.mean, 2.5);
  check_relative(nis_moments_error(&two), 1.5, 1e-15, "error");
}
END_TEST

START_TEST(merged_moments_are_those_of_all)
{
  static const size_t cut[] = {0, 1, 100, 4999, 5000};
  fill_far_from_zero(5000, 1e6);
  for (size_t i = 0; i < LENGTH(cut); i++) {
    struct moments a = moments_of(cut[i], weight);
    struct moments b = moments_of(5000 - cut[i], weight + cut[i]);
    nis_moments_merge(&a, &b);
    ck_assert_uint_eq(a.n, 5000);
    check_relative(a.mean, (double)naive_mean(5000, weight), 1e-14, "mean");
    check_relative(a.squares, (double)naive_squares(5000, weight), 1e-9, "squares");
  }
}
END_TEST

/* ---- iterations ------------------------------------------------------------------ */

static const size_t iteration[] = {100, 2, 700, 64, 1, 1500};

/* sum n_i (mean_i - mean)^2 over the variance inside the iterations, of those that have an error */
static double naive_chi2(void)
{
  double sum = 0, n = 0, between = 0, within = 0, free = 0;
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0, first = 0; i < LENGTH(iteration); first += iteration[i++]) {
      double size = (double)iteration[i], mean = (double)naive_mean(iteration[i], weight + first);
      if (iteration[i] < 2) continue;
      if (pass == 0) sum += size * mean, n += size;
      if (pass == 0) within += (double)naive_squares(iteration[i], weight + first);
      if (pass == 0) free += size - 1;
      if (pass == 1) between += size * (mean - sum / n) * (mean - sum / n);
    }
  return between / (within / free);
}

static void check_iterations(double offset)
{
  struct tally t;
  nis_result r = {0};
  size_t n = 0;
  ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
  for (size_t i = 0; i < LENGTH(iteration); i++) {
    for (size_t k = 0; k < iteration[i]; k++) nis_tally_add(&t, weight[n++] = offset + bell());
    nis_tally_end_iteration(&t);
  }
  nis_tally_result(&t, &r);
  check_relative(r.value, (double)naive_mean(n, weight), 1e-14, "value");
  check_relative(r.error, naive_error(n, weight), 1e-9, "error");
  check_relative(r.chi2, naive_chi2(), 1e-7, "chi2");
  ck_assert_int_eq(r.dof, LENGTH(iteration) - 2); /* one iteration had no error */
  nis_tally_clear(&t);
}

START_TEST(chi2_is_the_naive_sum)
{
  check_iterations(0);
  check_iterations(-3);
  check_iterations(1e6);
}
END_TEST

/* One weight may be larger than all that came before by any factor. */
START_TEST(chi2_with_a_weight_out_of_the_blue)
{
  struct tally t;
  nis_result r = {0};
  double mean[3], between = 0, within = 0;
  ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
  for (size_t i = 0; i < 3; i++) {
    for (size_t k = 0; k < 100; k++) {
      weight[k] = i == 2 && k == 50 ? 1e25 : 1 + noise();
      nis_tally_add(&t, weight[k]);
    }
    nis_tally_end_iteration(&t);
    mean[i] = (double)naive_mean(100, weight), within += (double)naive_squares(100, weight);
  }
  nis_tally_result(&t, &r);
  check_relative(r.value, (mean[0] + mean[1] + mean[2]) / 3, 1e-14, "value");
  for (int i = 0; i < 3; i++) between += 100 * (mean[i] - r.value) * (mean[i] - r.value);
  check_relative(r.chi2, between / (within / 297), 1e-9, "chi2");
  nis_tally_clear(&t);
}
END_TEST

/* Two iterations of constants that differ have no errors to speak of. */
START_TEST(iterations_without_error_do_not_count)
{
  struct tally t;
  nis_result r = {0};
  ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
  for (int i = 0; i < 20; i++) {
    nis_tally_add(&t, 5);
    if (i % 10 == 9) nis_tally_end_iteration(&t);
  }
  nis_tally_end_iteration(&t); /* an empty one */
  nis_tally_result(&t, &r);
  ck_assert_double_eq(r.value, 5);
  ck_assert_double_eq(r.error, 0);
  ck_assert_double_eq(r.chi2, 0);
  ck_assert_int_eq(r.dof, 0);
  nis_tally_clear(&t);
}
END_TEST

/* ---- p-values -------------------------------------------------------------------- */

/* Of 16 iterations of n values each, those of one off by `off`: in how many of 1000 runs is p below
 * `level`? */
static int alarms(size_t n, distribution *draw, double off, double level)
{
  int count = 0;
  for (int run = 0; run < 1000; run++) {
    struct tally t;
    nis_result r = {0};
    ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
    for (int i = 0; i < 16; i++) {
      for (size_t k = 0; k < n; k++) nis_tally_add(&t, draw() + (i == 5 ? off : 0));
      nis_tally_end_iteration(&t);
    }
    nis_tally_result(&t, &r);
    nis_tally_clear(&t);
    count += r.p_value < level;
  }
  return count;
}

/* 100 +- 9.5 of 1000 below 0.1 */
START_TEST(p_values_are_probabilities)
{
  check_between(alarms(4, bell, 0, 0.1), 66, 134, "4 normal values each");
  check_between(alarms(40, bell, 0, 0.1), 66, 134, "40 normal values each");
  check_between(alarms(100, log_normal, 0, 0.01), 0, 25, "skew values");
}
END_TEST

START_TEST(p_values_see_what_is_off)
{
  ck_assert_int_gt(alarms(40, bell, 1.5, 1e-4), 950);
}
END_TEST

/* ---- the histogram ---------------------------------------------------------------- */

static double naive_excess(size_t n, double w_max)
{
  long double sum = 0;
  for (size_t i = 0; i < n && sorted[i] > w_max; i++) sum += sorted[i] - w_max;
  return (double)sum;
}

/* Where the excess is exactly eps sum|w|: between sorted[i + 1] and sorted[i]. */
static double naive_w_max(size_t n, double eps)
{
  long double total = 0, sum = 0;
  for (size_t i = 0; i < n; i++) total += sorted[i];
  for (size_t i = 0; i < n; i++) {
    sum += sorted[i];
    double w = (double)((sum - eps * total) / (long double)(i + 1));
    if (i + 1 == n || w >= sorted[i + 1]) return w;
  }
  return NAN;
}

START_TEST(w_max_is_that_of_sorting)
{
  static const double eps[] = {1e-6, 1e-3, 0.01, 0.1, 0.5};
  for (size_t d = 0; d < LENGTH(distributions); d++) {
    struct tally t = fill(MOST, distributions[d]);
    for (size_t i = 0; i < LENGTH(eps); i++) {
      double w_max = nis_weights_tail(&t.weights, eps[i]);
      check_rounded_up(w_max, naive_w_max(MOST, eps[i]), "w_max");
      require(naive_excess(MOST, w_max) <= eps[i] * t.weights.absolute * (1 + 1e-9), "excess");
    }
    nis_tally_clear(&t);
  }
}
END_TEST

START_TEST(kth_largest_is_that_of_sorting)
{
  static const size_t k[] = {1, 2, 35, 1000, MOST / 2};
  for (size_t d = 0; d < LENGTH(distributions); d++) {
    struct tally t = fill(MOST, distributions[d]);
    for (size_t i = 0; i < LENGTH(k); i++)
      check_rounded_up(nis_weights_largest(&t.weights, k[i]), sorted[k[i] - 1], "k-th largest");
    ck_assert_double_eq(nis_weights_largest(&t.weights, 1), sorted[0]);
    nis_tally_clear(&t);
  }
}
END_TEST

START_TEST(capped_mean_is_the_naive_mean)
{
  for (size_t d = 0; d < LENGTH(distributions); d++) {
    struct tally t = fill(MOST, distributions[d]);
    double w_max = nis_weights_tail(&t.weights, 0.05);
    long double sum = 0;
    for (size_t i = 0; i < MOST; i++) sum += fmin(sorted[i], w_max);
    check_relative(nis_weights_capped_mean(&t.weights, w_max), (double)sum / MOST, 1e-11,
                   "capped mean");
    check_relative(nis_weights_capped_mean(&t.weights, t.weights.largest),
                   t.weights.absolute / MOST, 1e-12, "mean |w|");
    nis_tally_clear(&t);
  }
}
END_TEST

/* ---- the result ------------------------------------------------------------------ */

static double naive_ess(size_t n)
{
  long double sum = 0, square = 0;
  for (size_t i = 0; i < n; i++) {
    sum += weight[i];
    square += (long double)weight[i] * weight[i];
  }
  return (double)(sum * sum / square);
}

/* Number from below of the smallest weight that the maximum of n/50 draws with replacement, and of
 * at least one, stays under half of the time: (j/n)^(n/50) >= 1/2. */
static size_t naive_median_rank(size_t n)
{
  size_t j = 1;
  while (pow((double)j / (double)n, fmax((double)n / 50, 1)) < 0.5) j++;
  return j;
}

static void check_result(size_t n, distribution *draw)
{
  struct tally t = fill(n, draw);
  nis_result r = {0};
  uint64_t zeros = 0;
  long double absolute = 0;
  nis_tally_result(&t, &r);
  for (size_t i = 0; i < n; i++) zeros += weight[i] == 0, absolute += sorted[i];
  double mean = (double)absolute / (double)n;
  check_relative(r.value, (double)naive_mean(n, weight), 1e-12, "value");
  check_relative(r.error, naive_error(n, weight), 1e-11, "error");
  check_relative(r.ess, naive_ess(n), 1e-10, "ess");
  check_relative(r.efficiency_max, mean / sorted[0], 1e-12, "efficiency_max");
  check_relative(r.max_weight, sorted[0] / fabs(r.value), 1e-12, "max_weight");
  check_rounded_up(mean / r.efficiency, naive_w_max(n, 1e-3), "w_max of efficiency");
  size_t rank = naive_median_rank(n - zeros); /* of those that are not 0 */
  check_rounded_up(mean / r.efficiency_median, fmax(sorted[n - zeros - rank], mean),
                   "w_max of efficiency_median");
  ck_assert_uint_eq(r.zero_calls, zeros);
  nis_tally_clear(&t);
}

START_TEST(result_is_that_of_naive_sums)
{
  static const size_t n[] = {100, 1000, 5001, MOST};
  for (size_t d = 0; d < LENGTH(distributions); d++)
    for (size_t i = 0; i < LENGTH(n); i++) check_result(n[i], distributions[d]);
}
END_TEST

/* i-flow's definition, by drawing. */
START_TEST(median_efficiency_is_the_bootstrap)
{
  enum { SAMPLES = 2001 };
  static double maxima[SAMPLES];
  struct tally t = fill(MOST, log_normal);
  nis_result r = {0};
  nis_tally_result(&t, &r);
  for (int s = 0; s < SAMPLES; s++) {
    maxima[s] = 0;
    for (int i = 0; i < MOST / 50; i++)
      maxima[s] = fmax(maxima[s], weight[(size_t)(noise() * MOST)]);
  }
  qsort(maxima, SAMPLES, sizeof *maxima, by_size);
  double mean = t.weights.absolute / MOST;
  check_relative(mean / r.efficiency_median, maxima[SAMPLES / 2], 0.05, "median maximum");
  nis_tally_clear(&t);
}
END_TEST

/* The rank may ask for more weights than there are that are not zero. */
START_TEST(efficiencies_of_few_weights_are_shares)
{
  for (size_t n = 1; n <= 120; n++)
    for (size_t nonzero = 1; nonzero <= n; nonzero += 1 + n / 5) {
      struct tally t;
      nis_result r = {0};
      ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
      for (size_t i = 0; i < n; i++) nis_tally_add(&t, i < nonzero ? 1 : 0);
      nis_tally_end_iteration(&t);
      nis_tally_result(&t, &r);
      require(r.efficiency > 0 && r.efficiency <= 1, "efficiency %g", r.efficiency);
      require(r.efficiency_max > 0 && r.efficiency_max <= 1, "efficiency_max");
      require(r.efficiency_median > 0 && r.efficiency_median <= 1,
              "efficiency_median %g of %zu weights, %zu of them not 0", r.efficiency_median, n,
              nonzero);
      nis_tally_clear(&t);
    }
}
END_TEST

START_TEST(all_zero_and_none)
{
  struct tally t;
  nis_result r = {0};
  ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
  nis_tally_end_iteration(&t);
  nis_tally_result(&t, &r);
  ck_assert(isnan(r.value) && isinf(r.error) && isnan(r.ess) && isnan(r.efficiency));
  for (int i = 0; i < 100; i++) nis_tally_add(&t, 0);
  nis_tally_end_iteration(&t);
  nis_tally_result(&t, &r);
  ck_assert_double_eq(r.value, 0);
  ck_assert_double_eq(r.error, 0);
  ck_assert_double_eq(r.ess, 0);
  ck_assert_double_eq(r.efficiency, 0);
  ck_assert_uint_eq(r.zero_calls, 100);
  nis_tally_clear(&t);
}
END_TEST

START_TEST(reset_forgets_everything)
{
  struct tally t = fill(1000, log_normal);
  nis_result r = {0}, fresh = {0};
  nis_tally_reset(&t);
  for (int i = 0; i < 100; i++) nis_tally_add(&t, 1 + i % 2);
  nis_tally_end_iteration(&t);
  nis_tally_result(&t, &r);
  struct tally other;
  ck_assert_int_eq(nis_tally_init(&other), NIS_OK);
  for (int i = 0; i < 100; i++) nis_tally_add(&other, 1 + i % 2);
  nis_tally_end_iteration(&other);
  nis_tally_result(&other, &fresh);
  ck_assert(memcmp(&r, &fresh, sizeof r) == 0);
  nis_tally_clear(&t), nis_tally_clear(&other);
}
END_TEST

/* ---- nets --------------------------------------------------------------------------- */

/* Bell-shaped means of nets: their variance falls as n^-power. */
static void add_nets(struct tally *t, int nets, uint64_t n, double power)
{
  for (int i = 0; i < nets; i++) {
    t->iteration = (struct moments){.n = n, .mean = bell() * pow((double)n, -power / 2)};
    t->iteration.squares = (double)n;
    nis_tally_end_replicate(t);
  }
}

/* Weight k of net i; with the later ones the unit changes. */
static double weight_of(int i, int k)
{
  return (1.5 + sin(7 * i + 3 * k)) * (k > 20 ? 0x1p80 : 1);
}

/* Nets that have grown, looked at now and then, are those that came whole. */
START_TEST(nets_that_grew_are_whole)
{
  enum { NETS = 20, POINTS = 32 };
  struct tally whole, grown;
  nis_tally_init(&whole), nis_tally_init(&grown);
  for (int i = 0; i < NETS; i++) {
    for (int k = 0; k < POINTS; k++) nis_tally_add(&whole, weight_of(i, k));
    nis_tally_end_replicate(&whole);
  }
  for (int from = 0, to = 4; to <= POINTS; from = to, to *= 2) {
    for (int i = 0; i < NETS; i++) {
      for (int k = from; k < to; k++) nis_tally_add(&grown, weight_of(i, k));
      nis_tally_grow(&grown, i);
    }
    nis_tally_look(&grown, 1);
  }
  struct estimate a = nis_tally_estimate(&whole), b = nis_tally_estimate(&grown);
  check_between(b.value / a.value, 1 - 1e-12, 1 + 1e-12, "value");
  check_between(b.error / a.error, 1 - 1e-12, 1 + 1e-12, "error");
  grown.widening = 1.06;
  check_between(nis_tally_estimate(&grown).error / a.error, 1.06 - 1e-12, 1.06 + 1e-12, "error");
  nis_result r = {0}, s = {0};
  nis_tally_result(&whole, &r), nis_tally_result(&grown, &s);
  check_between(s.chi2 / r.chi2, 1 - 1e-9, 1 + 1e-9, "chi2");
  ck_assert_int_eq(r.dof, s.dof);
  nis_tally_clear(&whole), nis_tally_clear(&grown);
}
END_TEST

/* Share of the intervals value +- error that hold the exact value, 0 */
static double net_coverage(const int nets[2], const uint64_t size[2], double power)
{
  enum { REPEATS = 20000 };
  int held = 0;
  for (int i = 0; i < REPEATS; i++) {
    struct tally t = {.unit = 1};
    for (int k = 0; k < 2; k++) add_nets(&t, nets[k], size[k], power);
    struct estimate e = nis_tally_estimate(&t);
    held += fabs(e.value) <= e.error;
    nis_tally_clear(&t);
  }
  return (double)held / REPEATS;
}

/* 20,000 intervals tell 68.3 % to 1.1 %, at a false alarm in a thousand. Where the small nets, of
 * which there are as many, rule the error it is a little large. */
START_TEST(nets_of_different_sizes_cover)
{
  static const struct {
    int nets[2];
    uint64_t size[2];
    double power, most;
  } cases[] = {{{16, 0}, {1024, 0}, 3, 0.694},   {{16, 16}, {4096, 16}, 1, 0.694},
               {{16, 16}, {16, 4096}, 1, 0.694}, {{4, 60}, {4096, 16}, 1, 0.694},
               {{16, 16}, {4096, 16}, 3, 0.73},  {{16, 31}, {1024, 512}, 2, 0.71}};
  double share = net_coverage(cases[_i].nets, cases[_i].size, cases[_i].power);
  check_between(share, 0.672, cases[_i].most, "coverage");
}
END_TEST

/* As by Welch and Satterthwaite: what the small nets add is next to nothing, and no degree of
 * freedom */
START_TEST(small_nets_add_no_degrees_of_freedom)
{
  struct tally large = {.unit = 1}, both = {.unit = 1};
  add_nets(&large, 16, 1 << 20, 1);
  both = large;
  both.ended = NULL, both.nended = both.room = 0; /* its own */
  add_nets(&both, 31, 64, 1);
  check_relative(nis_tally_factor(&both), nis_tally_factor(&large), 1e-4, "Student's t");
  check_relative(nis_tally_estimate(&both).error, nis_tally_estimate(&large).error, 0.01, "error");
  nis_tally_clear(&large), nis_tally_clear(&both);
}
END_TEST

/* ---- extreme weights --------------------------------------------------------------- */

static double six_hundred_decades(void)
{
  return pow(10, 600 * noise() - 300);
}

START_TEST(extreme_weights_find_their_bins)
{
  static const size_t k[] = {1, 10, 1000, 9000};
  struct tally t = fill(10000, six_hundred_decades);
  for (size_t i = 0; i < LENGTH(k); i++)
    check_rounded_up(nis_weights_largest(&t.weights, k[i]), sorted[k[i] - 1], "k-th largest");
  check_rounded_up(nis_weights_tail(&t.weights, 1e-3), naive_w_max(10000, 1e-3), "w_max");
  nis_tally_clear(&t);
}
END_TEST

/* Other units for f change no ratio: an error bar of 0 or Inf, where weights are as small as
 * 1e-200 or as large as 1e200, would be a lie. */
START_TEST(result_scales_with_the_weights)
{
  static const double unit[] = {1e-300, 1e-200, 1e-150, 1e-100, 1e100, 1e150, 1e200, 1e300};
  double error[1 + LENGTH(unit)];
  for (size_t i = 0; i <= LENGTH(unit); i++) {
    struct tally t;
    nis_result r = {0};
    double scale = i == 0 ? 1 : unit[i - 1];
    ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
    for (int k = 0; k < 1000; k++) {
      nis_tally_add(&t, scale * (1 + k % 7));
      if (k % 100 == 99) nis_tally_end_iteration(&t);
    }
    nis_tally_result(&t, &r);
    error[i] = r.error / scale;
    check_relative(error[i], error[0], 1e-9, "error in the unit of the weights");
    ck_assert_msg(r.ess > 700 && r.ess < 900, "ess = %g in units of %g", r.ess, scale);
    nis_tally_clear(&t);
  }
}
END_TEST

/* The first iteration missed a peak: chi2 is what tells. */
START_TEST(chi2_of_iterations_worlds_apart)
{
  static const double first[] = {1e-10, 1e-100, 1e-170, 1e-300};
  for (size_t i = 0; i < LENGTH(first); i++) {
    struct tally t;
    nis_result r = {0};
    ck_assert_int_eq(nis_tally_init(&t), NIS_OK);
    for (int k = 0; k < 200; k++) {
      nis_tally_add(&t, (k < 100 ? first[i] : 1) * (1 + k % 7));
      if (k % 100 == 99) nis_tally_end_iteration(&t);
    }
    nis_tally_result(&t, &r);
    ck_assert_double_eq_tol(r.value, 2, 0.2);
    ck_assert_int_eq(r.dof, 1);
    ck_assert_msg(r.chi2 > 100, "chi2 = %g where the first iteration saw %g", r.chi2, first[i]);
    nis_tally_clear(&t);
  }
}
END_TEST

/* ---- */

static TCase *make_case(const char *name)
{
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, 120); /* sanitizers, busy machines */
  return tcase;
}

int main(void)
{
  Suite *suite = suite_create("tally");
  TCase *sums = make_case("sums"), *histogram = make_case("histogram");
  TCase *result = make_case("result"), *nets = make_case("nets");
  tcase_add_test(sums, moments_are_naive_sums);
  tcase_add_test(sums, moments_of_few_weights);
  tcase_add_test(sums, merged_moments_are_those_of_all);
  tcase_add_test(sums, chi2_is_the_naive_sum);
  tcase_add_test(sums, p_values_are_probabilities);
  tcase_add_test(sums, p_values_see_what_is_off);
  tcase_add_test(sums, chi2_with_a_weight_out_of_the_blue);
  tcase_add_test(sums, iterations_without_error_do_not_count);
  tcase_add_test(histogram, w_max_is_that_of_sorting);
  tcase_add_test(histogram, kth_largest_is_that_of_sorting);
  tcase_add_test(histogram, capped_mean_is_the_naive_mean);
  tcase_add_test(histogram, extreme_weights_find_their_bins);
  tcase_add_test(result, result_is_that_of_naive_sums);
  tcase_add_test(result, median_efficiency_is_the_bootstrap);
  tcase_add_test(result, efficiencies_of_few_weights_are_shares);
  tcase_add_test(result, all_zero_and_none);
  tcase_add_test(result, reset_forgets_everything);
  tcase_add_test(result, result_scales_with_the_weights);
  tcase_add_test(result, chi2_of_iterations_worlds_apart);
  tcase_add_test(nets, nets_that_grew_are_whole);
  tcase_add_loop_test(nets, nets_of_different_sizes_cover, 0, 6);
  tcase_add_test(nets, small_nets_add_no_degrees_of_freedom);
  suite_add_tcase(suite, sums);
  suite_add_tcase(suite, nets);
  suite_add_tcase(suite, histogram);
  suite_add_tcase(suite, result);
  return run_suite(suite);
}
