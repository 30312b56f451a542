/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "estimate.h"

#include "mixture/control.h"
#include "base/error.h"
#include "base/memory.h"
#include "combine.h"
#include "handout.h"
#include "trust.h"

#include <limits.h>
#include <math.h>

enum {
  ITERATIONS = 16,
  LEAST_ITERATION = 64, /* points */
  FIRST_WITH_GOAL = 16384,
  BEFORE_GOAL = 4,        /* iterations: the error of one may have missed what makes it large */
  COMPONENT_BLOCK = 1024, /* points that all components, or outputs, are kept of at a time */
  LEAST_REPLICATES = 16,  /* up to twice as many: fewer would leave their spread uncertain */
  LEAST_DOUBLED = LANES   /* points of a replicate: half a tile cannot be added */
};

/* Of 16 nets at the first look that is good enough the errors are too small by 6 % in the mean, and
 * within one and two of them are 65.9 % and 93.1 % of the values instead of 68.3 % and 94.3 %; with
 * this factor 68 % and 94 % (normal nets whose variance falls as n^-1 .. n^-3). */
static const double widening = 1.06;
static const double little = 1.5; /* times the points: more replicates, rather than larger ones */
static const double spare = 1.1;  /* times what seems to be missing */

static double goal_of(const struct integration *plan, double value)
{
  return fmax(plan->abs_error, plan->rel_error * fabs(value));
}

/* An error of 0 meets a goal of 0: that of what is 0 everywhere. */
static double times_off(const struct aim *aim)
{
  return aim->error == 0 ? 0 : aim->error / aim->goal;
}

struct aim nis_estimate_aim(const struct integration *plan)
{
  struct aim worst = {0};
  size_t n = plan->all && plan->components->n > 0 ? plan->components->n : 1;
  for (size_t a = 0; a < n; a++) {
    struct estimate now = nis_component(plan->tally, plan->components, a);
    struct aim aim = {a, now.error, goal_of(plan, now.value)};
    if (a == 0 || times_off(&aim) > times_off(&worst)) worst = aim;
  }
  return worst;
}

static int goal_met(const struct integration *plan)
{
  struct aim aim = nis_estimate_aim(plan);
  if (!(plan->rel_error > 0 || plan->abs_error > 0)) return 0;
  return aim.error <= aim.goal && !nis_trust_few(plan->tally, plan->components, plan->all);
}

struct job {
  struct sampler *s;
  struct integration *plan;
  struct points points;
  double *components; /* of the points, owned; spoilt in add_components */
  struct replicate replicate;
  struct replicate *growing; /* [MOST_GROWING]; owned */
  uint64_t used;             /* points so far */
  struct handout handout;
};

/* The value that counts for the integral takes the place of component 0. */
static void add_components(struct job *j, size_t i, double value)
{
  struct components *c = j->plan->components;
  if (c->n == 0) return;
  double *v = j->components + i * c->n, over_q = exp(-j->points.log_q[i]);
  nis_components_count(c, v);
  v[0] = value;
  for (size_t k = 1; k < c->n; k++) v[k] = v[k] == 0 ? 0 : v[k] * over_q;
  if (j->plan->replicates)
    nis_components_add_to_replicate(c, v);
  else
    nis_components_add(c, v);
}

/* The channel is the value of the last coordinate. */
static void add_to_channel(struct job *j, size_t i, double weight)
{
  struct channels *c = j->plan->channels;
  if (c->n == 0) return;
  double last = j->points.x[(i + 1) * j->s->mixture.dim - 1];
  nis_channels_add(c, nis_channel_of(c->n, last), weight, j->plan->replicates);
}

/* Components of the points are those of their weights; but for the first, which is put right. */
static int hand_out(struct job *j, uint64_t before, int iteration)
{
  struct points *p = &j->points;
  size_t n = j->plan->components->n;
  for (size_t i = 0; n > 0 && i < p->n && j->handout.sink; i++)
    j->components[i * n] = j->handout.weight[i];
  int status =
      nis_handout_give(&j->handout, &j->s->integrand.domain, p, j->components, before, iteration);
  return j->plan->options->sink ? nis_monitor_agree(&j->s->monitor, status) : status;
}

/* n points from number `at` of a replicate on, or the next random ones without one, into the tally;
 * what has a value counts, also when the run is stopped. */
