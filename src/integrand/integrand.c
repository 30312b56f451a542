/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "integrand.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <math.h>
#include <stdio.h>

enum { LEAST_SLICE = 8 };

int nis_integrand_init(struct integrand_call *c, nis_integrand *f, const nis_options *o)
{
  *c = (struct integrand_call){.f = f,
                               .batch = o->batch,
                               .params = o->params,
                               .threads = o->serial ? 1 : o->threads,
                               .batch_points = o->batch ? o->batch_points : 64,
                               .slice = LEAST_SLICE,
                               .ncomp = o->ncomp};
  NIS_TRY(nis_domain_init(&c->domain, o->dim, o->lower, o->upper));
  c->box = NIS_NEW(double, (size_t)c->threads * c->batch_points * o->dim);
  c->bad_point = NIS_NEW(double, o->dim);
  c->scale = NIS_NEW(double, o->ncomp);
  size_t most = o->ncomp > 1 ? (size_t)c->threads * c->batch_points * o->ncomp : 0;
  c->components = NIS_NEW(double, most);
  if (!c->box || !c->bad_point || !c->scale || !c->components) return nis_no_memory();
  for (size_t k = 0; k < o->ncomp; k++) c->scale[k] = o->scales ? o->scales[k] : 1;
  return NIS_OK;
}

void nis_integrand_clear(struct integrand_call *c)
{
  nis_domain_clear(&c->domain);
  free(c->box);
  free(c->bad_point);
  free(c->components);
  free(c->scale);
  *c = (struct integrand_call){0};
}

/* One parallel pass over a slice of points, cut into batches. */
struct pass {
  struct integrand_call *c;
  size_t n, grain;
  const double *x;
  double *f, *components; /* the latter may be NULL */
  size_t finished;        /* points */
  int refused;            /* a batch callback returned non-zero */
};

static double norm(const struct integrand_call *c, const double *components)
{
  double square = 0;
  for (size_t k = 0; k < c->ncomp; k++) {
    double part = components[k] / c->scale[k];
    square += part * part;
  }
  return sqrt(square);
}

/* What of a point's components the flow follows; NaN where one of them is not finite */
static double followed(const struct integrand_call *c, const double *components)
{
  for (size_t k = 0; k < c->ncomp; k++)
    if (!isfinite(components[k])) return NAN;
  return c->norm ? norm(c, components) : components[0];
}

static int call_components(struct pass *p, int worker, size_t first, size_t n, const double *box)
{
  struct integrand_call *c = p->c;
  double *to = c->components + (size_t)worker * c->batch_points * c->ncomp;
  if (c->batch(n, c->domain.dim, box, c->ncomp, to, c->params) != 0) return 1;
  for (size_t i = 0; i < n; i++) p->f[first + i] = followed(c, to + i * c->ncomp);
  if (p->components) memcpy(p->components + first * c->ncomp, to, n * c->ncomp * sizeof *to);
  return 0;
}

static int call(struct pass *p, int worker, size_t first, size_t n, double *box)
{
  struct integrand_call *c = p->c;
  size_t dim = c->domain.dim;
  if (c->ncomp > 1) return call_components(p, worker, first, n, box);
  if (c->batch) return c->batch(n, dim, box, 1, p->f + first, c->params);
  for (size_t i = 0; i < n; i++) p->f[first + i] = c->f(box + i * dim, dim, c->params);
  return 0;
}

static void call_batch(void *context, size_t item, int worker)
{
  struct pass *p = context;
  struct integrand_call *c = p->c;
  size_t dim = c->domain.dim, first = item * p->grain;
  size_t n = p->n - first < p->grain ? p->n - first : p->grain;
  if (__atomic_load_n(&p->refused, __ATOMIC_RELAXED)) return;
  double *box = c->box + (size_t)worker * c->batch_points * dim;
  for (size_t i = 0; i < n; i++)
    nis_domain_out(&c->domain, p->x + (first + i) * dim, box + i * dim);
  if (call(p, worker, first, n, box) != 0) {
    __atomic_store_n(&p->refused, 1, __ATOMIC_RELAXED);
    return;
  }
  __atomic_fetch_add(&p->finished, n, __ATOMIC_RELAXED);
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
    double jacobian = c->domain.infinite ? nis_domain_jacobian(&c->domain, x) : c->domain.volume;
    double value = p->f[i] == 0 ? 0 : p->f[i] * jacobian, *components = p->components + i * ncomp;
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
  size_t least = c->batch ? (size_t)c->threads * c->batch_points : 1;
  return c->slice > least ? c->slice : least;
}

int nis_integrand_evaluate(struct integrand_call *c, size_t n, const double *x, double *f,
                           double *components, struct monitor *monitor, size_t *done)
{
  for (*done = 0; *done < n;) {
    double start = nis_clock();
    size_t left = n - *done, points = slice_points(c);
    points = points < left ? points : left;
    size_t share = (points + (size_t)c->threads - 1) / (size_t)c->threads;
    struct pass pass = {.c = c, .n = points, .x = x + *done * c->domain.dim, .f = f + *done};
    if (components) pass.components = components + *done * c->ncomp;
    pass.grain = c->f && share < c->batch_points ? share : c->batch_points;
    nis_parallel_for(c->threads, (points + pass.grain - 1) / pass.grain, call_batch, &pass);
    c->calls += pass.finished;
    if (pass.refused)
      return nis_fail(NIS_CALLBACK, "the batch integrand returned non-zero after %llu calls",
                      (unsigned long long)c->calls);
    take_values(c, &pass);
    *done += points;
    monitor->now.calls += points;
    if (monitor->now.phase != NIS_GENERATING) monitor->now.done += points;
    NIS_TRY(nis_monitor_report(monitor));
    if (nis_clock() - start < 0.02 && points >= c->slice) c->slice *= 2;
  }
  return NIS_OK;
}

int nis_integrand_verdict(const struct integrand_call *c)
{
  if (c->bad_calls == 0) return NIS_OK;
  char point[256];
  size_t used = 0;
  for (size_t j = 0; j < c->domain.dim && used < sizeof point - 32; j++)
    used += (size_t)snprintf(point + used, sizeof point - used, "%s%.6g", j ? ", " : "",
                             c->bad_point[j]);
  if (used >= sizeof point - 32) snprintf(point + used, sizeof point - used, ", ...");
  int status = (double)c->bad_calls > 0.1 * (double)c->calls ? NIS_BAD_VALUES : NIS_OK;
  return nis_fail(status, "%llu of %llu integrand values were not finite, the first %g at (%s)",
                  (unsigned long long)c->bad_calls, (unsigned long long)c->calls, c->bad_value,
                  point);
}
