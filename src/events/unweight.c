/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unweight.h"

#include "base/error.h"
#include "base/memory.h"
#include "spool.h"

#include <math.h>

/* An accepted point is a row of numbers: its number in the stream, weight, acceptance's random
 * number, log-density, coordinates, the integrand's outputs. */
enum { POINT, WEIGHT, CHANCE, LOG_Q, X };

struct unweighter {
  struct sampler *s;
  struct trials *trials; /* its place moves on when events were taken */
  const struct event_plan *plan;
  struct weights *weights; /* all that were seen */
  nis_event_summary *summary;
  struct acceptance how;
  struct place start; /* of this run */
  uint64_t next;      /* number of the next point */
  uint64_t end;       /* number of the first point that would be too many */
  uint64_t last;      /* one more than the number of the last event's point */
  double advance;     /* points to evaluate at least, where any are needed */
  double *rows;       /* [room][width], accepted */
  size_t room, width, nrows;
  struct spool spool;                 /* of the whole run; else not open */
  uint64_t accepted;                  /* events, copies counted, that the rows stand for */
  double *x, *weight, *log_q, *ratio; /* [room] on their way out; ratio: |w|/w_max */
  double *outputs;                    /* [room][extra]; NULL: none */
  uint64_t *tried;                    /* [room] since the event before */
  struct place *after;                /* [room] the place behind each event */
  size_t nevents;
};

/* How many equal events a point becomes: 1 with probability min(1, |w|/w_max), or |w|/w_max on the
 * average. Never more for a larger w_max. */
static uint64_t copies(const struct acceptance *how, double weight, double chance)
{
  double ratio = fabs(weight) / how->w_max;
  if (ratio <= chance) return 0;
  return how->unit_weights ? (uint64_t)fmin(ceil(ratio - chance), 0x1p62) : 1;
}

static double event_weight(const struct acceptance *how, double weight)
{
  return copysign(how->unit_weights ? 1 : fmax(1, fabs(weight) / how->w_max), weight);
}

/* Behind event number k of the n that the point becomes */
static struct place behind(uint64_t point, uint64_t k, uint64_t n)
{
  return k < n ? (struct place){point, k} : (struct place){point + 1, 0};
}

/* Points before this number have been counted as tried. */
static uint64_t counted(struct place place)
{
  return place.point + (place.given > 0);
}

struct acceptance nis_acceptance(const struct weights *weights, double w_max, int unit_weights)
{
  double capped = nis_weights_capped_mean(weights, w_max);
  double unit = unit_weights ? nis_weights_mean(weights) : capped;
  return (struct acceptance){w_max, unit_weights, unit, w_max / capped};
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
  nis_event_block block = {.n = u->nevents,
                           .dim = u->s->mixture.dim,
                           .x = u->x,
                           .weight = u->weight,
                           .log_q = u->log_q,
                           .trials = u->tried,
                           .extra = u->s->integrand.extra,
                           .outputs = u->outputs,
                           .unit = u->how.unit};
  size_t taken = 0;
  u->nevents = 0;
  if (block.n == 0) return NIS_OK;
  int status = u->plan->take(&block, &taken, u->plan->take_params);
  for (size_t i = 0; i < taken; i++) count(u, i);
  if (taken > 0) u->trials->place = u->after[taken - 1];
  return status;
}

static int push(struct unweighter *u, const double *row, struct place after)
{
  size_t i = u->nevents++, dim = u->s->mixture.dim, extra = u->s->integrand.extra;
  uint64_t point = (uint64_t)row[POINT] + 1;
  u->ratio[i] = fabs(row[WEIGHT]) / u->how.w_max;
  u->weight[i] = event_weight(&u->how, row[WEIGHT]);
  u->log_q[i] = row[LOG_Q];
  u->tried[i] = point - u->last;
  u->after[i] = after;
  memcpy(u->x + i * dim, row + X, dim * sizeof *row);
  if (extra > 0) memcpy(u->outputs + i * extra, row + X + dim, extra * sizeof *row);
  u->last = point;
  return u->nevents == u->room ? flush(u) : NIS_OK;
}

