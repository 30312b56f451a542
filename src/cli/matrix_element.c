/* SPDX-License-Identifier: GPL-3.0-or-later */
/* |M|^2 for momenta from a text file. All of it is read and checked before anything is printed. */
#include "commands.h"

#include "json.h"
#include "message.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE = 256, SHOWN = 40 };

static const double tolerance = 1e-6; /* of masses and sums of momenta */

struct reader {
  const struct integrand *row;
  const void *state;
  const char *name; /* of the file, for people */
  FILE *file;
  size_t line;                     /* number of the latest one, from 1 */
  int n;                           /* momenta of the present point so far */
  double p[NIS_MOST_PARTICLES][4]; /* they themselves: E, px, py, pz */
  double *values;                  /* |M|^2 of the points before */
  size_t count, room;
};

/* ---- sentences ----------------------------------------------------------------- */

static int wrong(const struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int wrong(const struct reader *r, const char *format, ...)
{
  char sentence[SENTENCE];
  va_list list;
  va_start(list, format);
  vsnprintf(sentence, sizeof sentence, format, list);
  va_end(list);
  return complain(FAILED, "%s, line %zu: %s", r->name, r->line, sentence);
}

static int cannot_read(const struct reader *r)
{
  return complain(FAILED, "cannot read %s: %s", r->name, strerror(errno));
}

/* ---- one line ------------------------------------------------------------------ */

static const char *skip_blanks(const char *text)
{
  while (isspace((unsigned char)*text)) text++;
  return text;
}

/* How much of a word goes into a sentence */
static int word_length(const char *text)
{
  int length = 0;
  while (isgraph((unsigned char)text[length]) && length < SHOWN) length++;
  return length;
}

static int read_number(const struct reader *r, const char **text, const char *name, double *value)
{
  const char *word = skip_blanks(*text);
  int length = word_length(word);
  char *end;
  *value = strtod(word, &end);
  if (!*word) return wrong(r, "%s is missing; a line is E px py pz", name);
  if (end == word || (*end && !isspace((unsigned char)*end)))
    return wrong(r, "%s must be a number, got '%.*s'", name, length, word);
  if (!isfinite(*value)) return wrong(r, "%s must be finite, got '%.*s'", name, length, word);
  *text = end;
  return DONE;
}

static int check_momentum(const struct reader *r, const double p[4])
{
  if (!(p[0] > 0)) return wrong(r, "E must be above 0, got %g", p[0]);
  double x = p[1] / p[0], y = p[2] / p[0], z = p[3] / p[0], off = 1 - x * x - y * y - z * z;
  if (fabs(off) <= tolerance) return DONE;
  return wrong(r, "E^2 - p^2 must be 0 to %g E^2, got %.3g E^2", tolerance, off);
}

/* `end` is where the line ends, should it hold a zero byte. */
static int read_momentum(struct reader *r, const char *line, const char *end)
{
  static const char *const names[] = {"E", "px", "py", "pz"};
  double *p = r->p[r->n];
  for (int i = 0; i < 4; i++) {
    int bad = read_number(r, &line, names[i], &p[i]);
    if (bad) return bad;
  }
  line = skip_blanks(line);
  if (line < end) return wrong(r, "more than E px py pz: '%.*s'", word_length(line), line);
  return check_momentum(r, p);
}

/* ---- one point ----------------------------------------------------------------- */

static int check_sum(const struct reader *r)
{
  const double *a = r->p[0], *b = r->p[1];
  double s = 2 * (a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]), off[4], most = 0;
  for (int k = 0; k < 4; k++) {
    off[k] = a[k] + b[k];
    for (int i = 2; i < r->n; i++) off[k] -= r->p[i][k];
    most = fmax(most, fabs(off[k]));
  }
  if (most <= tolerance * sqrt(fmax(s, 0))) return DONE;
  return wrong(r,
               "in the point that ends here the first two momenta minus the others must be 0 to "
               "%g sqrt(s), got %.3g %.3g %.3g %.3g",
               tolerance, off[0], off[1], off[2], off[3]);
}

static int append(struct reader *r, double value)
{
  if (r->count == r->room) {
    size_t room = r->room ? 2 * r->room : 1024;
    double *values = realloc(r->values, room * sizeof *values);
    if (!values) return complain(FAILED, "no memory for %zu values", room);
    r->values = values;
    r->room = room;
  }
  r->values[r->count++] = value;
  return DONE;
}

static int finish_point(struct reader *r)
{
  int bad = check_sum(r);
  if (bad) return bad;
  double value = r->row->squared(r->state, (const double(*)[4])r->p);
  if (!isfinite(value))
    return wrong(r, "|M|^2 of the point that ends here is not finite: soft or collinear momenta");
  r->n = 0;
  return append(r, value);
}

/* ---- the file ------------------------------------------------------------------ */

static int take_line(struct reader *r, const char *line, const char *end)
{
  const char *text = skip_blanks(line);
  r->line++;
  if (text == end || *text == '#') return DONE;
  int bad = read_momentum(r, text, end);
  if (bad || ++r->n < r->row->legs) return bad;
  return finish_point(r);
}

static int check_end(const struct reader *r)
{
  if (r->n)
    return wrong(r, "the file ends inside a point, after %d of %d momenta", r->n, r->row->legs);
  return r->count ? DONE : complain(FAILED, "%s holds no momenta", r->name);
}

static int read_lines(struct reader *r)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  int bad = DONE;
  while (!bad && (length = getline(&line, &size, r->file)) >= 0)
    bad = take_line(r, line, line + length);
  if (!bad) bad = feof(r->file) ? check_end(r) : cannot_read(r);
  free(line);
  return bad;
}

static int read_file(struct reader *r, const char *path)
{
  int piped = strcmp(path, "-") == 0;
  r->name = piped ? "standard input" : path;
  r->file = piped ? stdin : fopen(path, "r");
  if (!r->file) return cannot_read(r);
  int bad = read_lines(r);
  if (!piped) fclose(r->file);
  return bad;
}

static void print_text(const struct reader *r)
{
  for (size_t i = 0; i < r->count; i++) printf("%.16e\n", r->values[i]);
}

static void print_json(const struct reader *r)
{
  struct json json = {.file = stdout};
  json_array(&json, NULL);
  for (size_t i = 0; i < r->count; i++) json_real(&json, NULL, r->values[i]);
  json_end(&json);
}

int matrix_element_command(const struct arguments *arguments)
{
  const struct integrand *row = arguments->row;
  void *state = integrand_make(row, arguments->options.dim, arguments->values);
  if (!state) return complain(FAILED, "no memory for the matrix element '%s'", row->name);
  struct reader r = {.row = row, .state = state};
  int bad = read_file(&r, arguments->momenta);
  if (!bad && arguments->json)
    print_json(&r);
  else if (!bad)
    print_text(&r);
  free(r.values);
  free(state);
  return bad;
}
