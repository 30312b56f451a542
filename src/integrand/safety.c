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

int nis_safety_check(struct integrand_call *c, size_t k, size_t n, const double *x, double *f,
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
