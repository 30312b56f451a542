/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of one estimate all have its integral, unit and w_max: files of them are put one behind
 * the other. They are read twice, first the heads alone, as the whole's head comes first. */
#include "merge.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/output.h"
#include "format.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <zlib.h>

enum { CHUNK = 1 << 16, MOST_LINE = 1 << 20 };

enum kind { KIND_TEXT, KIND_LHE, KIND_NPY };

/* A file that is read, compressed or not */
struct source {
  const char *path;
  gzFile file;
  struct text line; /* the present one, with its end and a zero behind it */
};

struct head {
  enum kind kind;
  struct text lines;
  double largest;   /* Les Houches' XMAXUP */
  uint64_t records; /* of NPY, each of dim + 2 + extra numbers */
  size_t dim, extra;
};

struct merger {
  const char *const *paths;
  size_t n;
  struct head first; /* of the first file, and what changes of it */
  struct text seeds; /* " 1 2 3" */
  uint64_t *print;   /* [n] a number that no two files with other events have in common; owned */
  uint64_t records;  /* of all */
  struct output output;
  int compressed;
  struct text plain, packed;
};

/* ---- reading ------------------------------------------------------------------------------- */

static int bad(const struct source *s, const char *why)
{
  return nis_fail(NIS_BAD_FILE, "%s %s", s->path, why);
}

static int source_open(struct source *s, const char *path)
{
  *s = (struct source){.path = path};
  errno = 0;
  s->file = gzopen(path, "rbe");
  if (!s->file && errno == 0) return nis_no_memory();
  if (!s->file) return nis_fail(NIS_NO_FILE, "cannot read %s: %s", path, strerror(errno));
  gzbuffer(s->file, CHUNK);
  return NIS_OK;
}

static void source_close(struct source *s)
{
  if (s->file) gzclose(s->file);
  nis_text_clear(&s->line);
}

static int read_failed(const struct source *s)
{
  int number;
  const char *why = gzerror(s->file, &number);
  if (number == Z_ERRNO)
    return nis_fail(NIS_NO_FILE, "cannot read %s: %s", s->path, strerror(errno));
  return nis_fail(NIS_BAD_FILE, "%s is damaged: %s", s->path, why);
}

/* The next line; *n is its length, 0 at the end of the file. */
static int next_line(struct source *s, size_t *n)
{
  enum { STEP = 512 };
  s->line.n = *n = 0;
  for (;;) {
    char *room = nis_text_room(&s->line, STEP);
    if (!room) return nis_no_memory();
    if (!gzgets(s->file, room, STEP)) {
      int number;
      gzerror(s->file, &number);
      if (number != Z_OK && number != Z_STREAM_END) return read_failed(s);
      room[0] = '\0';
      break;
    }
    s->line.n += strlen(room);
    if (s->line.n > 0 && s->line.data[s->line.n - 1] == '\n') break;
    if (s->line.n > MOST_LINE) return bad(s, "has too long a line for events");
  }
  *n = s->line.n;
  return NIS_OK;
}

/* n bytes of the file, which has them */
static int read_bytes(struct source *s, void *bytes, size_t n)
{
  int got = gzread(s->file, bytes, (unsigned)n);
  if (got < 0) return read_failed(s);
  return (size_t)got == n ? NIS_OK : bad(s, "is cut short");
}

static int begins(const char *line, const char *word)
{
  return strncmp(line, word, strlen(word)) == 0;
}

/* ---- heads --------------------------------------------------------------------------------- */

static int read_npy_head(struct source *s, struct head *head)
{
  char text[NPY_HEAD + 1] = "";
  NIS_TRY(read_bytes(s, text, NPY_HEAD));
  const char *dim = strstr(text + NPY_PREFIX, "[('x', '<f8', (");
  const char *shape = strstr(text + NPY_PREFIX, "'shape': (");
  if (!dim || !shape) return bad(s, "is no NPY file of events");
  const char *extra = strstr(text + NPY_PREFIX, "('outputs', '<f8', (");
  head->dim = strtoul(dim + 15, NULL, 10);
  head->extra = extra ? strtoul(extra + 20, NULL, 10) : 0;
  head->records = strtoull(shape + 10, NULL, 10);
  if (head->dim < 1 || head->dim > NIS_MOST_DIM || head->extra > NIS_MOST_EXTRA ||
      head->records >> 48)
    return bad(s, "is no NPY file of events");
  return NIS_OK;
}

/* The line of <init> that names a process: cross section, its error, the largest weight */
static int read_process(struct source *s, struct head *head)
{
  double value, error;
  int at = 0;
  if (sscanf(s->line.data, "%lf %lf %n%lf", &value, &error, &at, &head->largest) < 3)
    return bad(s, "has no cross section in <init>");
  nis_text_bytes(&head->lines, s->line.data, (size_t)at);
  nis_text_bytes(&head->lines, "\n", 1);
  return NIS_OK;
}

