/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "numbers.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int inside(const struct range *range, double value)
{
  if (value < range->low || value > range->high) return 0;
  if ((range->open & OPEN_LOW) && value == range->low) return 0;
  return !((range->open & OPEN_HIGH) && value == range->high);
}

/* strtod without what nobody means: leading blanks, hexadecimal, nan, inf. */
static int read_finite(const char *text, double *value)
{
  if (!*text || text[strspn(text, "0123456789+-.eE")]) return -1;
  char *end;
  *value = strtod(text, &end);
  return *end == '\0' && isfinite(*value) ? 0 : -1;
}

/* Digits alone are read as an integer: a seed has more of them than a double can hold. */
static int read_digits(const char *text, uint64_t *value)
{
  errno = 0;
  *value = strtoull(text, NULL, 10);
  return errno ? -1 : 0;
}

static int read_rounded(const char *text, uint64_t *value)
{
  double real;
  if (read_finite(text, &real) || real < 0 || real >= 0x1p64 || real != floor(real)) return -1;
  *value = (uint64_t)real;
  return 0;
}

int parse_whole(const char *text, const struct range *range, uint64_t *value)
{
  int plain = *text && !text[strspn(text, "0123456789")];
  if (plain ? read_digits(text, value) : read_rounded(text, value)) return -1;
  return inside(range, (double)*value) ? 0 : -1;
}

int parse_real(const char *text, const struct range *range, double *value)
{
  return read_finite(text, value) || !inside(range, *value) ? -1 : 0;
}

static void describe_whole(char text[RANGE_TEXT], const struct range *range)
{
  uint64_t high = range->high < 0x1p64 ? (uint64_t)range->high : UINT64_MAX;
  snprintf(text, RANGE_TEXT, "a whole number between %.0f and %" PRIu64, range->low, high);
}

static void describe_real(char text[RANGE_TEXT], const struct range *range)
{
  const char *above = range->open & OPEN_LOW ? "above" : "of at least";
  const char *below = range->open & OPEN_HIGH ? "below" : "at most";
  if (isinf(range->high))
    snprintf(text, RANGE_TEXT, "a number %s %g", above, range->low);
  else
    snprintf(text, RANGE_TEXT, "a number %s %g and %s %g", above, range->low, below, range->high);
}

void describe_range(char text[RANGE_TEXT], const struct range *range, int whole)
{
  if (whole)
    describe_whole(text, range);
  else
    describe_real(text, range);
}

void format_number(char text[NUMBER_TEXT], double value)
{
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, NUMBER_TEXT, "%.*g", digits, value);
    if (strtod(text, NULL) == value) return;
  }
}

static int exponent(double value)
{
  return (int)floor(log10(fabs(value)));
}

static int clamp(int value, int low, int high)
{
  return value < low ? low : value > high ? high : value;
}

void format_estimate(char text[ESTIMATE_TEXT], double value, double error)
{
  if (!isfinite(value) || !isfinite(error) || !(error > 0) || value == 0) {
    snprintf(text, ESTIMATE_TEXT, "%.10g +- %.2g", value, error);
    return;
  }
  int size = exponent(fabs(value) > error ? value : error), step = exponent(error);
  int digits = clamp(size - step + 1, 1, 16), decimals = clamp(1 - step, 0, 16);
  if (size >= -4 && size < 7)
    snprintf(text, ESTIMATE_TEXT, "%.*f +- %.*f", decimals, value, decimals, error);
  else
    snprintf(text, ESTIMATE_TEXT, "%.*e +- %.1e", digits, value, error);
}
