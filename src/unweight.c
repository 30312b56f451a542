/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unweight.h"

#include "error.h"
#include "memory.h"

#include <math.h>

int nis_event_scale(const struct tally *tally, struct event_scale *scale)
{
  if (tally->all.n == 0)
    return nis_fail(NIS_INVALID, "no weights seen yet: nis_estimate comes before events");
  if (tally->absolute == 0)
    return nis_fail(NIS_NO_EVENTS, "no events: the integrand was 0 at all %llu points",
                    (unsigned long long)tally->all.n);
  scale->w_max = nis_tally_event_w_max(tally);
  scale->unit = nis_tally_capped_mean(tally, scale->w_max);
  return NIS_OK;
}

struct unweighter {
  struct sampler *s;
  const struct event_scale *scale;
  struct points tried;
  double *x, *weight; /* accepted, [capacity][dim] and [capacity]; one block */
  size_t accepted;
  uint64_t first, wanted; /* point number of the next try; events still to hand out */
  nis_event_sink *sink;
  void *params;
  nis_event_summary *summary;
};

static void accept(struct unweighter *u, size_t i, double weight)
{
  size_t dim = u->s->flow.dim;
  nis_domain_out(&u->s->integrand.domain, u->tried.x + i * dim, u->x + u->accepted * dim);
  u->weight[u->accepted++] = weight;
  u->summary->events++;
  u->summary->sum_weights += weight;
  u->summary->overweights += fabs(weight) > 1;
  u->summary->overweight_share += fabs(weight) - 1; /* a sum until the end */
}

/* Accepts among the tried points until enough events are there; returns the points looked at. */
static size_t accept_block(struct unweighter *u)
{
  double chance[LANES];
  size_t i = 0;
  u->accepted = 0;
  for (; i < u->tried.n && u->accepted < u->wanted; i++) {
    if (i % LANES == 0)
      u->s->flow.kernels->uniforms(u->s->seed, STREAM_ACCEPT, u->first + i, 1, chance);
    double ratio = nis_point_weight(&u->tried, i) / u->scale->w_max;
    if (chance[i % LANES] < fabs(ratio)) accept(u, i, copysign(fmax(1, fabs(ratio)), ratio));
  }
  return i;
}

/* Tries that should give the wanted events, give or take, within the block. */
static size_t tries(const struct unweighter *u)
{
  double efficiency = u->scale->unit / u->scale->w_max;
  double n = 1.05 * (double)u->wanted / efficiency + LANES;
  return n < (double)u->tried.capacity ? (size_t)n : u->tried.capacity;
}

static int hand_out(struct unweighter *u)
{
  struct monitor *monitor = &u->s->monitor;
  size_t n = u->accepted;
  if (n > 0 && u->sink(n, u->s->flow.dim, u->x, u->weight, u->params) != 0)
    return nis_fail(NIS_STOPPED, "the event sink asked to stop after %llu events",
                    (unsigned long long)u->summary->events);
  u->wanted -= n;
  monitor->now.done += n;
  monitor->now.efficiency = (double)u->summary->events / (double)u->summary->calls;
  return nis_monitor_report(monitor);
}

static int event_block(struct unweighter *u, uint64_t *used)
{
  nis_sampler_draw(u->s, STREAM_EVENTS, u->first, tries(u), &u->tried);
  int status = nis_sampler_evaluate(u->s, &u->tried);
  u->summary->calls += u->tried.n;
  size_t looked_at = accept_block(u);
  u->first += looked_at;
  *used += looked_at;
  int handed = hand_out(u);
  return status == NIS_OK ? handed : status;
}

static int allocate(struct unweighter *u)
{
  size_t dim = u->s->flow.dim;
  NIS_TRY(nis_points_init(&u->tried, BLOCK_POINTS, dim));
  u->x = NIS_NEW(double, BLOCK_POINTS *(dim + 1));
  if (!u->x) return nis_no_memory();
  u->weight = u->x + BLOCK_POINTS * dim;
  return NIS_OK;
}

int nis_unweight(struct sampler *s, const struct event_scale *scale, uint64_t first_point,
                 uint64_t n, nis_event_sink *sink, void *params, nis_event_summary *summary,
                 uint64_t *used)
{
  struct unweighter u = {.s = s,
                         .scale = scale,
                         .first = first_point,
                         .wanted = n,
                         .sink = sink,
                         .params = params,
                         .summary = summary};
  nis_monitor_begin(&s->monitor, NIS_GENERATING, n);
  int status = allocate(&u);
  *used = 0;
  *summary = (nis_event_summary){.unit = scale->unit};
  while (status == NIS_OK && u.wanted > 0) status = event_block(&u, used);
  double total = summary->overweight_share + (double)summary->events;
  if (summary->events > 0) summary->overweight_share /= total;
  if (summary->calls > 0) summary->efficiency = (double)summary->events / (double)summary->calls;
  summary->status = status;
  nis_points_clear(&u.tried);
  free(u.x);
  return status;
}
