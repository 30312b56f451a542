/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "estimate.h"

#include "mixture/control.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "trust.h"

#include <math.h>

enum {
  ITERATIONS = 16,
  LEAST_ITERATION = 64, /* points */
  FIRST_WITH_GOAL = 16384,
  BEFORE_GOAL = 4,        /* iterations: the error of one may have missed what makes it large */
  COMPONENT_BLOCK = 1024, /* points that all components are kept of at a time */
  LEAST_REPLICATES = 16   /* up to twice as many: fewer would leave their spread uncertain */
};

static int goal_met(const struct integration *plan)
{
  struct estimate now = nis_tally_estimate(plan->tally);
  double goal = fmax(plan->abs_error, plan->rel_error * fabs(now.value));
  if (!(plan->rel_error > 0 || plan->abs_error > 0)) return 0;
  return now.error <= goal && !nis_trust_few(plan->tally, plan->components);
}

struct job {
  struct sampler *s;
  struct integration *plan;
  struct points points;
  double *components; /* of the points, owned; spoilt in add_components */
  struct replicate replicate;
  uint64_t used; /* points so far */
};

/* The value that counts for the integral takes the place of component 0. */
static void add_components(struct job *j, size_t i, double value)
{
  struct components *c = j->plan->components;
  if (c->n == 0) return;
  double *v = j->components + i * c->n, over_q = exp(-j->points.log_q[i]);
  c->valued += (uint64_t)nis_components_have_value(c, v);
  v[0] = value;
  for (size_t k = 1; k < c->n; k++) v[k] = v[k] == 0 ? 0 : v[k] * over_q;
  if (j->plan->replicates)
    nis_components_add_to_replicate(c, v);
  else
    nis_components_add(c, v);
}

/* A block of an iteration into the tally; what has a value counts, also when the run is stopped. */
static int add_block(struct job *j, uint64_t from, size_t n)
{
  struct points *p = &j->points;
  if (j->plan->replicates)
    nis_sampler_draw_replicate(j->s, &j->replicate, j->used - from, n, p);
  else
    nis_sampler_draw(j->s, STREAM_INTEGRATE, j->plan->first_point + j->used, n, p);
  uint64_t bad = j->s->integrand.bad_calls;
  int status = nis_sampler_evaluate(j->s, p);
  j->plan->tally->bad += j->s->integrand.bad_calls - bad;
  j->plan->tally->uniform += (double)p->n * j->s->mixture.share[CHANNEL_UNIFORM];
  for (size_t first = 0; first < p->n; first += LANES) {
    size_t here = p->n - first < LANES ? p->n - first : LANES;
    double weight[LANES], value[LANES];
    nis_control_values(here, p->f + first, p->log_q + first, p->log_channel + first * CHANNELS,
                       j->s->mixture.beta, j->s->mixture.flow.kernels, weight, value);
    for (size_t i = 0; i < here; i++) {
      nis_tally_add_controlled(j->plan->tally, weight[i], value[i]);
      add_components(j, first + i, value[i]);
    }
  }
  j->used += p->n;
  return status;
}

/* A replicate is one also when it is not whole. */
static struct estimate end_iteration(struct job *j, uint64_t planned)
{
  uint64_t n = j->plan->tally->iteration.n;
  if (!j->plan->replicates && n < planned && n < LEAST_ITERATION)
    return nis_tally_end_rest(j->plan->tally);
  if (!j->plan->replicates) return nis_tally_end_iteration(j->plan->tally);
  nis_components_end_replicate(j->plan->components);
  return nis_tally_end_replicate(j->plan->tally);
}

static int report(struct job *j, uint64_t planned)
{
  struct monitor *monitor = &j->s->monitor;
  struct estimate last = end_iteration(j, planned);
  struct estimate all = nis_tally_estimate(j->plan->tally);
  monitor->now.mean = all.value;
  monitor->now.sigma = all.error;
  monitor->now.efficiency = nis_tally_efficiency(j->plan->tally);
  return nis_monitor_iteration(monitor, last.value, last.error, last.spread);
}