static uint64_t events_left(const struct unweighter *u)
{
  return u->plan->events - u->summary->events - u->nevents;
}

/* Events that a run before has got of this point */
static uint64_t given(const struct unweighter *u, uint64_t point)
{
  return point == u->start.point ? u->start.given : 0;
}

/* New events of a row */
static uint64_t new_copies(const struct unweighter *u, const double *row)
{
  uint64_t n = copies(&u->how, row[WEIGHT], row[CHANCE]), before = given(u, (uint64_t)row[POINT]);
  return n > before ? n - before : 0;
}

static int hand_on_row(struct unweighter *u, const double *row)
{
  uint64_t point = (uint64_t)row[POINT], n = copies(&u->how, row[WEIGHT], row[CHANCE]);
  for (uint64_t k = given(u, point); k < n && events_left(u) > 0; k++)
    NIS_TRY(push(u, row, behind(point, k + 1, n)));
  return NIS_OK;
}

/* The events of the rows, as far as they are wanted */
static int hand_on(struct unweighter *u)
{
  for (size_t i = 0; i < u->nrows; i++) NIS_TRY(hand_on_row(u, u->rows + i * u->width));
  return flush(u);
}

/* All events up to the next point have been taken; where there are enough, what is behind the last
 * one is left for the next run. */
static void move_on(struct unweighter *u)
{
  if (events_left(u) > 0) u->trials->place = (struct place){u->next, 0};
}

/* ---- accepting points ------------------------------------------------------------------- */

/* outputs[extra] of the point at index i */
static void copy_outputs(const struct sampler *s, const struct trials *t, size_t i, double *outputs)
{
  size_t extra = s->integrand.extra;
  if (extra > 0) memcpy(outputs, t->points.outputs + i * extra, extra * sizeof *outputs);
}

/* Of point number u->next, at index i */
static void add_row(struct unweighter *u, size_t i)
{
  const struct domain *domain = &u->s->integrand.domain;
  const struct trials *t = u->trials;
  const double *cube = t->points.x + i * domain->dim;
  double *row = u->rows + u->nrows * u->width;
  row[POINT] = (double)u->next;
  row[WEIGHT] = t->weight[i];
  row[CHANCE] = t->chance[i];
  uint64_t events = new_copies(u, row);
  if (events == 0) return;
  row[LOG_Q] = t->points.log_q[i] - nis_domain_log_jacobian(domain, cube);
  nis_domain_out(domain, cube, row + X);
  copy_outputs(u->s, t, i, row + X + domain->dim);
  u->accepted += events;
  u->nrows++;
}

/* Accepts among n points until enough events are there; only points up to there count. */
static void accept(struct unweighter *u, size_t at, size_t n)
{
  u->nrows = 0;
  for (size_t i = at; i < at + n && u->accepted < u->plan->events; i++, u->next++) {
    add_row(u, i);
    if (u->next >= counted(u->start)) nis_weights_add(u->weights, u->trials->weight[i]);
  }
  if (!u->plan->whole_run) return;
  double w_max = nis_weights_w_max(u->weights, &u->plan->rule);
  u->how.w_max = fmax(u->how.w_max, w_max);
}

/* Points that should give the wanted events, give or take */
static double points_wanted(const struct unweighter *u)
{
  double points = u->how.w_max / nis_weights_capped_mean(u->weights, u->how.w_max);
  return fmax(1.05 * (double)(u->plan->events - u->accepted) * points, u->advance);
}

static uint64_t points_tried(const struct unweighter *u)
{
  uint64_t first = counted(u->start);
  return u->next > first ? u->next - first : 0;
}

static void show_events(struct unweighter *u, uint64_t done, uint64_t events)
{
  nis_progress *now = &u->s->monitor.now;
  uint64_t points = points_tried(u);
  now->done = done;
  now->events = events;
  now->efficiency = points > 0 ? (double)events / (double)points : 0;
}

static int report(struct unweighter *u)
{
  show_events(u, u->plan->events == UINT64_MAX ? points_tried(u) : u->accepted, u->accepted);
  return nis_monitor_report(&u->s->monitor);
}

