/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The channel weights learn from stored points. With as many uniform points in each channel the
 * variance of the whole would be, but for a constant,
 *   V = sum_k int (alpha_k f)^2 dx,
 * the mean of (alpha_k f)^2 / p over points of density p, of whatever round. That is the task for
 * alpha_k of which the flows have no part: weights that follow the flows, while these follow the
 * weights, drift: with the best prior, in tests/test_weighting.c, the error became 2.6 times as
 * large, and is now the same.
 *
 * Points are drawn with probability proportional to s = (v / mean(v) + 1) / 2, v = (alpha_k f)^2 /
 * p. The mixture has the mean of the latest nets once fresh points say that this halves V, and the
 * prior before. The same bits for any number of threads.
 */
#ifndef NIS_WEIGHING_H
#define NIS_WEIGHING_H

#include "flow/adam.h"
#include "replay.h"

struct weighing {
  struct sampler *s;
  struct weighting learner, mean;   /* that takes the steps, and the mean of its latest nets */
  struct optimizer optimizer;       /* of the learner */
  int used;                         /* the mixture has the mean, not the prior alone */
  double with_net, with_prior;      /* V by fresh points, the newest rounds most, ... */
  double log_unit, log_unit_before; /* ... in these units, and those that it was in */
  size_t batch, most;               /* points of a step, and most that are learnt from at once */
  float *gradient;                  /* [chunks][nparameters]; the first holds the sum; owned */
  size_t *newest;                   /* [most] slots, and [most + batch] of those drawn; owned */
  double *share;                    /* [most] s of the newest; owned */
  double *square;                   /* [most + batch] v / mean(v) / s of those drawn; owned */
  uint64_t laps;                    /* so far */
};

int nis_weighing_init(struct weighing *l, struct sampler *s, size_t batch, size_t most);
void nis_weighing_clear(struct weighing *l);

/* Steps with so many samples in all, of the newest `points`, of which `fresh` are new; nothing
 * where f is 0 there. Stored values follow with nis_replay_weigh. */
void nis_weighing_learn(struct weighing *l, const struct replay *r, size_t points, size_t fresh,
                        size_t samples, const struct stride *stride);

#endif
