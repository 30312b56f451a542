/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trials.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

void nis_trials_clear(struct trials *t)
{
  nis_points_clear(&t->points);
  free(t->weight);
  *t = (struct trials){0};
}

void nis_trials_forget(struct trials *t)
{
  t->points.n = 0;
  t->place.point += t->place.given > 0;
  t->place.given = 0;
  t->begun = t->place.point;
}

void nis_trials_skip(struct trials *t, uint64_t n)
{
  if (n == 0) return;
  n += t->place.given > 0;
  t->place = (struct place){t->place.point + n, 0};
  t->begun += n;
}

static int make_room(struct trials *t, size_t n, size_t dim, size_t extra)
{
  if (n <= t->points.capacity) return NIS_OK;
  nis_points_clear(&t->points);
  free(t->weight);
  t->weight = NIS_RAW(double, nis_product(n, 2 + extra));
  t->chance = t->weight + n;
  int status = t->weight ? nis_points_init(&t->points, n, dim) : nis_no_memory();
  if (status != NIS_OK) t->points.capacity = 0;
  t->points.outputs = extra > 0 ? t->chance + n : NULL;
  return status;
}

/* Weights and chances of the points that have a value */
static void weigh(struct trials *t, const struct sampler *s)
{
  double chance[LANES];
  for (size_t i = 0; i < t->points.n; i++) {
    size_t lane = i % LANES;
    if (lane == 0)
      s->mixture.flow.kernels->uniforms(s->seed, STREAM_ACCEPT, t->first + i, 1, chance);
    t->weight[i] = nis_point_weight(&t->points, i);
    t->chance[i] = chance[lane];
  }
}

static int evaluate(struct trials *t, struct sampler *s, uint64_t from, size_t n)
{
  t->points.n = 0;
  NIS_TRY(make_room(t, n, s->mixture.dim, s->integrand.extra));
  t->first = from;
  nis_sampler_draw(s, STREAM_EVENTS, from, n, &t->points);
  int status = nis_sampler_evaluate(s, &t->points);
  weigh(t, s);
  return status;
}

int nis_trials_get(struct trials *t, struct sampler *s, uint64_t from, uint64_t end, double want,
                   size_t *at, size_t *n)
{
  int status = NIS_OK;
  uint64_t left = end - from;
  if (from < t->first || from >= t->first + t->points.n) {
    double tiles = ceil(fmin(want, BLOCK_POINTS) / LANES);
    size_t whole = (size_t)fmax(tiles, 1) * LANES;
    status = evaluate(t, s, from, whole < left ? whole : (size_t)left);
  }
  *at = t->points.n > 0 ? (size_t)(from - t->first) : 0;
  *n = t->points.n - *at;
  if (*n > left) *n = (size_t)left;
  return status;
}

double nis_trials_advance(const struct trials *t)
{
  return (double)(t->place.point - t->begun) / 16;
}

/* What waits is of no use, and its room has not the right size. */
static void drop(struct trials *t)
{
  nis_points_clear(&t->points);
  free(t->weight);
  t->weight = NULL;
}

void nis_trials_archive(struct archive *a, struct trials *t, const struct sampler *s, size_t extra)
{
  size_t dim = s->mixture.dim, n = t->points.n;
  nis_archive_count(a, "the next point", &t->place.point, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "its events", &t->place.given, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "the flow's first point", &t->begun, t->place.point);
  nis_archive_count(a, "the first point that waits", &t->first, ARCHIVE_MOST_COUNT);
  nis_archive_size(a, "the number of points that wait", &n, BLOCK_POINTS);
  if (nis_archive_is_reading(a) && nis_archive_holds(a, "points that wait", n, (dim + extra) * 8)) {
    int status = make_room(t, n, dim, extra);
    if (status != NIS_OK) a->status = status;
  }
  if (a->status != NIS_OK) return;
  nis_archive_reals(a, "a coordinate", n * dim, t->points.x, 0, 1);
  nis_archive_reals(a, "a density", n, t->points.log_q, -DBL_MAX, DBL_MAX);
  nis_archive_reals(a, "a value", n, t->points.f, -DBL_MAX, DBL_MAX);
  if (t->points.outputs) nis_archive_any_reals(a, n * extra, t->points.outputs);
  t->points.n = a->status == NIS_OK ? n : 0;
  if (nis_archive_is_reading(a)) weigh(t, s);
  if (extra != s->integrand.extra) drop(t);
}
