/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that the command writes by itself. One bears its name only when it is complete: before, it
 * is PATH.XXXXXX.part beside it, and what cannot be written whole is not there. */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>

/* Could a file be made, or replaced, there? Before a long run, rather than after it. DONE, or
 * FAILED with a sentence on stderr, which says what it was to be: "no histograms". */
int file_check(const char *path, const char *what);

/* Writes it, or the file that a symbolic link leads to; an existing one keeps its mode. DONE, or
 * FAILED with a sentence on stderr. */
int file_write(const char *path, const char *text, size_t size);

#endif
