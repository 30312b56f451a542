/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "safety.h"

#include "base/error.h"
#include "base/memory.h"

/* One thread's values of one and the same function */
static int evaluate(struct integrand_call *c, size_t n, const double *x, double *f,
                    struct monitor *monitor)
{
  size_t done;
  int threads = c->threads;
  c->threads = 1;
  int status = nis_integrand_evaluate(c, n, x, f, NULL, NULL, monitor, &done);
  c->threads = threads;
  return status;
}

static int same(size_t n, const double *a, const double *b)
{
  return memcmp(a, b, n * sizeof *a) == 0;
}

struct repeat {
  size_t k, dim;
  double *x, *before, *once, *again; /* [k][dim], [k]: evenly spread points, and their values */
};

static void take_points(struct repeat *r, size_t n, const double *x, const double *f)
{
  for (size_t i = 0; i < r->k; i++) {
    size_t from = (2 * i + 1) * n / (2 * r->k);
    memcpy(r->x + i * r->dim, x + from * r->dim, r->dim * sizeof *x);
    r->before[i] = f[from];
  }
}

/* Does one thread agree with itself, but not with many? */
static int repeat(struct integrand_call *c, struct repeat *r, struct monitor *monitor, int *differs)
{
  *differs = 0;
  NIS_TRY(evaluate(c, r->k, r->x, r->once, monitor));
  if (same(r->k, r->once, r->before)) return NIS_OK;
  NIS_TRY(evaluate(c, r->k, r->x, r->again, monitor));
  *differs = same(r->k, r->once, r->again);
  return NIS_OK;
}

static int replace(struct integrand_call *c, size_t n, const double *x, double *f, double *serial,
                   struct monitor *monitor)
{
  NIS_TRY(evaluate(c, n, x, serial, monitor));
  if (c->threads == 1 || same(n, serial, f)) return NIS_OK;
  memcpy(f, serial, n * sizeof *f);
  c->threads = 1;
  c->serialized = 1;
  return NIS_OK;
}

int nis_safety_check(struct integrand_call *c, size_t k, size_t n, const double *x, double *f,
                     struct monitor *monitor)
{
  size_t dim = c->domain.dim;
  int differs = 0;
  struct repeat r = {.k = k, .dim = dim, .x = NIS_NEW(double, k *(dim + 3) + n)};
  if (!r.x) return nis_no_memory();
  r.before = r.x + k * dim;
  r.once = r.before + k;
  r.again = r.once + k;
  take_points(&r, n, x, f);
  int status = repeat(c, &r, monitor, &differs);
  if (status == NIS_OK && differs) status = replace(c, n, x, f, r.again + k, monitor);
  free(r.x);
  return status;
}
