/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole numbers of `width` bytes in a file, the lowest first */
#ifndef NIS_BYTES_H
#define NIS_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void nis_encode(uint64_t value, size_t width, unsigned char *bytes)
{
  for (size_t k = 0; k < width; k++) bytes[k] = (unsigned char)(value >> 8 * k);
}

static inline uint64_t nis_decode(const unsigned char *bytes, size_t width)
{
  uint64_t value = 0;
  for (size_t k = 0; k < width; k++) value |= (uint64_t)bytes[k] << 8 * k;
  return value;
}

#endif
