/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store of training points: what it keeps, how hot it is, how often a point is drawn. */
#include "training/replay.h"
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

enum { DIM = 2, MOST = 1000 };

static struct replay make(size_t capacity)
{
  struct replay r;
  ck_assert_int_eq(nis_replay_init(&r, DIM, capacity), NIS_OK);
  return r;
}

/* Stores points number first .. of a sequence in which all can be told apart. */
static void store(struct replay *r, size_t first, size_t n, const double *f, const double *log_q)
{
  static double x[MOST * DIM], q[MOST], values[MOST];
  for (size_t i = 0; i < n; i++) {
    x[i * DIM] = (double)(first + i);
    x[i * DIM + 1] = -(double)(first + i);
    q[i] = log_q ? log_q[i] : 0.25 * (double)(first + i);
    values[i] = f ? f[i] : (double)(first + i + 1);
  }
  struct points p = {.capacity = MOST, .n = n, .x = x, .log_q = q, .f = values};
  nis_replay_store(r, &p);
}

/* Point `number` of the sequence is whole in its slot. */
static void check_slot(const struct replay *r, size_t slot, size_t number)
{
  ck_assert_double_eq(r->x[slot * DIM], (double)number);
  ck_assert_double_eq(r->x[slot * DIM + 1], -(double)number);
  ck_assert_double_eq(r->log_f[slot], log((double)number + 1));
  ck_assert_double_eq(r->log_p[slot], 0.25 * (double)number);
}

/* ---- the ring -------------------------------------------------------------------- */

START_TEST(the_oldest_are_overwritten)
{
  struct replay r = make(10);
  store(&r, 0, 7, NULL, NULL);
  ck_assert_uint_eq(r.count, 7);
  for (size_t i = 0; i < 7; i++) check_slot(&r, i, i);
  store(&r, 7, 6, NULL, NULL);
  ck_assert_uint_eq(r.count, 10);
  for (size_t i = 0; i < 10; i++) check_slot(&r, i, i < 3 ? i + 10 : i);
  store(&r, 13, 25, NULL, NULL); /* round more than twice: 28 .. 37 stay */
  for (size_t number = 28; number < 38; number++) check_slot(&r, number % 10, number);
  nis_replay_clear(&r);
}
END_TEST

/* Of two components, in a ring that has grown; the scales change afterwards. */
START_TEST(a_norm_follows_its_scales)
{
  enum { STORED = 5, CAPACITY = 4 };
  double x[STORED * DIM] = {0}, log_q[STORED], f[STORED], scale[] = {1, 1}, magnitude[2];
  double components[2 * STORED] = {1e300, 0, 3, -4, 0, 0, -2, 1, 5, 12};
  struct integrand_call c = {.ncomp = 2, .scale = scale};
  struct points p = {.n = STORED, .x = x, .log_q = log_q, .f = f, .components = components};
  struct replay r = {0};
  for (int i = 0; i < STORED; i++) log_q[i] = 0.5 * i, f[i] = 1;
  ck_assert_int_eq(nis_replay_grow(&r, DIM, 2, 0, CAPACITY - 1), NIS_OK);
  ck_assert_int_eq(nis_replay_grow(&r, DIM, 2, 0, CAPACITY), NIS_OK);
  nis_replay_store(&r, &p); /* the last four */
  nis_replay_magnitudes(&r, magnitude);
  check_between(magnitude[0] * CAPACITY / (3 * exp(-0.5) + 2 * exp(-1.5) + 5 * exp(-2)), 1 - 1e-14,
                1 + 1e-14, "first");
  check_between(magnitude[1] * CAPACITY / (4 * exp(-0.5) + exp(-1.5) + 12 * exp(-2)), 1 - 1e-14,
                1 + 1e-14, "second");
  for (int i = 0; i < 3; i++) {
    nis_replay_norm(&r, STORED, &c);
    for (size_t k = 1; k < STORED; k++) {
      double norm = hypot(components[2 * k] / scale[0], components[2 * k + 1] / scale[1]);
      double got = r.log_f[k % CAPACITY];
      if (norm == 0)
        ck_assert(isinf(got) && got < 0);
      else
        ck_assert_double_eq_tol(got, log(norm), 1e-13 * fabs(got) + 1e-13);
    }
    scale[0] *= 1e-10, scale[1] *= 1e20;
  }
  nis_replay_clear(&r);
}
END_TEST

