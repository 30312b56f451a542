/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SPLITMIX_H
#define SPLITMIX_H

#include <stdint.h>

/* The mixing steps of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): 64 bits from 64 bits */
static inline uint64_t splitmix(uint64_t z)
{
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

#endif
