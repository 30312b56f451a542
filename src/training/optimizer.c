/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "optimizer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"

#include <math.h>

enum { SLICE = 4096 }; /* weights that one worker updates at a time */

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

int nis_optimizer_init(struct optimizer *o, const struct flow *flow)
{
  *o = (struct optimizer){.mean = NIS_NEW(float, 2 * flow->nweights)};
  if (!o->mean) return nis_no_memory();
  o->square = o->mean + flow->nweights;
  return NIS_OK;
}

void nis_optimizer_clear(struct optimizer *o)
{
  free(o->mean);
  *o = (struct optimizer){0};
}

struct update {
  struct optimizer *o;
  struct flow *flow;
  const float *gradient;
  struct adam adam;
};

static void update_slice(void *context, size_t slice, int worker)
{
  struct update *u = context;
  size_t first = slice * SLICE, left = u->flow->nweights - first;
  (void)worker;
  u->flow->kernels->adam_step(left < SLICE ? left : SLICE, &u->adam, u->gradient + first,
                              u->o->mean + first, u->o->square + first, u->flow->weights + first);
}

void nis_optimizer_step(struct optimizer *o, struct sampler *s, const struct gradient *gradient,
                        double rate, double largest_norm)
{
  o->step++;
  if (!isfinite(gradient->norm)) return;
  double k = (double)o->step;
  double correction = sqrt(1 - pow(beta2, k)) / (1 - pow(beta1, k));
  struct update u = {.o = o, .flow = gradient->flow, .gradient = gradient->values};
  u.adam = (struct adam){.rate = (float)(rate * correction),
                         .beta1 = (float)beta1,
                         .beta2 = (float)beta2,
                         .epsilon = (float)epsilon,
                         .scale = (float)(largest_norm / fmax(gradient->norm, largest_norm))};
  nis_parallel_for(s->threads, (gradient->nweights + SLICE - 1) / SLICE, update_slice, &u);
}