START_TEST(zeros_are_stored)
{
  const double f[] = {0, 2, -0.0, -3, 0, 0x1p-1074}, q[] = {0, 1, 2, 3, 4, 5};
  struct replay r = make(10);
  double x[2 * LENGTH(f)] = {0};
  struct points p = {.capacity = LENGTH(f), .n = LENGTH(f), .x = x, .log_q = (double *)q};
  p.f = (double *)f;
  nis_replay_store(&r, &p);
  ck_assert_uint_eq(r.count, 6);
  for (size_t i = 0; i < LENGTH(f); i++) {
    ck_assert_double_eq(r.log_f[i], f[i] == 0 ? -HUGE_VAL : log(fabs(f[i])));
    ck_assert_double_eq(r.log_p[i], q[i]);
  }
  nis_replay_clear(&r);
}
END_TEST

START_TEST(newest_points_come_oldest_first)
{
  static const size_t n[] = {1, 3, 10};
  struct replay r = make(10);
  size_t slot[10];
  store(&r, 0, 3, NULL, NULL);
  nis_replay_newest(&r, 3, slot);
  for (size_t i = 0; i < 3; i++) check_slot(&r, slot[i], i);
  store(&r, 3, 14, NULL, NULL); /* the ring has gone round */
  for (size_t k = 0; k < LENGTH(n); k++) {
    nis_replay_newest(&r, n[k], slot);
    for (size_t i = 0; i < n[k]; i++) check_slot(&r, slot[i], 17 - n[k] + i);
  }
  nis_replay_clear(&r);
}
END_TEST

/* ---- the temperature --------------------------------------------------------------- */

/* Kish's fraction of the n weights |f|^beta / p that are not zero, in long double. */
static double naive_kish(size_t n, const double *f, const double *log_p, double beta)
{
  long double sum = 0, square = 0;
  size_t nonzero = 0;
  for (size_t i = 0; i < n; i++) {
    if (f[i] == 0) continue;
    long double w = expl(beta * logl(fabsl((long double)f[i])) - log_p[i]);
    sum += w;
    square += w * w;
    nonzero++;
  }
  return (double)(sum * sum / (nonzero * square));
}

/* Just enough at beta, too little a step of the bisection above: 2^(1/4) - 1 of it, halved eight
 * times. */
static void check_largest(size_t n, const double *f, const double *log_p, double beta,
                          double fraction)
{
  if (naive_kish(n, f, log_p, 1) >= fraction) {
    ck_assert_double_eq(beta, 1);
  } else {
    ck_assert_double_ge(naive_kish(n, f, log_p, beta), fraction * (1 - 1e-9));
    ck_assert_double_lt(naive_kish(n, f, log_p, beta * (1 + 0.19 / 256)), fraction);
    ck_assert(beta > 0 && beta < 1);
  }
}

/* n values over so many decades, one in `zeros` 0 (0: none) */
static void random_values(size_t n, double decades, size_t zeros, double *f)
{
  for (size_t i = 0; i < n; i++) {
    f[i] = pow(10, decades * (noise() - 0.5)) * (noise() < 0.5 ? -1 : 1);
    if (zeros > 0 && i % zeros == 0) f[i] = 0;
  }
}

static void check_temperature(size_t n, double decades, size_t zeros, double fraction)
{
  double f[MOST], log_p[MOST];
  struct replay r = make(MOST);
  random_values(n, decades, zeros, f);
  for (size_t i = 0; i < n; i++) log_p[i] = 0.1 * noise();
  store(&r, 0, MOST / 2, NULL, NULL); /* older points do not count */
  store(&r, 0, n, f, log_p);
  check_largest(n, f, log_p, nis_replay_temperature(&r, n, fraction), fraction);
  nis_replay_clear(&r);
}

START_TEST(temperature_gives_the_asked_kish_fraction)
{
  static const double decades[] = {0.1, 1, 5, 20, 100}, fraction[] = {0.1, 0.25, 0.5};
  for (size_t i = 0; i < LENGTH(decades) * LENGTH(fraction); i++)
    for (size_t n = 20; n <= 500; n *= 5)
      for (size_t zeros = 0; zeros <= 3; zeros += 3)
        check_temperature(n, decades[i / LENGTH(fraction)], zeros, fraction[i % LENGTH(fraction)]);
}
END_TEST

