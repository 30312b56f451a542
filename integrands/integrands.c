/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table, and what all its rows share: finding them and reading their parameters. */
#include "integrands.h"

#include <assert.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name) extern const struct integrand name##_integrand;
#include "rows.inc"
#undef ROW

#define ROW(name) &name##_integrand,
const struct integrand *const integrand_table[] = {
#include "rows.inc"
    NULL};
#undef ROW

const struct integrand *integrand_find(const char *name)
{
  for (size_t i = 0; integrand_table[i]; i++)
    if (strcmp(integrand_table[i]->name, name) == 0) return integrand_table[i];
  return NULL;
}

void integrand_defaults(const struct integrand *row, double values[INTEGRAND_MAX_PARAMETERS])
{
  for (size_t i = 0; row->parameters[i].name; i++) values[i] = row->parameters[i].initial;
}

/* ---- "key=value" --------------------------------------------------------------- */

static int has_length(const char *word, const char *text, size_t length)
{
  return strlen(word) == length && memcmp(word, text, length) == 0;
}

static int find_parameter(const struct integrand *row, const char *key, size_t length)
{
  for (int i = 0; row->parameters[i].name; i++)
    if (has_length(row->parameters[i].name, key, length)) return i;
  return -1;
}

/* The place of `word` in "first,second,...", or -1. */
static int find_choice(const char *choices, const char *word)
{
  for (int i = 0;; i++) {
    size_t length = strcspn(choices, ",");
    if (has_length(word, choices, length)) return i;
    if (choices[length] == '\0') return -1;
    choices += length + 1;
  }
}

static int set_choice(const struct parameter *p, const char *text, double *value, char *message,
                      size_t size)
{
  int choice = find_choice(p->choices, text);
  if (choice < 0) {
    snprintf(message, size, "%s must be one of %s, got '%s'", p->name, p->choices, text);
    return -1;
  }
  *value = choice;
  return 0;
}

static int set_number(const struct parameter *p, const char *text, double *value, char *message,
                      size_t size)
{
  char *end;
  double number = strtod(text, &end);
  const char *kind = end == text || *end ? "a number " : "";
  /* negated, so that NaN is refused as well */
  if (*kind || !(number >= p->low && number <= p->high)) {
    snprintf(message, size, "%s must be %sbetween %g and %g, got '%s'", p->name, kind, p->low,
             p->high, text);
    return -1;
  }
  *value = number;
  return 0;
}

static void list_parameters(const struct integrand *row, char *list, size_t size)
{
  size_t used = 0;
  list[0] = '\0';
  for (size_t i = 0; row->parameters[i].name && used < size; i++)
    used +=
        (size_t)snprintf(list + used, size - used, "%s%s", i ? ", " : "", row->parameters[i].name);
}

static int unknown_parameter(const struct integrand *row, const char *setting, size_t length,
                             char *message, size_t size)
{
  char list[512];
  list_parameters(row, list, sizeof list);
  snprintf(message, size, "%s has no parameter '%.*s'; it has: %s", row->name, (int)length, setting,
           *list ? list : "none");
  return -1;
}

static int set(const struct integrand *row, const char *setting, double *values, char *message,
               size_t size)
{
  size_t length = strcspn(setting, "=");
  if (setting[length] == '\0') {
    snprintf(message, size, "a parameter is set by key=value, got '%s'", setting);
    return -1;
  }
  int i = find_parameter(row, setting, length);
  if (i < 0) return unknown_parameter(row, setting, length, message, size);
  const struct parameter *p = &row->parameters[i];
  const char *text = setting + length + 1;
  return p->choices ? set_choice(p, text, &values[i], message, size)
                    : set_number(p, text, &values[i], message, size);
}

/* With a decimal point, whatever the host's locale */
int integrand_set(const struct integrand *row, const char *setting,
                  double values[INTEGRAND_MAX_PARAMETERS], char *message, size_t size)
{
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
  int bad = set(row, setting, values, message, size);
  uselocale(before);
  if (plain) freelocale(plain);
  return bad;
}

static size_t more(const struct integrand *row, const double *values)
{
  return row->more ? row->more(values) : 0;
}

size_t integrand_dim(const struct integrand *row, const double *values)
{
  return row->dim_default + more(row, values);
}

void *integrand_make(const struct integrand *row, size_t dim, const double *values)
{
  assert(dim >= row->dim_min + more(row, values) && dim <= row->dim_max + more(row, values));
  void *state = malloc(row->state_size);
  if (state) row->setup(state, dim, values);
  return state;
}

size_t integrand_discrete(const struct integrand *row, const void *state, size_t dim, int *discrete)
{
  for (size_t j = 0; j < dim; j++) discrete[j] = row->values ? row->values(state, j) : 0;
  return row->channels ? (size_t)discrete[dim - 1] : 0;
}

double integrand_point(const struct integrand *row, const void *state, size_t dim, double *x)
{
  double all = 1;
  for (size_t j = 0; row->values && j < dim; j++) {
    int n = row->values(state, j);
    if (n) all *= n, x[j] = (int)(x[j] * n);
  }
  return all;
}