static int iterate(struct job *j, uint64_t calls)
{
  uint64_t from = j->used, end = from + calls;
  int status = NIS_OK;
  if (j->plan->replicates)
    nis_replicate_scramble(&j->replicate, j->s->mixture.flow.kernels, j->s->seed,
                           j->plan->first_point + from);
  do {
    struct monitor *monitor = &j->s->monitor;
    uint64_t left = end - j->used;
    size_t block = nis_monitor_block(monitor, j->points.capacity);
    double start = nis_clock();
    status = add_block(j, from, left < block ? (size_t)left : block);
    nis_monitor_took(monitor, j->points.n, nis_clock() - start);
  } while (status == NIS_OK && j->used < end && !nis_monitor_over(&j->s->monitor));
  int reported = report(j, calls);
  return status == NIS_OK ? reported : status;
}

/* Equal iterations; where the run may end early the first ones are small, and where more fits into
 * the time than was likely the last ones large. */
static uint64_t iteration_end(const struct integration *plan, uint64_t used, int iteration,
                              int early)
{
  uint64_t calls = plan->calls, likely = plan->likely, n = likely / LEAST_ITERATION;
  if (n > ITERATIONS) n = ITERATIONS;
  if (n < 2) n = likely < 4 ? 1 : 2;
  uint64_t step = likely / n > used / ITERATIONS ? likely / n : used / ITERATIONS;
  uint64_t small = (uint64_t)FIRST_WITH_GOAL << (iteration < 32 ? iteration : 32);
  if (early && small < step) step = small;
  return calls - used < step + step / 2 ? calls : used + step;
}

/* The largest power of two of which there are LEAST_REPLICATES in the calls */
static uint64_t replicate_points(uint64_t calls)
{
  int m = 0;
  while (m < SOBOL_BITS - 1 && calls >> (m + 1) >= LEAST_REPLICATES) m++;
  return (uint64_t)1 << m;
}

uint64_t nis_estimate_calls(uint64_t calls, int replicates)
{
  return replicates ? calls / replicate_points(calls) * replicate_points(calls) : calls;
}

static int run(struct job *j)
{
  struct integration *plan = j->plan;
  int status = NIS_OK, goal = plan->rel_error > 0 || plan->abs_error > 0;
  int early = goal || j->s->monitor.deadline > 0,
      before = plan->replicates ? LEAST_REPLICATES : BEFORE_GOAL;
  uint64_t size = replicate_points(plan->likely), calls = plan->calls;
  if (plan->replicates) calls = calls / size * size;
  nis_monitor_begin(&j->s->monitor, NIS_INTEGRATING, calls);
  for (int i = 0; status == NIS_OK && j->used < calls; i++) {
    if ((i >= before && goal_met(plan)) || (i > 0 && nis_monitor_over(&j->s->monitor))) break;
    uint64_t end = plan->replicates ? j->used + size : iteration_end(plan, j->used, i, early);
    status = iterate(j, end - j->used);
  }
  plan->stop = goal_met(plan) ? NIS_STOP_GOAL : j->used < calls ? NIS_STOP_TIME : NIS_STOP_CALLS;
  return status;
}

int nis_estimate_flow(struct sampler *s, struct integration *plan, uint64_t *used)
{
  struct job j = {.s = s, .plan = plan};
  size_t block = plan->calls < BLOCK_POINTS ? (size_t)plan->calls : BLOCK_POINTS;
  if (plan->components->n > 0 && block > COMPONENT_BLOCK) block = COMPONENT_BLOCK;
  int status = nis_points_init(&j.points, block, s->mixture.dim);
  j.components = NIS_RAW(double, nis_product(block, plan->components->n));
  if (!j.components) status = nis_no_memory();
  if (plan->components->n > 0) j.points.components = j.components;
  if (status == NIS_OK && plan->replicates)
    status = nis_replicate_init(&j.replicate, s->mixture.dim + 1);
  if (status == NIS_OK) status = run(&j);
  *used = j.used;
  nis_points_clear(&j.points);
  nis_replicate_clear(&j.replicate);
  free(j.components);
  return status;
}