/* The points of a flow that has learnt |f|^(1/2): uneven at 0, even there, uneven again at 1. */
START_TEST(temperature_goes_on_from_what_was_learnt)
{
  double f[MOST], log_p[MOST];
  struct replay r = make(MOST);
  random_values(500, 20, 0, f);
  for (size_t i = 0; i < 500; i++) log_p[i] = 0.5 * log(fabs(f[i])) + 0.1 * noise();
  store(&r, 0, 500, f, log_p);
  ck_assert_double_lt(naive_kish(500, f, log_p, 0.01), 0.1);
  double beta = nis_replay_temperature(&r, 500, 0.25);
  ck_assert_double_gt(beta, 0.5);
  check_largest(500, f, log_p, beta, 0.25);
  nis_replay_clear(&r);
}
END_TEST

/* No beta is good enough: the best one is taken. */
START_TEST(temperature_of_uneven_points)
{
  double f[MOST], log_p[MOST], best = 0;
  struct replay r = make(MOST);
  random_values(500, 8, 0, f);
  for (size_t i = 0; i < 500; i++) log_p[i] = 0.3 * log(fabs(f[i])) + 8 * noise();
  store(&r, 0, 500, f, log_p);
  for (double b = 0.001; b <= 1; b += 0.001) best = fmax(best, naive_kish(500, f, log_p, b));
  ck_assert_double_lt(best, 0.5);
  double beta = nis_replay_temperature(&r, 500, 0.5);
  ck_assert_double_ge(naive_kish(500, f, log_p, beta), 0.99 * best);
  ck_assert_double_lt(naive_kish(500, f, log_p, 1), 0.5 * best);
  nis_replay_clear(&r);
}
END_TEST

/* The fraction of all points: those with f = 0 are idle. */
START_TEST(kish_counts_the_zeros)
{
  static const size_t zeros[] = {0, 2, 7};
  double f[MOST], log_p[MOST];
  struct replay r = make(MOST);
  store(&r, 0, MOST, NULL, NULL);
  for (size_t k = 0; k < LENGTH(zeros); k++) {
    size_t n = 210, idle = zeros[k] ? n / zeros[k] : 0;
    random_values(n, 2, zeros[k], f);
    for (size_t i = 0; i < n; i++) log_p[i] = noise();
    store(&r, 0, n, f, log_p);
    for (double beta = 0.25; beta <= 1; beta += 0.25) {
      double busy = (double)(n - idle) / (double)n;
      ck_assert_double_eq_tol(nis_replay_kish(&r, n, beta), busy * naive_kish(n, f, log_p, beta),
                              1e-12);
    }
  }
  nis_replay_clear(&r);
}
END_TEST

START_TEST(temperature_of_nothing_is_1)
{
  struct replay r = make(10);
  ck_assert_double_eq(nis_replay_temperature(&r, 0, 0.25), 1);
  nis_replay_clear(&r);
}
END_TEST

/* Weights whose exponentials have no double: only their ratio matters. */
START_TEST(temperature_of_tiny_values)
{
  const double f[] = {1e-300, 2e-300, 1e-300, 3e-300}, log_q[] = {700, 700, 700, 700};
  const double same[] = {1, 2, 1, 3}, none[] = {0, 0, 0, 0};
  struct replay r = make(4);
  store(&r, 0, 4, f, log_q);
  double tiny = nis_replay_temperature(&r, 4, 0.95);
  store(&r, 0, 4, same, none);
  ck_assert_double_eq_tol(tiny, nis_replay_temperature(&r, 4, 0.95), 1. / 2048);
  ck_assert(tiny > 0 && tiny < 1);
  nis_replay_clear(&r);
}
END_TEST

/* ---- drawing --------------------------------------------------------------------- */

typedef void draw(const struct replay *r, double u, size_t n, size_t *slot);

/* Times that each slot is drawn in `draws`, offset by u. */
static void count_draws(draw *how, const struct replay *r, double u, size_t draws, size_t *times)
{
  size_t *slot = calloc(draws, sizeof *slot);
  ck_assert_ptr_nonnull(slot);
  memset(times, 0, r->capacity * sizeof *times);
  how(r, u, draws, slot);
  for (size_t k = 0; k < draws; k++) {
    require(slot[k] < r->capacity, "slot %zu", slot[k]);
    times[slot[k]]++;
  }
  free(slot);
}

/* a of every slot, 0 of those that are not among the newest: |f|^beta / p, 1 on average */
static void naive_parts(const struct replay *r, size_t newest, double beta, double *a)
{
  double total = 0;
  memset(a, 0, r->capacity * sizeof *a);
  for (size_t i = 0; i < newest; i++) {
    size_t slot = (r->next + r->capacity - 1 - i) % r->capacity;
    total += a[slot] = exp(beta * r->log_f[slot] - r->log_p[slot]);
  }
  for (size_t s = 0; s < r->capacity; s++) a[s] *= (double)newest / total;
}

