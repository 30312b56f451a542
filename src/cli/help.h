/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the command says about itself, for a person and as JSON. */
#ifndef HELP_H
#define HELP_H

#include "commands.h"

#include <stdio.h>

void help_all(FILE *file);

void help_one(const struct command *command);

/* Version, commands, options and exit codes, out of which the manual page is made */
void help_json(void);

#endif
