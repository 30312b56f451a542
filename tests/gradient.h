/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gradient of one minibatch, by a step of a training whose rate is 0. */
#ifndef TESTS_GRADIENT_H
#define TESTS_GRADIENT_H

#include "training/steps.h"

#include <check.h>

struct only_step {
  const struct minibatch *batch;
  int taken;
};

static int next_only_step(struct step *step, void *context)
{
  struct only_step *only = context;
  *step = (struct step){.learners = 1, .batch = *only->batch, .rate = 0};
  return only->taken++ == 0;
}

/* Into g->values; returns the norm. */
static inline double compute_gradient(struct gradient *g, struct sampler *s,
                                      const struct minibatch *batch)
{
  struct learner l = {.part = PART_ALL, .gradient = *g};
  struct only_step only = {batch, 0};
  ck_assert_int_eq(
      nis_optimizer_init(&l.optimizer, g->flow->kernels, g->flow->nparameters, g->flow->parameters),
      0);
  nis_take_steps(s, (struct learner *[]){&l}, next_only_step, &only);
  nis_optimizer_clear(&l.optimizer);
  return nis_gradient_norm(g);
}

#endif
