/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommands, and the table of them; each returns the exit code. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "arguments.h"

struct command {
  const char *name;
  int bit; /* of arguments.h */
  int (*run)(const struct arguments *arguments);
  const char *usage, *summary;
  const char *note; /* behind the options in its help, or NULL */
};

extern const struct command command_table[]; /* the one behind the last has no name */

int list_command(const struct arguments *arguments);
int integrate_command(const struct arguments *arguments);
int train_command(const struct arguments *arguments);
int merge_command(const struct arguments *arguments);
int compare_command(const struct arguments *arguments);
int completion_command(const struct arguments *arguments);
int show_command(const struct arguments *arguments);
int events_command(const struct arguments *arguments);
int bench_command(const struct arguments *arguments);
int matrix_element_command(const struct arguments *arguments);

#endif