/* What is before the events; of <init> the largest weight is left out. */
static int read_lines(struct source *s, struct head *head)
{
  int in_init = 0;
  for (;;) {
    int c = gzgetc(s->file);
    if (c >= 0) gzungetc(c, s->file);
    if (head->kind == KIND_TEXT && c != '#') return NIS_OK;
    size_t n;
    NIS_TRY(next_line(s, &n));
    if (n == 0) return bad(s, "is cut short");
    if (head->lines.n > MOST_LINE) return bad(s, "has too long a head");
    if (in_init == 2)
      NIS_TRY(read_process(s, head));
    else
      nis_text_bytes(&head->lines, s->line.data, n);
    in_init = in_init ? in_init + 1 : begins(s->line.data, "<init>");
    if (head->kind == KIND_LHE && begins(s->line.data, "</init>")) return NIS_OK;
  }
}

static int read_head(struct source *s, struct head *head)
{
  char sign[8];
  *head = (struct head){0};
  if (gzread(s->file, sign, sizeof sign) < 0) return read_failed(s);
  gzrewind(s->file);
  if (memcmp(sign, "\x89HDF", 4) == 0)
    return nis_fail(NIS_INVALID, "%s is an HDF5 file: only LHE, NPY and text files are merged",
                    s->path);
  head->kind = memcmp(sign, "\x93NUMPY", 6) == 0  ? KIND_NPY
               : memcmp(sign, "<LesHouc", 8) == 0 ? KIND_LHE
                                                  : KIND_TEXT;
  if (head->kind == KIND_NPY) return read_npy_head(s, head);
  if (head->kind == KIND_TEXT && memcmp(sign, "# genera", 8) != 0)
    return bad(s, "is no file of events that nis has written");
  NIS_TRY(read_lines(s, head));
  nis_text_bytes(&head->lines, "", 1);
  return head->lines.short_of_memory ? nis_no_memory() : NIS_OK;
}

/* ---- do they belong together? -------------------------------------------------------------- */

/* The line without what stands before its key */
static const char *key_of(const char *line)
{
  return begins(line, "# ") ? line + 2 : line;
}

static int may_differ(const char *line)
{
  const char *key = key_of(line);
  return begins(key, "seed: ") || begins(key, "calls: ") || begins(key, "command: ");
}

static int check_lines(const struct merger *m, const struct source *s, const char *line)
{
  const char *first = m->first.lines.data;
  while (*line && *first) {
    size_t n = strcspn(line, "\n"), k = strcspn(first, "\n");
    int same = n == k && memcmp(line, first, n) == 0;
    if (!same && !(may_differ(line) && may_differ(first)))
      return nis_fail(NIS_INVALID, "%s and %s are not of one estimate: '%.*s' and '%.*s'",
                      m->paths[0], s->path, (int)(k < 80 ? k : 80), first, (int)(n < 80 ? n : 80),
                      line);
    line += n + (line[n] == '\n');
    first += k + (first[k] == '\n');
  }
  return *line || *first ? bad(s, "has another head than the first file") : NIS_OK;
}

static uint64_t hash(const char *bytes, size_t n)
{
  uint64_t h = 0xcbf29ce484222325;
  for (size_t i = 0; i < n; i++) h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3;
  return h;
}

/* Of the head, or of the first event where that says nothing of the run */
static int take_print(struct merger *m, size_t i, struct source *s, const struct head *head)
{
  double record[NIS_MOST_DIM + 2] = {0};
  size_t size = (head->dim + 2) * sizeof *record;
  if (head->kind == KIND_NPY && head->records > 0) NIS_TRY(read_bytes(s, record, size));
  m->print[i] = head->kind == KIND_NPY ? hash((const char *)record, size)
                                       : hash(head->lines.data, head->lines.n);
  for (size_t k = 0; k < i; k++)
    if (m->print[k] == m->print[i])
      return nis_fail(NIS_INVALID, "%s and %s hold the same events", m->paths[k], s->path);
  return NIS_OK;
}

static void take_seed(struct merger *m, const struct head *head)
{
  for (const char *line = head->lines.data; line && *line; line += *line == '\n') {
    const char *key = key_of(line);
    size_t n = strcspn(line, "\n");
    if (begins(key, "seed: "))
      nis_text_print(&m->seeds, " %.*s", (int)(line + n - key - 6), key + 6);
    line += n;
  }
}

static int take_head(struct merger *m, size_t i, struct source *s, struct head *head)
{
  NIS_TRY(read_head(s, head));
  NIS_TRY(take_print(m, i, s, head));
  take_seed(m, head);
  if (m->seeds.short_of_memory) return nis_no_memory();
  m->records += head->records;
  if (i == 0) {
    m->first = *head;
    *head = (struct head){0};
    return NIS_OK;
  }
  if (head->kind != m->first.kind || head->dim != m->first.dim || head->extra != m->first.extra)
    return nis_fail(NIS_INVALID, "%s and %s are files of different kinds", m->paths[0], s->path);
  m->first.largest = fmax(m->first.largest, head->largest);
  return head->kind == KIND_NPY ? NIS_OK : check_lines(m, s, head->lines.data);
}

/* ---- writing ------------------------------------------------------------------------------- */

