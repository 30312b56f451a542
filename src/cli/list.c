/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "commands.h"

#include "json.h"
#include "message.h"
#include "nis_events.h"
#include "numbers.h"
#include "options.h"
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With default parameters and dimension; NaN where none is known. */
static double exact_value(const struct integrand *row)
{
  double values[INTEGRAND_MAX_PARAMETERS], value = NAN;
  integrand_defaults(row, values);
  void *state = integrand_make(row, row->dim_default, values);
  if (!state || !row->exact || !row->exact(state, row->dim_default, &value)) value = NAN;
  free(state);
  return value;
}

static void print_parameter(const struct parameter *p)
{
  char text[VALUE_TEXT], low[NUMBER_TEXT], high[NUMBER_TEXT];
  value_format(text, p, p->initial);
  format_number(low, p->low);
  format_number(high, p->high);
  printf("    %s=%s  ", p->name, text);
  if (p->choices)
    printf("(%s)", p->choices);
  else
    printf("(%s .. %s)", low, high);
  printf("  %s\n", p->help ? p->help : "");
}

static void print_dims(const struct integrand *row)
{
  if (row->dim_min == row->dim_max)
    printf("%zu dimension%s", row->dim_min, row->dim_min == 1 ? "" : "s");
  else
    printf("%zu .. %zu dimensions, default %zu", row->dim_min, row->dim_max, row->dim_default);
}

/* Can its events be written so? Formats before HDF5 are those of Les Houches. `word`: of --format
 */
static int has_format(const struct integrand *row, nis_event_format format, char word[VALUE_TEXT])
{
  event_option_word(word, "format", format);
  return (row->particles || format >= NIS_FORMAT_HDF5) && nis_check_format(format) == NIS_OK;
}

/* What can be written here; of what cannot, why not */
static void print_formats(const struct integrand *row)
{
  const char *between = "    events: ";
  char word[VALUE_TEXT];
  for (int i = NIS_FORMAT_LHE; i <= NIS_FORMAT_TEXT; i++)
    if (has_format(row, i, word)) printf("%s%s", between, word), between = ", ";
  putchar('\n');
  if (nis_check_format(NIS_FORMAT_HDF5) != NIS_OK)
    printf("    without hdf5%s: %s\n", row->particles ? " and lheh5" : "", nis_last_error());
}

static void print_periodic(const struct integrand *row)
{
  const char *before = "    periodic: coordinates ";
  for (size_t j = 0; row->periodic && j < row->dim_default; j++)
    if (row->periodic(j)) printf("%s%zu", before, j), before = ", ";
  if (*before == ',') putchar('\n');
}

/* Numbers of values with default parameters, and of channels; 0 of both where memory is short */
static size_t find_discrete(const struct integrand *row, int discrete[NIS_MOST_DIM])
{
  double values[INTEGRAND_MAX_PARAMETERS];
  size_t channels = 0;
  memset(discrete, 0, NIS_MOST_DIM * sizeof *discrete);
  integrand_defaults(row, values);
  void *state = integrand_make(row, row->dim_default, values);
  if (state) channels = integrand_discrete(row, state, row->dim_default, discrete);
  free(state);
  return channels;
}

static void print_discrete(const struct integrand *row)
{
  int discrete[NIS_MOST_DIM];
  size_t channels = find_discrete(row, discrete);
  for (size_t j = 0; j < row->dim_default; j++)
    if (discrete[j])
      printf("    discrete: coordinate %zu, %d %s\n", j, discrete[j],
             channels && j == row->dim_default - 1 ? "channels" : "values");
}

static void json_discrete(struct json *json, const struct integrand *row)
{
  int discrete[NIS_MOST_DIM];
  json_whole(json, "channels", find_discrete(row, discrete));
  json_array(json, "discrete");
  for (size_t j = 0; j < row->dim_default; j++) json_int(json, NULL, discrete[j]);
  json_end(json);
}

