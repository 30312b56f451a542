/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The store of training points: what it keeps, how hot it is, how often a point is drawn. */
#include "replay.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* ck_assert_msg for inner loops: Check writes to a pipe for each assertion that holds. */
#define require(condition, ...)                                                                    \
  do {                                                                                             \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                   \
  } while (0)

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
  ck_assert_double_eq(r->log_q[slot], 0.25 * (double)number);
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

START_TEST(zeros_are_not_stored)
{
  const double f[] = {0, 2, -0.0, -3, 0, 0x1p-1074}, q[] = {0, 1, 2, 3, 4, 5};
  struct replay r = make(10);
  double x[2 * LENGTH(f)] = {0};
  struct points p = {.capacity = LENGTH(f), .n = LENGTH(f), .x = x, .log_q = (double *)q};
  p.f = (double *)f;
  ck_assert_uint_eq(nis_replay_store(&r, &p), 3);
  ck_assert_uint_eq(r.count, 3);
  ck_assert_double_eq(r.log_f[0], log(2));
  ck_assert_double_eq(r.log_f[1], log(3)); /* of |f| */
  ck_assert_double_eq(r.log_f[2], log(0x1p-1074));
  ck_assert_double_eq(r.log_q[1], 3);
  nis_replay_clear(&r);
}
END_TEST

/* ---- the temperature --------------------------------------------------------------- */

/* Kish's fraction of the newest n weights |f|^beta / q, in long double. */
static double naive_kish(size_t n, const double *f, const double *log_q, double beta)
{
  long double sum = 0, square = 0;
  for (size_t i = 0; i < n; i++) {
    long double w = expl(beta * logl(fabsl((long double)f[i])) - log_q[i]);
    sum += w;
    square += w * w;
  }
  return (double)(sum * sum / (n * square));
}

/* Largest beta at a fraction: just enough at beta, too little a step of the bisection above. */
static void check_temperature(size_t n, double decades, double fraction)
{
  double f[MOST], log_q[MOST];
  struct replay r = make(MOST);
  for (size_t i = 0; i < n; i++) {
    f[i] = pow(10, decades * (noise() - 0.5)) * (noise() < 0.5 ? -1 : 1);
    log_q[i] = 0.1 * noise();
  }
  store(&r, 0, MOST / 2, NULL, NULL); /* older points do not count */
  store(&r, 0, n, f, log_q);
  double beta = nis_replay_temperature(&r, n, fraction);
  if (naive_kish(n, f, log_q, 1) >= fraction) {
    ck_assert_double_eq(beta, 1);
  } else {
    ck_assert_double_ge(naive_kish(n, f, log_q, beta), fraction * (1 - 1e-9));
    ck_assert_double_lt(naive_kish(n, f, log_q, beta + 1. / 2048), fraction);
    ck_assert(beta > 0 && beta < 1);
  }
  nis_replay_clear(&r);
}

