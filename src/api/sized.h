/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Structs that grow, between a caller and a library of different versions: each takes from the
 * other what it has itself.
 */
#ifndef NIS_SIZED_H
#define NIS_SIZED_H

#include <stddef.h>

/* The caller's struct `theirs` of `size` bytes in this version's, `own`. NIS_INVALID where it has
 * something that this version does not know. */
int nis_sized_take(const char *name, void *own, size_t own_size, const void *theirs, size_t size);

/* And back. */
void nis_sized_give(void *theirs, size_t size, const void *own, size_t own_size);

#endif
