/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "points.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

int nis_points_init(struct points *p, size_t capacity, size_t dim)
{
  *p = (struct points){.capacity = capacity};
  p->x = NIS_RAW(double, nis_product(capacity, dim + 2 + CHANNELS));
  if (!p->x) return nis_no_memory();
  p->log_q = p->x + capacity * dim;
  p->f = p->log_q + capacity;
  p->log_channel = p->f + capacity;
  return NIS_OK;
}

void nis_points_clear(struct points *p)
{
  free(p->x);
  *p = (struct points){0};
}

struct points nis_points_part(const struct points *p, size_t from, size_t n, size_t dim)
{
  return (struct points){.capacity = n,
                         .n = n,
                         .x = p->x + from * dim,
                         .log_q = p->log_q + from,
                         .f = p->f + from,
                         .log_channel = p->log_channel + from * CHANNELS};
}

double nis_point_weight(const struct points *p, size_t i)
{
  return p->f[i] == 0 ? 0 : p->f[i] * exp(-p->log_q[i]);
}
