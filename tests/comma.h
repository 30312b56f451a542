/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A locale with a decimal comma. Where de_DE.UTF-8 is not installed it is made, so that no test is
 * left out; Debian's package `locales` has what that takes. */
#ifndef COMMA_H
#define COMMA_H

#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char comma_folder[] = "/tmp/nis-locale-XXXXXX";

/* To be called once, before the tests: it takes a second. */
static inline void make_comma(void)
{
  char command[128];
  int installed = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
  setlocale(LC_ALL, "C");
  if (installed || !mkdtemp(comma_folder)) return;
  snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8", comma_folder);
  if (system(command) == 0) setenv("LOCPATH", comma_folder, 1);
}

/* After the tests */
static inline int remove_comma(int failed)
{
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s", comma_folder);
  return system(command) | failed;
}

static inline void decimal_comma(void)
{
  char number[8];
  ck_assert_msg(setlocale(LC_ALL, "de_DE.UTF-8") != NULL, "there is no locale de_DE.UTF-8");
  snprintf(number, sizeof number, "%.1f", 0.5);
  ck_assert_str_eq(number, "0,5");
}

#endif
