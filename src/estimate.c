/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "estimate.h"

#include "error.h"

#include <math.h>

enum {
  ITERATIONS = 16,
  LEAST_ITERATION = 64, /* points */
  BEFORE_GOAL = 4       /* iterations: the error of one may have missed what makes it large */
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
  for (size_t i = 0; i < p->n; i++) nis_tally_add(tally, nis_point_weight(p, i));
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

static uint64_t iteration_calls(uint64_t calls, int iteration)
{
  uint64_t n = calls / LEAST_ITERATION < ITERATIONS ? calls / LEAST_ITERATION : ITERATIONS;
  if (n < 2) n = calls < 4 ? 1 : 2;
  uint64_t i = (uint64_t)iteration;
  return i >= n
             ? 0
             : calls / n * (i + 1) + calls % n * (i + 1) / n - (calls / n * i + calls % n * i / n);
}

int nis_estimate_flow(struct sampler *s, struct tally *tally, uint64_t first_point, uint64_t calls,
                      double rel_error, double abs_error, uint64_t *used)
{
  struct points p;
  size_t most = iteration_calls(calls, 0) + 1;
  int status = nis_points_init(&p, most < BLOCK_POINTS ? most : BLOCK_POINTS, s->flow.dim);
  nis_monitor_begin(&s->monitor, NIS_INTEGRATING, calls);
  *used = 0;
  for (int i = 0; status == NIS_OK && iteration_calls(calls, i) > 0; i++) {
    status = iterate(s, tally, first_point, iteration_calls(calls, i), &p, used);
    if (i + 1 >= BEFORE_GOAL && nis_goal_met(tally, rel_error, abs_error)) break;
  }
  nis_points_clear(&p);
  return status;
}
