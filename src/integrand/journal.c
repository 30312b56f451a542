/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "journal.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/writing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BLOCK_HEAD = 8, BLOCK_SUM = 4, POINT_SUM = 4, LARGEST_BLOCK = 1 << 26 };

static size_t record_size(const struct journal *j)
{
  return POINT_SUM + j->width * sizeof(double);
}

static uint32_t point_sum(const struct journal *j, const double *x)
{
  return (uint32_t)crc32_z(0, (const unsigned char *)x, j->dim * sizeof *x);
}

static int failed(const struct journal *j, const char *what)
{
  return nis_fail(NIS_NO_FILE, "cannot %s the checkpoint %s: %s", what, j->name, strerror(errno));
}

static int make_room(struct journal *j, size_t n)
{
  if (n <= j->room) return NIS_OK;
  size_t room = n > 2 * j->room ? n : 2 * j->room;
  unsigned char *larger = realloc(j->buffer, room);
  if (!larger) return nis_no_memory();
  j->buffer = larger;
  j->room = room;
  return NIS_OK;
}

/* ---- the file ------------------------------------------------------------------------------ */

static int lock(const struct journal *j)
{
  if (flock(j->descriptor, LOCK_EX | LOCK_NB) == 0) return NIS_OK;
  if (errno != EWOULDBLOCK) return failed(j, "lock");
  return nis_fail(NIS_NO_FILE, "the checkpoint %s is in use: another run goes on from it", j->name);
}

int nis_journal_open(struct journal *j, const char *path, uint64_t end, size_t dim, size_t width,
                     double seconds)
{
  *j = (struct journal){.name = strdup(path),
                        .descriptor = -1,
                        .dim = dim,
                        .width = width,
                        .end = end,
                        .replaying = 1,
                        .seconds = seconds,
                        .due = nis_clock() + seconds};
  if (!j->name) return nis_no_memory();
  NIS_TRY(make_room(j, BLOCK_HEAD));
  j->at = j->filled = BLOCK_HEAD;
  j->descriptor = open(path, O_RDWR | O_CLOEXEC);
  return j->descriptor < 0 ? failed(j, "open") : lock(j);
}

/* A block that does not fit on the disk goes away as a whole. */
static int write_block(struct journal *j)
{
  size_t n = j->filled - BLOCK_HEAD;
  if (j->replaying || n == 0) return NIS_OK;
  nis_encode(n, BLOCK_HEAD, j->buffer);
  uint32_t sum = (uint32_t)crc32_z(0, j->buffer, j->filled);
  NIS_TRY(make_room(j, j->filled + BLOCK_SUM));
  nis_encode(sum, BLOCK_SUM, j->buffer + j->filled);
  if (nis_write_at(j->descriptor, j->buffer, j->filled + BLOCK_SUM, j->end) ||
      fdatasync(j->descriptor)) {
    int status = failed(j, "write");
    if (ftruncate(j->descriptor, (off_t)j->end)) return status; /* a cut block does no harm */
    return status;
  }
  j->end += j->filled + BLOCK_SUM;
  j->filled = BLOCK_HEAD;
  j->due = nis_clock() + j->seconds;
  return NIS_OK;
}

int nis_journal_close(struct journal *j)
{
  int status = j->name && j->descriptor >= 0 ? write_block(j) : NIS_OK;
  if (j->name && j->descriptor >= 0) close(j->descriptor);
  free(j->name);
  free(j->buffer);
  free(j->values);
  *j = (struct journal){.descriptor = -1};
  return status;
}

/* ---- values out of it ---------------------------------------------------------------------- */

static int read_at(struct journal *j, unsigned char *bytes, size_t n, uint64_t offset)
{
  for (ssize_t got; n > 0; bytes += got, n -= (size_t)got, offset += (uint64_t)got) {
    got = pread(j->descriptor, bytes, n, (off_t)offset);
    if (got < 0 && errno == EINTR)
      got = 0;
    else if (got < 0)
      return failed(j, "read");
    else if (got == 0)
      return nis_fail(NIS_BAD_FILE, "the checkpoint %s is cut short", j->name);
  }
  return NIS_OK;
}

