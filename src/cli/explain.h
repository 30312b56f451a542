/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings that a run will use, each with a reason. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "arguments.h"
#include "json.h"

/* A table of them for a person, one a line ... */
void explain_text(FILE *file, const struct arguments *arguments);

/* ... and an object "settings", its members the options' names with a value and a reason each. */
void explain_json(struct json *json, const struct arguments *arguments);

#endif
