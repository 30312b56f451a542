/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nets: the digits of the published sequence, one point in every elementary box, each point
 * uniform, and a variance that no integrand makes much larger than that of random points. */
#include "alarm.h"
#include "numerics/sobol.h"

#include "suite.h"

#include <gsl/gsl_qrng.h>
#include <math.h>
#include <stdlib.h>

static struct replicate scrambled(size_t dim, uint64_t number)
{
  struct replicate net;
  ck_assert_int_eq(nis_replicate_init(&net, dim), 0);
  nis_replicate_scramble(&net, nis_kernels(), 17, number);
  return net;
}

/* Coordinate j of the points 0 .. n-1 by the definition, a digit at a time, in Gray code's order as
 * others list them: x_n = x_{n-1} xor v_{lowest zero bit of n-1}. */
static void gray_points(const uint32_t *v, size_t n, uint32_t *x)
{
  x[0] = 0;
  for (size_t i = 1; i < n; i++) x[i] = x[i - 1] ^ v[__builtin_ctzll(~(unsigned long long)(i - 1))];
}

/* GSL's table is another for all but the first coordinates, but the sequence begins with the same
 * 1/2; 3/4, 1/4; 3/8, 7/8, 5/8, 1/8 in the first. */
START_TEST(first_coordinate_is_van_der_corput)
{
  struct replicate net;
  uint32_t x[64];
  double point[2];
  ck_assert_int_eq(nis_replicate_init(&net, 2), 0);
  gsl_qrng *q = gsl_qrng_alloc(gsl_qrng_sobol, 2);
  for (size_t j = 0; j < 2; j++) {
    gray_points(net.plain + j * SOBOL_BITS, 64, x);
    gsl_qrng_init(q);
    for (int i = 1; i < 64; i++) {
      gsl_qrng_get(q, point);
      ck_assert_double_eq(x[i] * 0x1p-32, point[j]);
    }
  }
  gsl_qrng_free(q);
  nis_replicate_clear(&net);
}
END_TEST

/* Joe and Kuo's m = 1; 1, 3; 1, 3, 1; 1, 1, 1 of the second to the fifth coordinate, continued by
 * hand: m_k = 2 a_1 m_{k-1} xor ... xor 2^d m_{k-d} xor m_{k-d}. */
START_TEST(direction_numbers_by_hand)
{
  struct replicate net;
  ck_assert_int_eq(nis_replicate_init(&net, 5), 0);
  const uint32_t m[5][4] = {{1, 1, 1, 1}, {1, 3, 5, 15}, {1, 3, 3, 9}, {1, 3, 1, 5}, {1, 1, 1, 11}};
  for (size_t j = 1; j < 5; j++)
    for (int k = 0; k < 4; k++)
      ck_assert_uint_eq(net.plain[j * SOBOL_BITS + (size_t)k] >> (31 - k) & 15, m[j][k]);
  nis_replicate_clear(&net);
}
END_TEST

static void all_points(const struct replicate *net, size_t coordinate, size_t n, double *u)
{
  for (size_t i = 0; i < n; i += LANES)
    nis_replicate_tile(net, nis_kernels(), coordinate, i, u + i);
}

/* Every coordinate alone: one of 2^m points in each of 2^m intervals; odd direction numbers. */
START_TEST(each_coordinate_is_stratified)
{
  enum { N = 1024 };
  static double u[N];
  for (uint64_t number = 0; number < 3; number++) {
    struct replicate net = scrambled(SOBOL_MOST_DIM, number);
    for (size_t j = 0; j < SOBOL_MOST_DIM; j++) {
      char hit[N] = {0};
      all_points(&net, j, N, u);
      for (int i = 0; i < N; i++) {
        require(u[i] > 0 && u[i] < 1, "point %d is %g", i, u[i]);
        hit[(int)(u[i] * N)]++;
      }
      for (int i = 0; i < N; i++)
        require(hit[i] == 1, "coordinate %zu, interval %d: %d", j, i, hit[i]);
    }
    nis_replicate_clear(&net);
  }
}
END_TEST

