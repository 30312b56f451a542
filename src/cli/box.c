/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "box.h"

#include "message.h"
#include "nis.h"
#include "numbers.h"

#include <math.h>
#include <string.h>

enum { WORD_TEXT = 64 };

static int parse_limit(const char *word, double *limit)
{
  int infinite = strcmp(word, "inf") == 0 || strcmp(word, "-inf") == 0;
  if (infinite) *limit = *word == '-' ? -INFINITY : INFINITY;
  return infinite ? 0 : parse_real(word, limit);
}

/* How many there are in the list, though not more than dim are kept; 0: not all are numbers. */
static size_t read_list(const char *text, size_t dim, double *limit)
{
  size_t n = 0;
  for (;; n++) {
    char word[WORD_TEXT];
    double value;
    size_t length = strcspn(text, ",");
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    if (length >= sizeof word || parse_limit(word, &value)) return 0;
    if (n < dim) limit[n] = value;
    if (!text[length]) return n + 1;
    text += length + 1;
  }
}

int parse_limits(const char *option, const char *text, size_t dim, double *limit)
{
  size_t n = text ? read_list(text, dim, limit) : dim;
  if (n == 1)
    for (size_t i = 1; i < dim; i++) limit[i] = limit[0];
  if (n == 1 || n == dim) return DONE;
  return complain(BAD_USAGE,
                  "--%s must be one number or %zu with commas between them, "
                  "inf and -inf included, got '%s'",
                  option, dim, text);
}

int parse_flags(const char *option, const char *text, size_t dim, int *flag)
{
  double value[NIS_MOST_DIM];
  size_t n = text ? read_list(text, dim, value) : 0;
  int good = !text || n == 1 || n == dim;
  for (size_t i = 0; good && text && i < dim; i++) {
    double word = value[n == 1 ? 0 : i];
    good = word == 0 || word == 1;
    flag[i] = word == 1;
  }
  if (good) return DONE;
  return complain(BAD_USAGE,
                  "--%s must be 0 or 1, or %zu of them with commas between them, got '%s'", option,
                  dim, text);
}

static size_t different(size_t dim, const double *limit)
{
  for (size_t i = 1; i < dim; i++)
    if (limit[i] != limit[0]) return dim;
  return 1;
}

void print_limits(FILE *file, size_t dim, const double *limit)
{
  size_t n = different(dim, limit);
  for (size_t i = 0; i < n; i++) {
    char text[NUMBER_TEXT];
    format_number(text, limit[i]);
    fprintf(file, "%s%s", i ? "," : "", text);
  }
}

void print_flags(FILE *file, size_t dim, const int *flag)
{
  for (size_t i = 0; i < dim; i++) fprintf(file, "%s%d", i ? "," : "", flag[i]);
}