static int try_block(struct unweighter *u)
{
  size_t at, n;
  int status = nis_trials_get(u->trials, u->s, u->next, u->end, points_wanted(u), &at, &n);
  accept(u, at, n);
  if (u->plan->whole_run) {
    NIS_TRY(nis_spool_add(&u->spool, u->rows, u->nrows));
  } else {
    int taken = hand_on(u);
    if (taken != NIS_OK) return status == NIS_OK ? taken : status;
    move_on(u);
  }
  return status == NIS_OK ? report(u) : status;
}

static int enough(const struct unweighter *u)
{
  return u->accepted >= u->plan->events || u->next >= u->end;
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
    NIS_TRY(nis_spool_read(from, u->rows, u->room, &u->nrows));
    if (u->nrows == 0) return NIS_OK;
    NIS_TRY(take(u));
  }
}

static int keep_survivors(struct unweighter *u)
{
  size_t kept = 0;
  for (size_t i = 0; i < u->nrows; i++) {
    const double *row = u->rows + i * u->width;
    uint64_t events = new_copies(u, row);
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
  show_events(u, u->summary->events, u->summary->events);
  return u->s->monitor.stopped ? NIS_OK : nis_monitor_report(&u->s->monitor);
}

static void know_acceptance(struct unweighter *u, double w_max)
{
  u->how = nis_acceptance(u->weights, w_max, u->plan->unit_weights);
  u->summary->w_max = u->how.w_max;
  u->summary->unit = u->how.unit;
}

/* Until enough events are left after the thinning, or the run was stopped; then what is there goes
 * to the sink. */
static int run_twice(struct unweighter *u)
{
  int status = NIS_OK;
  NIS_TRY(nis_spool_open(&u->spool, u->width));
  while (status == NIS_OK && !enough(u)) {
    double before = u->how.w_max;
    status = gather(u);
    if (u->how.w_max > before) NIS_TRY(thin(u));
  }
  if (status < NIS_OK && status != NIS_CALLBACK) return status;
  know_acceptance(u, u->how.w_max);
  if (status == NIS_OK) nis_monitor_begin(&u->s->monitor, NIS_WRITING, u->accepted);
  int written = for_rows(u, &u->spool, hand_on_stored);
  if (written == NIS_OK) move_on(u);
  return written != NIS_OK ? written : status;
}

/* ---- */

/* As many rows as a block can give, which are few when few events are wanted */
static size_t rows_of(const struct unweighter *u)
{
  uint64_t points = u->end - u->next, events = u->plan->events;
  uint64_t most = points < events ? points : events;
  return most < BLOCK_POINTS ? (size_t)most : BLOCK_POINTS;
}

static int allocate(struct unweighter *u)
{
  size_t dim = u->s->mixture.dim, extra = u->s->integrand.extra, n = u->room = rows_of(u);
  u->rows = NIS_RAW(double, nis_product(n, u->width));
  u->x = NIS_RAW(double, nis_product(n, dim + 3 + extra));
  u->tried = NIS_RAW(uint64_t, n);
  u->after = NIS_RAW(struct place, n);
  if (!u->rows || !u->x || !u->tried || !u->after) return nis_no_memory();
  u->weight = u->x + n * dim;
  u->log_q = u->weight + n;
  u->ratio = u->log_q + n;
  u->outputs = extra > 0 ? u->ratio + n : NULL;
  return NIS_OK;
}

static void clear(struct unweighter *u)
{
  nis_spool_close(&u->spool);
  free(u->rows);
  free(u->x);
  free(u->tried);
  free(u->after);
}

static void fill_summary(const struct unweighter *u)
{
  nis_event_summary *summary = u->summary;
  double events = (double)summary->events;
  if (events > 0) summary->overweight_share /= summary->partial.value;
  summary->trials = counted(u->trials->place) - counted(u->start);
  double trials = (double)summary->trials, share = trials > 0 ? events / trials : NAN;
  double copies_too = fmax(share * (1 - share), 0);
  summary->efficiency = (nis_share){share, trials > 0 ? sqrt(copies_too / trials) : NAN};
  if (u->plan->brief) return;
  summary->partial = nis_weights_partial(u->weights, u->how.w_max);
  summary->cut = nis_weights_cut(u->weights);
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    struct w_max_rule rule = u->plan->rule;
    rule.rule = (nis_w_max_rule)i;
    summary->rules[i] = nis_weights_unweighting(u->weights, &rule);
  }
}

