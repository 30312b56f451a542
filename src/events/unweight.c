/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unweight.h"

#include "base/error.h"
#include "base/memory.h"
#include "spool.h"

#include <math.h>

/* An accepted point is a row of numbers: its number in the stream, weight, acceptance's random
 * number, log-density, coordinates. */
enum { POINT, WEIGHT, CHANCE, LOG_Q, X };

struct unweighter {
  struct sampler *s;
  const struct event_plan *plan;
  struct weights *weights; /* all that were seen */
  nis_event_summary *summary;
  double w_max;
  struct points tried;
  double *rows; /* [BLOCK_POINTS][width], accepted */
  size_t width, nrows;
  struct spool spool;                 /* of the whole run; else not open */
  uint64_t accepted;                  /* events, copies counted, that the rows stand for */
  uint64_t next;                      /* number of the next point */
  uint64_t last;                      /* one more than the number of the last event's point */
  double *x, *weight, *log_q, *ratio; /* [BLOCK_POINTS] on their way out; ratio: |w|/w_max */
  uint64_t *trials;
  size_t nevents;
};

/* How many equal events a point becomes: 1 with probability min(1, |w|/w_max), or |w|/w_max on the
 * average. Never more for a larger w_max. */
static uint64_t copies(const struct unweighter *u, double weight, double chance)
{
  double ratio = fabs(weight) / u->w_max;
  if (ratio <= chance) return 0;
  return u->plan->unit_weights ? (uint64_t)fmin(ceil(ratio - chance), 0x1p62) : 1;
}

/* ---- handing events on ------------------------------------------------------------------ */

static void count(struct unweighter *u, size_t i)
{
  nis_event_summary *summary = u->summary;
  double weight = u->weight[i], ratio = fmax(u->ratio[i], 1);
  double size = u->plan->unit_weights ? 1 : ratio; /* of ratio points' worth each copy is one */
  summary->events++;
  summary->sum_weights += weight;
  summary->sum_squares += weight * weight;
  summary->negatives += weight < 0;
  summary->overweights += ratio > 1;
  summary->overweight_share += size - size / ratio; /* two sums until the end */
  summary->partial.value += size;
}

static int flush(struct unweighter *u)
{
  nis_event_block block = {u->nevents, u->s->mixture.dim, u->x, u->weight, u->log_q, u->trials};
  size_t taken = 0;
  u->nevents = 0;
  if (block.n == 0) return NIS_OK;
  int status = u->plan->take(&block, &taken, u->plan->take_params);
  for (size_t i = 0; i < taken; i++) count(u, i);
  return status;
}

static int push(struct unweighter *u, const double *row)
{
  size_t i = u->nevents++, dim = u->s->mixture.dim;
  uint64_t point = (uint64_t)row[POINT] + 1;
  u->ratio[i] = fabs(row[WEIGHT]) / u->w_max;
  u->weight[i] = copysign(u->plan->unit_weights ? 1 : fmax(1, u->ratio[i]), row[WEIGHT]);
  u->log_q[i] = row[LOG_Q];
  u->trials[i] = point - u->last;
  memcpy(u->x + i * dim, row + X, dim * sizeof *row);
  u->last = point;
  return u->nevents == BLOCK_POINTS ? flush(u) : NIS_OK;
}

static uint64_t events_left(const struct unweighter *u)
{
  return u->plan->events - u->summary->events - u->nevents;
}

/* The events of the rows, as far as they are wanted */
static int hand_on(struct unweighter *u)
{
  for (size_t i = 0; i < u->nrows; i++) {
    const double *row = u->rows + i * u->width;
    uint64_t n = copies(u, row[WEIGHT], row[CHANCE]);
    for (; n > 0 && events_left(u) > 0; n--) NIS_TRY(push(u, row));
  }
  return flush(u);
}

/* ---- accepting points ------------------------------------------------------------------- */

static void add_row(struct unweighter *u, size_t i, double weight, double chance)
{
  const struct domain *domain = &u->s->integrand.domain;
  const double *cube = u->tried.x + i * domain->dim;
  double *row = u->rows + u->nrows++ * u->width;
  row[POINT] = (double)(u->next + i);
  row[WEIGHT] = weight;
  row[CHANCE] = chance;
  row[LOG_Q] = u->tried.log_q[i] - nis_domain_log_jacobian(domain, cube);
  nis_domain_out(domain, cube, row + X);
}

