/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What nets of points make of a mixture: the variance of a weight does not tell. A map's weights
 * are smooth functions of the net's points, a flow's less so, and a mixture's jump with the choice
 * of the channel. Nothing of a rehearsal counts for the estimate, whose nets are others.
 */
#ifndef NIS_REHEARSAL_H
#define NIS_REHEARSAL_H

#include "sampler/sampler.h"

enum { REHEARSED_NETS = 8, LEAST_REHEARSED = 16 /* points of a net */ };

struct rehearsal {
  size_t net;   /* points of each; 0: none */
  double final; /* points of each net of the estimate, about */
  int held;
  struct points points;
  double *value; /* [REHEARSED_NETS][net]; owned */
  struct replicate replicate;
};

int nis_rehearsal_init(struct rehearsal *r, size_t dim, size_t net, double final);
void nis_rehearsal_clear(struct rehearsal *r);

/* The error of the mean over one net of `final` points, from value[REHEARSED_NETS][net]: the spread
 * of smaller nets, carried on with the power of n that their parts, which are nets as well, show.
 * Where one mixture's error falls as n^-1/2 and another's as n^-3/2, small nets alone would choose
 * the wrong one. `net` is a power of 2, at least LEAST_REHEARSED. */
double nis_net_error(const double *value, size_t net, double final);

/* The same of the mixture of the sampler, whose nets are drawn for it */
int nis_rehearse(struct rehearsal *r, struct sampler *s, double *error);

#endif
