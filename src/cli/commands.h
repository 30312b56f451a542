/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommands; each returns the exit code. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "arguments.h"

int list_command(const struct arguments *arguments);
int integrate_command(const struct arguments *arguments);
int train_command(const struct arguments *arguments);
int merge_command(const struct arguments *arguments);
int compare_command(const struct arguments *arguments);
int show_command(const struct arguments *arguments);
int events_command(const struct arguments *arguments);
int bench_command(const struct arguments *arguments);
int matrix_element_command(const struct arguments *arguments);

#endif