/* Accepts among the tried points until enough events are there; only points up to there count. */
static void accept(struct unweighter *u)
{
  double chance[LANES];
  size_t i = 0;
  u->nrows = 0;
  for (; i < u->tried.n && u->accepted < u->plan->events; i++) {
    if (i % LANES == 0)
      u->s->mixture.flow.kernels->uniforms(u->s->seed, STREAM_ACCEPT, u->next + i, 1, chance);
    double weight = nis_point_weight(&u->tried, i);
    uint64_t n = copies(u, weight, chance[i % LANES]);
    if (n > 0) add_row(u, i, weight, chance[i % LANES]);
    u->accepted += n;
    nis_weights_add(u->weights, weight);
  }
  u->next += i;
  if (u->plan->whole_run) u->w_max = fmax(u->w_max, nis_weights_w_max(u->weights, &u->plan->rule));
}

static uint64_t calls_left(const struct unweighter *u)
{
  return u->plan->calls - (u->next - u->plan->first_point);
}

/* Points that should give the wanted events, give or take, within the block and the calls. */
static size_t tries(const struct unweighter *u)
{
  double wanted = (double)(u->plan->events - u->accepted);
  double n = 1.05 * wanted * u->w_max / nis_weights_capped_mean(u->weights, u->w_max) + LANES;
  size_t most = n < (double)u->tried.capacity ? (size_t)n : u->tried.capacity;
  return most < calls_left(u) ? most : (size_t)calls_left(u);
}

static int report(struct unweighter *u)
{
  struct monitor *monitor = &u->s->monitor;
  uint64_t points = u->next - u->plan->first_point;
  monitor->now.events = u->accepted;
  monitor->now.done = u->plan->events == UINT64_MAX ? points : u->accepted;
  monitor->now.efficiency = (double)u->accepted / (double)points;
  return nis_monitor_report(monitor);
}

static int try_block(struct unweighter *u)
{
  nis_sampler_draw(u->s, STREAM_EVENTS, u->next, tries(u), &u->tried);
  int status = nis_sampler_evaluate(u->s, &u->tried);
  u->summary->calls += u->tried.n;
  accept(u);
  int kept = u->plan->whole_run ? nis_spool_add(&u->spool, u->rows, u->nrows) : hand_on(u);
  if (status == NIS_OK) status = kept;
  return status == NIS_OK ? report(u) : status;
}

static int enough(const struct unweighter *u)
{
  return u->accepted >= u->plan->events || calls_left(u) == 0;
}

static int gather(struct unweighter *u)
{
  while (!enough(u)) NIS_TRY(try_block(u));
  return NIS_OK;
}

/* ---- the whole run ------------------------------------------------------------------------ */

/* Calls take() on all rows of a spool, block by block. */
static int for_rows(struct unweighter *u, struct spool *from, int (*take)(struct unweighter *))
{
  nis_spool_rewind(from);
  for (;;) {
    NIS_TRY(nis_spool_read(from, u->rows, BLOCK_POINTS, &u->nrows));
    if (u->nrows == 0) return NIS_OK;
    NIS_TRY(take(u));
  }
}

static int keep_survivors(struct unweighter *u)
{
  size_t kept = 0;
  for (size_t i = 0; i < u->nrows; i++) {
    const double *row = u->rows + i * u->width;
    uint64_t events = copies(u, row[WEIGHT], row[CHANCE]);
    if (events > 0) memmove(u->rows + kept++ * u->width, row, u->width * sizeof *row);
    u->accepted += events;
  }
  return nis_spool_add(&u->spool, u->rows, kept);
}

/* Keeps what would have been accepted with the w_max of now. */
static int thin(struct unweighter *u)
{
  struct spool before = u->spool;
  u->accepted = 0;
  int status = nis_spool_open(&u->spool, u->width);
  if (status == NIS_OK) status = for_rows(u, &before, keep_survivors);
  nis_spool_close(&before);
  return status;
}

