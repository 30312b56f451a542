/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers in (0, 1) that are the same everywhere: Knuth's linear congruential generator. */
#ifndef NOISE_H
#define NOISE_H

#include <stdint.h>

static inline double next_uniform(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return ((double)(*state >> 12) + 0.5) * 0x1p-52;
}

#endif
