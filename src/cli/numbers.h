/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers from text and to text. */
#ifndef NUMBERS_H
#define NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/* Which ends of a range are not allowed themselves, as bits. */
enum { CLOSED = 0, OPEN_LOW = 1, OPEN_HIGH = 2 };

struct range {
  double low, high;
  int open;
};

enum { RANGE_TEXT = 96, NUMBER_TEXT = 32, ESTIMATE_TEXT = 96 };

/* Both return 0, or -1 if the text is not a number of the range. Whole numbers may be
 * written 1e6; real ones must be finite. */
int parse_whole(const char *text, const struct range *range, uint64_t *value);
int parse_real(const char *text, const struct range *range, double *value);

/* "a whole number between 1 and 64", "a number above 0 and below 1", ... */
void describe_range(char text[RANGE_TEXT], const struct range *range, int whole);

/* The shortest of 15 to 17 digits that reads back as the same number. */
void format_number(char text[NUMBER_TEXT], double value);

/* "0.99981 +- 0.00012": the value to the second digit of its error. */
void format_estimate(char text[ESTIMATE_TEXT], double value, double error);

#endif
