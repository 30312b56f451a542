/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "option.h"

#include "error.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_TEXT = 400, NUMBER_TEXT = 32 };

/* What a member holds that is no pointer; words and flags are whole */
union value {
  int whole;
  uint64_t large;
  double real;
};

/* Whole numbers are int or unsigned of 64 bits. */
static int is_large(const nis_option *row)
{
  return row->type == NIS_OPTION_WHOLE && row->size == sizeof(uint64_t);
}

/* About, where it is large */
static double number(const nis_option *row, const union value *v)
{
  return row->type == NIS_OPTION_REAL ? v->real : is_large(row) ? (double)v->large : v->whole;
}

static int is_inside(const nis_option *row, const union value *v)
{
  double value = number(row, v);
  if (!(value >= row->low && value <= row->high)) return 0; /* NaN is not either */
  if (value == row->low && row->open & NIS_OPEN_LOW) return 0;
  if (value == row->high && row->open & NIS_OPEN_HIGH) return 0;
  return !is_large(row) || row->high >= 0x1p64 || v->large <= (uint64_t)row->high;
}

/* ---- the check ----------------------------------------------------------------------------- */

static union value initial(const nis_option *row)
{
  if (row->type == NIS_OPTION_REAL) return (union value){.real = row->initial};
  return is_large(row) ? (union value){.large = (uint64_t)row->initial}
                       : (union value){.whole = (int)row->initial};
}

static int out_of_range(const nis_option *row, const union value *v)
{
  char got[NUMBER_TEXT];
  const union value none = {0};
  int is_default = row->initial_text && !is_inside(row, &none);
  if (row->type == NIS_OPTION_REAL)
    snprintf(got, sizeof got, "%g", v->real);
  else if (is_large(row))
    snprintf(got, sizeof got, "%" PRIu64, v->large);
  else
    snprintf(got, sizeof got, "%d", v->whole);
  if (row->type == NIS_OPTION_WORD)
    return nis_fail(NIS_INVALID, "%s must be between 0 and %g (%s), got %s", row->name, row->high,
                    row->words, got);
  const char *range = row->range;
  if (row->type != NIS_OPTION_REAL) range += strlen(A_WHOLE_NUMBER); /* it is one by its type */
  return nis_fail(NIS_INVALID, "%s must be %s%s, got %s", row->name, range,
                  is_default ? " (0: default)" : "", got);
}

int nis_option_check(const struct option_table *table, void *options)
{
  for (const nis_option *row = table->rows; row < table->rows + table->n; row++) {
    char *member = (char *)options + row->offset;
    union value v = {0};
    if (row->type == NIS_OPTION_POINTER) continue;
    memcpy(&v, member, row->size);
    if (number(row, &v) == 0 && row->initial_text)
      v = initial(row);
    else if (!is_inside(row, &v))
      return out_of_range(row, &v);
    memcpy(member, &v, row->size);
  }
  return NIS_OK;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* strtod without what nobody means: leading blanks, hexadecimal, nan, inf. */
static int read_real(const char *text, double *value)
{
  char *end;
  if (!*text || text[strspn(text, "0123456789+-.eE")]) return 0;
  *value = strtod(text, &end);
  return *end == '\0' && isfinite(*value);
}

/* Digits, all of which count, or the likes of 1e6 */
static int read_whole(const char *text, uint64_t *whole)
{
  double real;
  errno = 0;
  if (*text && !text[strspn(text, "0123456789")]) {
    *whole = strtoull(text, NULL, 10);
    return errno == 0;
  }
  if (!read_real(text, &real) || real < 0 || real >= 0x1p64 || real != floor(real)) return 0;
  *whole = (uint64_t)real;
  return 1;
}

/* Its number in the list, or -1 */
static int find_word(const char *words, const char *text)
{
  size_t length;
  for (int i = 0;; i++, words += length + 1) {
    length = strcspn(words, ",");
    if (strlen(text) == length && strncmp(words, text, length) == 0) return i;
    if (!words[length]) return -1;
  }
}

/* 0 where the text is none of the row's values. */
static int read_value(const nis_option *row, const char *text, union value *v)
{
  if (row->type == NIS_OPTION_WORD) return (v->whole = find_word(row->words, text)) >= 0;
  if (row->type == NIS_OPTION_REAL) return read_real(text, &v->real) && is_inside(row, v);
  if (!read_whole(text, &v->large)) return 0;
  if (!is_large(row)) v->whole = v->large <= INT_MAX ? (int)v->large : -1;
  return is_inside(row, v);
}

static int unknown(const struct option_table *table, const char *name)
{
  char list[LIST_TEXT] = "";
  size_t used = 0;
  for (const nis_option *row = table->rows; row < table->rows + table->n; row++)
    if (row->type != NIS_OPTION_POINTER && used < sizeof list)
      used +=
          (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", row->name);
  return nis_fail(NIS_INVALID, "unknown option '%.60s'; there are %s", name, list);
}

int nis_option_set(const struct option_table *table, void *options, const char *name,
                   const char *value)
{
  const nis_option *row = table->rows, *end = row + table->n;
  const char *missing = !options ? "options" : !name ? "name" : !value ? "value" : NULL;
  union value v;
  if (missing) return nis_fail(NIS_INVALID, "%s must not be NULL", missing);
  while (row < end && strcmp(row->name, name) != 0) row++;
  if (row == end) return unknown(table, name);
  if (row->type == NIS_OPTION_POINTER)
    return nis_fail(NIS_INVALID, "%s is a pointer, which text cannot set", name);
  if (!read_value(row, value, &v))
    return nis_fail(NIS_INVALID, "%s must be %s, got '%.60s'", name, row->range, value);
  memcpy((char *)options + row->offset, &v, row->size);
  return NIS_OK;
}

void nis_option_word(const nis_option *row, int n, char *text, size_t size)
{
  const char *word = row->words;
  for (; n > 0 && word; n--) {
    word = strchr(word, ',');
    if (word) word++;
  }
  snprintf(text, size, "%.*s", word ? (int)strcspn(word, ",") : 1, word ? word : "?");
}
