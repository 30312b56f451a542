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

/* Fills number[dim] with whole ones up to `most`; 0 where the text is something else. */
static int read_whole(const char *text, size_t dim, int most, int *number)
{
  double value[NIS_MOST_DIM];
  size_t n = read_list(text, dim, value);
  int good = n == 1 || n == dim;
  for (size_t i = 0; good && i < dim; i++) {
    double word = value[n == 1 ? 0 : i];
    good = word >= 0 && word <= most && word == (int)word;
    if (good) number[i] = (int)word;
  }
  return good;
}

int parse_flags(const char *option, const char *text, size_t dim, int *flag)
{
  if (!text || read_whole(text, dim, 1, flag)) return DONE;
  return complain(BAD_USAGE,
                  "--%s must be 0 or 1, or %zu of them with commas between them, got '%s'", option,
                  dim, text);
}

int parse_counts(const char *option, const char *text, size_t dim, int *count)
{
  if (!text || read_whole(text, dim, NIS_MOST_VALUES, count)) return DONE;
  return complain(BAD_USAGE,
                  "--%s must be 0 or a whole number between 2 and %d, or %zu of them with commas "
                  "between them, got '%s'",
                  option, NIS_MOST_VALUES, dim, text);
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

void print_list(FILE *file, size_t dim, const int *number)
{
  for (size_t i = 0; i < dim; i++) fprintf(file, "%s%d", i ? "," : "", number[i]);
}
