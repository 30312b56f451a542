/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "safety.h"

#include "base/error.h"
#include "base/memory.h"

/* Of two threads; fewer points than these at a time would be over before the second has begun. */
enum { MEETINGS = 8, LEAST_MEETING = 8 };

/* Evenly spread points, and their values */
struct rehearsal {
  size_t k, dim;
  double *x, *before, *together, *once, *again; /* [k][dim], [k] */
};

static void take_points(struct rehearsal *r, size_t n, const double *x, const double *f)
{
  for (size_t i = 0; i < r->k; i++) {
    size_t from = (2 * i + 1) * n / (2 * r->k);
    memcpy(r->x + i * r->dim, x + from * r->dim, r->dim * sizeof *x);
    r->before[i] = f[from];
  }
}

static int same(size_t n, const double *a, const double *b)
{
  return memcmp(a, b, n * sizeof *a) == 0;
}

static int evaluate(struct integrand_call *c, int threads, size_t n, const double *x, double *f,
                    struct monitor *monitor)
{
  size_t done;
  int all = c->threads;
  c->threads = threads;
  int status = nis_integrand_evaluate(c, n, x, f, NULL, NULL, NULL, monitor, &done);
  c->threads = all;
  return status;
}

/* *noisy: one thread does not agree with itself. Otherwise, where `together` and `before` are not
 * the same, `once` tells which is wrong. */
static int rehearse(struct integrand_call *c, struct rehearsal *r, struct monitor *monitor,
                    int *noisy)
{
  NIS_TRY(evaluate(c, c->threads, r->k, r->x, r->together, monitor));
  if (same(r->k, r->together, r->before)) return NIS_OK;
  NIS_TRY(evaluate(c, 1, r->k, r->x, r->once, monitor));
  NIS_TRY(evaluate(c, 1, r->k, r->x, r->again, monitor));
  *noisy = !same(r->k, r->once, r->again);
  return NIS_OK;
}

static int judge(struct integrand_call *c, const struct rehearsal *r, size_t n, const double *x,
                 double *f, double *serial, struct monitor *monitor)
{
  NIS_TRY(evaluate(c, 1, n, x, serial, monitor));
  if (c->threads == 1 || (same(r->k, r->together, r->once) && same(n, serial, f))) return NIS_OK;
  memcpy(f, serial, n * sizeof *f);
  c->threads = 1;
  c->serialized = 1;
  return NIS_OK;
}

static int check(struct integrand_call *c, size_t k, size_t n, const double *x, double *f,
                 struct monitor *monitor)
{
  size_t dim = c->domain.dim;
  int noisy = 0;
  struct rehearsal r = {.k = k, .dim = dim, .x = NIS_NEW(double, k *(dim + 4) + n)};
  if (!r.x) return nis_no_memory();
  r.before = r.x + k * dim;
  r.together = r.before + k;
  r.once = r.together + k;
  r.again = r.once + k;
  take_points(&r, n, x, f);
  c->rehearsal = (k + MEETINGS - 1) / MEETINGS;
  if (c->rehearsal < LEAST_MEETING) c->rehearsal = LEAST_MEETING;
  int status = rehearse(c, &r, monitor, &noisy);
  c->rehearsal = 0;
  int agree = same(k, r.together, r.before);
  if (status == NIS_OK && !agree && !noisy) status = judge(c, &r, n, x, f, r.again + k, monitor);
  free(r.x);
  return status;
}

/* ---- ranks ---------------------------------------------------------------------------------- */

/* What a rank has found; one that goes on with one thread has values for all behind it. */
struct verdict {
  uint64_t calls, serialized;
};

static int exchange(struct integrand_call *c, size_t n, double *f, struct ranks *r, int status)
{
  struct verdict own = {c->calls, (uint64_t)c->serialized};
  size_t bytes = sizeof own + (c->serialized ? n * sizeof *f : 0);
  if (status == NIS_OK) status = nis_ranks_reserve(r, bytes);
  if (status == NIS_OK) memcpy(r->outbox, &own, sizeof own);
  if (status == NIS_OK) memcpy(r->outbox + sizeof own, f, bytes - sizeof own);
  r->own.bytes = bytes;
  nis_integrand_tell(c, r);
  NIS_TRY(nis_ranks_exchange(r, n, status));
  for (int k = r->link.size - 1; k >= 0; k--) {
    memcpy(&own, r->inbox + r->from[k], sizeof own);
    if (!own.serialized) continue;
    memcpy(f, r->inbox + r->from[k] + sizeof own, n * sizeof *f);
    c->serialized = 1;
    c->threads = 1;
  }
  c->calls = own.calls;
  return NIS_OK;
}

/* Each checks its own threads, without the others, and all go by the worst. */
static int check_ranks(struct integrand_call *c, size_t k, size_t n, const double *x, double *f,
                       struct monitor *monitor)
{
  struct ranks *ranks = monitor->ranks;
  struct monitor alone = *monitor;
  alone.ranks = NULL;
  alone.deadline = 0;
  int status = check(c, k, n, x, f, &alone);
  if (status == NIS_STOPPED) nis_monitor_wish_stop(monitor), status = NIS_OK;
  uint64_t calls = c->calls;
  NIS_TRY(exchange(c, n, f, ranks, status));
  monitor->now.calls += c->calls - calls + (alone.now.calls - monitor->now.calls);
  monitor->now.done = alone.now.done;
  return nis_monitor_report(monitor);
}

int nis_safety_check(struct integrand_call *c, size_t k, size_t n, const double *x, double *f,
                     struct monitor *monitor)
{
  return monitor->ranks ? check_ranks(c, k, n, x, f, monitor) : check(c, k, n, x, f, monitor);
}
