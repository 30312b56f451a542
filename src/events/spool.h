/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of numbers that wait in a nameless temporary file, in $TMPDIR or /var/tmp. */
#ifndef NIS_SPOOL_H
#define NIS_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct spool {
  int is_open, descriptor;
  size_t width;        /* numbers in a row */
  uint64_t rows, read; /* how many there are; how many nis_spool_read gave */
};

/* NIS_NO_FILE where no such file can be made. */
int nis_spool_open(struct spool *spool, size_t width);
void nis_spool_close(struct spool *spool); /* also one that was never opened: all zero */

/* Adds n rows at the end. */
int nis_spool_add(struct spool *spool, const double *rows, size_t n);

/* From here on nis_spool_read gives the rows in their order. */
void nis_spool_rewind(struct spool *spool);

/* At most `most` rows; *n is 0 at the end. */
int nis_spool_read(struct spool *spool, double *rows, size_t most, size_t *n);

#endif
