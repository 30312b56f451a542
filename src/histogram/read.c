/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What write.c has written as YODA, for merging */
#include "histogram.h"

#include "base/error.h"
#include "base/host.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
  FILE *file;
  const char *path;
  char *line; /* owned */
  size_t room;
};

static int bad_file(const struct reading *r, const char *what)
{
  return nis_fail(NIS_BAD_FILE, "'%s' is no YODA file of nis: %s", r->path, what);
}

/* The next line without its end; NULL at the end of the file */
static char *next_line(struct reading *r)
{
  ssize_t n = getline(&r->line, &r->room, r->file);
  if (n < 0) return NULL;
  r->line[strcspn(r->line, "\r\n")] = '\0';
  return r->line;
}

static char *behind(char *line, const char *word)
{
  size_t n = strlen(word);
  return strncmp(line, word, n) == 0 ? line + n : NULL;
}

/* The next of the numbers of a line, between blanks, commas and brackets; 0: there is none. */
static int next_number(char **at, double *value)
{
  char *end;
  *at += strspn(*at, " \t,[]");
  *value = strtod(*at, &end);
  int good = end != *at;
  *at = end;
  return good;
}

static int next_count(char **at, uint64_t *value)
{
  char *end;
  *at += strspn(*at, " \t");
  *value = strtoull(*at, &end, 10);
  int good = end != *at && **at != '-';
  *at = end;
  return good;
}

/* "text [unit]" in quotes, with \" and \\, into two parts of it */
static void split_text(char *text, char **name, char **unit)
{
  char *to = text, *from = text;
  if (*from == '"') from++;
  while (*from && *from != '"') {
    if (*from == '\\' && from[1]) from++;
    *to++ = *from++;
  }
  *to = '\0';
  *name = text;
  *unit = to;
  char *bracket = NULL;
  for (char *at = text; (at = strstr(at, " [")); at++) bracket = at;
  if (!bracket || to[-1] != ']') return;
  to[-1] = '\0';
  *bracket = '\0';
  *unit = bracket + 2;
}

/* ---- the head ------------------------------------------------------------------------------- */

/* What is known before there is a histogram to put it in: copies of lines, owned */
struct head {
  char *title, *label[MOST_AXES], *points, *nowhere, *squares, *edges[MOST_AXES];
  char **net; /* [nets] */
  size_t nets, room;
};

static void clear_head(struct head *head)
{
  for (size_t i = 0; i < head->nets; i++) free(head->net[i]);
  for (int k = 0; k < MOST_AXES; k++) free(head->label[k]), free(head->edges[k]);
  free(head->net);
  free(head->title);
  free(head->points);
  free(head->nowhere);
  free(head->squares);
}

static int keep(char **member, const char *text)
{
  free(*member);
  *member = strdup(text);
  return *member ? NIS_OK : nis_no_memory();
}

static int keep_net(struct head *head, const char *text)
{
  if (head->nets == head->room) {
    size_t room = head->room ? 2 * head->room : 32;
    char **more = realloc(head->net, room * sizeof *more);
    if (!more) return nis_no_memory();
    head->net = more;
    head->room = room;
  }
  head->net[head->nets] = NULL;
  NIS_TRY(keep(&head->net[head->nets], text));
  head->nets++;
  return NIS_OK;
}

static int keep_line(struct head *head, char *line)
{
  const struct {
    const char *word;
    char **member;
  } known[] = {{"Title: ", &head->title},        {"XLabel: ", &head->label[0]},
               {"YLabel: ", &head->label[1]},    {"NisPoints: ", &head->points},
               {"NisNowhere: ", &head->nowhere}, {"NisSquares: ", &head->squares},
               {"Edges(A1): ", &head->edges[0]}, {"Edges(A2): ", &head->edges[1]}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    char *rest = behind(line, known[i].word);
    if (rest) return keep(known[i].member, rest);
  }
  char *rest = behind(line, "NisNet");
  rest = rest ? strchr(rest, ':') : NULL;
  return rest ? keep_net(head, rest + 1) : NIS_OK;
}

/* Up to the line of columns' names, which begins with # */
static int read_head(struct reading *r, struct head *head, size_t naxes)
{
  char *line;
  while ((line = next_line(r)) && *line != '#') {
    if (behind(line, "END ")) break;
    NIS_TRY(keep_line(head, line));
  }
  if (!line || *line != '#' || !head->points || !head->nowhere || !head->squares ||
      !head->edges[naxes - 1] || !head->edges[0])
    return bad_file(r, "a histogram lacks lines");
  return NIS_OK;
}

/* ---- the body ------------------------------------------------------------------------------- */

