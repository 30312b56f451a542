/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks of numbers, zeroed and aligned for the widest vectors; freed with free(). */
#ifndef NIS_MEMORY_H
#define NIS_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline void *nis_zeroed(size_t count, size_t size)
{
  if (size != 0 && count > (SIZE_MAX - 64) / size) return NULL;
  size_t bytes = (count * size + 63) / 64 * 64;
  void *block = aligned_alloc(64, bytes ? bytes : 64);
  if (block) memset(block, 0, bytes);
  return block;
}

#define NIS_NEW(type, count) ((type *)nis_zeroed((count), sizeof(type)))

#endif
