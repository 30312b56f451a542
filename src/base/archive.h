/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file of sections in which something is kept for another process. Who owns a piece of state
 * names its members in one function, and what that does follows from the archive: it measures them,
 * writes them or reads them, so that writer and reader cannot differ.
 *
 * The first failure stays in `status`, with its sentence. From then on nothing is written, and
 * everything that is read is 0: a function need not ask before its end, unless it allocates.
 *
 * All numbers are little-endian, whole ones two's complement, real ones as IEEE 754 has them.
 *
 *     8 bytes  89 6e 69 73 0d 0a 1a 0a: "nis" between bytes that a transfer as text would change
 *     4 bytes  version
 *     4 bytes  0
 *   then the sections, each of
 *     8 bytes  name, filled up with zeros
 *     8 bytes  n
 *     n bytes  what is in it
 *     4 bytes  CRC-32 (zlib's) of all its bytes before
 *   of which the last is named "end" and empty. Nothing follows it.
 */
#ifndef NIS_ARCHIVE_H
#define NIS_ARCHIVE_H

#include "output.h"

enum archive_mode { ARCHIVE_MEASURE, ARCHIVE_SUM, ARCHIVE_WRITE, ARCHIVE_READ };

struct archive {
  enum archive_mode mode;
  int status;
  const char *name;      /* of the file, for sentences */
  struct output output;  /* while it is written */
  int descriptor;        /* while it is read; -1: none */
  const char *section;   /* the present one */
  uint64_t left;         /* bytes of it that are still to be read; measuring: counted so far */
  uint64_t file_left;    /* bytes of the file behind the buffer */
  uint32_t sum;          /* of the section's bytes so far */
  unsigned char *buffer; /* owned */
  size_t at, filled;     /* of the buffer */
};

/* The file gets its name, also that of one which is there already, when it is complete and on the
 * disk. NIS_NO_FILE where it cannot be made. */
int nis_archive_create(struct archive *a, const char *path);

/* Reads the file once to see that it is whole. NIS_NO_FILE where there is none, NIS_BAD_FILE where
 * it is something else, cut, damaged, or of a newer version. */
int nis_archive_open(struct archive *a, const char *path);

/* The same where others have added to the file; *end is where the archive ends. */
int nis_archive_open_first(struct archive *a, const char *path, uint64_t *end);

/* The end of all, also after a failure; returns the status. */
int nis_archive_close(struct archive *a);

/* One piece of state */
typedef void nis_archived(struct archive *a, void *state);

/* The next section; its name has up to 8 letters, and reading it is the one that must come. */
void nis_archive_section(struct archive *a, const char *name, nis_archived *archived, void *state);

/* The CRC-32 of what the section would hold */
uint32_t nis_archive_sum(nis_archived *archived, void *state);

int nis_archive_is_reading(const struct archive *a);

/* NIS_BAD_FILE with the sentence "FILE: section NAME is wrong: ..." */
void nis_archive_refuse(struct archive *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- members ------------------------------------------------------------------------------
 * `what` is for the sentence that refuses a value outside of [low, high]; NaN is. */

void nis_archive_text(struct archive *a, size_t size, char *text); /* [size], ends with 0 */
void nis_archive_whole(struct archive *a, const char *what, int *value, int low, int high);
void nis_archive_count(struct archive *a, const char *what, uint64_t *value, uint64_t most);
void nis_archive_size(struct archive *a, const char *what, size_t *value, size_t most);
void nis_archive_real(struct archive *a, const char *what, double *value, double low, double high);
void nis_archive_reals(struct archive *a, const char *what, size_t n, double *values, double low,
                       double high);
void nis_archive_floats(struct archive *a, const char *what, size_t n, float *values, float most);
void nis_archive_wholes(struct archive *a, const char *what, size_t n, int *values, int low,
                        int high);
void nis_archive_bytes(struct archive *a, size_t n, void *bytes);

/* Numbers of which any will do: statistics that nothing but sentences and results are made of */
void nis_archive_any_reals(struct archive *a, size_t n, double *values);

/* Any number of calls or points */
#define ARCHIVE_MOST_COUNT ((uint64_t)1 << 62)

/* Before memory is taken for n members that are to come, of so many bytes in the file: are there as
 * many? Else that is a failure. */
int nis_archive_holds(struct archive *a, const char *what, uint64_t n, size_t bytes);

#endif
