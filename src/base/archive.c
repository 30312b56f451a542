/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "archive.h"

#include "bytes.h"
#include "error.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { VERSION = 1, SECTION_NAME = 8, BUFFER = 1 << 16, CHUNK = 1024 /* numbers */ };

static const unsigned char magic[8] = {0x89, 'n', 'i', 's', '\r', '\n', 0x1a, '\n'};

int nis_archive_is_reading(const struct archive *a)
{
  return a->mode == ARCHIVE_READ;
}

static void spoiled(struct archive *a, const char *why)
{
  if (a->status == NIS_OK) a->status = nis_fail(NIS_BAD_FILE, "%s %s", a->name, why);
}

void nis_archive_refuse(struct archive *a, const char *format, ...)
{
  char why[256];
  va_list arguments;
  if (a->status != NIS_OK || !nis_archive_is_reading(a)) return;
  va_start(arguments, format);
  vsnprintf(why, sizeof why, format, arguments);
  va_end(arguments);
  a->status = nis_fail(NIS_BAD_FILE, "%s: section %s is wrong: %s", a->name, a->section, why);
}

/* ---- bytes, whatever section they are in --------------------------------------------------- */

static void flush(struct archive *a)
{
  if (a->status == NIS_OK) a->status = nis_output_write(&a->output, a->buffer, a->at);
  a->at = 0;
}

/* 0 where the file ends */
static int fill(struct archive *a)
{
  ssize_t n;
  do n = read(a->descriptor, a->buffer, BUFFER);
  while (n < 0 && errno == EINTR);
  a->at = 0;
  a->filled = n > 0 ? (size_t)n : 0;
  a->file_left -= a->filled < a->file_left ? a->filled : a->file_left;
  if (n < 0 && a->status == NIS_OK)
    a->status = nis_fail(NIS_NO_FILE, "cannot read %s: %s", a->name, strerror(errno));
  return n > 0;
}

/* The next bytes of the file, or into it; their sum goes on. */
static void pass(struct archive *a, void *bytes, size_t n)
{
  if (a->mode == ARCHIVE_SUM) a->sum = (uint32_t)crc32_z(a->sum, bytes, n);
  for (unsigned char *next = bytes; n > 0 && a->status == NIS_OK && a->mode != ARCHIVE_SUM;) {
    size_t end = nis_archive_is_reading(a) ? a->filled : BUFFER;
    size_t here = end - a->at < n ? end - a->at : n;
    if (here == 0 && !nis_archive_is_reading(a)) {
      flush(a);
    } else if (here == 0 && !fill(a)) {
      spoiled(a, "is cut short");
    } else {
      unsigned char *place = a->buffer + a->at;
      memcpy(nis_archive_is_reading(a) ? next : place, nis_archive_is_reading(a) ? place : next,
             here);
      a->sum = (uint32_t)crc32(a->sum, place, (uInt)here);
      a->at += here, next += here, n -= here;
    }
  }
}

static void pass_number(struct archive *a, size_t width, uint64_t *value)
{
  unsigned char bytes[8] = {0};
  nis_encode(*value, width, bytes);
  pass(a, bytes, width);
  if (nis_archive_is_reading(a)) *value = a->status == NIS_OK ? nis_decode(bytes, width) : 0;
}

/* ---- sections ------------------------------------------------------------------------------ */

struct section_head {
  char name[SECTION_NAME + 1];
  uint64_t n;
};

static void pass_section_head(struct archive *a, struct section_head *head)
{
  a->sum = 0;
  pass(a, head->name, SECTION_NAME);
  pass_number(a, sizeof head->n, &head->n);
}

static void pass_sum(struct archive *a)
{
  uint64_t found = a->sum, kept = found;
  pass_number(a, 4, &kept);
  if (kept != found) spoiled(a, "is damaged: a checksum is wrong");
}

static uint64_t measure(nis_archived *archived, void *state)
{
  struct archive a = {.mode = ARCHIVE_MEASURE};
  archived(&a, state);
  return a.left;
}

uint32_t nis_archive_sum(nis_archived *archived, void *state)
{
  struct archive a = {.mode = ARCHIVE_SUM};
  archived(&a, state);
  return a.sum;
}

static void read_section(struct archive *a, nis_archived *archived, void *state)
{
  struct section_head head = {0};
  pass_section_head(a, &head);
  if (strncmp(head.name, a->section, SECTION_NAME) != 0)
    nis_archive_refuse(a, "it should come here, not '%s'", head.name);
  a->left = a->status == NIS_OK ? head.n : 0;
  archived(a, state);
  if (a->left > 0)
    nis_archive_refuse(a, "it has %llu bytes more than what it holds", (unsigned long long)a->left);
  pass_sum(a);
}

