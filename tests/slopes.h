/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A gradient by parameters against differences of its function, along random directions. */
#ifndef SLOPES_H
#define SLOPES_H

#include "suite.h"

#include <math.h>

/* sum(context) is the function of parameters[n], in floats; noise() is in (-1, 1). A slope may be
 * off by a twentieth of what its n parts are when they add up at random. */
static inline void check_slopes(size_t n, float *parameters, const float *gradient, double step,
                                double (*sum)(void *context), void *context, double (*noise)(void))
{
  float *way = calloc(n, sizeof *way);
  for (int repeat = 0; repeat < 20; repeat++) {
    double slope = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
      way[i] = (float)noise();
      slope += way[i] * gradient[i];
      size += pow(way[i] * gradient[i], 2);
    }
    for (size_t i = 0; i < n; i++) parameters[i] += (float)step * way[i];
    double up = sum(context);
    for (size_t i = 0; i < n; i++) parameters[i] -= (float)(2 * step) * way[i];
    double down = sum(context);
    for (size_t i = 0; i < n; i++) parameters[i] += (float)step * way[i];
    check_between((up - down) / (2 * step) - slope, -0.05 * sqrt(size), 0.05 * sqrt(size), "slope");
  }
  free(way);
}

#endif