static void print_row(const struct integrand *row)
{
  double exact = exact_value(row);
  printf("%s  (", row->name);
  print_dims(row);
  printf(")\n    %s\n", row->description);
  for (const struct parameter *p = row->parameters; p->name; p++) print_parameter(p);
  if (isfinite(exact)) {
    printf("    exact: %.15g", exact);
    unit_print(stdout, row);
    putchar('\n');
  }
  print_periodic(row);
  print_discrete(row);
  printf("    source: %s\n", row->source);
}

static void print_observables(const struct integrand *row)
{
  const struct observable *o = row->observables;
  size_t dim = row->dim_default;
  printf(dim > 1 ? "    observables: x1 .. x%zu" : "    observables: x%zu", dim);
  puts(row->dim_min < row->dim_max ? " (or as many as there are dimensions)" : "");
  for (; o && o->name; o++)
    printf("    %-11s (%g .. %g%s%s)  %s\n", o->name, o->low, o->high, *o->unit ? " " : "", o->unit,
           o->description);
}

static void print_detail(const struct integrand *row)
{
  print_row(row);
  print_observables(row);
  printf("    unit: %s\n", *row->unit ? row->unit : "none");
  print_formats(row);
  printf("    try: nis integrate %s --calls 1e5\n", row->name);
}

static void json_parameter(struct json *json, const struct parameter *p)
{
  char text[VALUE_TEXT];
  value_format(text, p, p->initial);
  json_object(json, p->name);
  if (p->choices) {
    json_text(json, "default", text);
    json_text(json, "choices", p->choices);
  } else {
    json_real(json, "default", p->initial);
    json_real(json, "low", p->low);
    json_real(json, "high", p->high);
  }
  json_text(json, "help", p->help ? p->help : "");
  json_end(json);
}

static void json_observable(struct json *json, const struct observable *o)
{
  json_object(json, o->name);
  json_text(json, "unit", o->unit);
  json_text(json, "description", o->description);
  json_real(json, "low", o->low);
  json_real(json, "high", o->high);
  json_end(json);
}

static void json_row(struct json *json, const struct integrand *row)
{
  char word[VALUE_TEXT];
  json_object(json, NULL);
  json_text(json, "name", row->name);
  json_text(json, "description", row->description);
  json_whole(json, "dim_min", row->dim_min);
  json_whole(json, "dim_max", row->dim_max);
  json_whole(json, "dim_default", row->dim_default);
  json_object(json, "parameters");
  for (const struct parameter *p = row->parameters; p->name; p++) json_parameter(json, p);
  json_end(json);
  json_array(json, "periodic");
  for (size_t j = 0; row->periodic && j < row->dim_default; j++)
    if (row->periodic(j)) json_whole(json, NULL, j);
  json_end(json);
  json_discrete(json, row);
  json_object(json, "observables");
  for (const struct observable *o = row->observables; o && o->name; o++) json_observable(json, o);
  json_end(json);
  json_real(json, "exact", exact_value(row));
  json_text(json, "unit", row->unit);
  json_flag(json, "lhe", row->particles != NULL);
  json_text(json, "source", row->source);
  json_array(json, "formats");
  for (int i = NIS_FORMAT_LHE; i <= NIS_FORMAT_TEXT; i++)
    if (has_format(row, i, word)) json_text(json, NULL, word);
  json_end(json);
  json_end(json);
}

static void print_all(void)
{
  for (int i = 0; integrand_table[i]; i++) {
    if (i) putchar('\n');
    print_row(integrand_table[i]);
  }
}

static void json_all(void)
{
  struct json json = {.file = stdout};
  json_array(&json, NULL);
  for (int i = 0; integrand_table[i]; i++) json_row(&json, integrand_table[i]);
  json_end(&json);
}

int list_command(const struct arguments *arguments)
{
  struct json json = {.file = stdout};
  if (arguments->row && arguments->json)
    json_row(&json, arguments->row);
  else if (arguments->row)
    print_detail(arguments->row);
  else if (arguments->json)
    json_all();
  else
    print_all();
  return DONE;
}
