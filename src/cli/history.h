/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a run went: a row for each round of the training and each iteration of the estimate. */
#ifndef HISTORY_H
#define HISTORY_H

#include "json.h"
#include "nis.h"

#include <stdio.h>

struct history {
  const char *path;  /* NULL: no file */
  FILE *file;        /* of --history, written while the run goes on */
  nis_progress *row; /* [n], for --json; owned */
  size_t n, room;
};

/* path may be NULL. DONE, or an exit code with a sentence. */
int history_begin(struct history *history, const char *path);

void history_add(struct history *history, const nis_progress *now);

/* Closes the file; an exit code with a sentence where it could not be written. */
int history_end(struct history *history);

/* As the array "history" */
void history_json(struct json *json, const struct history *history);

#endif
