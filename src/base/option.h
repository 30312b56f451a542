/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tables of options, a row a member of a struct: from the row follow its check, its default, and
 * how it is read from text. A number or a word of a range or a default stands in the row only; the
 * macros make its sentence of it. A zero in the struct is the default, which text cannot ask for.
 */
#ifndef NIS_OPTION_H
#define NIS_OPTION_H

#include "nis.h"

#include <math.h>

struct option_table {
  const nis_option *rows;
  size_t n;
};

/* Replaces zeros by their defaults where these are plain numbers, and checks the ranges.
 * NIS_INVALID with a sentence for the first member outside of its own; what depends on other
 * members stays 0. */
int nis_option_check(const struct option_table *table, void *options);

/* The member of this name from text; NIS_INVALID with a sentence where it is not one of its values.
 */
int nis_option_set(const struct option_table *table, void *options, const char *name,
                   const char *value);

/* Word number n of a member that is one of several; "?" where there is none */
void nis_option_word(const nis_option *row, int n, char *text, size_t size);

/* ---- what rows are made of, in the order of nis_option ------------------------------------- */

#define OPTION_TEXT(...) OPTION_TEXT_(__VA_ARGS__)
#define OPTION_TEXT_(...) #__VA_ARGS__

/* name, offset, size ... */
#define OPTION_MEMBER(type, name) #name, offsetof(type, name), sizeof((type *)0)->name

/* ... type, low, high, open, range, words ... */
#define A_WHOLE_NUMBER "a whole number "
#define BETWEEN(low, high)                                                                         \
  low, high, 0, A_WHOLE_NUMBER "between " OPTION_TEXT(low) " and " OPTION_TEXT(high), NULL
#define WHOLE(low, high) NIS_OPTION_WHOLE, BETWEEN(low, high)
#define ZERO_OR_ONE NIS_OPTION_FLAG, BETWEEN(0, 1)
#define WHOLE_63_BITS(low)                                                                         \
  NIS_OPTION_WHOLE, low, 0x1p62, 0, A_WHOLE_NUMBER "between " OPTION_TEXT(low) " and 2^62", NULL
#define WHOLE_64_BITS(low)                                                                         \
  NIS_OPTION_WHOLE, low, 0x1p64, 0,                                                                \
      A_WHOLE_NUMBER "between " OPTION_TEXT(low) " and 18446744073709551615", NULL
#define FROM(low) NIS_OPTION_REAL, low, HUGE_VAL, 0, "a number of at least " OPTION_TEXT(low), NULL
#define FROM_BELOW(low, high)                                                                      \
  NIS_OPTION_REAL, low, high, NIS_OPEN_HIGH,                                                       \
      "a number of at least " OPTION_TEXT(low) " and below " OPTION_TEXT(high), NULL
#define ABOVE_BELOW(low, high)                                                                     \
  NIS_OPTION_REAL, low, high, NIS_OPEN_LOW | NIS_OPEN_HIGH,                                        \
      "a number above " OPTION_TEXT(low) " and below " OPTION_TEXT(high), NULL
#define ABOVE_UP_TO(low, high)                                                                     \
  NIS_OPTION_REAL, low, high, NIS_OPEN_LOW,                                                        \
      "a number above " OPTION_TEXT(low) " and at most " OPTION_TEXT(high), NULL
#define WORDS(last, list) NIS_OPTION_WORD, 0, last, 0, "one of " list, list
#define POINTER NIS_OPTION_POINTER, 0, 0, 0, "", NULL

/* ... initial, initial_text, depends: a number, what takes a rule or a sentence, or none; help */
#define VALUE(number) number, OPTION_TEXT(number), NULL
#define RULE(depends, text) 0, text, depends
#define NO_DEFAULT 0, NULL, NULL

/* Of both of these: words of which the first is the default */
#define FIRST_OF(last, first, others) WORDS(last, first "," others), 0, first, NULL

#endif
