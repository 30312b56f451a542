/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --histogram: what is asked for, and the histograms of a run. */
#ifndef HISTOGRAMS_H
#define HISTOGRAMS_H

#include "integrands.h"
#include "nis_histogram.h"

enum { MAX_HISTOGRAMS = 64, HISTOGRAM_AXES = 2, HISTOGRAM_WORD = 64, HISTOGRAM_EDGES = 257 };

struct arguments;
struct run;

/* What an axis shows of a point: one of the row's observables, one of a plug-in's, or a coordinate
 */
struct observed {
  const struct integrand *row;
  const void *state;                    /* of the row */
  const struct observable *observable;  /* NULL: ... */
  const nis_plugin_observable *plugged; /* NULL: ... */
  size_t coordinate;                    /* ... from 0 */
};

struct axis_plan {
  struct observed of;
  char name[HISTOGRAM_WORD];
  const char *unit;
  size_t bins;
  double low, high;
  double edges[HISTOGRAM_EDGES]; /* [bins + 1] instead of these two; edges[1] <= edges[0]: none */
};

struct histogram_plan {
  size_t naxes;
  struct axis_plan axis[HISTOGRAM_AXES];
};

struct histograms {
  struct histogram_plan plan[MAX_HISTOGRAMS]; /* what their axes are told */
  nis_histogram *h[MAX_HISTOGRAMS];
  size_t n;
};

/* Are the texts of the command line good, "OBS:BINS", "OBS:BINS:LOW:HIGH" or "OBS:E0,E1,...", or
 * two of them with a comma between, and the file? 0, or an exit code with a sentence. */
int histograms_check(const struct arguments *arguments);

/* Makes them, empty; DONE, or an exit code with a sentence. */
int histograms_make(struct run *run);

/* Their sinks; params is a struct histograms. */
nis_point_sink histograms_points;
nis_event_sink histograms_events;

/* The file that they go to, "" without any */
void histograms_path(const struct arguments *arguments, char *path, size_t size);

/* Writes the file, if there is something in them; notes a failure. */
void histograms_write(struct run *run);

void histograms_free(struct run *run);

#endif
