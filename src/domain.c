/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "domain.h"

#include "error.h"
#include "memory.h"

#include <math.h>

int nis_domain_init(struct domain *d, size_t dim, const double *lower, const double *upper)
{
  *d = (struct domain){.dim = dim, .volume = 1};
  d->lower = NIS_NEW(double, 2 * dim);
  if (!d->lower) return nis_no_memory();
  d->width = d->lower + dim;
  for (size_t j = 0; j < dim; j++) {
    d->lower[j] = lower ? lower[j] : 0;
    d->width[j] = (upper ? upper[j] : 1) - d->lower[j];
    d->volume *= d->width[j];
  }
  if (!isfinite(d->volume) || d->volume == 0)
    return nis_fail(NIS_INVALID, "the volume of the domain, %g, is out of range", d->volume);
  return NIS_OK;
}

void nis_domain_clear(struct domain *d)
{
  free(d->lower);
  *d = (struct domain){0};
}

void nis_domain_out(const struct domain *d, const double *cube, double *box)
{
  for (size_t j = 0; j < d->dim; j++) {
    double low = d->lower[j], high = low + d->width[j], x = low + d->width[j] * cube[j];
    box[j] = x <= low ? nextafter(low, high) : x >= high ? nextafter(high, low) : x;
  }
}

void nis_domain_in(const struct domain *d, const double *box, double *cube)
{
  for (size_t j = 0; j < d->dim; j++) {
    double u = (box[j] - d->lower[j]) / d->width[j];
    cube[j] = u < 0x1p-1022 ? 0x1p-1022 : u > 1 - 0x1p-53 ? 1 - 0x1p-53 : u;
  }
}
