/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "seen.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

enum {
  SINGLES = 4096,    /* points that are samples of their own; with a covariance that takes time */
  SAMPLE = 64,       /* points in each later one */
  LEAST_POINTS = 100 /* that judge a part of the domain: the flow has learnt nothing from fewer */
};
static const double least_density = 0.25;

int nis_seen_init(struct seen *seen, size_t ncomp, int with_covariance)
{
  *seen = (struct seen){0};
  seen->weight = NIS_NEW(double, ncomp);
  if (!seen->weight) return nis_no_memory();
  return nis_components_init(&seen->components, ncomp > 1 ? ncomp : 0, with_covariance);
}

void nis_seen_clear(struct seen *seen)
{
  nis_components_clear(&seen->components);
  free(seen->weight);
}

void nis_seen_reset(struct seen *seen)
{
  seen->value = seen->bad = (struct moments){0};
  nis_components_reset(&seen->components);
}

static void add_components(struct seen *seen, const double *values, double over_q)
{
  struct components *c = &seen->components;
  for (size_t k = 0; k < c->n; k++) seen->weight[k] = values[k] == 0 ? 0 : values[k] * over_q;
  if (c->samples < SINGLES) {
    nis_components_add(c, seen->weight);
  } else {
    nis_components_add_to_replicate(c, seen->weight);
    if (c->replicate_points == SAMPLE) nis_components_end_replicate(c);
  }
}

void nis_seen_add(void *context, const struct points *p)
{
  struct seen *seen = context;
  size_t ncomp = seen->components.n;
  if (!p) nis_seen_reset(seen);
  for (size_t i = 0; p && i < p->n; i++) {
    double over_q = exp(-p->log_q[i]);
    if (ncomp > 0) add_components(seen, p->components + i * ncomp, over_q);
    nis_moments_add(&seen->value, ncomp > 0 ? seen->weight[0] : nis_point_weight(p, i));
    nis_moments_add(&seen->bad, p->bad[i] ? fmin(over_q, 1 / least_density) : 0);
  }
}

double nis_seen_bad(const struct seen *seen)
{
  return seen->bad.n < LEAST_POINTS ? 0 : seen->bad.mean;
}

void nis_seen_archive(struct archive *a, struct seen *seen)
{
  nis_moments_archive(a, &seen->value);
  nis_moments_archive(a, &seen->bad);
  nis_components_archive(a, &seen->components);
}
