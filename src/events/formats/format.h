/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a format is: how a file begins, goes on, and ends. */
#ifndef NIS_FORMAT_H
#define NIS_FORMAT_H

#include "event_file.h"
#include "text.h"

struct event_format {
  const char *name;
  nis_event_format number;
  int needs_particles, needs_file;    /* the latter: not a pipe, not a device, no compression */
  const struct stream_format *stream; /* of the text-like ones */

  int (*begin)(struct event_file *file, const nis_event_block *first);
  int (*write)(struct event_file *file, const nis_event_block *block, size_t *taken);
  int (*end)(struct event_file *file); /* may not have begun */
};

/* A format whose events stand one behind the other. */
struct stream_format {
  /* *first is the first event, all zero without particles. */
  void (*head)(struct text *text, const struct event_file *file, const nis_event *first);
  void (*event)(struct text *text, const struct event_file *file, const nis_event_block *block,
                size_t i, const nis_event *event);
  void (*tail)(struct text *text, const struct event_file *file);
  int head_counts_events; /* written anew with each block, with as many bytes */
};

extern const struct stream_format nis_lhe_stream, nis_lhe3_stream, nis_npy_stream, nis_text_stream;

/* NumPy's head, with room for any number of events, so that it can be written anew when there are
 * more. */
enum { NPY_HEAD = 256, NPY_PREFIX = 10 /* bytes before its text */ };
void nis_npy_head(struct text *text, size_t dim, size_t extra, uint64_t events);

int nis_stream_begin(struct event_file *file, const nis_event_block *first);
int nis_stream_write(struct event_file *file, const nis_event_block *block, size_t *taken);
int nis_stream_end(struct event_file *file);

/* The particles of n events from number `first` on; all zero where the user gave no function. */
int nis_make_particles(const struct event_file *file, const nis_event_block *block, size_t first,
                       size_t n, int worker, nis_event *events);
int nis_no_particles(void); /* NIS_CALLBACK: the user's function returned non-zero */

/* The largest weight in units of the integral */
double nis_largest_event(const struct event_file *file);

/* Lines of UTF-8 that say how the file was made, each after `prefix`; "<", ">" and "&" escaped if
 * wanted. Bytes of the user's that a format could not hold come as \xNN. */
void nis_print_head(struct text *text, const struct event_file *file, const char *prefix,
                    int escape);

#endif
