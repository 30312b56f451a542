/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steps.h"

#include "base/error.h"
#include "base/team.h"

static const double largest_norm = 1; /* of a gradient; longer ones are shortened */

int nis_learner_init(struct learner *l, struct flow *flow)
{
  *l = (struct learner){.part = PART_ALL};
  NIS_TRY(nis_gradient_init(&l->gradient, flow));
  return nis_optimizer_init(&l->optimizer, flow->kernels, flow->nparameters, flow->parameters);
}

void nis_learner_clear(struct learner *l)
{
  nis_gradient_clear(&l->gradient);
  nis_optimizer_clear(&l->optimizer);
}

struct lesson {
  struct sampler *s;
  struct learner *const *learner;
  nis_next_step *next;
  void *context;
  struct step step;
  size_t chunks; /* of each gradient */
  int learners;  /* of the step whose gradients are there, while `step` becomes the next one, */
  double rate;   /* and its rate */
  int over;
};

/* Items are the chunks of all learners. */
static void chunk_work(void *context, size_t item, int worker)
{
  struct lesson *lesson = context;
  struct learner *l = lesson->learner[item / lesson->chunks];
  nis_gradient_chunk(&l->gradient, &lesson->s->mixture, &lesson->s->work[worker],
                     &lesson->step.batch, l->part, item % lesson->chunks);
}

/* The learner that an item belongs to, one of the slices of all; leaves its slice in *item. */
static struct learner *find_slice(const struct lesson *lesson, size_t *item)
{
  int i = 0;
  for (size_t n; *item >= (n = nis_parameter_slices(lesson->learner[i]->gradient.flow)); i++)
    *item -= n;
  return lesson->learner[i];
}

static void sum_work(void *context, size_t item, int worker)
{
  (void)worker;
  const struct lesson *lesson = context;
  struct learner *l = find_slice(lesson, &item);
  nis_gradient_slice(&l->gradient, lesson->chunks, item);
}

static void adam_work(void *context, size_t item, int worker)
{
  (void)worker;
  const struct lesson *lesson = context;
  struct learner *l = find_slice(lesson, &item);
  const struct stride stride = {lesson->rate, l->decay, largest_norm};
  nis_optimizer_slice(&l->optimizer, &stride, l->gradient.values, nis_gradient_norm(&l->gradient),
                      item);
}

static size_t slices(const struct lesson *lesson, int learners)
{
  size_t n = 0;
  for (int i = 0; i < learners; i++) n += nis_parameter_slices(lesson->learner[i]->gradient.flow);
  return n;
}

static void region(struct team *team, int worker, void *context)
{
  struct lesson *lesson = context;
  while (!lesson->over) {
    size_t chunks = (size_t)lesson->step.learners * lesson->chunks;
    nis_team_for(team, worker, chunks, chunk_work, lesson);
    nis_team_barrier(team);
    if (worker == 0) {
      lesson->rate = lesson->step.rate;
      lesson->learners = lesson->step.learners;
      for (int i = 0; i < lesson->learners; i++) lesson->learner[i]->optimizer.step++;
    }
    nis_team_for(team, worker, slices(lesson, lesson->step.learners), sum_work, lesson);
    nis_team_barrier(team);
    nis_team_for(team, worker, slices(lesson, lesson->learners), adam_work, lesson);
    if (worker == 0) lesson->over = !lesson->next(&lesson->step, lesson->context);
    nis_team_barrier(team);
  }
}

void nis_take_steps(struct sampler *s, struct learner *const *learner, nis_next_step *next,
                    void *context)
{
  struct lesson lesson = {.s = s, .learner = learner, .next = next, .context = context};
  if (!next(&lesson.step, context)) return;
  lesson.chunks = nis_gradient_chunks(&lesson.step.batch);
  nis_team_run(s->threads, region, &lesson);
}