/* The probability of each slot: half for what it adds to the target, half for being there */
static void naive_probability(draw *how, const struct replay *r, size_t newest, double beta,
                              double *share)
{
  naive_parts(r, newest, beta, share);
  for (size_t s = 0; s < r->capacity; s++) share[s] /= (double)newest;
  if (how == nis_replay_draw_target) return;
  for (size_t s = 0; s < r->capacity; s++) share[s] /= 2;
  for (size_t i = 0; i < newest; i++)
    share[(r->next + r->capacity - 1 - i) % r->capacity] += 0.5 / (double)newest;
}

/* Systematic resampling: each slot gets its share of the draws, rounded down or up. */
static void check_shares(draw *how, const struct replay *r, size_t newest, double beta,
                         size_t draws)
{
  size_t times[MOST];
  double share[MOST];
  naive_probability(how, r, newest, beta, share);
  for (double u = 0.01; u < 1; u += 0.14) {
    count_draws(how, r, u, draws, times);
    for (size_t s = 0; s < r->capacity; s++) {
      double due = share[s] * (double)draws;
      require(share[s] > 0 || times[s] == 0, "slot %zu came %zu times", s, times[s]);
      require((double)times[s] > due - 1 - 1e-6 && (double)times[s] < due + 1 + 1e-6,
              "slot %zu came %zu times, not %g", s, times[s], due);
    }
  }
}

static draw *const draws_of[] = {nis_replay_draw, nis_replay_draw_target};

START_TEST(draws_have_the_right_frequencies)
{
  static const size_t newest[] = {1, 5, 100, 300}, draws[] = {1, 64, 1000};
  double f[MOST], log_p[MOST];
  struct replay r = make(300);
  for (size_t i = 0; i < 450; i++) f[i] = noise() - 0.5, log_p[i] = 2 * noise();
  for (size_t i = 0; i < 450; i += 4) f[i] = 0;
  store(&r, 0, 450, f, log_p); /* the ring has gone round */
  for (size_t i = 0; i < LENGTH(newest) * LENGTH(draws); i++) {
    double beta = 0.5 + (double)(i % 2) / 2;
    ck_assert_int_eq(nis_replay_prepare(&r, newest[i / 3], beta), 1);
    ck_assert_uint_eq(r.usable, newest[i / 3]);
    check_shares(draws_of[_i], &r, newest[i / 3], beta, draws[i % 3]);
  }
  nis_replay_clear(&r);
}
END_TEST

/* The first number whose running sum, and the last one's at most, is above each target: a scan of
 * all for each draw. The walk takes gaps of any length, between draws and between weights. */
START_TEST(draws_are_those_of_a_scan)
{
  static const size_t newest[] = {1, 2, 63, 300}, draws[] = {1, 7, 64, 300, 5000};
  double f[MOST], log_p[MOST];
  struct replay r = make(300);
  for (size_t i = 0; i < 450; i++)
    f[i] = i % 50 == 7 ? 1e3 : noise() * (i % 3 > 0), log_p[i] = 2 * noise();
  store(&r, 0, 450, f, log_p);
  for (size_t i = 0; i < LENGTH(newest) * LENGTH(draws); i++) {
    size_t n = draws[i % LENGTH(draws)], usable = newest[i / LENGTH(draws)];
    size_t *slot = calloc(n, sizeof *slot);
    ck_assert_int_eq(nis_replay_prepare(&r, usable, 1), 1);
    for (double u = 0x1p-53; u < 1; u += 0.249) {
      nis_replay_draw(&r, u, n, slot);
      for (size_t k = 0; k < n; k++) {
        double target = ((double)k + u) * (r.running[usable] / (double)n);
        size_t at = 0;
        while (at + 1 < usable && r.running[at + 1] <= target) at++;
        require(slot[k] == (r.next + r.capacity - usable + at) % r.capacity, "draw %zu of %zu", k,
                n);
      }
    }
    free(slot);
  }
  nis_replay_clear(&r);
}
END_TEST

