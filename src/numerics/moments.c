/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "moments.h"

#include <math.h>

void nis_moments_add(struct moments *m, double w)
{
  double off = w - m->mean;
  m->n++;
  m->mean += off / (double)m->n;
  m->squares += off * (w - m->mean);
}

void nis_moments_merge(struct moments *into, const struct moments *from)
{
  if (from->n == 0) return;
  double n = (double)(into->n + from->n), off = from->mean - into->mean;
  into->squares += from->squares + off * off * (double)into->n * (double)from->n / n;
  into->mean += off * (double)from->n / n;
  into->n += from->n;
}

double nis_moments_error(const struct moments *m)
{
  if (m->n < 2) return 0;
  return sqrt(m->squares / ((double)(m->n - 1) * (double)m->n));
}

double nis_moments_spread(const struct moments *m)
{
  if (m->n < 2 || m->mean == 0) return 0;
  return sqrt(m->squares / (double)(m->n - 1)) / fabs(m->mean);
}

void nis_moments_archive(struct archive *a, struct moments *m)
{
  nis_archive_count(a, "a number of values", &m->n, ARCHIVE_MOST_COUNT);
  nis_archive_any_reals(a, 1, &m->mean);
  nis_archive_real(a, "a sum of squares", &m->squares, 0, HUGE_VAL);
}
