/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011. The key is the seed; the counter is (point, stream, pair of coordinates), so
 * there is no state and any point can be drawn alone.
 */
#include "uniform.h"

struct counters {
  uint32_t c[4][LANES];
};

static void philox_round(struct counters *restrict t, uint32_t key0, uint32_t key1)
{
  for (int l = 0; l < LANES; l++) {
    uint64_t p0 = (uint64_t)t->c[0][l] * 0xD2511F53u;
    uint64_t p1 = (uint64_t)t->c[2][l] * 0xCD9E8D57u;
    t->c[0][l] = (uint32_t)(p1 >> 32) ^ t->c[1][l] ^ key0;
    t->c[1][l] = (uint32_t)p1;
    t->c[2][l] = (uint32_t)(p0 >> 32) ^ t->c[3][l] ^ key1;
    t->c[3][l] = (uint32_t)p0;
  }
}

static void philox(struct counters *t, uint64_t seed)
{
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    philox_round(t, key0, key1);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

void KERNEL(uniforms)(uint64_t seed, uint32_t stream, uint64_t first_point, size_t dim, double *u)
{
  struct counters t;
  for (size_t j = 0; j < dim; j += 2) {
    for (int l = 0; l < LANES; l++) {
      uint64_t point = first_point + (uint64_t)l;
      t.c[0][l] = (uint32_t)point;
      t.c[1][l] = (uint32_t)(point >> 32);
      t.c[2][l] = stream;
      t.c[3][l] = (uint32_t)(j / 2);
    }
    philox(&t, seed);
    to_uniform(t.c[0], t.c[1], u + j * LANES);
    if (j + 1 < dim) to_uniform(t.c[2], t.c[3], u + (j + 1) * LANES);
  }
}
