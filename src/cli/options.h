/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command's options: rows of its own, and those of the library's tables, which know their
 * ranges, defaults and words. Drives parsing, sentences, --help and --explain.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "arguments.h"
#include "json.h"
#include "numbers.h"
#include "values.h"

/* OPTION, EVENT_OPTION: a member of nis_options, of nis_event_options */
enum option_type { FLAG, TEXT, SETTING, HISTOGRAM, OPTION, EVENT_OPTION };

enum { NAME_TEXT = 32 };

struct option_row {
  int commands;         /* subcommands that know it */
  char letter;          /* 0: none */
  char name[NAME_TEXT]; /* with - where the library has _ */
  const char *argument; /* its name in --help; NULL: takes none */
  enum option_type type;
  size_t offset; /* of its member in struct arguments */
  const char *help;
  const nis_option *library; /* the row there, or NULL */
};

/* All, in the order of --help; the one behind the last has an empty name. */
const struct option_row *option_rows(void);

/* Stores text in the row's member; 0, or BAD_USAGE with a sentence on stderr. */
int option_store(const struct option_row *row, struct arguments *arguments, const char *text);

/* One more "key=value" of --param; likewise */
int store_setting(struct arguments *arguments, const char *text);

/* Is it on the command line? */
int option_given(const struct arguments *arguments, const struct option_row *row);

/* Its value, a number or a word */
void option_format(char text[VALUE_TEXT], const struct option_row *row,
                   const struct arguments *arguments);

/* Word number n of a member of nis_event_options */
void event_option_word(char text[VALUE_TEXT], const char *member, int n);

/* Lines of help for every option of a subcommand. */
void options_help(FILE *file, int command);

/* A word as a shell takes it back: in quotes where it needs them */
void print_word(FILE *file, const char *word);

/* The part of the command line that decides the numbers: threads and files are left out. */
void options_print(FILE *file, const struct arguments *arguments);

/* The same options as an object "options", but for the seed and the integrand's parameters */
void options_json(struct json *json, const struct arguments *arguments);

#endif
