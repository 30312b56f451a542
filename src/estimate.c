/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "estimate.h"

#include "control.h"
#include "error.h"

#include <math.h>

enum {
  ITERATIONS = 16,
  LEAST_ITERATION = 64, /* points */
  FIRST_WITH_GOAL = 16384,
  BEFORE_GOAL = 4 /* iterations: the error of one may have missed what makes it large */
};

int nis_goal_met(const struct tally *tally, double rel_error, double abs_error)
{
  struct estimate now = nis_tally_estimate(tally);
  double goal = fmax(abs_error, rel_error * fabs(now.value));
  return (rel_error > 0 || abs_error > 0) && now.error <= goal;
}

/* One block of points into the tally; what has a value counts, also when the run is stopped. */
static int add_block(struct sampler *s, struct tally *tally, uint64_t first, size_t n,
                     struct points *p)
{
  nis_sampler_draw(s, STREAM_INTEGRATE, first, n, p);
  int status = nis_sampler_evaluate(s, p);
  for (size_t i = 0; i < p->n; i++)
    nis_tally_add_controlled(tally, nis_point_weight(p, i), nis_control_value(p, i, s->beta));
  return status;
}

static int report(struct sampler *s, struct tally *tally)
{
  struct estimate last = nis_tally_end_iteration(tally);
  nis_result r = {0};
  nis_tally_result(tally, &r);
  s->monitor.now.mean = r.value;
  s->monitor.now.sigma = r.error;
  s->monitor.now.efficiency = r.efficiency;
  return nis_monitor_iteration(&s->monitor, last.value, last.error, last.spread);
}

static int iterate(struct sampler *s, struct tally *tally, uint64_t first, uint64_t calls,
                   struct points *p, uint64_t *used)
{
  uint64_t end = *used + calls;
  int status = NIS_OK;
  while (status == NIS_OK && *used < end) {
    uint64_t left = end - *used;
    size_t n = left < p->capacity ? (size_t)left : p->capacity;
    status = add_block(s, tally, first + *used, n, p);
    *used += p->n;
  }
  int reported = report(s, tally);
  return status == NIS_OK ? reported : status;
}

/* Equal iterations; where the run may end early the first ones are small. */
static uint64_t iteration_end(uint64_t calls, uint64_t used, int iteration, int early)
{
  uint64_t n = calls / LEAST_ITERATION < ITERATIONS ? calls / LEAST_ITERATION : ITERATIONS;
  if (n < 2) n = calls < 4 ? 1 : 2;
  uint64_t step = calls / n, small = (uint64_t)FIRST_WITH_GOAL << (iteration < 32 ? iteration : 32);
  if (early && small < step) step = small;
  return calls - used < step + step / 2 ? calls : used + step;
}

int nis_estimate_flow(struct sampler *s, struct tally *tally, uint64_t first_point, uint64_t calls,
                      double rel_error, double abs_error, uint64_t *used)
{
  struct points p;
  int goal = rel_error > 0 || abs_error > 0, early = goal || s->monitor.deadline > 0;
  int status =
      nis_points_init(&p, calls < BLOCK_POINTS ? (size_t)calls : BLOCK_POINTS, s->flow.dim);
  nis_monitor_begin(&s->monitor, NIS_INTEGRATING, calls);
  *used = 0;
  for (int i = 0; status == NIS_OK && *used < calls; i++) {
    if (i >= BEFORE_GOAL && goal && nis_goal_met(tally, rel_error, abs_error)) break;
    uint64_t end = iteration_end(calls, *used, i, early);
    status = iterate(s, tally, first_point, end - *used, &p, used);
  }
  nis_points_clear(&p);
  return status;
}
