/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the integrator: what integrate and events share. */
#ifndef RUN_H
#define RUN_H

#include "arguments.h"
#include "channels.h"
#include "history.h"
#include "pictures.h"
#include "progress.h"

struct run {
  const struct arguments *arguments;
  const struct integrand *row;
  nis_options options; /* complete: ready for the library */
  char name[256];      /* of the integrand with its parameters, for saved files */
  void *state;         /* of the integrand; NULL for a plug-in */
  struct progress progress;

  struct histograms *histograms; /* NULL: none */
  struct history history;
  struct points *points; /* for the figures of --report; NULL without it */

  int made;   /* there has been a handle */
  int status; /* of the latest step */
  nis_result result;
  struct channel_list channels;
  struct weight_picture weights;
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

/* The handle to work with: a new one, or that of --from. NULL where that failed, which is noted. */
nis *run_make(struct run *run);

/* Saves it where --output is given, unless there is nothing new. */
void run_save(struct run *run, nis *s);

/* Keeps what the channels have and how the weights are spread, and frees the handle, which may be
 * NULL. */
void run_close(struct run *run, nis *s);

/* Notes how a step of the library ended, before its sentence is lost; returns status. */
int run_note(struct run *run, int status);

/* Stops clock and live line; says on stderr what went wrong or needs a warning. */
void run_end(struct run *run);

/* Prints the result as the command line wants it; exit code of the run. */
int run_report(const struct run *run, FILE *file);

/* Writes the page of --report, if there is to be one; DONE, or FAILED with a sentence. */
int run_page(const struct run *run, void (*json)(FILE *file, const struct run *run));

void run_free(struct run *run);

/* The largest resident size of this process so far */
double peak_bytes(void);

#endif
