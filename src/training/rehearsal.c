/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearsal.h"

#include "base/error.h"
#include "mixture/control.h"
#include "numerics/moments.h"

#include <math.h>

int nis_rehearsal_init(struct rehearsal *r, size_t dim, size_t net)
{
  *r = (struct rehearsal){.net = net};
  if (net == 0) return NIS_OK;
  NIS_TRY(nis_points_init(&r->points, net, dim));
  return nis_replicate_init(&r->replicate, dim + 1);
}

void nis_rehearsal_clear(struct rehearsal *r)
{
  nis_points_clear(&r->points);
  nis_replicate_clear(&r->replicate);
  *r = (struct rehearsal){0};
}

static int mean_of_net(struct rehearsal *r, struct sampler *s, double *mean)
{
  struct points *p = &r->points;
  double sum = 0, weight[LANES], value[LANES];
  nis_replicate_scramble(&r->replicate, s->mixture.flow.kernels, ~s->seed, (uint64_t)r->held++);
  nis_sampler_draw_replicate(s, &r->replicate, 0, r->net, p);
  NIS_TRY(nis_sampler_evaluate(s, p));
  for (size_t i = 0; i < p->n; i += LANES) {
    size_t n = p->n - i < LANES ? p->n - i : LANES;
    nis_control_values(n, p->f + i, p->log_q + i, p->log_channel + i * CHANNELS, s->mixture.beta,
                       s->mixture.flow.kernels, weight, value);
    for (size_t l = 0; l < n; l++) sum += value[l];
  }
  *mean = sum / (double)p->n;
  return NIS_OK;
}

int nis_rehearse(struct rehearsal *r, struct sampler *s, double *error)
{
  struct moments means = {0};
  for (int i = 0; i < REHEARSED_NETS; i++) {
    double mean;
    NIS_TRY(mean_of_net(r, s, &mean));
    nis_moments_add(&means, mean);
  }
  *error = nis_moments_error(&means) * sqrt(REHEARSED_NETS);
  return NIS_OK;
}
