/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "integrand.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/host.h"
#include "base/memory.h"
#include "base/team.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

enum {
  LEAST_SLICE = 8,
  PATIENCE = 4096, /* calls of an integrand that has not given one finite value */
  POINT_TEXT = 256
};
#define HUGE_NORM 0x1p960 /* of a component in units of a scale that has missed all of it */
static const double most_bad = 0.1; /* share of values that are not finite */

int nis_integrand_init(struct integrand_call *c, nis_integrand *f, const nis_options *o)
{
  *c = (struct integrand_call){.f = f,
                               .batch = o->batch,
                               .params = o->params,
                               .threads = o->serial ? 1 : o->threads,
                               .batch_points = o->batch ? o->batch_points : 64,
                               .slice = LEAST_SLICE,
                               .channels = o->channels,
                               .ncomp = o->ncomp,
                               .extra = o->extra};
  NIS_TRY(nis_domain_init(&c->domain, o->dim, o->lower, o->upper));
  nis_domain_set_discrete(&c->domain, o->discrete);
  c->bad_point = NIS_NEW(double, o->dim);
  c->scale = NIS_NEW(double, o->ncomp);
  if (!c->bad_point || !c->scale) return nis_no_memory();
  for (size_t k = 0; k < o->ncomp; k++) c->scale[k] = o->scales ? o->scales[k] : 1;
  return NIS_OK;
}

void nis_integrand_clear(struct integrand_call *c)
{
  nis_domain_clear(&c->domain);
  free(c->room);
  free(c->bad_point);
  free(c->scale);
  *c = (struct integrand_call){0};
}

/* One parallel pass over a slice of points, cut into batches. */
struct pass {
  struct integrand_call *c;
  size_t n, grain, workers;
  size_t width; /* numbers that a worker holds of each point of its batch */
  const double *x;
  double *f, *components; /* the latter may be NULL, */
  double *outputs;        /* and so may this, */
  char *bad;              /* and this */
  const double *known;    /* [n][row] numbers out of a journal: nothing is called; or NULL */
  double *recorded;       /* [n][row] for a journal; or NULL */
  size_t finished;        /* points */
  int refused;            /* by the user's function, in one of the ways of nis_host_call */
  int for_all;            /* ranks: `recorded` is all that is wanted */
};

/* Numbers that the integrand gives at a point: its values, and its outputs behind them */
static size_t row_of(const struct integrand_call *c)
{
  return c->ncomp + c->extra;
}

/* Rows are the values that the caller wants; else they need room, and are taken apart. */
static int rows_fit(const struct pass *p)
{
  return p->c->extra == 0 && (p->c->ncomp == 1 || p->components);
}

/* Room for what the workers hold, as large as the largest pass so far needs, whatever the options
 * would allow: coordinates, and the rows where they are not what the caller wants. */
static int make_room(struct pass *p)
{
  struct integrand_call *c = p->c;
  p->width = c->domain.dim + (rows_fit(p) ? 0 : row_of(c));
  size_t size = nis_product(nis_product(p->workers, p->grain), p->width);
  if (size <= c->room_size) return NIS_OK;
  free(c->room);
  c->room = NIS_RAW(double, size);
  c->room_size = c->room ? size : 0;
  return c->room ? NIS_OK : nis_no_memory();
}

double nis_integrand_norm(const struct integrand_call *c, const double *components)
{
  double largest = 0, square = 0;
  for (size_t k = 0; k < c->ncomp; k++)
    largest = fmax(largest, fmin(fabs(components[k]) / c->scale[k], HUGE_NORM));
  for (size_t k = 0; k < c->ncomp && largest > 0; k++) {
    double part = fmin(fabs(components[k]) / c->scale[k], HUGE_NORM) / largest;
    square += part * part;
  }
  return largest * sqrt(square);
}

/* What of a point's components the flow follows; NaN where one of them is not finite */
static double followed(const struct integrand_call *c, const double *components)
{
  for (size_t k = 0; k < c->ncomp; k++)
    if (!isfinite(components[k])) return NAN;
  return c->norm ? nis_integrand_norm(c, components) : components[0];
}

/* Points of one worker in the user's coordinates, and where their values go: [n][row] */
struct batch {
  const struct integrand_call *c;
  size_t n;
  double *box, *rows;
  size_t done;
};

/* The outputs of the point that the scalar integrand is called for, behind its value */
static void offer_extra(const struct integrand_call *c, double *row)
{
  if (c->extra == 0) return;
  memset(row + 1, 0, c->extra * sizeof *row);
  nis_host_set_extra(row + 1);
}