void nis_archive_section(struct archive *a, const char *name, nis_archived *archived, void *state)
{
  if (a->status != NIS_OK) return;
  a->section = name;
  if (nis_archive_is_reading(a)) {
    read_section(a, archived, state);
    return;
  }
  struct section_head head = {.n = measure(archived, state)};
  memcpy(head.name, name, strnlen(name, SECTION_NAME));
  pass_section_head(a, &head);
  archived(a, state);
  pass_sum(a);
}

static void nothing(struct archive *a, void *state)
{
  (void)a, (void)state;
}

/* ---- the file ------------------------------------------------------------------------------ */

static void pass_file_head(struct archive *a)
{
  unsigned char sign[sizeof magic];
  uint64_t version = VERSION, zero = 0;
  memcpy(sign, magic, sizeof magic);
  pass(a, sign, sizeof sign);
  if (memcmp(sign, magic, sizeof magic) != 0) spoiled(a, "was not written by nis_save");
  pass_number(a, 4, &version);
  pass_number(a, 4, &zero);
  if (a->status == NIS_OK && version > VERSION)
    a->status =
        nis_fail(NIS_BAD_FILE, "%s is of version %llu; this libnis, %s, reads up to version %d",
                 a->name, (unsigned long long)version, nis_version(), VERSION);
  if (version < 1 || zero != 0) spoiled(a, "is damaged: its head is wrong");
}

static int make_buffer(struct archive *a)
{
  a->buffer = NIS_RAW(unsigned char, BUFFER);
  return a->buffer ? NIS_OK : nis_no_memory();
}

int nis_archive_create(struct archive *a, const char *path)
{
  *a = (struct archive){.mode = ARCHIVE_WRITE, .name = path, .descriptor = -1};
  a->status = nis_output_find(&a->output, path, 1);
  a->output.durable = 1;
  if (a->status == NIS_OK) a->status = make_buffer(a);
  if (a->status == NIS_OK) a->status = nis_output_open(&a->output, NULL);
  pass_file_head(a);
  return a->status;
}

/* Everything up to the end, with the sums; nothing is believed of what it says. */
static void look_through(struct archive *a)
{
  unsigned char skipped[CHUNK];
  struct section_head head = {0};
  pass_file_head(a);
  while (a->status == NIS_OK && strcmp(head.name, "end") != 0) {
    pass_section_head(a, &head);
    if (head.n > a->file_left + (a->filled - a->at)) spoiled(a, "is cut short");
    for (uint64_t left = head.n; left > 0 && a->status == NIS_OK;) {
      size_t n = left < sizeof skipped ? (size_t)left : sizeof skipped;
      pass(a, skipped, n);
      left -= n;
    }
    pass_sum(a);
  }
}

static int cannot_read(const struct archive *a)
{
  return nis_fail(NIS_NO_FILE, "cannot read %s: %s", a->name, strerror(errno));
}

