/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file that bytes go to. It bears its name only when it is complete: until then it is
 * PATH.part. Standard output and devices are written directly. What cannot be written whole is not
 * written at all, where the file allows. */
#ifndef NIS_OUTPUT_H
#define NIS_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

struct output {
  const char *name; /* as the user gave it */
  int descriptor;   /* -1: none */
  char *path;       /* the final name, symbolic links resolved; NULL: written directly */
  char *part;
  uint64_t size; /* bytes written */
};

/* These return NIS_OK or NIS_NO_FILE. */
int nis_output_open(struct output *output, const char *name);
int nis_output_write(struct output *output, const void *data, size_t n);
int nis_output_rewrite(struct output *output, uint64_t offset, const void *data, size_t n);
int nis_output_truncate(struct output *output, uint64_t size);

/* Is it a file of its own, which can be changed later? */
int nis_output_is_file(const struct output *output);

/* The file gets its name ... */
int nis_output_commit(struct output *output);

/* ... or goes away. */
void nis_output_discard(struct output *output);

/* The sentence of a failure, from errno */
int nis_output_failed(const struct output *output);

#endif
