/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The best of many scores. Oracle: a scan of all for each one taken. */
#include "numerics/ranking.h"

#include "suite.h"

#include <math.h>

static unsigned long long state = 1;

/* 0, 1, ... most - 1 */
static unsigned random_below(unsigned most)
{
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % most;
}

/* Few different values, infinite ones too, so that many are equal */
static void fill(size_t n, unsigned values, double *score)
{
  for (size_t i = 0; i < n; i++) {
    unsigned k = random_below(values + 2);
    score[i] = k == values ? -HUGE_VAL : k == values + 1 ? HUGE_VAL : (double)k - 3;
  }
}

static size_t naive_take(size_t n, const double *score, char *taken)
{
  size_t best = n;
  for (size_t i = 0; i < n; i++)
    if (!taken[i] && (best == n || score[i] > score[best])) best = i;
  taken[best] = 1;
  return best;
}

START_TEST(scores_come_in_order)
{
  static const unsigned values[] = {1, 3, 1000, 1000000};
  enum { MOST = 700 };
  double score[MOST];
  size_t order[MOST];
  for (size_t n = 1; n <= MOST; n += n < 20 ? 1 : 97) {
    char taken[MOST] = {0};
    struct ranking r;
    fill(n, values[_i], score);
    nis_ranking_start(&r, n, score, order);
    for (size_t k = n; k > 0; k--) {
      ck_assert_uint_eq(r.left, k);
      ck_assert_uint_eq(nis_ranking_take(&r), naive_take(n, score, taken));
    }
    ck_assert_uint_eq(r.left, 0);
  }
}
END_TEST

START_TEST(nothing_has_no_best)
{
  struct ranking r;
  nis_ranking_start(&r, 0, NULL, NULL);
  ck_assert_uint_eq(r.left, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("ranking");
  TCase *tests = tcase_create("ranking");
  tcase_add_loop_test(tests, scores_come_in_order, 0, 4);
  tcase_add_test(tests, nothing_has_no_best);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
