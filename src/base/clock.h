/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NIS_CLOCK_H
#define NIS_CLOCK_H

#include <time.h>

/* Seconds since some moment; only differences mean something */
static inline double nis_clock(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