START_TEST(temperature_gives_the_asked_kish_fraction)
{
  static const double decades[] = {0.1, 1, 5, 20, 100}, fraction[] = {0.1, 0.25, 0.5};
  for (size_t i = 0; i < LENGTH(decades) * LENGTH(fraction); i++)
    for (size_t n = 20; n <= 500; n *= 5)
      check_temperature(n, decades[i / LENGTH(fraction)], fraction[i % LENGTH(fraction)]);
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

/* Times that each slot is drawn in `draws`, offset by u. */
static void count_draws(const struct replay *r, double u, size_t draws, size_t *times)
{
  size_t *slot = calloc(draws, sizeof *slot);
  ck_assert_ptr_nonnull(slot);
  memset(times, 0, r->capacity * sizeof *times);
  nis_replay_draw(r, u, draws, slot);
  for (size_t k = 0; k < draws; k++) {
    require(slot[k] < r->capacity, "slot %zu", slot[k]);
    times[slot[k]]++;
  }
  free(slot);
}

/* Systematic resampling: each slot gets its share of the draws, rounded down or up. */
static void check_shares(const struct replay *r, size_t newest, double beta, size_t draws)
{
  size_t times[MOST];
  double weight[MOST] = {0}, total = 0;
  for (size_t i = 0; i < newest; i++) {
    size_t slot = (r->next + r->capacity - 1 - i) % r->capacity;
    total += weight[slot] = exp(beta * r->log_f[slot] - r->log_q[slot]);
  }
  for (double u = 0.01; u < 1; u += 0.14) {
    count_draws(r, u, draws, times);
    for (size_t s = 0; s < r->capacity; s++) {
      double share = weight[s] / total * (double)draws;
      require((double)times[s] > share - 1 - 1e-6 && (double)times[s] < share + 1 + 1e-6,
              "slot %zu came %zu times, not %g", s, times[s], share);
    }
  }
}

START_TEST(draws_have_the_right_frequencies)
{
  static const size_t newest[] = {1, 5, 100, 300}, draws[] = {1, 64, 1000};
  double f[MOST], log_q[MOST];
  struct replay r = make(300);
  for (size_t i = 0; i < 450; i++) f[i] = noise() - 0.5, log_q[i] = 2 * noise();
  store(&r, 0, 450, f, log_q); /* the ring has gone round */
  for (size_t i = 0; i < LENGTH(newest) * LENGTH(draws); i++) {
    nis_replay_prepare(&r, newest[i / 3], 0.5 + (double)(i % 2) / 2);
    ck_assert_uint_eq(r.usable, newest[i / 3]);
    check_shares(&r, newest[i / 3], 0.5 + (double)(i % 2) / 2, draws[i % 3]);
  }
  nis_replay_clear(&r);
}
END_TEST

/* Averaged over u, every slot's number of draws is its share exactly. */
START_TEST(draws_are_unbiased)
{
  const double f[] = {1, 2, 3, 4, 0.5}, log_q[] = {0, 0.5, -0.5, 1, 0};
  size_t times[5], sum[5] = {0};
  double total = 0;
  struct replay r = make(5);
  store(&r, 0, 5, f, log_q);
  nis_replay_prepare(&r, 5, 1);
  for (int k = 0; k < 1000; k++) {
    count_draws(&r, (k + 0.5) / 1000, 7, times);
    for (int s = 0; s < 5; s++) sum[s] += times[s];
  }
  for (int s = 0; s < 5; s++) total += f[s] * exp(-log_q[s]);
  for (int s = 0; s < 5; s++)
    ck_assert_double_eq_tol((double)sum[s] / 7000, f[s] * exp(-log_q[s]) / total, 1e-3);
  nis_replay_clear(&r);
}
END_TEST

START_TEST(more_than_stored_are_all_that_are_stored)
{
  struct replay r = make(50);
  size_t times[50];
  store(&r, 0, 10, NULL, NULL);
  nis_replay_prepare(&r, 40, 0);
  ck_assert_uint_eq(r.usable, 10);
  count_draws(&r, 0.5, 100, times);
  for (size_t s = 10; s < 50; s++) ck_assert_uint_eq(times[s], 0);
  nis_replay_clear(&r);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("replay");
  TCase *tcase = tcase_create("replay");
  tcase_set_timeout(tcase, 60); /* sanitizers, busy machines */
  tcase_add_test(tcase, the_oldest_are_overwritten);
  tcase_add_test(tcase, zeros_are_not_stored);
  tcase_add_test(tcase, temperature_gives_the_asked_kish_fraction);
  tcase_add_test(tcase, temperature_of_nothing_is_1);
  tcase_add_test(tcase, temperature_of_tiny_values);
  tcase_add_test(tcase, draws_have_the_right_frequencies);
  tcase_add_test(tcase, draws_are_unbiased);
  tcase_add_test(tcase, more_than_stored_are_all_that_are_stored);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
