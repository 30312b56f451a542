/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "explain.h"

#include "message.h"
#include "options.h"
#include "values.h"

#include <inttypes.h>
#include <string.h>

enum { MOST_SETTINGS = 40, REASON_TEXT = 160 };

struct setting {
  char name[VALUE_TEXT], value[VALUE_TEXT], reason[REASON_TEXT];
  int is_word; /* or a number */
};

struct settings {
  struct arguments arguments; /* the options complete */
  int n;
  struct setting list[MOST_SETTINGS];
};

/* What a default depends on */
enum { DIM = 1, CALLS = 2, TRAINING = 4, NETS = 8, EFFORT = 16 };

static const struct {
  const char *name;
  int depends;
  const char *note;
} notes[] = {
    {"dim", 0, "the default of this integrand"},
    {"rel-error", 0, "default: no goal"},
    {"abs-error", 0, "default: no goal"},
    {"max-seconds", 0, "default: no limit"},
    {"threads", 0, "default: all cores (OMP_NUM_THREADS)"},
    {"train-share", CALLS, NULL},
    {"layers", DIM, NULL},
    {"hidden-width", DIM, NULL},
    {"minibatch", TRAINING, NULL},
    {"replay", EFFORT | DIM | TRAINING | NETS, NULL},
    {"learning-rate", DIM, NULL},
    {"loss", 0, "default: kl, and at the end variance"},
    {NULL, 0, NULL},
};

static uint64_t train_calls(const nis_options *o)
{
  return (uint64_t)(o->train_share * (double)o->calls);
}

static void add_part(char reason[REASON_TEXT], int *parts, const char *name, double value)
{
  char number[NUMBER_TEXT] = "";
  size_t used = strlen(reason);
  if (value > 0) format_number(number, value);
  snprintf(reason + used, REASON_TEXT - used, "%s %s%s", *parts ? "," : " for", name, number);
  ++*parts;
}

/* "default for d = 4, 400000 training calls" */
static void default_reason(char reason[REASON_TEXT], const nis_options *o, int depends)
{
  int parts = 0;
  snprintf(reason, REASON_TEXT, "default");
  if (depends & EFFORT) add_part(reason, &parts, "effort = ", o->effort);
  if (depends & DIM) add_part(reason, &parts, "d = ", (double)o->dim);
  if (depends & CALLS) add_part(reason, &parts, "calls = ", (double)o->calls);
  if (depends & TRAINING) add_part(reason, &parts, "training calls = ", (double)train_calls(o));
  if (depends & NETS) add_part(reason, &parts, "these nets", 0);
}

static void give_reason(char reason[REASON_TEXT], const struct settings *all, const char *name)
{
  int i = 0;
  if (option_given(&all->arguments, name)) {
    snprintf(reason, REASON_TEXT, "given on the command line");
    return;
  }
  while (notes[i].name && strcmp(notes[i].name, name) != 0) i++;
  if (notes[i].note)
    snprintf(reason, REASON_TEXT, "%s", notes[i].note);
  else
    default_reason(reason, &all->arguments.options, notes[i].depends);
}

static struct setting *add(struct settings *all, const char *name)
{
  struct setting *s = &all->list[all->n++];
  snprintf(s->name, sizeof s->name, "%s", name);
  return s;
}

static void add_option(struct settings *all, const struct option_row *row)
{
  struct setting *s = add(all, row->name);
  s->is_word = row->type == CHOICE;
  option_format(s->value, row, &all->arguments);
  give_reason(s->reason, all, row->name);
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
}

/* 0 where the library refuses the options: the run will say why. */
static int collect(struct settings *all, const struct arguments *arguments)
{
  *all = (struct settings){.arguments = *arguments};
  if (nis_complete_options(&arguments->options, &all->arguments.options) != NIS_OK) return 0;
  for (const struct option_row *row = option_table; row->name; row++)
    if (option_is_setting(row)) add_option(all, row);
  add_sums(all);
  return 1;
}

void explain_text(FILE *file, const struct arguments *arguments)
{
  static struct settings all; /* 17 KiB */
  if (!collect(&all, arguments)) return;
  for (const struct setting *s = all.list; s < all.list + all.n; s++)
    fprintf(file, "%-20s %-18s %s\n", s->name, s->value, s->reason);
  fputc('\n', file);
  fflush(file); /* before the run */
}

void explain_json(struct json *json, const struct arguments *arguments)
{
  static struct settings all; /* 17 KiB */
  if (!collect(&all, arguments)) return;
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
