/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sized.h"

#include "base/error.h"
#include "nis.h"

#include <string.h>

enum { MOST_SIZE = 1 << 20 }; /* beyond, it is no size of a struct */

static size_t least(size_t a, size_t b)
{
  return a < b ? a : b;
}

int nis_sized_take(const char *name, void *own, size_t own_size, const void *theirs, size_t size)
{
  const char *bytes = theirs;
  if (size < sizeof(size_t) || size > MOST_SIZE)
    return nis_fail(NIS_INVALID, "the size of %s must be between %zu and %d bytes, got %zu", name,
                    sizeof(size_t), MOST_SIZE, size);
  for (size_t i = own_size; i < size; i++)
    if (bytes[i] != 0)
      return nis_fail(NIS_INVALID,
                      "%s has something at byte %zu that libnis %s does not know, whose %s has %zu "
                      "bytes: it takes a newer libnis",
                      name, i, nis_version(), name, own_size);
  memset(own, 0, own_size);
  memcpy(own, theirs, least(size, own_size));
  return NIS_OK;
}

void nis_sized_give(void *theirs, size_t size, const void *own, size_t own_size)
{
  memset(theirs, 0, size);
  memcpy(theirs, own, least(size, own_size));
}
