/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain.h"

#include "message.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static uint64_t train_calls(const nis_options *o)
{
  return (uint64_t)(o->train_share * (double)o->calls);
}

/* Is the library's name the first of the list "a,b"? */
static int is_first(const struct option_row *row, const char *names)
{
  size_t length = strcspn(names, ",");
  return row->type == OPTION && strlen(row->library->name) == length &&
         strncmp(row->library->name, names, length) == 0;
}

/* "default for dim = 4, calls = 1000000" */
static void default_reason(char reason[REASON_TEXT], const struct arguments *arguments,
                           const char *names)
{
  int used = snprintf(reason, REASON_TEXT, "default for");
  for (const char *before = " "; *names; before = ", ") {
    const struct option_row *row = option_rows();
    char value[VALUE_TEXT];
    while (*row->name && !is_first(row, names)) row++;
    option_format(value, row, arguments);
    if (used < REASON_TEXT)
      used += snprintf(reason + used, (size_t)(REASON_TEXT - used), "%s%s = %s", before, row->name,
                       value);
    names += strcspn(names, ",");
    names += *names == ',';
  }
}

static void give_reason(struct setting *s, const struct arguments *arguments,
                        const struct option_row *row)
{
  const char *usual = row->library->initial_text;
  int has_channels = row->offset == offsetof(struct arguments, options.channels) &&
                     arguments->options.channels > 0;
  if (option_given(arguments, row))
    snprintf(s->reason, REASON_TEXT, "given on the command line");
  else if (arguments->from)
    snprintf(s->reason, REASON_TEXT, "%s",
             usual && strcmp(usual, s->value) == 0 ? "default" : "from the file");
  else if (!usual || has_channels)
    snprintf(s->reason, REASON_TEXT, "the default of this integrand");
  else if (row->library->depends)
    default_reason(s->reason, arguments, row->library->depends);
  else if (strcmp(usual, s->value) == 0)
    snprintf(s->reason, REASON_TEXT, "default");
  else
    snprintf(s->reason, REASON_TEXT, "default: %s", usual);
}

static struct setting *add(struct settings *all, const char *name)
{
  struct setting *s = &all->list[all->n++];
  snprintf(s->name, sizeof s->name, "%s", name);
  return s;
}

static void add_option(struct settings *all, const struct option_row *row,
                       const struct arguments *usual)
{
  struct setting *s = add(all, row->name);
  char text[VALUE_TEXT];
  s->is_word = row->library->type == NIS_OPTION_WORD;
  option_format(s->value, row, &all->arguments);
  option_format(text, row, usual);
  give_reason(s, &all->arguments, row);
  s->unusual = strcmp(s->value, text) != 0 && strncmp(s->reason, "default", 7) != 0;
}

/* What follows from the options */
static void add_sums(struct settings *all)
{
  const nis_options *o = &all->arguments.options;
  uint64_t train = train_calls(o);
  struct setting *calls = add(all, "training-calls"), *steps = add(all, "gradient-steps");
  snprintf(calls->value, VALUE_TEXT, "%" PRIu64, train);
  snprintf(calls->reason, REASON_TEXT, "train-share * calls");
  snprintf(steps->value, VALUE_TEXT, "%.0f", o->replay * (double)train / o->minibatch);
  snprintf(steps->reason, REASON_TEXT, "replay * training-calls / minibatch");
  /* Of the training's points a quarter or more are uniform: include/nis.h. */
  struct setting *unseen = add(all, "unseen-volume");
  snprintf(unseen->value, VALUE_TEXT, "%.2g", fmin(1, log(20) / (0.25 * (double)train)));
  snprintf(unseen->reason, REASON_TEXT,
           "about 3 / (training-calls / 4): smaller basins may be lost");
}

/* The file's, but for those that the command line has */
static nis_options options_of_file(const struct arguments *arguments)
{
  nis_options options = arguments->saved.options;
  for (const struct option_row *row = option_rows(); *row->name; row++)
    if (row->type == OPTION && option_given(arguments, row))
      memcpy((char *)&options + row->library->offset,
             (const char *)&arguments->options + row->library->offset, row->library->size);
  return options;
}

/* What they would be for this dim and these calls if nothing else were said */
static void set_usual(struct arguments *usual, const nis_options *o)
{
  nis_options least = {.dim = o->dim, .calls = o->calls}, bare = {.dim = o->dim};
  nis_complete_options(&least, &usual->options);
  nis_complete_options(&bare, &bare);
  usual->options.calls = bare.calls;
}

int settings_collect(struct settings *all, const struct arguments *arguments)
{
  static struct arguments usual; /* several KiB */
  nis_options *o = &all->arguments.options;
  memset(all, 0, sizeof *all);
  all->arguments = *arguments;
  if (arguments->from)
    *o = options_of_file(arguments);
  else if (nis_complete_options(&arguments->options, o) != NIS_OK)
    return 0;
  set_usual(&usual, arguments->from ? &arguments->saved.options : o);
  for (const struct option_row *row = option_rows(); *row->name; row++)
    if (row->type == OPTION) add_option(all, row, &usual);
  add_sums(all);
  return 1;
}

void explain_text(FILE *file, const struct arguments *arguments)
{
  static struct settings all; /* tens of KiB */
  if (!settings_collect(&all, arguments)) return;
  for (const struct setting *s = all.list; s < all.list + all.n; s++)
    fprintf(file, "%-20s %-18s %s\n", s->name, s->value, s->reason);
  fputc('\n', file);
  fflush(file); /* before the run */
}

void explain_json(struct json *json, const struct arguments *arguments)
{
  static struct settings all; /* tens of KiB */
  if (!settings_collect(&all, arguments)) return;
  json_object(json, "settings");
  for (struct setting *s = all.list; s < all.list + all.n; s++) {
    for (char *dash; (dash = strchr(s->name, '-'));) *dash = '_';
    json_object(json, s->name);
    if (s->is_word)
      json_text(json, "value", s->value);
    else
      json_number(json, "value", s->value);
    json_text(json, "reason", s->reason);
    json_end(json);
  }
  json_end(json);
}
