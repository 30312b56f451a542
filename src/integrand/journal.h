/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The integrand's values and outputs of a run, in the order in which they were asked for, behind a
 * saved handle in a file. A run is a function of its options and of these: one that was killed is
 * repeated from where that handle is, with values out of the file instead of calls, and goes on
 * where they end.
 *
 * Behind the archive (base/archive.h) come blocks, each of
 *     8 bytes  n
 *     n bytes  for each point: 4 bytes, CRC-32 of its coordinates in the cube; f64[width] values
 *     4 bytes  CRC-32 of all the bytes of the block before
 * The last one may be cut short, where the process was killed while it was written.
 */
#ifndef NIS_JOURNAL_H
#define NIS_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

struct journal {
  char *name;            /* of the file, owned */
  int descriptor;        /* locked: nobody else goes on from this file at once; -1: none */
  size_t dim, width;     /* numbers in a row: the values of a point and its outputs */
  uint64_t end;          /* of the blocks that are read or written, in the file */
  int replaying;         /* the values still come out of it */
  unsigned char *buffer; /* read or yet to be written, behind room for n; owned */
  size_t at, filled, room;
  double *values; /* [points][width] of a slice; owned */
  size_t nvalues;
  double seconds, due; /* between two writings; of nis_clock(), when the next one is */
  uint64_t points;     /* so far */
};

/* Goes on at place `end` of the file, where a saved handle ends; *j is all zero or cleared. */
int nis_journal_open(struct journal *j, const char *path, uint64_t end, size_t dim, size_t width,
                     double seconds);

/* Writes what is not written; returns the status of that. Also one that is all zero */
int nis_journal_close(struct journal *j);

/* Values of up to *n points x[n][dim] out of the file; *n is 0 where it has no more, and from then
 * on values are recorded. NIS_BAD_FILE where the file is of other points. */
int nis_journal_replay(struct journal *j, const double *x, size_t *n);

/* Room for the values of n points to be recorded */
int nis_journal_prepare(struct journal *j, size_t n);

/* j->values are those of n points x[n][dim]. Writes them when that is due. */
int nis_journal_record(struct journal *j, const double *x, size_t n);

#endif