/* The first two coordinates are a (0, m, 2)-net: one point in every box of area 2^-m. */
START_TEST(every_elementary_box_has_a_point)
{
  enum { M = 10, N = 1 << M };
  static double a[N], b[N];
  struct replicate net = scrambled(2, 5);
  all_points(&net, 0, N, a);
  all_points(&net, 1, N, b);
  for (int k = 0; k <= M; k++) {
    char hit[N] = {0};
    for (int i = 0; i < N; i++)
      hit[((int)(a[i] * (1 << k)) << (M - k)) | (int)(b[i] * (1 << (M - k)))]++;
    for (int i = 0; i < N; i++) require(hit[i] == 1, "boxes 2^-%d by 2^-%d", k, M - k);
  }
  nis_replicate_clear(&net);
}
END_TEST

/* The digits that come before the nested scrambling, the first one lowest, from the definition */
static uint32_t plain_digits(const struct replicate *net, size_t j, uint64_t point)
{
  uint32_t bits = net->shift[j];
  for (int k = 0; k < SOBOL_BITS; k++)
    if (point >> k & 1) bits ^= net->v[j * SOBOL_BITS + (size_t)k];
  return bits;
}

/* The tiles at any place are those of one long run of single points, with every set of kernels. */
START_TEST(tiles_anywhere)
{
  struct replicate net = scrambled(7, 2);
  double u[LANES], expected[LANES];
  for (uint64_t first = 0; first < 1u << 31; first = 3 * first + 5 * LANES)
    for (size_t j = 0; j < 7; j++) {
      uint32_t digits[LANES];
      for (uint64_t l = 0; l < LANES; l++) digits[l] = plain_digits(&net, j, first + l);
      nis_kernels_available(0)->nested(digits, net.key + 2 * j, expected);
      for (int i = 0; nis_kernels_available(i); i++) {
        nis_replicate_tile(&net, nis_kernels_available(i), j, first, u);
        for (int l = 0; l < LANES; l++)
          require(u[l] == expected[l], "point %llu", (unsigned long long)first + (unsigned)l);
      }
    }
  nis_replicate_clear(&net);
}
END_TEST

/* Two numbers whose first digits agree up to the i-th keep them in agreement, and of these a digit
 * is flipped or not with equal chance: by the digit before it, too. */
START_TEST(digits_are_flipped_by_those_before_them)
{
  enum { KEYS = 2000, AGREE = 12 };
  int flipped = 0, by_the_last = 0;
  for (uint32_t k = 0; k < KEYS; k++) {
    uint32_t digits[LANES] = {0}, key[2] = {k * 2654435761u, 12345};
    double u[LANES];
    digits[0] = k * 40503u & ((1u << AGREE) - 1);
    digits[1] = digits[0] | 1u << AGREE;
    digits[2] = digits[0] ^ 1u << (AGREE - 1);
    nis_kernels()->nested(digits, key, u);
    uint64_t a = (uint64_t)(u[0] * (2 << AGREE)), b = (uint64_t)(u[1] * (2 << AGREE)),
             c = (uint64_t)(u[2] * (2 << AGREE));
    require((a ^ b) == 1, "key %u", k);
    require((a ^ c) >> 1 == 1, "key %u", k);
    flipped += (int)(a & 1);
    by_the_last += (int)((a ^ c) & 1);
  }
  require(abs(flipped - KEYS / 2) < alarm_errors(2) * sqrt(KEYS) / 2, "%d", flipped);
  require(abs(by_the_last - KEYS / 2) < alarm_errors(2) * sqrt(KEYS) / 2, "%d", by_the_last);
}
END_TEST

/* In one dimension the nested scrambling puts one point anywhere into each of n intervals: the mean
 * of 2x is 1 with the variance 1/(3 n^3), and normal. With the matrix alone it is that by a few
 * nets in a hundred, the others are right to a last bit. */
START_TEST(means_of_nets_are_normal)
{
  enum { N = 64, NETS_1D = 4000 };
  double square = 0, fourth = 0, unit = 1 / (3. * N * N * N);
  for (uint64_t number = 0; number < NETS_1D; number++) {
    struct replicate net = scrambled(1, number);
    double u[N], mean = 0;
    all_points(&net, 0, N, u);
    for (int i = 0; i < N; i++) mean += 2 * u[i] / N;
    square += (mean - 1) * (mean - 1) / unit / NETS_1D;
    fourth += pow((mean - 1) * (mean - 1) / unit, 2) / NETS_1D;
    nis_replicate_clear(&net);
  }
  require(fabs(square - 1) < alarm_errors(2) * sqrt(2. / NETS_1D), "variance %g", square);
  require(fabs(fourth - 3) < alarm_errors(2) * sqrt(96. / NETS_1D), "fourth moment %g", fourth);
}
END_TEST

