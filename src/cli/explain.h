/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings that a run will use, each with a reason. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "arguments.h"
#include "json.h"
#include "options.h"

/* Beside the options three that follow from them */
enum { MOST_SETTINGS = MAX_OPTIONS + 3, REASON_TEXT = 256 };

struct setting {
  char name[NAME_TEXT], value[VALUE_TEXT], reason[REASON_TEXT];
  int is_word; /* or a number */
  int unusual; /* not what it would be for this dim and these calls if it were left alone */
};

struct settings {
  struct arguments arguments; /* the options complete */
  int n;
  struct setting list[MOST_SETTINGS];
};

/* With --from those of the file, unless the command line has others. 0 where the library refuses
 * the options: the run will say why. */
int settings_collect(struct settings *all, const struct arguments *arguments);

/* A table of them for a person, one a line ... */
void explain_text(FILE *file, const struct arguments *arguments);

/* ... and an object "settings", its members the options' names with a value and a reason each. */
void explain_json(struct json *json, const struct arguments *arguments);

#endif
