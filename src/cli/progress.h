/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person sees while a run goes on: a table of iterations, and on a terminal a live
 * line on stderr. */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "nis.h"

#include <stdio.h>

struct history;

struct progress {
  FILE *table; /* NULL: none */
  int live;    /* show the live line? */
  int shown;   /* is one on the screen? */
  int rows;    /* of the table so far */
  int event_rows;
  int phase;
  double phase_start, last_drawn; /* seconds on the clock */
  double next_row;                /* seconds into the phase */
  uint64_t phase_calls;           /* integrand calls before this phase */
  uint64_t calls;                 /* integrand calls so far */
  struct history *history;        /* NULL: none */
};

double seconds_now(void);

const char *phase_name(int phase);

void progress_start(struct progress *progress, FILE *table, int quiet);

/* Takes a struct progress; non-zero once the user wants to stop. */
nis_progress_callback progress_callback;

/* Removes the live line. */
void progress_end(struct progress *progress);

#endif