/* Recording begins; a block that was cut short is overwritten. */
static int end_replay(struct journal *j)
{
  j->replaying = 0;
  j->at = j->filled = BLOCK_HEAD;
  j->due = nis_clock() + j->seconds;
  return ftruncate(j->descriptor, (off_t)j->end) ? failed(j, "write") : NIS_OK;
}

/* The next block; where there is none that is whole, the replay ends. */
static int read_block(struct journal *j)
{
  struct stat info;
  unsigned char head[BLOCK_HEAD];
  if (fstat(j->descriptor, &info)) return failed(j, "read");
  uint64_t size = (uint64_t)info.st_size, left = size > j->end ? size - j->end : 0;
  if (left < BLOCK_HEAD + BLOCK_SUM) return end_replay(j);
  NIS_TRY(read_at(j, head, sizeof head, j->end));
  uint64_t n = nis_decode(head, sizeof head);
  if (n > left - BLOCK_HEAD - BLOCK_SUM) return end_replay(j);
  NIS_TRY(make_room(j, (size_t)n + BLOCK_HEAD + BLOCK_SUM));
  NIS_TRY(read_at(j, j->buffer, (size_t)n + BLOCK_HEAD + BLOCK_SUM, j->end));
  uint64_t sum = nis_decode(j->buffer + BLOCK_HEAD + n, BLOCK_SUM);
  int whole = sum == (uint32_t)crc32_z(0, j->buffer, (size_t)n + BLOCK_HEAD);
  if (!whole && n + BLOCK_HEAD + BLOCK_SUM == left) return end_replay(j);
  if (!whole || n == 0 || n % record_size(j) != 0)
    return nis_fail(NIS_BAD_FILE, "the checkpoint %s is damaged", j->name);
  j->at = BLOCK_HEAD;
  j->filled = BLOCK_HEAD + (size_t)n;
  j->end += n + BLOCK_HEAD + BLOCK_SUM;
  return NIS_OK;
}

int nis_journal_replay(struct journal *j, const double *x, size_t *n)
{
  if (j->replaying && j->at == j->filled) NIS_TRY(read_block(j));
  size_t left = j->replaying ? (j->filled - j->at) / record_size(j) : 0;
  if (*n > left) *n = left;
  if (*n == 0) return NIS_OK;
  NIS_TRY(nis_journal_prepare(j, *n));
  for (size_t i = 0; i < *n; i++, j->points++) {
    const unsigned char *record = j->buffer + j->at;
    if (nis_decode(record, POINT_SUM) != point_sum(j, x + i * j->dim))
      return nis_fail(
          NIS_BAD_FILE,
          "the checkpoint %s is of another run: its point number %llu is not this one's", j->name,
          (unsigned long long)j->points);
    for (size_t k = 0; k < j->width; k++) {
      uint64_t bits = nis_decode(record + POINT_SUM + k * sizeof bits, sizeof bits);
      memcpy(&j->values[i * j->width + k], &bits, sizeof bits);
    }
    j->at += record_size(j);
  }
  return NIS_OK;
}

/* ---- values into it ------------------------------------------------------------------------ */

int nis_journal_prepare(struct journal *j, size_t n)
{
  size_t wanted = nis_product(n, j->width);
  if (wanted <= j->nvalues) return NIS_OK;
  free(j->values);
  j->values = NIS_RAW(double, wanted);
  j->nvalues = j->values ? wanted : 0;
  return j->values ? NIS_OK : nis_no_memory();
}

int nis_journal_record(struct journal *j, const double *x, size_t n)
{
  NIS_TRY(make_room(j, j->filled + n * record_size(j) + BLOCK_SUM));
  for (size_t i = 0; i < n; i++, j->points++) {
    unsigned char *record = j->buffer + j->filled;
    nis_encode(point_sum(j, x + i * j->dim), POINT_SUM, record);
    for (size_t k = 0; k < j->width; k++) {
      uint64_t bits;
      memcpy(&bits, &j->values[i * j->width + k], sizeof bits);
      nis_encode(bits, sizeof bits, record + POINT_SUM + k * sizeof bits);
    }
    j->filled += record_size(j);
  }
  return nis_clock() >= j->due || j->filled > LARGEST_BLOCK ? write_block(j) : NIS_OK;
}