static int hand_on_stored(struct unweighter *u)
{
  NIS_TRY(hand_on(u));
  nis_progress *now = &u->s->monitor.now;
  now->done = now->events = u->summary->events;
  now->efficiency = (double)now->events / (double)(u->next - u->plan->first_point);
  return u->s->monitor.stopped ? NIS_OK : nis_monitor_report(&u->s->monitor);
}

static double event_unit(const struct unweighter *u)
{
  return u->plan->unit_weights ? nis_weights_mean(u->weights)
                               : nis_weights_capped_mean(u->weights, u->w_max);
}

/* Until enough events are left after the thinning, or the run was stopped; then what is there goes
 * to the sink. */
static int run_twice(struct unweighter *u)
{
  int status = NIS_OK;
  NIS_TRY(nis_spool_open(&u->spool, u->width));
  while (status == NIS_OK && !enough(u)) {
    double before = u->w_max;
    status = gather(u);
    if (u->w_max > before) NIS_TRY(thin(u));
  }
  if (status < NIS_OK && status != NIS_CALLBACK) return status;
  u->summary->w_max = u->w_max;
  u->summary->unit = event_unit(u);
  if (status == NIS_OK) nis_monitor_begin(&u->s->monitor, NIS_WRITING, u->accepted);
  int written = for_rows(u, &u->spool, hand_on_stored);
  return written != NIS_OK ? written : status;
}

/* ---- */

static int allocate(struct unweighter *u)
{
  size_t dim = u->s->mixture.dim;
  NIS_TRY(nis_points_init(&u->tried, BLOCK_POINTS, dim));
  u->rows = NIS_NEW(double, BLOCK_POINTS * u->width);
  u->x = NIS_NEW(double, BLOCK_POINTS *(dim + 3));
  u->trials = NIS_NEW(uint64_t, BLOCK_POINTS);
  if (!u->rows || !u->x || !u->trials) return nis_no_memory();
  u->weight = u->x + BLOCK_POINTS * dim;
  u->log_q = u->weight + BLOCK_POINTS;
  u->ratio = u->log_q + BLOCK_POINTS;
  return NIS_OK;
}

static void clear(struct unweighter *u)
{
  nis_points_clear(&u->tried);
  nis_spool_close(&u->spool);
  free(u->rows);
  free(u->x);
  free(u->trials);
}

static void fill_summary(const struct unweighter *u)
{
  nis_event_summary *summary = u->summary;
  double events = (double)summary->events;
  if (events > 0) summary->overweight_share /= summary->partial.value;
  summary->partial = nis_weights_partial(u->weights, u->w_max);
  summary->cut = nis_weights_cut(u->weights);
  int complete = summary->events >= u->plan->events;
  summary->trials = (complete ? u->last : u->next) - u->plan->first_point;
  double trials = (double)summary->trials, share = trials > 0 ? events / trials : NAN;
  double copies_too = fmax(share * (1 - share), 0);
  summary->efficiency = (nis_share){share, sqrt(copies_too / trials)};
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    struct w_max_rule rule = u->plan->rule;
    rule.rule = (nis_w_max_rule)i;
    summary->rules[i] = nis_weights_unweighting(u->weights, &rule);
  }
}

int nis_unweight(struct sampler *s, const struct event_plan *plan, struct weights *weights,
                 nis_event_summary *summary, uint64_t *used)
{
  struct unweighter u = {.s = s,
                         .plan = plan,
                         .weights = weights,
                         .summary = summary,
                         .width = X + s->mixture.dim,
                         .next = plan->first_point,
                         .last = plan->first_point};
  nis_weights_copy(weights, plan->weights);
  u.w_max = nis_weights_w_max(weights, &plan->rule);
  *summary = (nis_event_summary){.w_max = u.w_max, .unit = event_unit(&u)};
  nis_monitor_begin(&s->monitor, NIS_GENERATING,
                    plan->events == UINT64_MAX ? plan->calls : plan->events);
  int status = allocate(&u);
  if (status == NIS_OK) status = plan->whole_run ? run_twice(&u) : gather(&u);
  fill_summary(&u);
  *used = u.next - plan->first_point;
  clear(&u);
  return status;
}
