/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one table of options: drives parsing, range checks, sentences and --help. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "arguments.h"
#include "numbers.h"
#include "values.h"

enum option_type { FLAG, TEXT, SETTING, REAL, INT, SIZE, WHOLE, CHOICE };

struct option_row {
  int commands; /* subcommands that know it */
  const char *name;
  char letter;          /* 0: none */
  const char *argument; /* its name in --help; NULL: takes none */
  enum option_type type;
  size_t offset; /* of its member in struct arguments */
  struct range range;
  const char *help;
  const char *choices; /* CHOICE: "a,b,c", stored as an int from 0 */
};

extern const struct option_row option_table[]; /* ends with a NULL name */

/* Stores text in the row's member; 0, or BAD_USAGE with a sentence on stderr. */
int option_store(const struct option_row *row, struct arguments *arguments, const char *text);

/* Is it on the command line? */
int option_given(const struct arguments *arguments, const char *name);

/* Does it set a member of nis_options? */
int option_is_setting(const struct option_row *row);

/* Its value, a number or a word */
void option_format(char text[VALUE_TEXT], const struct option_row *row,
                   const struct arguments *arguments);

/* What the option's value must be, as a phrase; "" if anything goes. */
void option_describe(char text[RANGE_TEXT], const struct option_row *row);

/* One line of help for every option of a subcommand. */
void options_help(FILE *file, int command);

/* The part of the command line that decides the numbers: threads and files are left out. */
void options_print(FILE *file, const struct arguments *arguments);

#endif
