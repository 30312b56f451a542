/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Means over random points, with their errors */
#ifndef MEAN_H
#define MEAN_H

#include <math.h>

struct mean {
  double sum, squares, n;
};

static inline void mean_add(struct mean *m, double value)
{
  m->sum += value, m->squares += value * value, m->n++;
}

static inline double mean_value(const struct mean *m)
{
  return m->sum / m->n;
}

static inline double mean_error(const struct mean *m)
{
  double variance = m->squares / m->n - mean_value(m) * mean_value(m);
  return sqrt(fmax(variance, 0) / m->n);
}

#endif
