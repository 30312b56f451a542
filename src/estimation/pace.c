/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pace.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

enum { MOST_TIMED = 4096, MOST_WITH_COMPONENTS = 256 };
static const double timed_share = 0.01; /* of the seconds and of the calls */

struct timing {
  struct sampler *s;
  struct pace *pace;
  struct points p;
  size_t timed;
};

/* Seconds for each of n more calls */
static int time_block(struct timing *t, size_t n, double *seconds)
{
  double start = nis_monitor_clock(&t->s->monitor);
  nis_sampler_draw(t->s, STREAM_PACE, t->timed, n, &t->p);
  int status = nis_sampler_evaluate(t->s, &t->p);
  *seconds = t->p.n > 0 ? (nis_monitor_clock(&t->s->monitor) - start) / (double)t->p.n : 0;
  t->timed += t->p.n;
  t->pace->see(t->pace->context, &t->p);
  return status;
}

/* Threads, or ranks, that the first calls may take longer than others */
static int callers(const struct sampler *s)
{
  return s->monitor.ranks ? s->monitor.ranks->link.size : s->integrand.threads;
}

/* Blocks of 1, 2, 4, ... calls. The faster one of the last two counts: in the other something else
 * may have happened. */
static int time_blocks(struct timing *t)
{
  struct pace *pace = t->pace;
  double last = 0, spent = 0, most = timed_share * (double)pace->calls;
  size_t first = (size_t)fmax(1, fmin(callers(t->s), most));
  NIS_TRY(time_block(t, first, &last));
  for (size_t n = 1; spent <= timed_share * pace->seconds; n *= 2) {
    if (n > 1 && (double)(t->timed + n) > most) break;
    if (t->timed + n > t->p.capacity) break;
    double before = n > 1 ? last : HUGE_VAL;
    NIS_TRY(time_block(t, n, &last));
    pace->per_call = fmin(last, before);
    spent += last * (double)n;
  }
  return NIS_OK;
}

int nis_pace(struct sampler *s, struct pace *pace)
{
  struct timing t = {.s = s, .pace = pace};
  size_t most = (pace->ncomp > 1 ? MOST_WITH_COMPONENTS : MOST_TIMED) + (size_t)callers(s);
  int status = nis_points_init(&t.p, most, s->mixture.dim);
  char *bad = t.p.bad = NIS_NEW(char, most);
  double *components = pace->ncomp > 1 ? NIS_NEW(double, nis_product(most, pace->ncomp)) : NULL;
  t.p.components = components;
  if (!bad || (pace->ncomp > 1 && !components)) status = nis_no_memory();
  nis_monitor_begin(&s->monitor, NIS_TRAINING, pace->calls);
  pace->per_call = 0;
  if (status == NIS_OK) status = time_blocks(&t);
  nis_points_clear(&t.p);
  free(bad);
  free(components);
  return status;
}
