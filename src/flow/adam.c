/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "adam.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8; /* as in the paper */

int nis_optimizer_init(struct optimizer *o, const struct kernels *kernels, size_t n,
                       float *parameters)
{
  *o = (struct optimizer){.kernels = kernels, .n = n, .parameters = parameters};
  o->mean = NIS_NEW(float, 2 * n);
  if (!o->mean) return nis_no_memory();
  o->square = o->mean + n;
  return NIS_OK;
}

void nis_optimizer_clear(struct optimizer *o)
{
  free(o->mean);
  *o = (struct optimizer){0};
}

size_t nis_parameter_slices(const struct flow *flow)
{
  return (flow->nparameters + PARAMETER_SLICE - 1) / PARAMETER_SLICE;
}

void nis_optimizer_slice(struct optimizer *o, const struct stride *stride, const float *gradient,
                         double norm, size_t slice)
{
  if (!isfinite(norm)) return;
  double k = (double)o->step;
  double correction = sqrt(1 - pow(beta2, k)) / (1 - pow(beta1, k));
  const struct adam adam = {.rate = (float)(stride->rate * correction),
                            .beta1 = (float)beta1,
                            .beta2 = (float)beta2,
                            .epsilon = (float)epsilon,
                            .keep = (float)(1 - stride->rate * stride->decay),
                            .scale =
                                (float)(stride->largest_norm / fmax(norm, stride->largest_norm))};
  size_t first = slice * PARAMETER_SLICE, left = o->n - first;
  o->kernels->adam_step(left < PARAMETER_SLICE ? left : PARAMETER_SLICE, &adam, gradient + first,
                        o->mean + first, o->square + first, o->parameters + first);
}