/* Averaged over u, every slot's number of draws is its share exactly. */
START_TEST(draws_are_unbiased)
{
  const double f[] = {1, 2, 0, 4, 0.5}, log_p[] = {0, 0.5, -0.5, 1, 0};
  size_t times[5], sum[5] = {0};
  double share[5];
  struct replay r = make(5);
  store(&r, 0, 5, f, log_p);
  ck_assert_int_eq(nis_replay_prepare(&r, 5, 1), 1);
  for (int k = 0; k < 1000; k++) {
    count_draws(draws_of[_i], &r, (k + 0.5) / 1000, 7, times);
    for (int s = 0; s < 5; s++) sum[s] += times[s];
  }
  naive_probability(draws_of[_i], &r, 5, 1, share);
  for (int s = 0; s < 5; s++) ck_assert_double_eq_tol((double)sum[s] / 7000, share[s], 1e-3);
  nis_replay_clear(&r);
}
END_TEST

START_TEST(more_than_stored_are_all_that_are_stored)
{
  struct replay r = make(50);
  size_t times[50];
  store(&r, 0, 10, NULL, NULL);
  ck_assert_int_eq(nis_replay_prepare(&r, 40, 0), 1);
  ck_assert_uint_eq(r.usable, 10);
  count_draws(draws_of[_i], &r, 0.5, 100, times);
  for (size_t s = 10; s < 50; s++) ck_assert_uint_eq(times[s], 0);
  nis_replay_clear(&r);
}
END_TEST

/* The target is |f|^beta over its mean weight; s is (a + 1) / 2. */
START_TEST(targets_are_normalised)
{
  double f[MOST], log_p[MOST], a[MOST], sum = 0;
  struct replay r = make(60);
  random_values(80, 3, 5, f);
  for (size_t i = 0; i < 80; i++) log_p[i] = noise();
  store(&r, 0, 80, f, log_p);
  ck_assert_int_eq(nis_replay_prepare(&r, 40, 0.7), 1);
  naive_parts(&r, 40, 0.7, a);
  for (size_t i = 0; i < 40; i++) {
    size_t s = (r.next + r.capacity - 1 - i) % r.capacity;
    double target = nis_replay_log_target(&r, s);
    ck_assert_double_eq_tol(exp(target - r.log_p[s]), a[s], 1e-12 * (1 + a[s]));
    ck_assert_double_eq_tol(nis_replay_share(&r, s), (a[s] + 1) / 2, 1e-12 * (1 + a[s]));
    sum += nis_replay_share(&r, s);
  }
  ck_assert_double_eq_tol(sum, 40, 1e-10); /* so that the shares are probabilities */
  nis_replay_clear(&r);
}
END_TEST

START_TEST(nothing_to_draw_where_f_is_0)
{
  const double f[] = {1, 0, 0, 0}, none[] = {0, 0, 0, 0};
  struct replay r = make(4);
  store(&r, 0, 4, f, none);
  ck_assert_int_eq(nis_replay_prepare(&r, 3, 1), 0); /* the first point is too old */
  ck_assert_int_eq(nis_replay_prepare(&r, 3, 0), 0);
  ck_assert_int_eq(nis_replay_prepare(&r, 4, 1), 1);
  size_t times[4];
  count_draws(nis_replay_draw_target, &r, 0.5, 9, times);
  ck_assert_uint_eq(times[0], 9);
  ck_assert_double_eq(nis_replay_share(&r, 1), 0.5);
  ck_assert_double_eq(nis_replay_share(&r, 0), 2.5); /* a = 4 */
  nis_replay_clear(&r);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("replay");
  TCase *tcase = tcase_create("replay");
  tcase_set_timeout(tcase, 60); /* sanitizers, busy machines */
  tcase_add_test(tcase, the_oldest_are_overwritten);
  tcase_add_test(tcase, a_norm_follows_its_scales);
  tcase_add_test(tcase, zeros_are_stored);
  tcase_add_test(tcase, newest_points_come_oldest_first);
  tcase_add_test(tcase, temperature_gives_the_asked_kish_fraction);
  tcase_add_test(tcase, temperature_goes_on_from_what_was_learnt);
  tcase_add_test(tcase, temperature_of_uneven_points);
  tcase_add_test(tcase, kish_counts_the_zeros);
  tcase_add_test(tcase, temperature_of_nothing_is_1);
  tcase_add_test(tcase, temperature_of_tiny_values);
  tcase_add_loop_test(tcase, draws_have_the_right_frequencies, 0, LENGTH(draws_of));
  tcase_add_test(tcase, draws_are_those_of_a_scan);
  tcase_add_loop_test(tcase, draws_are_unbiased, 0, LENGTH(draws_of));
  tcase_add_loop_test(tcase, more_than_stored_are_all_that_are_stored, 0, LENGTH(draws_of));
  tcase_add_test(tcase, targets_are_normalised);
  tcase_add_test(tcase, nothing_to_draw_where_f_is_0);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
