/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shortest way to a goal: how much to train before the estimate. Trainings and estimates take
 * turns; each training doubles what has been spent so far, and an estimate goes on while what it
 * still needs, as its error tells, costs less than the next training would. So neither costs more
 * than a small multiple of what it turns out to be good for.
 *
 * Costs are seconds of one thread: a call's are given or measured, those of the library's own work
 * are nominal, so that the same options give the same bits on any machine.
 */
#ifndef NIS_GOAL_H
#define NIS_GOAL_H

#include "estimation/estimate.h"
#include "training/train.h"

struct way {
  struct sampler *s;
  const nis_options *given; /* by the user */
  const nis_options *o;     /* complete */
  struct training *training;
  double call_seconds; /* infinite: only calls count */
  uint64_t spent;      /* calls before the present estimate, on this way */
  uint64_t next;       /* calls of the next training; 0: there is none */
  struct look last;    /* of the present estimate; no points: none yet */
};

/* Whether the way begins with a training: where the user knows peaks that uniform points would
 * miss, or there are few calls. way->next says how long it is. */
int nis_way_begins_with_training(struct way *way);

/* A few points, each called twice: a call's time, unless it is known, and whether the integrand
 * bears several threads. */
int nis_way_try_calls(struct way *way);

/* The options of a training of way->next calls */
nis_options nis_way_training_options(const struct way *way);

/* Of the present estimate, in which way->spent calls are not counted */
struct watcher nis_way_watcher(struct way *way);

#endif