static int flush(struct merger *m)
{
  if (m->plain.short_of_memory) return nis_no_memory();
  const struct text *text = &m->plain;
  if (m->compressed && text->n > 0) {
    if (nis_text_pack(&m->plain, &m->packed) != NIS_OK) return nis_no_memory();
    text = &m->packed;
  }
  if (text->n > 0) NIS_TRY(nis_output_write(&m->output, text->data, text->n));
  m->plain.n = 0;
  return NIS_OK;
}

static int put(struct merger *m, const char *bytes, size_t n)
{
  nis_text_bytes(&m->plain, bytes, n);
  return m->plain.n >= CHUNK ? flush(m) : NIS_OK;
}

/* That of the first file, with the seeds and the largest weight of all */
static int write_head(struct merger *m)
{
  int in_init = 0;
  if (m->first.kind == KIND_NPY) nis_npy_head(&m->plain, m->first.dim, m->first.extra, m->records);
  for (const char *line = m->first.lines.data; line && *line; line += *line == '\n') {
    size_t n = strcspn(line, "\n");
    const char *key = key_of(line);
    nis_text_bytes(&m->plain, line, begins(key, "seed: ") ? (size_t)(key + 5 - line) : n);
    if (begins(key, "seed: ")) nis_text_bytes(&m->plain, m->seeds.data, m->seeds.n);
    if (in_init == 2) nis_text_print(&m->plain, "%.16e 1", m->first.largest);
    in_init = in_init ? in_init + 1 : begins(line, "<init>");
    line += n;
    if (*line) nis_text_bytes(&m->plain, "\n", 1);
  }
  return flush(m);
}

static int copy_records(struct merger *m, struct source *s, const struct head *head)
{
  char bytes[8192];
  uint64_t left = head->records * (head->dim + 2 + head->extra) * sizeof(double);
  for (size_t n; left > 0; left -= n) {
    n = left < sizeof bytes ? (size_t)left : sizeof bytes;
    NIS_TRY(read_bytes(s, bytes, n));
    NIS_TRY(put(m, bytes, n));
  }
  return gzgetc(s->file) < 0 ? NIS_OK : bad(s, "is longer than its head says");
}

/* Up to the last line, which a file that was cut short lacks */
static int copy_lines(struct merger *m, struct source *s, enum kind kind)
{
  static const char *const last[] = {"# end of ", "</LesHouchesEvents>"};
  for (;;) {
    size_t n;
    NIS_TRY(next_line(s, &n));
    if (n == 0) return bad(s, "is cut short");
    if (begins(s->line.data, last[kind])) return NIS_OK;
    m->records += kind == KIND_TEXT;
    NIS_TRY(put(m, s->line.data, n));
  }
}

static int copy_events(struct merger *m, const char *path)
{
  struct source s;
  struct head head = {0};
  int status = source_open(&s, path);
  if (status == NIS_OK) status = read_head(&s, &head);
  if (status == NIS_OK && head.kind == KIND_NPY) status = copy_records(m, &s, &head);
  if (status == NIS_OK && head.kind != KIND_NPY) status = copy_lines(m, &s, head.kind);
  nis_text_clear(&head.lines);
  source_close(&s);
  return status;
}

static int write_tail(struct merger *m)
{
  if (m->first.kind == KIND_LHE) nis_text_print(&m->plain, "</LesHouchesEvents>\n");
  if (m->first.kind == KIND_TEXT)
    nis_text_print(&m->plain, "# end of %" PRIu64 " events\n", m->records);
  return flush(m);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static int read_heads(struct merger *m)
{
  int status = NIS_OK;
  for (size_t i = 0; i < m->n && status == NIS_OK; i++) {
    struct source s;
    struct head head = {0};
    status = source_open(&s, m->paths[i]);
    if (status == NIS_OK) status = take_head(m, i, &s, &head);
    nis_text_clear(&head.lines);
    source_close(&s);
  }
  return status;
}

static int write_all(struct merger *m, const char *path, int force)
{
  int status = nis_output_find(&m->output, path, force);
  if (status == NIS_OK) status = nis_output_open(&m->output, NULL);
  if (status == NIS_OK) status = write_head(m);
  for (size_t i = 0; i < m->n && status == NIS_OK; i++) status = copy_events(m, m->paths[i]);
  if (status == NIS_OK) status = write_tail(m);
  if (status == NIS_OK) return nis_output_commit(&m->output);
  nis_output_discard(&m->output);
  return status;
}

int nis_event_files_merge(const char *const *paths, size_t n, const char *path, int force)
{
  struct merger m = {.paths = paths, .n = n, .compressed = nis_ends_with_gz(path)};
  m.print = NIS_NEW(uint64_t, n);
  int status = m.print ? read_heads(&m) : nis_no_memory();
  if (status == NIS_OK && m.first.kind == KIND_NPY && m.compressed)
    status = nis_fail(NIS_INVALID, "NPY files are not compressed: %s must not end in .gz", path);
  if (status == NIS_OK) status = write_all(&m, path, force);
  free(m.print);
  nis_text_clear(&m.first.lines);
  nis_text_clear(&m.seeds);
  nis_text_clear(&m.plain);
  nis_text_clear(&m.packed);
  return status;
}