/* ---- variance ----------------------------------------------------------------------------- */

enum { DIM = 6, POINTS = 256, NETS = 400 };

typedef double function(const double *x);

static double smooth(const double *x)
{
  double product = 1;
  for (int j = 0; j < DIM; j++) product *= 1 + 0.3 * (x[j] - 0.5);
  return product;
}

static double corner(const double *x)
{
  double sum = 0;
  for (int j = 0; j < DIM; j++) sum += x[j];
  return sum < 1.5 ? 1 : 0;
}

/* As fast as the digits themselves: what makes the plain sequence wrong by far */
static double digits(const double *x)
{
  int odd = 0;
  for (int j = 0; j < DIM; j++) odd += (int)(x[j] * 256) & 1;
  return odd % 2 ? 1 : -1;
}

static double spike(const double *x)
{
  double square = 0;
  for (int j = 0; j < DIM; j++) square += (x[j] - 0.3) * (x[j] - 0.3);
  return exp(-square / 0.02);
}

/* Mean and variance of the means over nets, and the variance of a mean over random points */
static void compare(function *f, double *mean, double *variance, double *random)
{
  static double u[DIM][POINTS];
  double sum = 0, square = 0, all = 0, all2 = 0;
  for (uint64_t number = 0; number < NETS; number++) {
    struct replicate net = scrambled(DIM, number);
    double total = 0;
    for (size_t j = 0; j < DIM; j++) all_points(&net, j, POINTS, u[j]);
    for (int i = 0; i < POINTS; i++) {
      double x[DIM], value;
      for (int j = 0; j < DIM; j++) x[j] = u[j][i];
      value = f(x), total += value, all += value, all2 += value * value;
    }
    sum += total / POINTS, square += total / POINTS * total / POINTS;
    nis_replicate_clear(&net);
  }
  *mean = sum / NETS;
  *variance = square / NETS - *mean * *mean;
  all /= (double)NETS * POINTS, all2 /= (double)NETS * POINTS;
  *random = (all2 - all * all) / POINTS;
}

/* Means of 400 nets, four checks of them. The variance has a spread of about
 * 7 % (more for the spike, whose nets' means are skew). */
START_TEST(nets_are_unbiased_and_never_much_worse)
{
  double mean, variance, random;
  compare(smooth, &mean, &variance, &random);
  ck_assert_double_le(fabs(mean - 1), alarm_errors(4) * sqrt(variance / NETS));
  ck_assert_double_lt(variance, 0.01 * random);
  compare(corner, &mean, &variance, &random);
  ck_assert_double_le(fabs(mean - pow(1.5, 6) / 720 + 6 * pow(0.5, 6) / 720),
                      alarm_errors(4) * sqrt(variance / NETS));
  ck_assert_double_lt(variance, random);
  compare(digits, &mean, &variance, &random);
  ck_assert_double_le(fabs(mean), alarm_errors(4) * sqrt(variance / NETS));
  ck_assert_double_lt(variance, 2.72 * random);
  compare(spike, &mean, &variance, &random);
  double exact = pow(sqrt(M_PI * 0.02) / 2 * (erf(0.3 / sqrt(0.02)) + erf(0.7 / sqrt(0.02))), 6);
  ck_assert_double_le(fabs(mean - exact), alarm_errors(4) * sqrt(variance / NETS));
  ck_assert_double_lt(variance, 1.5 * random);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("sobol");
  TCase *tcase = tcase_create("nets");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, first_coordinate_is_van_der_corput);
  tcase_add_test(tcase, direction_numbers_by_hand);
  tcase_add_test(tcase, each_coordinate_is_stratified);
  tcase_add_test(tcase, every_elementary_box_has_a_point);
  tcase_add_test(tcase, tiles_anywhere);
  tcase_add_test(tcase, digits_are_flipped_by_those_before_them);
  tcase_add_test(tcase, means_of_nets_are_normal);
  tcase_add_test(tcase, nets_are_unbiased_and_never_much_worse);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
