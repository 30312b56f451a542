/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every test program needs of Check. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ck_assert_msg for inner loops: Check writes to a pipe for each assertion that holds. */
#define require(condition, ...)                                                                    \
  do {                                                                                             \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                   \
  } while (0)

static inline void check_between(double value, double low, double high, const char *what)
{
  require(value >= low && value <= high, "%s: %g, not in [%g, %g]", what, value, low, high);
}

/*
 * NIS_TEST_SHORT=1 is for sanitizers, valgrind and the like, which look at what the code does and
 * not at its numbers: loops over samples are cut to a sixteenth, with bounds that follow their
 * number, and tests of how good a long run is are left out.
 */
static inline int short_form(void)
{
  const char *word = getenv("NIS_TEST_SHORT");
  return word && *word && strcmp(word, "0") != 0;
}

static inline int samples(int all)
{
  return short_form() ? (all + 15) / 16 : all;
}

/* A test that has no short form */
#define add_full_test(tcase, test)                                                                 \
  do {                                                                                             \
    if (!short_form()) tcase_add_test(tcase, test);                                                \
  } while (0)

/* Runs all its tests and frees it; the exit status of the program. */
static inline int run_suite(Suite *suite)
{
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
