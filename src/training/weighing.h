/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The channel weights learn from stored points: the variance of the whole is, but for a constant,
 *   V = sum_k int alpha_k^2 f^2 / q(k, x),
 * with q the density that the points were drawn from, and so the mean of w^2 over them, w = alpha_k
 * f / q. Points are drawn with probability proportional to s = (w^2 / mean(w^2) + 1) / 2, half by
 * what they add to V. The same bits for any number of threads.
 */
#ifndef NIS_WEIGHING_H
#define NIS_WEIGHING_H

#include "flow/adam.h"
#include "replay.h"

struct weighing {
  struct sampler *s;
  struct optimizer optimizer;
  size_t batch, most; /* points of a step, and most that are learnt from at once */
  float *gradient;    /* [chunks][nparameters]; the first holds the sum; owned */
  size_t *newest;     /* [most] slots, and [most + batch] of those drawn; owned */
  double *share;      /* [most] s of the newest; owned */
  double *square;     /* [most + batch] w^2 / mean(w^2) / s of those drawn; owned */
  uint64_t laps;      /* so far */
};

int nis_weighing_init(struct weighing *l, struct sampler *s, size_t batch, size_t most);
void nis_weighing_clear(struct weighing *l);

/* Steps with so many samples in all, of the newest `points`; nothing where f is 0 there. Stored
 * values do not follow before nis_replay_weigh. */
void nis_weighing_learn(struct weighing *l, const struct replay *r, size_t points, size_t samples,
                        double rate);

#endif
