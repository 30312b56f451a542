/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "integrand.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/host.h"
#include "base/memory.h"
#include "base/team.h"

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
  int refused;            /* by the user's function, in one of the ways of nis_host_call */
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

/* Points of one worker in the user's coordinates, and where their values go: [n][ncomp] */
struct batch {
  const struct integrand_call *c;
  size_t n;
  double *box, *values;
  size_t done;
};

static int call_integrand(void *context, const struct callback *self)
{
  struct batch *b = context;
  const struct integrand_call *c = b->c;
  size_t dim = c->domain.dim;
  if (c->batch) {
    int refused = c->batch(b->n, dim, b->box, c->ncomp, b->values, c->params);
    b->done = refused ? 0 : b->n;
    return refused;
  }
  for (; b->done < b->n && !self->refused; b->done++)
    b->values[b->done] = c->f(b->box + b->done * dim, dim, c->params);
  return 0;
}

static void take_components(struct pass *p, size_t first, size_t n, const double *values)
{
  size_t ncomp = p->c->ncomp;
  for (size_t i = 0; i < n; i++) p->f[first + i] = followed(p->c, values + i * ncomp);
  if (p->components) memcpy(p->components + first * ncomp, values, n * ncomp * sizeof *values);
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
  struct batch batch = {.c = c, .n = n, .box = box, .values = p->f + first};
  if (c->ncomp > 1) batch.values = c->components + (size_t)worker * c->batch_points * c->ncomp;
  if (nis_host_call(call_integrand, &batch, worker) != 0)
    __atomic_store_n(&p->refused, 1, __ATOMIC_RELAXED);
  else if (c->ncomp > 1)
    take_components(p, first, n, batch.values);
  __atomic_fetch_add(&p->finished, batch.done, __ATOMIC_RELAXED);
}

static void run_pass(struct team *team, int worker, void *context)
{
  struct pass *p = context;
  if (p->c->rehearsal > 0 && worker > 1) return;
  if (p->c->rehearsal > 0) nis_team_together(team, worker);
  nis_team_for(team, worker, (p->n + p->grain - 1) / p->grain, call_batch, p);
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
    double jacobian = nis_domain_jacobian(&c->domain, x);
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
  if (c->rehearsal > 0) return c->rehearsal;
  size_t least = c->batch ? (size_t)c->threads * c->batch_points : 1;
  size_t whole = c->batch ? c->slice / c->batch_points * c->batch_points : c->slice;
  return whole > least ? whole : least;
}

int nis_integrand_evaluate(struct integrand_call *c, size_t n, const double *x, double *f,
                           double *components, struct monitor *monitor, size_t *done)
{
  for (*done = 0; *done < n;) {
    double start = nis_clock();
    size_t left = n - *done, points = slice_points(c);
    points = points < left ? points : left;
    size_t workers = c->rehearsal > 0 ? 2 : (size_t)c->threads;
    size_t share = (points + workers - 1) / workers;
    struct pass pass = {.c = c, .n = points, .x = x + *done * c->domain.dim, .f = f + *done};
    if (components) pass.components = components + *done * c->ncomp;
    int cut = c->f || c->rehearsal > 0;
    pass.grain = cut && share < c->batch_points ? share : c->batch_points;
    nis_team_run(points > pass.grain ? c->threads : 1, run_pass, &pass);
    c->calls += pass.finished;
    if (pass.refused)
      return nis_fail(NIS_CALLBACK,
                      "the integrand ended the run after %llu calls: it returned non-zero, called "
                      "nis_refuse() or threw an exception",
                      (unsigned long long)c->calls);
    take_values(c, &pass);
    *done += points;
    monitor->now.calls += points;
    if (monitor->now.phase != NIS_GENERATING) monitor->now.done += points;
    NIS_TRY(nis_monitor_report(monitor));
    if (nis_clock() - start < 0.02 && points >= c->slice && !c->rehearsal) c->slice *= 2;
  }
  return NIS_OK;
}

int nis_integrand_verdict(const struct integrand_call *c)
{
  if (c->bad_calls == 0 && c->serialized)
    return nis_fail(NIS_OK, "the integrand gave other values when several threads called it at "
                            "once: only one does now; serial = 1 or threads = 1 say so beforehand");
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
