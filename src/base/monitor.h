/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells the user how far the run is, some ten times a second at most but at the end of every
 * iteration, and remembers whether it is to stop. */
#ifndef NIS_MONITOR_H
#define NIS_MONITOR_H

#include "ranks.h"

struct monitor {
  nis_progress_callback *callback; /* may be NULL */
  void *params;
  nis_progress now;
  int stopped;          /* the callback said so, and is not asked again in this phase */
  double due;           /* of nis_clock(): when it is called next; 0: as soon as possible */
  double begun;         /* of nis_clock(): the first phase; 0: there has been none */
  double deadline;      /* of nis_clock(); 0: none */
  size_t block;         /* points at a time that let the deadline be seen soon; 0: not known yet */
  double block_seconds; /* of the last one */
  struct ranks *ranks;  /* that run together, not owned; NULL: this process is alone */
  double waiting;       /* of nis_clock(): since a stop was asked for; 0: it was not */
};

/* NIS_OK, NIS_STOPPED when the callback wants the run to end, or NIS_TIME_LIMIT. The first report
 * of a phase, the one at its end and those of iterations always reach the callback. */
int nis_monitor_report(struct monitor *m);

/* What all decisions about time go by: nis_clock(), with ranks rank 0's at the latest exchange */
double nis_monitor_clock(const struct monitor *m);

/* This is one of several ranks and not rank 0, which calls the user's sinks and writes files. */
int nis_monitor_is_silent(const struct monitor *m);

/* One of several ranks wishes all to stop, which they hear at their next exchange. */
void nis_monitor_wish_stop(struct monitor *m);

/* What a rank has met alone, where all can meet: an error becomes everybody's, and one of the
 * statuses of a run that ends early stops all. Without ranks it is `status`. */
int nis_monitor_agree(struct monitor *m, int status);

/* A nis_patience: shows the monitor's progress while other ranks are waited for. */
int nis_monitor_wait(void *monitor);

/* How many points to take at a time: `most`, or as many as take some hundredths of a second where
 * there is a deadline; and what a block took in the end. Results do not depend on where blocks end.
 */
size_t nis_monitor_block(const struct monitor *m, size_t most);
void nis_monitor_took(struct monitor *m, size_t points, double seconds);

/* Whether one more block would not end before the deadline */
int nis_monitor_over(const struct monitor *m);

/* Begins a phase of `total` calls or events. */
void nis_monitor_begin(struct monitor *m, int phase, uint64_t total);

/* An iteration ended: its value, error and relative spread of one weight. */
int nis_monitor_iteration(struct monitor *m, double value, double error, double spread);

#endif