static int call_integrand(void *context, const struct callback *self)
{
  struct batch *b = context;
  const struct integrand_call *c = b->c;
  size_t dim = c->domain.dim;
  if (c->batch) {
    int refused = c->batch(b->n, dim, b->box, row_of(c), b->rows, c->params);
    b->done = refused ? 0 : b->n;
    return refused;
  }
  for (; b->done < b->n && !self->refused; b->done++) {
    double *row = b->rows + b->done * row_of(c);
    offer_extra(c, row);
    *row = c->f(b->box + b->done * dim, dim, c->params);
  }
  return 0;
}

/* What the flow follows, and the parts of the rows that are wanted, for points from `first` on: a
 * single value is in its place. */
static void take_rows(const struct pass *p, size_t first, const struct batch *b)
{
  const struct integrand_call *c = b->c;
  const double *row = b->rows;
  if (rows_fit(p) && c->ncomp == 1) return;
  for (size_t i = first; i < first + b->done; i++, row += row_of(c)) {
    p->f[i] = c->ncomp > 1 ? followed(c, row) : *row;
    if (rows_fit(p)) continue;
    if (p->components) memcpy(p->components + i * c->ncomp, row, c->ncomp * sizeof *row);
    if (p->outputs) memcpy(p->outputs + i * c->extra, row + c->ncomp, c->extra * sizeof *row);
  }
}

static void call_batch(void *context, size_t item, int worker)
{
  struct pass *p = context;
  struct integrand_call *c = p->c;
  size_t dim = c->domain.dim, first = item * p->grain;
  size_t n = p->n - first < p->grain ? p->n - first : p->grain;
  if (__atomic_load_n(&p->refused, __ATOMIC_RELAXED)) return;
  double *box = c->room + (size_t)worker * p->grain * p->width;
  for (size_t i = 0; i < n; i++)
    nis_domain_out(&c->domain, p->x + (first + i) * dim, box + i * dim);
  struct batch batch = {.c = c, .n = n, .box = box, .rows = box + n * dim};
  if (rows_fit(p)) batch.rows = c->ncomp > 1 ? p->components + first * c->ncomp : p->f + first;
  size_t number = first * row_of(c), bytes = n * row_of(c) * sizeof(double);
  if (p->known) {
    memcpy(batch.rows, p->known + number, bytes);
    batch.done = n;
  } else if (nis_host_call(call_integrand, &batch, worker) != 0) {
    __atomic_store_n(&p->refused, 1, __ATOMIC_RELAXED);
  }
  if (p->recorded && batch.done == n) memcpy(p->recorded + number, batch.rows, bytes);
  if (!p->for_all) take_rows(p, first, &batch);
  if (!p->for_all && c->weigh)
    c->weigh(c->weigher, worker, batch.done, p->x + first * dim, batch.rows + c->ncomp, row_of(c),
             p->f + first, p->components ? p->components + first * c->ncomp : NULL);
  __atomic_fetch_add(&p->finished, batch.done, __ATOMIC_RELAXED);
}

static void run_pass(struct team *team, int worker, void *context)
{
  struct pass *p = context;
  if (p->c->rehearsal > 0 && worker > 1) return;
  if (p->c->rehearsal > 0) nis_team_together(team, worker);
  nis_team_for(team, worker, (p->n + p->grain - 1) / p->grain, call_batch, p);
}

/* Has it called, or what is known taken, by threads that share its batches. */
static int carry_out(struct pass *p)
{
  struct integrand_call *c = p->c;
  size_t workers = c->rehearsal > 0 ? 2 : (size_t)c->threads;
  p->grain = c->f || c->rehearsal > 0 ? (p->n + workers - 1) / workers : p->n;
  if (p->grain > c->batch_points) p->grain = c->batch_points;
  size_t batches = (p->n + p->grain - 1) / p->grain;
  p->workers = batches < (size_t)c->threads ? batches : (size_t)c->threads;
  NIS_TRY(make_room(p));
  nis_team_run((int)p->workers, run_pass, p);
  return NIS_OK;
}

static int refused(uint64_t calls)
{
  return nis_fail(NIS_CALLBACK,
                  "the integrand ended the run after %llu calls: it returned non-zero, called "
                  "nis_refuse() or threw an exception",
                  (unsigned long long)calls);
}

static void take_bad(struct integrand_call *c, const double *x, double value)
{
  if (c->bad_calls++ > 0) return;
  nis_domain_out(&c->domain, x, c->bad_point);
  c->bad_value = value;
}

/* Values of n points in a row: times dx/du, and the bad ones out. */
static void take_values(struct integrand_call *c, const struct pass *p)
{
  size_t dim = c->domain.dim, ncomp = p->components ? c->ncomp : 0;
  for (size_t i = 0; i < p->n; i++) {
    const double *x = p->x + i * dim;
    double jacobian = c->domain.curved ? nis_domain_jacobian(&c->domain, x) : c->domain.volume;
    double value = p->f[i] == 0 ? 0 : p->f[i] * jacobian;
    double *components = p->components ? p->components + i * ncomp : NULL;
    if (p->bad) p->bad[i] = !isfinite(value);
    if (!isfinite(value)) {
      take_bad(c, x, p->f[i]);
      value = jacobian = 0;
    }
    p->f[i] = value;
    for (size_t k = 0; k < ncomp; k++) components[k] = jacobian == 0 ? 0 : components[k] * jacobian;
  }
}

