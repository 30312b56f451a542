/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pace.h"

#include "base/clock.h"
#include "base/error.h"

#include <math.h>

enum { MOST_TIMED = 4096 };
static const double timed_share = 0.01; /* of the seconds and of the calls */
static const double usable = 0.9;       /* of the seconds; the rest is for the flow */

int nis_pace(struct sampler *s, double seconds, uint64_t *calls)
{
  struct points p;
  double start = nis_clock(), spent = 0;
  size_t timed = 0;
  int status = nis_points_init(&p, MOST_TIMED, s->mixture.dim);
  nis_monitor_begin(&s->monitor, NIS_TRAINING, *calls);
  for (size_t n = 1; status == NIS_OK && spent < timed_share * seconds; n *= 2) {
    n = (size_t)fmin((double)n, timed_share * (double)*calls - (double)timed);
    if (n == 0 || timed + n > MOST_TIMED) break;
    nis_sampler_draw(s, STREAM_PACE, timed, n, &p);
    status = nis_sampler_evaluate(s, &p);
    timed += p.n;
    spent = nis_clock() - start;
  }
  nis_points_clear(&p);
  if (timed == 0) return status;
  double fit = usable * (seconds - spent) / (spent / (double)timed);
  *calls = (uint64_t)fmax(2, fmin((double)(*calls - timed), fit));
  return status;
}
