/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owen's nested scrambling by a hash: every binary digit is flipped or not by a random function of
 * the digits before it (Owen, in Monte Carlo and Quasi-Monte Carlo Methods (Springer 1995) 299).
 * With the first digit in the lowest bit, adding a number, multiplying with an odd one and x ^= x
 * times an even one are such functions, and a few of them mix well (Laine, Karras, Comput. Graph.
 * Forum 30 (2011) 1265; Burley, JCGT 9 (2020) 4, 1); the numbers are Vegdahl's (psychopath.io,
 * 2021).
 */
#include "uniform.h"

static uint32_t flip(uint32_t x, uint32_t key)
{
  x ^= x * 0x3d20adeau;
  x += key;
  x *= key >> 16 | 1;
  x ^= x * 0x05526c56u;
  x ^= x * 0x53a22864u;
  return x;
}

static uint32_t reverse(uint32_t x)
{
  x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  x = (x >> 4 & 0x0f0f0f0fu) | (x & 0x0f0f0f0fu) << 4;
  x = (x >> 8 & 0x00ff00ffu) | (x & 0x00ff00ffu) << 8;
  return x >> 16 | x << 16;
}

/* Random bits of all 32 digits, for those that come after them: fmix32 of MurmurHash3 */
static uint32_t mix(uint32_t x)
{
  x ^= x >> 16;
  x *= 0x85ebca6bu;
  x ^= x >> 13;
  x *= 0xc2b2ae35u;
  return x ^ x >> 16;
}

void KERNEL(nested)(const uint32_t *restrict digits, const uint32_t *restrict key,
                    double *restrict u)
{
  uint32_t high[LANES], low[LANES], key0 = key[0], key1 = key[1];
  for (int l = 0; l < LANES; l++) {
    uint32_t x = flip(digits[l], key0);
    high[l] = reverse(x);
    low[l] = mix(x ^ key1);
  }
  to_uniform(high, low, u);
}