void nis_integrand_scale(struct integrand_call *c, size_t n, const double *components)
{
  for (size_t k = 0; k < c->ncomp; k++) {
    double mean = 0;
    for (size_t i = 0; i < n; i++) mean += fabs(components[i * c->ncomp + k]) / (double)n;
    c->scale[k] = mean > 0 && isfinite(mean) ? mean : 1;
  }
}

/* A slice takes a few hundredths of a second, so that a stop is heard soon; results do not depend
 * on where the slices end. A batch callback always gets its full batches. */
static size_t slice_points(const struct integrand_call *c)
{
  if (c->rehearsal > 0) return c->rehearsal;
  size_t least = c->batch ? (size_t)c->threads * c->batch_points : 1;
  size_t whole = c->batch ? c->slice / c->batch_points * c->batch_points : c->slice;
  return whole > least ? whole : least;
}

/* Where the first bad value was: all its coordinates, or the first of many */
static void format_point(const struct integrand_call *c, char point[POINT_TEXT])
{
  size_t used = 0;
  for (size_t j = 0; j < c->domain.dim && used < POINT_TEXT - 32; j++)
    used +=
        (size_t)snprintf(point + used, POINT_TEXT - used, "%s%.6g", j ? ", " : "", c->bad_point[j]);
  if (used >= POINT_TEXT - 32) snprintf(point + used, POINT_TEXT - used, ", ...");
}

static int has_given_nothing(const struct integrand_call *c)
{
  return c->bad_calls == c->calls;
}

/* Further calls of what gives no number would be spent for nothing. */
static int refuse_nothing(const struct integrand_call *c)
{
  char point[POINT_TEXT];
  if (c->calls < PATIENCE || !has_given_nothing(c)) return NIS_OK;
  format_point(c, point);
  return nis_fail(NIS_BAD_VALUES,
                  "all of the first %llu integrand values were not finite, the first %g at (%s)",
                  (unsigned long long)c->calls, c->bad_value, point);
}

/* The next slice of the points that are left; it ends where the patience does, so that the calls
 * that are spent for nothing are as many for any number of threads. */
static size_t next_slice(const struct integrand_call *c, size_t left, const struct ranks *ranks)
{
  size_t points = ranks ? nis_ranks_slice(ranks, left) : slice_points(c);
  if (points > left) points = left;
  if (has_given_nothing(c) && c->calls < PATIENCE && points > PATIENCE - c->calls)
    points = (size_t)(PATIENCE - c->calls);
  return points;
}

/* The first points of the pass have values in the journal, or are to go into it. */
static int consult_journal(struct journal *j, struct pass *p)
{
  size_t n = p->n;
  if (!j) return NIS_OK;
  NIS_TRY(nis_journal_replay(j, p->x, &n));
  if (n > 0) {
    p->n = n;
    p->known = j->values;
    return NIS_OK;
  }
  NIS_TRY(nis_journal_prepare(j, p->n));
  p->recorded = j->values;
  return NIS_OK;
}

/* ---- ranks ---------------------------------------------------------------------------------- */

/* This rank's share of a pass, for all */
static int fill_rows(void *context, size_t first, size_t n, double *rows)
{
  const struct pass *p = context;
  const struct integrand_call *c = p->c;
  struct pass part = {.c = p->c,
                      .n = n,
                      .x = p->x + first * c->domain.dim,
                      .f = p->f + first,
                      .components = p->components ? p->components + first * c->ncomp : NULL,
                      .recorded = rows,
                      .for_all = 1};
  NIS_TRY(carry_out(&part));
  return part.refused ? refused(c->calls + part.finished) : NIS_OK;
}

static uint64_t stamp_points(void *context, size_t first, size_t n)
{
  const struct pass *p = context;
  size_t dim = p->c->domain.dim;
  return nis_stamp_numbers(p->c->calls, n * dim, p->x + first * dim);
}

void nis_integrand_tell(const struct integrand_call *c, struct ranks *r)
{
  int recalls = c->journal && c->journal->replaying;
  r->own.grain = (uint64_t)c->threads * (c->batch ? c->batch_points : 1);
  r->own.flags = (r->own.flags & ~(uint64_t)RANKS_RECALL) | (recalls ? RANKS_RECALL : 0);
}

