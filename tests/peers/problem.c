/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peers.h"

#include "base/clock.h"

#include <string.h>

static void spin(double seconds)
{
  double end = nis_clock() + seconds;
  while (nis_clock() < end) {
  }
}

double problem_call(double *x, size_t dim, void *params)
{
  struct problem *p = params;
  atomic_fetch_add_explicit(&p->calls, 1, memory_order_relaxed);
  if (p->spin > 0) spin(p->spin);
  return p->row->f(x, dim, p->state);
}

double problem_cube(double *x, size_t dim, void *params)
{
  const struct problem *p = params;
  double point[NIS_MOST_DIM];
  memcpy(point, x, dim * sizeof *x);
  double all = integrand_point(p->row, p->state, dim, point);
  return all * problem_call(point, dim, params);
}
