/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integration with the frozen flow: weights of fresh points, in iterations for chi2. */
#ifndef NIS_ESTIMATE_H
#define NIS_ESTIMATE_H

#include "components.h"
#include "sampler/sampler.h"
#include "tally.h"

struct integration {
  struct tally *tally;
  struct components *components;
  uint64_t first_point, calls;
  uint64_t likely;             /* the calls that fit into the time, about, or all of them */
  double rel_error, abs_error; /* goals; 0: none */
  int replicates; /* whole replicates of Sobol points, each an iteration; or random points */
  int stop;       /* out: nis_stop, what ended it where the status is NIS_OK */
};

/* What fits into whole replicates: 16 to 31 of them, of 2^m points each */
uint64_t nis_estimate_calls(uint64_t calls, int replicates);

/* Adds points to tally and components, numbered from first_point on: `calls`, or what of them fits
 * into whole replicates, ending early with NIS_OK when a goal is met or the monitor's deadline is
 * near; an error from a few values other than 0, or none, meets no goal. *used says how many points
 * went in. */
int nis_estimate_flow(struct sampler *s, struct integration *plan, uint64_t *used);

#endif