/* Rank 0 has the journal; where that has no more, nothing comes, and calls begin. */
static int recall(struct ranks *r, struct pass *p, size_t *n)
{
  const struct integrand_call *c = p->c;
  size_t row = row_of(c) * sizeof(double);
  int status = NIS_OK;
  *n = r->link.rank == 0 ? p->n : 0;
  if (*n > 0) status = nis_journal_replay(c->journal, p->x, n);
  if (status == NIS_OK) status = nis_ranks_reserve(r, *n * row);
  if (status == NIS_OK && *n > 0) memcpy(r->outbox, c->journal->values, *n * row);
  r->own.bytes = *n * row;
  nis_integrand_tell(c, r);
  NIS_TRY(nis_ranks_exchange(r, stamp_points(p, 0, p->n), status));
  *n = r->from[1] / row;
  NIS_TRY(nis_ranks_rows(r, *n * row_of(c)));
  if (*n > 0) memcpy(r->rows, r->inbox, *n * row);
  return NIS_OK;
}

/* The first points of the pass get their values from all ranks, each of which has called for some
 * of them. */
static int consult_ranks(struct ranks *r, struct pass *p)
{
  struct integrand_call *c = p->c;
  struct shared_rows work = {p->n, row_of(c), fill_rows, stamp_points, p};
  size_t n = 0;
  int recalls = nis_ranks_any(r, RANKS_RECALL);
  if (recalls) NIS_TRY(recall(r, p, &n));
  if (n == 0) {
    recalls = 0;
    nis_integrand_tell(c, r);
    NIS_TRY(nis_ranks_fill(r, &work, &n));
  }
  p->n = n;
  p->known = r->rows;
  if (recalls || !c->journal || n == 0) return NIS_OK;
  NIS_TRY(nis_journal_prepare(c->journal, n));
  p->recorded = c->journal->values;
  return NIS_OK;
}

/* ---- */

int nis_integrand_evaluate(struct integrand_call *c, size_t n, const double *x, double *f,
                           double *components, double *outputs, char *bad, struct monitor *monitor,
                           size_t *done)
{
  for (*done = 0; *done < n;) {
    double start = nis_clock();
    size_t points = next_slice(c, n - *done, monitor->ranks);
    struct pass pass = {.c = c, .n = points, .x = x + *done * c->domain.dim, .f = f + *done};
    if (components) pass.components = components + *done * c->ncomp;
    if (outputs) pass.outputs = outputs + *done * c->extra;
    if (bad) pass.bad = bad + *done;
    NIS_TRY(monitor->ranks ? consult_ranks(monitor->ranks, &pass)
                           : consult_journal(c->journal, &pass));
    points = pass.n;
    if (points > 0) NIS_TRY(carry_out(&pass));
    c->calls += pass.finished;
    monitor->now.calls += pass.finished;
    if (monitor->now.phase != NIS_GENERATING) monitor->now.done += pass.finished;
    if (pass.refused) return refused(c->calls);
    if (pass.recorded) NIS_TRY(nis_journal_record(c->journal, pass.x, points));
    take_values(c, &pass);
    *done += points;
    NIS_TRY(refuse_nothing(c));
    NIS_TRY(nis_monitor_report(monitor));
    double took = nis_clock() - start;
    if (took < 0.02 && points >= c->slice && !c->rehearsal) c->slice *= 2;
    if (took > 0.1 && c->slice > LEAST_SLICE) c->slice /= 2;
  }
  return NIS_OK;
}

int nis_integrand_verdict(const struct integrand_call *c, double share)
{
  if (c->bad_calls == 0 && c->serialized)
    return nis_fail(NIS_OK, "the integrand gave other values when several threads called it at "
                            "once: only one does now; serial = 1 or threads = 1 say so beforehand");
  if (c->bad_calls == 0) return NIS_OK;
  char point[POINT_TEXT];
  format_point(c, point);
  unsigned long long bad = c->bad_calls, calls = c->calls;
  if (share > most_bad)
    return nis_fail(NIS_BAD_VALUES,
                    "%llu of %llu integrand values were not finite, about %.2g of the domain or of "
                    "the points of the estimate (at most %g are left out), the first %g at (%s)",
                    bad, calls, share, most_bad, c->bad_value, point);
  return nis_fail(NIS_OK, "%llu of %llu integrand values were not finite, the first %g at (%s)",
                  bad, calls, c->bad_value, point);
}

void nis_integrand_archive(struct archive *a, struct integrand_call *c)
{
  nis_domain_archive(a, &c->domain);
  nis_archive_whole(a, "serialized", &c->serialized, 0, 1);
  nis_archive_count(a, "the number of calls", &c->calls, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "the number of bad calls", &c->bad_calls, c->calls);
  nis_archive_any_reals(a, c->domain.dim, c->bad_point);
  nis_archive_any_reals(a, 1, &c->bad_value);
  nis_archive_reals(a, "a scale", c->ncomp, c->scale, DBL_TRUE_MIN, DBL_MAX);
  if (c->serialized) c->threads = 1;
}
