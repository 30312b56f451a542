/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "parallel.h"

#ifdef _OPENMP
#include <omp.h>

int nis_default_threads(void)
{
  return omp_get_max_threads();
}

void nis_parallel_for(int threads, size_t items, nis_work *work, void *context)
{
  if (threads > 1 && items > 1) {
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (size_t item = 0; item < items; item++) work(context, item, omp_get_thread_num());
  } else {
    for (size_t item = 0; item < items; item++) work(context, item, 0);
  }
}

#else

int nis_default_threads(void)
{
  return 1;
}

void nis_parallel_for(int threads, size_t items, nis_work *work, void *context)
{
  (void)threads;
  for (size_t item = 0; item < items; item++) work(context, item, 0);
}

#endif
