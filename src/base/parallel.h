/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one OpenMP loop of the library. */
#ifndef NIS_PARALLEL_H
#define NIS_PARALLEL_H

#include <stddef.h>

/* Work on item `item`; worker (0 <= worker < threads) says whose scratch to use. */
typedef void nis_work(void *context, size_t item, int worker);

/* Runs work on items 0 .. items-1, in any order, on up to `threads` threads. */
void nis_parallel_for(int threads, size_t items, nis_work *work, void *context);

int nis_default_threads(void);

#endif