static int add_block(struct job *j, int iteration, const struct replicate *replicate, uint64_t at,
                     size_t n)
{
  struct points *p = &j->points;
  if (replicate)
    nis_sampler_draw_replicate(j->s, replicate, at, n, p);
  else
    nis_sampler_draw(j->s, STREAM_INTEGRATE, j->plan->first_point + j->used, n, p);
  uint64_t bad = j->s->integrand.bad_calls, before = j->plan->tally->weights.n;
  int status = nis_sampler_evaluate(j->s, p);
  j->plan->tally->bad += j->s->integrand.bad_calls - bad;
  j->plan->tally->uniform += (double)p->n * j->s->mixture.share[CHANNEL_UNIFORM];
  const struct watcher *watcher = j->plan->watcher;
  if (status == NIS_OK && watcher && watcher->see) status = watcher->see(watcher->context, p);
  for (size_t first = 0; first < p->n; first += LANES) {
    size_t here = p->n - first < LANES ? p->n - first : LANES;
    double weight[LANES], value[LANES];
    nis_control_values(here, p->f + first, p->log_q + first, p->log_channel + first * CHANNELS,
                       j->s->mixture.beta, j->s->mixture.flow.kernels, weight, value);
    if (j->handout.sink) memcpy(j->handout.weight + first, weight, here * sizeof *weight);
    for (size_t i = 0; i < here; i++) {
      nis_tally_add_controlled(j->plan->tally, weight[i], value[i]);
      add_components(j, first + i, value[i]);
      add_to_channel(j, first + i, weight[i]);
    }
  }
  j->used += p->n;
  int taken = hand_out(j, before, iteration);
  return status == NIS_OK ? taken : status;
}

/* Of iteration number `iteration` of the estimate */
static int add_points(struct job *j, int iteration, const struct replicate *replicate,
                      uint64_t from, uint64_t to)
{
  int status = NIS_OK;
  do {
    struct monitor *monitor = &j->s->monitor;
    size_t block = nis_monitor_block(monitor, j->points.capacity);
    double start = nis_monitor_clock(monitor);
    size_t n = to - from < block ? (size_t)(to - from) : block;
    status = add_block(j, iteration, replicate, from, n);
    from += j->points.n;
    nis_monitor_took(monitor, j->points.n, nis_monitor_clock(monitor) - start);
  } while (status == NIS_OK && from < to && !nis_monitor_over(&j->s->monitor));
  return status;
}

/* A replicate is one also when it is not whole. */
static struct estimate end_iteration(struct job *j)
{
  if (!j->plan->replicates) return nis_tally_end_iteration(j->plan->tally);
  nis_components_end_replicate(j->plan->components);
  nis_components_end_replicate(&j->plan->channels->parts);
  return nis_tally_end_replicate(j->plan->tally);
}

static int report(struct job *j, struct estimate last)
{
  struct monitor *monitor = &j->s->monitor;
  struct estimate all = nis_tally_estimate(j->plan->tally);
  monitor->now.mean = all.value;
  monitor->now.sigma = all.error;
  monitor->now.efficiency = nis_tally_efficiency(j->plan->tally);
  monitor->now.chi2 = nis_tally_chi2(j->plan->tally, &monitor->now.dof);
  nis_sampler_tell_shares(j->s);
  return nis_monitor_iteration(monitor, last.value, last.error, last.spread);
}

