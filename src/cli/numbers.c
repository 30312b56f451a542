/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* strtod without what nobody means: leading blanks, hexadecimal, nan, inf. */
int parse_real(const char *text, double *value)
{
  if (!*text || text[strspn(text, "0123456789+-.eE")]) return -1;
  char *end;
  *value = strtod(text, &end);
  return *end == '\0' && isfinite(*value) ? 0 : -1;
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
