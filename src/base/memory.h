/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks of numbers, aligned for the widest vectors; freed with free(). NULL where memory is short,
 * or where there cannot be so much. */
#ifndef NIS_MEMORY_H
#define NIS_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* a * b, or SIZE_MAX, of which there is never a block */
static inline size_t nis_product(size_t a, size_t b)
{
  return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

static inline void *nis_raw(size_t count, size_t size)
{
  if (size != 0 && count > (SIZE_MAX - 64) / size) return NULL;
  size_t bytes = (count * size + 63) / 64 * 64;
  return aligned_alloc(64, bytes ? bytes : 64);
}

static inline void *nis_zeroed(size_t count, size_t size)
{
  void *block = nis_raw(count, size);
  if (block) memset(block, 0, count * size);
  return block;
}

#define NIS_NEW(type, count) ((type *)nis_zeroed((count), sizeof(type)))

/* Not zeroed: what is never written costs no memory, only addresses. */
#define NIS_RAW(type, count) ((type *)nis_raw((count), sizeof(type)))

#endif
