/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the integrator: what integrate and events share. */
#ifndef RUN_H
#define RUN_H

#include "arguments.h"
#include "progress.h"

struct run {
  const struct arguments *arguments;
  const struct integrand *row;
  nis_options options; /* complete: ready for the library */
  void *state;         /* of the integrand; NULL for a plug-in */
  struct progress progress;

  int status; /* of the latest step */
  nis_result result;
  char message[512]; /* the library's sentence, "" if there is none */
  int has_exact;
  double exact;
  double start, seconds;

  int has_events; /* are there any? */
  nis_event_summary events;
  double event_seconds; /* of the time that they took */
};

/* Sets up integrand, options and progress; DONE, or an exit code with a sentence. */
int run_begin(struct run *run, const struct arguments *arguments, FILE *table);

/* Notes how a step of the library ended, before its sentence is lost; returns status. */
int run_note(struct run *run, int status);

/* Stops clock and live line; says on stderr what went wrong or needs a warning. */
void run_end(struct run *run);

/* Prints the result as the command line wants it; exit code of the run. */
int run_report(const struct run *run, FILE *file);

void run_free(struct run *run);

/* The largest resident size of this process so far */
double peak_bytes(void);

#endif