static int iterate(struct job *j, uint64_t calls)
{
  NIS_TRY(nis_tally_reserve(j->plan->tally, 1));
  if (j->plan->replicates)
    nis_replicate_scramble(&j->replicate, j->s->mixture.flow.kernels, j->s->seed,
                           j->plan->first_point + j->used);
  const struct replicate *replicate = j->plan->replicates ? &j->replicate : NULL;
  int status = add_points(j, (int)j->plan->tally->nended, replicate, 0, calls);
  int reported = report(j, end_iteration(j));
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

/* Where iteration number i ends that begins after `used` points */
static uint64_t end_of(const struct job *j, uint64_t used, int i)
{
  const struct integration *plan = j->plan;
  int early = plan->rel_error > 0 || plan->abs_error > 0 || j->s->monitor.deadline > 0;
  return plan->replicates ? used + replicate_points(plan->likely)
                          : iteration_end(plan, used, i, early);
}

/* The first iteration of part number `part`, and of the next one the first that is not in it */
static int first_of_part(const struct job *j, uint64_t calls, int part)
{
  int n = 0;
  for (uint64_t used = 0; used < calls; n++) used = end_of(j, used, n);
  return (int)((int64_t)n * (part - 1) / j->plan->parts);
}

static int check_part(const struct job *j, int first, int end)
{
  if (first < end) return NIS_OK;
  return nis_fail(NIS_INVALID,
                  "part %d of %d of %llu calls has no point: fewer parts, or more calls",
                  j->plan->part, j->plan->parts, (unsigned long long)j->plan->calls);
}

static int run(struct job *j)
{
  struct integration *plan = j->plan;
  int status = NIS_OK, first = 0, end = INT_MAX;
  int before = plan->replicates ? LEAST_REPLICATES : BEFORE_GOAL;
  uint64_t calls = plan->calls, size = replicate_points(plan->likely);
  if (plan->replicates) calls = calls / size * size;
  if (plan->parts > 0) {
    first = first_of_part(j, calls, plan->part);
    end = first_of_part(j, calls, plan->part + 1);
    NIS_TRY(check_part(j, first, end));
  }
  nis_monitor_begin(&j->s->monitor, NIS_INTEGRATING,
                    plan->parts > 0 ? calls / (uint64_t)plan->parts : calls);
  for (int i = 0; status == NIS_OK && j->used < calls; i++) {
    if ((i >= before && goal_met(plan)) || (i > 0 && nis_monitor_over(&j->s->monitor))) break;
    uint64_t next = end_of(j, j->used, i);
    if (i == first) plan->from = plan->first_point + j->used;
    if (i < first || i >= end)
      j->used = next;
    else
      status = iterate(j, next - j->used);
    if (i >= first && i < end) plan->to = plan->first_point + j->used;
  }
  plan->stop = goal_met(plan) ? NIS_STOP_GOAL : j->used < calls ? NIS_STOP_TIME : NIS_STOP_CALLS;
  return status;
}

/* ---- an estimate that grows ----------------------------------------------------------------- */

/* Replicate number i, scrambled when it is begun; NULL for random points */
static int begin_replicate(struct job *j, int i, const struct replicate **replicate)
{
  *replicate = NULL;
  if (!j->plan->replicates) return NIS_OK;
  struct replicate *r = &j->growing[i];
  *replicate = r;
  if (r->dim > 0) return NIS_OK;
  NIS_TRY(nis_replicate_init(r, j->s->mixture.dim + 1));
  nis_replicate_scramble(r, j->s->mixture.flow.kernels, j->s->seed, j->plan->first_point + j->used);
  return NIS_OK;
}

/* The points from .. to - 1 of the replicates first .. end - 1, and a look */
static int grow(struct job *j, int first, int end, uint64_t from, uint64_t to)
{
  struct tally *tally = j->plan->tally;
  int status = NIS_OK;
  for (int i = first; status == NIS_OK && i < end; i++) {
    const struct replicate *replicate;
    status = begin_replicate(j, i, &replicate);
    if (status == NIS_OK) status = add_points(j, i, replicate, from, to);
    nis_tally_grow(tally, i);
    nis_components_grow(j->plan->components, i);
    nis_components_grow(&j->plan->channels->parts, i);
  }
  nis_tally_look(tally, j->plan->replicates);
  if (j->plan->replicates) nis_components_look(j->plan->components);
  if (j->plan->replicates) nis_components_look(&j->plan->channels->parts);
  int reported = report(j, nis_tally_estimate(tally));
  return status == NIS_OK ? reported : status;
}

static struct look look(const struct job *j)
{
  const struct integration *plan = j->plan;
  struct aim aim = nis_estimate_aim(plan);
  return (struct look){j->used, aim.error, aim.goal,
                       nis_trust_least_points(plan->tally, plan->components, plan->all)};
}

/* How many more than n replicates of the same size would do; 0 where it takes larger ones */
static int missing(const struct look *now, int n)
{
  double times = spare * (now->error / now->goal) * (now->error / now->goal);
  return now->least <= (double)now->points && times < little ? (int)ceil(fmax(n * (times - 1), 1))
                                                             : 0;
}

static int run_growing(struct job *j)
{
  struct integration *plan = j->plan;
  const struct watcher *watcher = plan->watcher;
  uint64_t first = watcher->first < plan->calls ? watcher->first : plan->calls;
  int n = plan->replicates ? LEAST_REPLICATES : BEFORE_GOAL;
  uint64_t size = plan->replicates ? replicate_points(first) : first / BEFORE_GOAL;
  if (size == 0) size = 1;
  plan->tally->widening = widening;
  plan->stop = NIS_STOP_CALLS;
  nis_monitor_begin(&j->s->monitor, NIS_INTEGRATING, plan->calls);
  if (size * (uint64_t)n > plan->calls) n = (int)plan->calls;
  int status = grow(j, 0, n, 0, size);
  while (status == NIS_OK) {
    struct look now = look(j);
    uint64_t left = plan->calls - j->used, fit = left / size;
    if (watcher->leave(watcher->context, &now))
      plan->stop = NIS_STOP_LEFT;
    else if (now.error <= now.goal && now.least <= (double)now.points)
      plan->stop = NIS_STOP_GOAL;
    if (plan->stop != NIS_STOP_CALLS || fit == 0) break;
    uint64_t more = (uint64_t)missing(&now, n), room = (uint64_t)(MOST_GROWING - n);
    int doubles = size >= LEAST_DOUBLED && size >> (SOBOL_BITS - 1) == 0 && left >= j->used;
    if ((more == 0 || more > room) && doubles) {
      status = grow(j, 0, n, size, 2 * size);
      size *= 2;
    } else {
      uint64_t most = fit < room ? fit : room;
      if (most == 0) break;
      if (more == 0 || more > most) more = most;
      status = grow(j, n, n + (int)more, 0, size);
      n += (int)more;
    }
  }
  uint64_t left = plan->calls - j->used;
  if (status == NIS_OK && plan->stop == NIS_STOP_CALLS && !plan->replicates && left > 0)
    status = grow(j, n - 1, n, 0, left);
  if (plan->stop != NIS_STOP_GOAL) plan->tally->widening = 0;
  if (status == NIS_OK && plan->stop == NIS_STOP_CALLS && goal_met(plan))
    plan->stop = NIS_STOP_GOAL;
  return status;
}

/* Points at a time: few where much is kept of each, but enough for all ranks */
static size_t block_points(const struct sampler *s, const struct integration *plan)
{
  int outputs = plan->options->sink && plan->options->extra > 0;
  size_t block = plan->components->n > 0 || outputs ? COMPONENT_BLOCK : BLOCK_POINTS;
  size_t least = s->monitor.ranks ? nis_ranks_least(s->monitor.ranks) : 0;
  if (block < least) block = least;
  return plan->calls < block ? (size_t)plan->calls : block;
}

int nis_estimate_flow(struct sampler *s, struct integration *plan, uint64_t *used)
{
  struct job j = {.s = s, .plan = plan};
  size_t block = block_points(s, plan);
  int status = nis_points_init(&j.points, block, s->mixture.dim);
  if (status == NIS_OK)
    status = nis_handout_init(&j.handout, block, plan->replicates, plan->options);
  if (nis_monitor_is_silent(&s->monitor)) j.handout.sink = NULL;
  j.points.outputs = j.handout.outputs;
  j.components = NIS_RAW(double, nis_product(block, plan->components->n));
  if (!j.components) status = nis_no_memory();
  if (plan->components->n > 0) j.points.components = j.components;
  if (status == NIS_OK && plan->replicates)
    status = nis_replicate_init(&j.replicate, s->mixture.dim + 1);
  if (plan->watcher) {
    j.growing = NIS_NEW(struct replicate, MOST_GROWING);
    if (!j.growing) status = nis_no_memory();
    if (status == NIS_OK) status = nis_components_begin_growth(plan->components, MOST_GROWING);
    if (status == NIS_OK)
      status = nis_components_begin_growth(&plan->channels->parts, MOST_GROWING);
    if (status == NIS_OK) status = nis_tally_reserve(plan->tally, MOST_GROWING);
  }
  plan->from = plan->to = plan->first_point;
  plan->tally->blurred = nis_domain_blurred(&s->integrand.domain);
  if (status == NIS_OK) status = plan->watcher ? run_growing(&j) : run(&j);
  *used = j.used;
  if (plan->watcher) plan->to = plan->first_point + j.used;
  for (int i = 0; j.growing && i < MOST_GROWING; i++) nis_replicate_clear(&j.growing[i]);
  free(j.growing);
  nis_points_clear(&j.points);
  nis_handout_clear(&j.handout);
  nis_replicate_clear(&j.replicate);
  free(j.components);
  return status;
}
