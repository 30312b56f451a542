/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a call of the integrand takes, the drawing of its point included. */
#ifndef NIS_PACE_H
#define NIS_PACE_H

#include "sampler/sampler.h"

struct pace {
  double seconds; /* that the timing may take a hundredth of */
  uint64_t calls; /* likewise; more only for the first calls */
  size_t ncomp;
  points_observer *see; /* is shown the points */
  void *context;
  double per_call; /* out: seconds; 0: too little to be measured */
};

/* The first calls, one a thread, are left out: they load tables. */
int nis_pace(struct sampler *s, struct pace *pace);

#endif
