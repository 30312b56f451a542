/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "values.h"

#include "numbers.h"

#include <string.h>

void nth_word(char text[VALUE_TEXT], const char *words, int n)
{
  for (; n > 0 && strchr(words, ','); n--) words = strchr(words, ',') + 1;
  snprintf(text, VALUE_TEXT, "%.*s", (int)strcspn(words, ","), words);
}

void value_format(char text[VALUE_TEXT], const struct parameter *parameter, double value)
{
  if (parameter->choices)
    nth_word(text, parameter->choices, (int)value);
  else
    format_number(text, value);
}

void unit_print(FILE *file, const struct integrand *row)
{
  if (*row->unit) fprintf(file, " %s", row->unit);
}

void values_print(FILE *file, const struct integrand *row, const double *values)
{
  char text[VALUE_TEXT];
  for (const struct parameter *p = row->parameters; p->name; p++, values++) {
    value_format(text, p, *values);
    fprintf(file, "%s%s=%s", p == row->parameters ? "" : " ", p->name, text);
  }
}
