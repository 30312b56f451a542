/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers in (0,1) from bits */
#ifndef NIS_KERNELS_UNIFORM_H
#define NIS_KERNELS_UNIFORM_H

#include "isa.h"

/* The 52 highest of 64 bits and a half: (k + 1/2) 2^-52, never 0 or 1 */
static inline void to_uniform(const uint32_t *restrict high, const uint32_t *restrict low,
                              double *restrict u)
{
  for (int l = 0; l < LANES; l++) {
    uint64_t bits = (((uint64_t)high[l] << 32 | low[l]) >> 12) | 0x3FF0000000000000u;
    double one_to_two;
    __builtin_memcpy(&one_to_two, &bits, sizeof bits);
    u[l] = one_to_two - 1 + 0x1p-53;
  }
}

#endif
