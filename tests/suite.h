/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every test program needs of Check. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>
#include <stdlib.h>

/* ck_assert_msg for inner loops: Check writes to a pipe for each assertion that holds. */
#define require(condition, ...)                                                                    \
  do {                                                                                             \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                   \
  } while (0)

static inline void check_between(double value, double low, double high, const char *what)
{
  require(value >= low && value <= high, "%s: %g, not in [%g, %g]", what, value, low, high);
}

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
