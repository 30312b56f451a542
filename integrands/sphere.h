/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SPHERE_H
#define SPHERE_H

#include <math.h>
#include <stddef.h>

/* log of the surface of the unit sphere in dim dimensions: 2, 2 pi, 4 pi, ... */
static inline double log_sphere_area(size_t dim)
{
  double half = 0.5 * (double)dim;
  return log(2) + half * log(M_PI) - lgamma(half);
}

#endif