/* Numbers of edges into a new array; NULL where memory is short */
static double *read_edges(char *text, size_t *bins)
{
  size_t n = 1;
  for (const char *c = text; *c; c++) n += *c == ',';
  double *edges = NIS_RAW(double, n);
  size_t found = 0;
  while (edges && found < n && next_number(&text, &edges[found])) found++;
  *bins = found > 0 ? found - 1 : 0;
  return edges;
}

static int make(struct head *head, size_t naxes, nis_histogram **out)
{
  nis_axis axes[MOST_AXES] = {{0}};
  char *name, *none, nothing[] = "";
  double *edges[MOST_AXES] = {NULL};
  int status = NIS_OK;
  for (size_t k = 0; k < naxes; k++) {
    char *label, *unit;
    split_text(head->label[k] ? head->label[k] : nothing, &label, &unit);
    axes[k].name = label, axes[k].unit = unit;
    axes[k].edges = edges[k] = read_edges(head->edges[k], &axes[k].bins);
    if (!edges[k]) status = nis_no_memory();
  }
  split_text(head->title ? head->title : nothing, &name, &none);
  if (status == NIS_OK) status = nis_histogram_create(out, name, axes, naxes);
  for (size_t k = 0; k < naxes; k++) free(edges[k]);
  return status;
}

static int read_slot(char *line, size_t naxes, double n, struct sums *s)
{
  double square;
  int good = next_number(&line, &s->w) && next_number(&line, &square);
  for (size_t k = 0; k < naxes; k++)
    good = good && next_number(&line, &s->wx[k]) && next_number(&line, &s->wx2[k]);
  if (naxes == 2) good = good && next_number(&line, &s->wxy);
  good = good && next_count(&line, &s->n);
  s->w *= n;
  s->wxy *= n;
  for (int k = 0; k < MOST_AXES; k++) s->wx[k] *= n, s->wx2[k] *= n;
  return good;
}

static int read_net(struct nis_histogram *h, char *text)
{
  struct net *net = nis_histogram_add_net(h, -1);
  if (!net) return -1;
  int good = next_count(&text, &net->n);
  for (size_t i = 0; i < h->slots; i++) good = good && next_number(&text, &net->sum_w[i]);
  return good;
}

static int read_body(struct reading *r, struct head *head, struct nis_histogram *h)
{
  struct sums *nowhere = &h->slot[h->slots - 1];
  char *at = head->points, *squares = head->squares;
  int good = next_count(&at, &h->points);
  at = head->nowhere;
  good = good && next_number(&at, &nowhere->w) && next_number(&at, &nowhere->w2) &&
         next_count(&at, &nowhere->n);
  for (size_t i = 0; good && i + 1 < h->slots; i++) {
    char *line = next_line(r);
    good = line && read_slot(line, h->naxes, (double)h->points, &h->slot[i]) &&
           next_number(&squares, &h->slot[i].w2);
  }
  for (size_t i = 0; good && i < head->nets; i++) {
    int read = read_net(h, head->net[i]);
    if (read < 0) return nis_no_memory();
    good = read;
  }
  char *line = good ? next_line(r) : NULL;
  return line && behind(line, "END ") ? NIS_OK : bad_file(r, "it is cut or damaged");
}

/* ---- the file ------------------------------------------------------------------------------- */

/* The histogram whose first line has been read */
static int read_one(struct reading *r, size_t naxes, nis_histogram **out)
{
  struct head head = {0};
  int status = read_head(r, &head, naxes);
  if (status == NIS_OK) {
    status = make(&head, naxes, out);
    if (status == NIS_INVALID) status = bad_file(r, "a histogram has no good edges");
    if (status == NIS_OK) status = read_body(r, &head, *out);
  }
  clear_head(&head);
  return status;
}

static int read_file(struct reading *r, size_t number, nis_histogram **out)
{
  char *line;
  size_t n = 0;
  while (!*out && (line = next_line(r))) {
    size_t naxes = behind(line, "BEGIN YODA_HISTO1D_V3 ")   ? 1
                   : behind(line, "BEGIN YODA_HISTO2D_V3 ") ? 2
                                                            : 0;
    if (naxes > 0 && n++ == number) NIS_TRY(read_one(r, naxes, out));
  }
  return n > 0 ? NIS_OK : bad_file(r, "it has no histogram");
}

int nis_histogram_read(nis_histogram **out, const char *path, size_t number)
{
  NIS_ENTER();
  if (!out || !path) return nis_fail(NIS_INVALID, "%s must not be NULL", out ? "path" : "out");
  *out = NULL;
  struct reading r = {.file = fopen(path, "re"), .path = path};
  if (!r.file) return nis_fail(NIS_NO_FILE, "cannot read '%s': %s", path, strerror(errno));
  int status = read_file(&r, number, out);
  if (status != NIS_OK) {
    nis_histogram_free(*out);
    *out = NULL;
  }
  fclose(r.file);
  free(r.line);
  return status;
}