static int open_file(struct archive *a)
{
  struct stat info;
  do a->descriptor = open(a->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (a->descriptor < 0 && errno == EINTR);
  if (a->descriptor < 0 || fstat(a->descriptor, &info)) return cannot_read(a);
  errno = EISDIR;
  if (S_ISDIR(info.st_mode)) return cannot_read(a);
  if (!S_ISREG(info.st_mode))
    return nis_fail(NIS_NO_FILE, "cannot read %s: it is no regular file", a->name);
  a->file_left = (uint64_t)info.st_size;
  return make_buffer(a);
}

int nis_archive_open(struct archive *a, const char *path)
{
  uint64_t end;
  nis_archive_open_first(a, path, &end);
  if (a->status == NIS_OK && end < a->file_left + a->filled)
    spoiled(a, "goes on behind its end: a checkpoint is for nis_resume");
  return a->status;
}

int nis_archive_open_first(struct archive *a, const char *path, uint64_t *end)
{
  *a = (struct archive){.mode = ARCHIVE_READ, .name = path, .descriptor = -1};
  a->status = open_file(a);
  uint64_t size = a->file_left;
  if (a->status == NIS_OK) look_through(a);
  *end = size - a->file_left - (a->filled - a->at);
  if (a->status == NIS_OK && lseek(a->descriptor, 0, SEEK_SET) < 0) a->status = cannot_read(a);
  a->file_left = size;
  a->at = a->filled = 0;
  pass_file_head(a);
  return a->status;
}

int nis_archive_close(struct archive *a)
{
  if (a->mode == ARCHIVE_WRITE) {
    nis_archive_section(a, "end", nothing, NULL);
    if (a->buffer) flush(a);
    if (a->status == NIS_OK)
      a->status = nis_output_commit(&a->output);
    else
      nis_output_discard(&a->output);
  }
  if (a->descriptor >= 0) close(a->descriptor);
  free(a->buffer);
  a->buffer = NULL;
  a->descriptor = -1;
  return a->status;
}

/* ---- members ------------------------------------------------------------------------------- */

void nis_archive_bytes(struct archive *a, size_t n, void *bytes)
{
  if (a->mode == ARCHIVE_MEASURE) {
    a->left += n;
    return;
  }
  if (nis_archive_is_reading(a) && n > a->left) nis_archive_refuse(a, "it is too short");
  pass(a, bytes, n);
  a->left -= nis_archive_is_reading(a) && a->status == NIS_OK ? n : 0;
  if (nis_archive_is_reading(a) && a->status != NIS_OK) memset(bytes, 0, n), a->left = 0;
}

/* n numbers of 4 or 8 bytes */
static void numbers(struct archive *a, size_t n, size_t width, void *values)
{
  unsigned char bytes[8 * CHUNK];
  char *next = values;
  if (a->mode == ARCHIVE_MEASURE) a->left += n * width;
  if (a->mode == ARCHIVE_MEASURE) return;
  for (size_t here; n > 0; n -= here) {
    here = n < CHUNK ? n : CHUNK;
    for (size_t i = 0; i < here && !nis_archive_is_reading(a); i++) {
      uint64_t wide;
      uint32_t narrow;
      memcpy(width == 8 ? (void *)&wide : &narrow, next + i * width, width);
      nis_encode(width == 8 ? wide : narrow, width, bytes + i * width);
    }
    nis_archive_bytes(a, here * width, bytes);
    for (size_t i = 0; i < here && nis_archive_is_reading(a); i++) {
      uint64_t wide = nis_decode(bytes + i * width, width);
      uint32_t narrow = (uint32_t)wide;
      memcpy(next + i * width, width == 8 ? (void *)&wide : &narrow, width);
    }
    next += here * width;
  }
}

void nis_archive_text(struct archive *a, size_t size, char *text)
{
  nis_archive_bytes(a, size, text);
  if (nis_archive_is_reading(a) && !memchr(text, 0, size)) {
    text[size - 1] = '\0';
    nis_archive_refuse(a, "a text has no end");
  }
}

void nis_archive_whole(struct archive *a, const char *what, int *value, int low, int high)
{
  nis_archive_wholes(a, what, 1, value, low, high);
}

void nis_archive_wholes(struct archive *a, const char *what, size_t n, int *values, int low,
                        int high)
{
  numbers(a, n, sizeof *values, values);
  for (size_t i = 0; i < n && nis_archive_is_reading(a); i++) {
    if (values[i] >= low && values[i] <= high) continue;
    nis_archive_refuse(a, "%s must be between %d and %d, got %d", what, low, high, values[i]);
    values[i] = low;
  }
}

void nis_archive_count(struct archive *a, const char *what, uint64_t *value, uint64_t most)
{
  numbers(a, 1, sizeof *value, value);
  if (!nis_archive_is_reading(a) || *value <= most) return;
  nis_archive_refuse(a, "%s must be at most %llu, got %llu", what, (unsigned long long)most,
                     (unsigned long long)*value);
  *value = 0;
}

void nis_archive_size(struct archive *a, const char *what, size_t *value, size_t most)
{
  uint64_t count = *value;
  nis_archive_count(a, what, &count, most);
  *value = (size_t)count;
}

void nis_archive_any_reals(struct archive *a, size_t n, double *values)
{
  numbers(a, n, sizeof *values, values);
}

void nis_archive_real(struct archive *a, const char *what, double *value, double low, double high)
{
  nis_archive_reals(a, what, 1, value, low, high);
}

void nis_archive_reals(struct archive *a, const char *what, size_t n, double *values, double low,
                       double high)
{
  numbers(a, n, sizeof *values, values);
  for (size_t i = 0; i < n && nis_archive_is_reading(a); i++)
    if (!(values[i] >= low && values[i] <= high))
      nis_archive_refuse(a, "%s must be between %g and %g, got %g", what, low, high, values[i]);
}

void nis_archive_floats(struct archive *a, const char *what, size_t n, float *values, float most)
{
  numbers(a, n, sizeof *values, values);
  for (size_t i = 0; i < n && nis_archive_is_reading(a); i++)
    if (!(fabsf(values[i]) <= most))
      nis_archive_refuse(a, "%s must be between %g and %g, got %g", what, -(double)most,
                         (double)most, (double)values[i]);
}

int nis_archive_holds(struct archive *a, const char *what, uint64_t n, size_t bytes)
{
  if (nis_archive_is_reading(a) && n > a->left / bytes)
    nis_archive_refuse(a, "%llu %s are more than it has", (unsigned long long)n, what);
  return a->status == NIS_OK;
}
