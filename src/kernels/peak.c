/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine's own limit, for benchmarks: independent multiply-adds that never leave registers. */
#include "isa.h"

enum { CHAINS = 12 };

double KERNEL(peak)(uint64_t rounds)
{
  vec sum[CHAINS], factor = (vec){0} + 0.999f, term = (vec){0} + 1e-3f;
  UNROLLED (i, CHAINS) sum[i] = (vec){0} + (float)i;
  for (uint64_t k = 0; k < rounds; k++) {
    UNROLLED (i, CHAINS) sum[i] = sum[i] * factor + term;
  }
  float total = 0; /* near CHAINS; used, so that the work is not left out */
  UNROLLED (i, CHAINS) total += sum[i][0];
  return total > 0 ? 2. * CHAINS * WIDTH * (double)rounds : 0;
}
