/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NIS_BENCH_CLOCK_H
#define NIS_BENCH_CLOCK_H

#include <time.h>

/* Seconds of a clock that only goes forward. */
static inline double clock_now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