/* first + n, or as far as numbers go */
static uint64_t end_of(uint64_t first, uint64_t n)
{
  return n < UINT64_MAX - first ? first + n : UINT64_MAX;
}

int nis_unweight(struct sampler *s, struct trials *trials, const struct event_plan *plan,
                 struct weights *weights, nis_event_summary *summary)
{
  struct place start = trials->place;
  struct unweighter u = {.s = s,
                         .trials = trials,
                         .plan = plan,
                         .weights = weights,
                         .summary = summary,
                         .width = X + s->mixture.dim + s->integrand.extra,
                         .start = start,
                         .next = start.point,
                         .end = end_of(counted(start), plan->calls),
                         .last = counted(start),
                         .advance = nis_trials_advance(trials)};
  uint64_t before = s->integrand.calls;
  *summary = (nis_event_summary){0};
  nis_weights_copy(weights, plan->weights);
  know_acceptance(&u, nis_weights_w_max(weights, &plan->rule));
  nis_monitor_begin(&s->monitor, NIS_GENERATING,
                    plan->events == UINT64_MAX ? plan->calls : plan->events);
  int status = allocate(&u);
  if (status == NIS_OK) status = plan->whole_run ? run_twice(&u) : gather(&u);
  summary->calls = s->integrand.calls - before;
  fill_summary(&u);
  clear(&u);
  return status;
}

/* ---- one event at a time ------------------------------------------------------------------ */

static void fill_event(const struct sampler *s, const struct trials *t, size_t i,
                       const struct acceptance *how, double *x, nis_pulled_event *event)
{
  const struct domain *domain = &s->integrand.domain;
  const double *cube = t->points.x + i * domain->dim;
  nis_domain_out(domain, cube, x);
  copy_outputs(s, t, i, x + domain->dim);
  event->x = x;
  event->outputs = s->integrand.extra > 0 ? x + domain->dim : NULL;
  event->log_q = t->points.log_q[i] - nis_domain_log_jacobian(domain, cube);
  event->weight = event_weight(how, t->weight[i]);
}

/* The first event among n points from index `at` on; 0 where there is none. */
static int find_event(const struct sampler *s, struct trials *t, size_t at, size_t n,
                      const struct acceptance *how, double *x, nis_pulled_event *event)
{
  for (size_t i = at; i < at + n; i++) {
    struct place here = t->place;
    uint64_t become = copies(how, t->weight[i], t->chance[i]);
    t->place = behind(here.point, here.given + 1, become);
    if (become <= here.given) continue;
    fill_event(s, t, i, how, x, event);
    return 1;
  }
  return 0;
}

int nis_unweight_next(struct sampler *s, struct trials *t, const struct acceptance *how,
                      uint64_t calls, double *x, nis_pulled_event *event)
{
  uint64_t first = counted(t->place), end = end_of(first, calls), before = s->integrand.calls;
  double want = fmax(1.05 * how->points, nis_trials_advance(t));
  int status = NIS_OK, found = 0;
  nis_monitor_begin(&s->monitor, NIS_GENERATING, 1);
  *event = (nis_pulled_event){.dim = s->mixture.dim, .unit = how->unit, .w_max = how->w_max};
  while (status == NIS_OK && !found && t->place.point < end) {
    size_t at, n;
    status = nis_trials_get(t, s, t->place.point, end, want, &at, &n);
    if (status == NIS_OK) found = find_event(s, t, at, n, how, x, event);
  }
  event->trials = counted(t->place) - first;
  event->calls = s->integrand.calls - before;
  if (status != NIS_OK || found) return status;
  return nis_fail(NIS_GOAL_MISSED, "no event in %llu calls", (unsigned long long)calls);
}
