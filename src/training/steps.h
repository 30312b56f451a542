/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Gradient steps of all flows that learn, by one team of threads, which meets three times a step:
 *   the chunks of every gradient | their sums | Adam, and what the next step is made of.
 * The same bits for any number of threads. Several ranks share the chunks where that takes less
 * time than to send them, and do the rest each.
 */
#ifndef NIS_STEPS_H
#define NIS_STEPS_H

#include "gradient.h"

/* A flow that learns, and how */
struct learner {
  enum part part; /* of f, that it follows */
  double decay;   /* of its parameters */
  struct gradient gradient;
  struct optimizer optimizer;
};

int nis_learner_init(struct learner *l, struct flow *flow);
void nis_learner_clear(struct learner *l);

/* What all learners of a step have in common */
struct step {
  int learners; /* the first so many take part */
  struct minibatch batch;
  double rate; /* of learning */
};

/* Sets up the next step, in the calling thread; the flows are not to be looked at. 0: no more. All
 * minibatches are of one size. */
typedef int nis_next_step(struct step *step, void *context);

/* Steps of these learners until `next` ends them */
void nis_take_steps(struct sampler *s, struct learner *const *learner, nis_next_step *next,
                    void *context);

#endif
