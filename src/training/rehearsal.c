/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rehearsal.h"

#include "base/error.h"
#include "base/memory.h"
#include "mixture/control.h"
#include "numerics/moments.h"

#include <math.h>

/* The more parts there are the better they tell the power, if they still have a few points. */
enum { LEAST_PARTS = 4, MOST_PARTS = 16, LEAST_PART = 8 };

/* Of the error, in the number of points: random points to smooth functions of a scrambled net */
static const double least_power = 0.5, most_power = 1.5;

int nis_rehearsal_init(struct rehearsal *r, size_t dim, size_t net, double final)
{
  *r = (struct rehearsal){.net = net, .final = final};
  if (net == 0) return NIS_OK;
  NIS_TRY(nis_points_init(&r->points, net, dim));
  r->value = NIS_RAW(double, REHEARSED_NETS *net);
  if (!r->value) return nis_no_memory();
  return nis_replicate_init(&r->replicate, dim + 1);
}

void nis_rehearsal_clear(struct rehearsal *r)
{
  nis_points_clear(&r->points);
  free(r->value);
  nis_replicate_clear(&r->replicate);
  *r = (struct rehearsal){0};
}

/* The standard deviation of the means over n parts of equal size */
static double deviation(const double *value, size_t n, size_t size)
{
  struct moments means = {0};
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (size_t k = 0; k < size; k++) sum += value[i * size + k];
    nis_moments_add(&means, sum / (double)size);
  }
  return nis_moments_error(&means) * sqrt((double)n);
}

double nis_net_error(const double *value, size_t net, double final)
{
  double error = deviation(value, REHEARSED_NETS, net);
  if (error == 0) return 0;
  size_t parts = net >= MOST_PARTS * LEAST_PART ? MOST_PARTS : LEAST_PARTS;
  double of_part = deviation(value, REHEARSED_NETS * parts, net / parts);
  double power = log(of_part / error) / log((double)parts);
  power = fmin(fmax(power, least_power), most_power);
  return error * pow(final / (double)net, -power);
}

static int draw_net(struct rehearsal *r, struct sampler *s, double *value)
{
  struct points *p = &r->points;
  double weight[LANES];
  nis_replicate_scramble(&r->replicate, s->mixture.flow.kernels, ~s->seed, (uint64_t)r->held++);
  nis_sampler_draw_replicate(s, &r->replicate, 0, r->net, p);
  NIS_TRY(nis_sampler_evaluate(s, p));
  for (size_t i = 0; i < p->n; i += LANES) {
    size_t n = p->n - i < LANES ? p->n - i : LANES;
    nis_control_values(n, p->f + i, p->log_q + i, p->log_channel + i * CHANNELS, s->mixture.beta,
                       s->mixture.flow.kernels, weight, value + i);
  }
  return NIS_OK;
}

int nis_rehearse(struct rehearsal *r, struct sampler *s, double *error)
{
  for (size_t i = 0; i < REHEARSED_NETS; i++) NIS_TRY(draw_net(r, s, r->value + i * r->net));
  *error = nis_net_error(r->value, r->net, r->final);
  return NIS_OK;
}
