/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of events in any of the formats. */
#ifndef NIS_EVENT_FILE_H
#define NIS_EVENT_FILE_H

#include "base/output.h"

#include "nis_events.h"

/* What files say about the run */
struct event_run {
  size_t dim, extra;
  uint64_t seed, calls;             /* of the integral */
  double value, error;              /* of the integral */
  const nis_event_summary *summary; /* w_max and unit are known when the first event comes */
  const struct weights *weights;    /* seen so far */
  int threads, serial;              /* for the particles */
  struct monitor *monitor;          /* asked while a reader is waited for */
};

struct event_format;
struct format_services;

struct event_file {
  const nis_event_options *options;
  const struct event_run *run;
  const struct event_format *format;
  const struct format_services *services; /* for formats in a module */
  struct output output;
  uint64_t events, trials; /* in the file */
  int all_one;             /* every weight is 1: Les Houches' strategy 3, else -4 */
  void *state;             /* the format's own */
};

/* NIS_INVALID with a sentence where there is no such format. */
int nis_event_format_check(nis_event_format number);

/* NIS_INVALID or NIS_NO_FILE with a sentence where a file could not be begun. */
int nis_event_file_check(const nis_event_options *o);

/* Options and run are not copied. */
int nis_event_file_open(struct event_file *file, const nis_event_options *o,
                        const struct event_run *run);

/* *taken events of the block are in the file: all of them, or fewer where the status is not
 * NIS_OK. */
int nis_event_file_write(struct event_file *file, const nis_event_block *block, size_t *taken);

/* Makes the file valid and gives it its name; without an event it goes away. file->events is what
 * it holds then. */
int nis_event_file_close(struct event_file *file);

#endif
