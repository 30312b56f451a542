/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How events are written down. */
#ifndef EVENT_FORMAT_H
#define EVENT_FORMAT_H

#include "run.h"

struct event_file {
  FILE *file;
  const struct run *run;
  double unit; /* what a weight of 1 stands for */
};

struct event_format {
  /* x is the first event's point: its beams are those of the file. */
  void (*begin)(const struct event_file *to, const double *x);
  void (*event)(const struct event_file *to, const double *x, double weight);
  void (*end)(const struct event_file *to, uint64_t events);
};

extern const struct event_format lhe_format, text_format;

#endif
