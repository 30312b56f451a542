/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steps.h"

#include "base/error.h"
#include "base/team.h"

#include <string.h>

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
  struct ranks *ranks; /* that share the chunks of a step; NULL: none */
  size_t first, end;   /* the chunks of all learners that are this rank's */
};

/* Item number i of all: those of one chunk follow each other, so that ranks get some of each
 * learner, whose flows are not of one size. */
static struct learner *find_chunk(const struct lesson *lesson, size_t item, size_t *chunk)
{
  size_t learners = (size_t)lesson->step.learners;
  *chunk = item / learners;
  return lesson->learner[item % learners];
}

/* ---- ranks --------------------------------------------------------------------------------- */

static const double flops = 6e10;    /* of a thread, 12 for each parameter and point */
static const double bandwidth = 1e9; /* bytes a second of what all ranks give */
static const double meeting = 1e-4;  /* seconds */

/* Whether the time that sharing saves is more than what it takes, by figures that are the same for
 * all ranks */
static int pays(const struct lesson *lesson)
{
  const struct ranks *r = lesson->s->monitor.ranks;
  if (!r || r->over) return 0;
  double parameters = 0, size = r->link.size, points = (double)lesson->step.batch.n;
  for (int i = 0; i < lesson->step.learners; i++)
    parameters += (double)lesson->learner[i]->gradient.flow->nparameters;
  double work = 12 * points * parameters / (flops * (double)nis_ranks_threads(r));
  double bytes = (double)(lesson->chunks * sizeof(float)) * parameters;
  return work * (1 - 1 / size) > meeting + bytes / bandwidth;
}

/* This rank's part of the chunks of the step */
static void divide(struct lesson *lesson)
{
  size_t chunks = (size_t)lesson->step.learners * lesson->chunks;
  lesson->ranks = pays(lesson) ? lesson->s->monitor.ranks : NULL;
  lesson->first = 0, lesson->end = chunks;
  if (!lesson->ranks) return;
  int rank = lesson->ranks->link.rank;
  lesson->first = nis_ranks_part(lesson->ranks, chunks, 1, rank);
  lesson->end = nis_ranks_part(lesson->ranks, chunks, 1, rank + 1);
}

/* Chunks first .. end - 1 into a message, which may be NULL, or out of one; returns its bytes. */
static size_t pack(const struct lesson *lesson, size_t first, size_t end, unsigned char *message,
                   int out)
{
  size_t at = 0;
  for (size_t item = first; item < end; item++) {
    size_t chunk;
    const struct gradient *g = &find_chunk(lesson, item, &chunk)->gradient;
    size_t n = g->flow->nparameters, bytes = n * sizeof *g->values;
    float *values = g->values + chunk * n;
    if (message && out) memcpy(values, message + at, bytes);
    if (message && !out) memcpy(message + at, values, bytes);
    at += bytes;
  }
  return at;
}

/* All chunks to all ranks; where ranks are lost, there are no more steps. */
static void gather(struct lesson *lesson)
{
  struct ranks *r = lesson->ranks;
  size_t chunks = (size_t)lesson->step.learners * lesson->chunks;
  int status = nis_ranks_reserve(r, pack(lesson, lesson->first, lesson->end, NULL, 0));
  if (status == NIS_OK) r->own.bytes = pack(lesson, lesson->first, lesson->end, r->outbox, 0);
  lesson->over = nis_ranks_exchange(r, chunks, status) != NIS_OK;
  for (int k = 0; !lesson->over && k < r->link.size; k++)
    if (k != r->link.rank)
      pack(lesson, nis_ranks_part(r, chunks, 1, k), nis_ranks_part(r, chunks, 1, k + 1),
           r->inbox + r->from[k], 1);
}

/* ---- steps --------------------------------------------------------------------------------- */

static void chunk_work(void *context, size_t item, int worker)
{
  struct lesson *lesson = context;
  size_t chunk;
  struct learner *l = find_chunk(lesson, lesson->first + item, &chunk);
  nis_gradient_chunk(&l->gradient, &lesson->s->mixture, &lesson->s->work[worker],
                     &lesson->step.batch, l->part, chunk);
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
    nis_team_for(team, worker, lesson->end - lesson->first, chunk_work, lesson);
    nis_team_barrier(team);
    if (lesson->ranks) {
      if (worker == 0) gather(lesson);
      nis_team_barrier(team);
      if (lesson->over) break;
    }
    if (worker == 0) {
      lesson->rate = lesson->step.rate;
      lesson->learners = lesson->step.learners;
      for (int i = 0; i < lesson->learners; i++) lesson->learner[i]->optimizer.step++;
    }
    nis_team_for(team, worker, slices(lesson, lesson->step.learners), sum_work, lesson);
    nis_team_barrier(team);
    nis_team_for(team, worker, slices(lesson, lesson->learners), adam_work, lesson);
    if (worker == 0) lesson->over = !lesson->next(&lesson->step, lesson->context);
    if (worker == 0 && !lesson->over) divide(lesson);
    nis_team_barrier(team);
  }
}

void nis_take_steps(struct sampler *s, struct learner *const *learner, nis_next_step *next,
                    void *context)
{
  struct lesson lesson = {.s = s, .learner = learner, .next = next, .context = context};
  if (!next(&lesson.step, context)) return;
  lesson.chunks = nis_gradient_chunks(&lesson.step.batch);
  divide(&lesson);
  nis_team_run(s->threads, region, &lesson);
}
