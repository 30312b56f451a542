/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file that events go to. It bears its name only when it is complete: until then it is
 * FILE.part. Standard output and devices are written directly. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

struct output {
  FILE *file;
  const char *name; /* as the user gave it */
  char *path;       /* the final name, symbolic links resolved; NULL: written directly */
  char *part;
  int error; /* errno of the first failure, 0: none */
};

/* DONE, or FAILED with a sentence on stderr. */
int output_open(struct output *output, const char *name);

/* Hands on what is buffered; non-zero after a write error. */
int output_flush(struct output *output);

/* Closes the file, gives it its name, or removes it after a write error. DONE, or FAILED
 * with the sentence in message[0..size). */
int output_commit(struct output *output, char *message, size_t size);

/* Closes and removes it. */
void output_discard(struct output *output);

#endif
