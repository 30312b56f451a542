/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histograms as text: YODA 2's, columns, JSON. All of a file is made in memory, then written. */
#include "histogram.h"

#include "base/error.h"
#include "base/host.h"
#include "base/output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- YODA ---------------------------------------------------------------------------------- */

/*
 *     BEGIN YODA_HISTO1D_V3 /nis/NAME
 *     Path: /nis/NAME
 *     Title: NAME
 *     Type: Histo1D
 *     XLabel: NAME [UNIT]
 *     ---
 *     Edges(A1): [e, e, ...]
 *     # sumW sumW2 sumW(A1) sumW2(A1) numEntries
 *     a line for each slot, the first axis fastest
 *     END YODA_HISTO1D_V3
 *
 * The lines before --- are YAML; those that begin with Nis are for read.c: what errors of sums with
 * other histograms are made of.
 */

static int plain(char c)
{
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         strchr("._-", c);
}

static void print_path(FILE *file, const struct nis_histogram *h)
{
  fputs("/nis/", file);
  for (const char *c = *h->name ? h->name : "histogram"; *c; c++) fputc(plain(*c) ? *c : '_', file);
  fputc('\n', file);
}

/* A scalar of YAML: in double quotes anything is text. */
static void print_text(FILE *file, const char *key, const char *text, const char *unit)
{
  fprintf(file, "%s: \"", key);
  for (const char *c = text; *c; c++) fprintf(file, strchr("\"\\", *c) ? "\\%c" : "%c", *c);
  if (*unit) fprintf(file, " [%s]", unit);
  fputs("\"\n", file);
}

static void print_restore(FILE *file, const struct nis_histogram *h)
{
  const struct sums *nowhere = &h->slot[h->slots - 1];
  fprintf(file, "NisPoints: %" PRIu64 "\nNisNowhere: %.17g %.17g %" PRIu64 "\n", h->points,
          nowhere->w, nowhere->w2, nowhere->n);
  fputs("NisSquares:", file);
  for (size_t i = 0; i + 1 < h->slots; i++) fprintf(file, " %.17g", h->slot[i].w2);
  fputc('\n', file);
  for (size_t i = 0; i < h->nets; i++) {
    fprintf(file, "NisNet%zu: %" PRIu64, i + 1, h->net[i].n);
    for (size_t k = 0; k < h->slots; k++) fprintf(file, " %.17g", h->net[i].sum_w[k]);
    fputc('\n', file);
  }
}

/* As few digits as give the same double */
static void print_edge(FILE *file, double edge)
{
  char text[32];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, edge);
    if (strtod(text, NULL) == edge) break;
  }
  fputs(text, file);
}

static void print_edges(FILE *file, const struct axis *a, const char *before, const char *after)
{
  fputs(before, file);
  for (size_t i = 0; i <= a->bins; i++) {
    if (i) fputs(", ", file);
    print_edge(file, a->edges[i]);
  }
  fputs(after, file);
}

static void print_yoda_slot(FILE *file, const struct nis_histogram *h, size_t slot)
{
  const struct sums *s = &h->slot[slot];
  double n = h->points > 0 ? (double)h->points : 1;
  nis_bin bin;
  nis_histogram_fill_bin(h, slot, &bin);
  double square = isfinite(bin.error) ? bin.error * bin.error : s->w2 / (n * n);
  fprintf(file, "%.17g\t%.17g", s->w / n, square);
  for (size_t k = 0; k < h->naxes; k++)
    fprintf(file, "\t%.17g\t%.17g", s->wx[k] / n, s->wx2[k] / n);
  if (h->naxes == 2) fprintf(file, "\t%.17g", s->wxy / n);
  fprintf(file, "\t%" PRIu64 "\n", s->n);
}

static void print_yoda(FILE *file, const struct nis_histogram *h)
{
  static const char *const label[] = {"XLabel", "YLabel"};
  int d = (int)h->naxes;
  fprintf(file, "BEGIN YODA_HISTO%dD_V3 ", d);
  print_path(file, h);
  fputs("Path: ", file);
  print_path(file, h);
  print_text(file, "Title", h->name, "");
  fprintf(file, "Type: Histo%dD\n", d);
  for (size_t k = 0; k < h->naxes; k++)
    print_text(file, label[k], h->axis[k].name, h->axis[k].unit);
  print_restore(file, h);
  fputs("---\n", file);
  print_edges(file, &h->axis[0], "Edges(A1): [", "]\n");
  if (d == 2) print_edges(file, &h->axis[1], "Edges(A2): [", "]\n");
  fputs(d == 1 ? "# sumW\tsumW2\tsumW(A1)\tsumW2(A1)\tnumEntries\n"
               : "# sumW\tsumW2\tsumW(A1)\tsumW2(A1)\tsumW(A2)\tsumW2(A2)\tsumW(A1,A2)\t"
                 "numEntries\n",
        file);
  for (size_t i = 0; i + 1 < h->slots; i++) print_yoda_slot(file, h, i);
  fprintf(file, "END YODA_HISTO%dD_V3\n\n", d);
}

/* ---- columns ------------------------------------------------------------------------------- */

static void quote(FILE *file, const char *text, const char *special, const char *before)
{
  fputc('"', file);
  for (const char *c = text; *c; c++) {
    if (strchr(special, *c)) fputs(before, file);
    fputc(*c, file);
  }
  fputc('"', file);
}

/* A differential value where the bin has a width */
static double over_width(double value, const nis_bin *bin)
{
  return isfinite(bin->width) ? value / bin->width : NAN;
}

static void print_columns(FILE *file, const struct nis_histogram *h)
{
  for (size_t i = 0; i < h->slots; i++) {
    nis_bin b;
    nis_histogram_fill_bin(h, i, &b);
    quote(file, h->name, "\"", "\"");
    fprintf(file, ",%.17g,%.17g,", b.low[0], b.high[0]);
    if (h->naxes == 2) fprintf(file, "%.17g,%.17g,", b.low[1], b.high[1]);
    if (h->naxes == 1) fputs(",,", file);
    fprintf(file, "%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%" PRIu64 ",%.17g\n", b.value, b.error,
            over_width(b.value, &b), over_width(b.error, &b), b.sum_w, b.sum_w2, b.entries,
            b.effective);
  }
}

static void print_column_names(FILE *file)
{
  fputs("histogram,xlow,xhigh,ylow,yhigh,value,error,density,density_error,sum_w,sum_w2,entries,"
        "effective\n",
        file);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void print_number(FILE *file, const char *before, double value)
{
  fputs(before, file);
  if (isfinite(value))
    fprintf(file, "%.17g", value);
  else
    fputs("null", file);
}

static void print_range(FILE *file, const char *key, const double *end, size_t naxes)
{
  fprintf(file, "\"%s\": [", key);
  for (size_t k = 0; k < naxes; k++) print_number(file, k ? ", " : "", end[k]);
  fputs("], ", file);
}

static void print_json_bin(FILE *file, const nis_bin *b, size_t naxes)
{
  fputc('{', file);
  if (naxes > 0) print_range(file, "low", b->low, naxes);
  if (naxes > 0) print_range(file, "high", b->high, naxes);
  print_number(file, "\"value\": ", b->value);
  print_number(file, ", \"error\": ", b->error);
  if (naxes > 0) print_number(file, ", \"density\": ", over_width(b->value, b));
  if (naxes > 0) print_number(file, ", \"density_error\": ", over_width(b->error, b));
  print_number(file, ", \"sum_w\": ", b->sum_w);
  print_number(file, ", \"sum_w2\": ", b->sum_w2);
  fprintf(file, ", \"entries\": %" PRIu64, b->entries);
  print_number(file, ", \"effective\": ", b->effective);
  fputc('}', file);
}

static void print_json_axis(FILE *file, const struct axis *a)
{
  fputs("{\"name\": ", file);
  quote(file, a->name, "\"\\", "\\");
  fputs(", \"unit\": ", file);
  quote(file, a->unit, "\"\\", "\\");
  print_edges(file, a, ", \"edges\": [", "]}");
}

static void print_json(FILE *file, const struct nis_histogram *h)
{
  nis_bin bin;
  fputs("  {\"name\": ", file);
  quote(file, h->name, "\"\\", "\\");
  fputs(", \"axes\": [", file);
  for (size_t k = 0; k < h->naxes; k++) {
    if (k) fputs(", ", file);
    print_json_axis(file, &h->axis[k]);
  }
  fprintf(file, "],\n   \"points\": %" PRIu64 ", \"nets\": %zu,\n   \"total\": ", h->points,
          h->nets);
  nis_histogram_total(h, &bin);
  print_json_bin(file, &bin, 0);
  fputs(",\n   \"nowhere\": ", file);
  nis_histogram_fill_bin(h, h->slots - 1, &bin);
  print_json_bin(file, &bin, 0);
  fputs(",\n   \"bins\": [", file);
  for (size_t i = 0; i + 1 < h->slots; i++) {
    nis_histogram_fill_bin(h, i, &bin);
    fputs(i ? ",\n    " : "\n    ", file);
    print_json_bin(file, &bin, h->naxes);
  }
  fputs("]}", file);
}

/* ---- files --------------------------------------------------------------------------------- */

static int format_by_name(const char *path, nis_histogram_format *format)
{
  static const char *const ending[] = {
      [NIS_HISTOGRAM_YODA] = ".yoda", [NIS_HISTOGRAM_CSV] = ".csv", [NIS_HISTOGRAM_JSON] = ".json"};
  size_t length = strlen(path);
  for (int i = NIS_HISTOGRAM_YODA; i <= NIS_HISTOGRAM_JSON; i++) {
    size_t n = strlen(ending[i]);
    if (length > n && strcmp(path + length - n, ending[i]) == 0) {
      *format = (nis_histogram_format)i;
      return NIS_OK;
    }
  }
  return nis_fail(NIS_INVALID, "a file of histograms ends in .yoda, .csv or .json, got '%s'", path);
}

static void print_all(FILE *file, const nis_histogram *const *h, size_t n,
                      nis_histogram_format format)
{
  if (format == NIS_HISTOGRAM_CSV) print_column_names(file);
  if (format == NIS_HISTOGRAM_JSON)
    fprintf(file, "{\"nis\": \"%s\", \"histograms\": [", NIS_VERSION);
  for (size_t i = 0; i < n; i++) {
    if (format == NIS_HISTOGRAM_YODA) print_yoda(file, h[i]);
    if (format == NIS_HISTOGRAM_CSV) print_columns(file, h[i]);
    if (format == NIS_HISTOGRAM_JSON) fputs(i ? ",\n" : "\n", file), print_json(file, h[i]);
  }
  if (format == NIS_HISTOGRAM_JSON) fputs("]}\n", file);
}

static int write_text(const char *text, size_t size, const char *path, int force)
{
  struct output output;
  int status = nis_output_find(&output, path, force);
  if (status == NIS_OK) status = nis_output_open(&output, NULL);
  if (status == NIS_OK) status = nis_output_write(&output, text, size);
  if (status == NIS_OK) return nis_output_commit(&output);
  nis_output_discard(&output);
  return status;
}

static int check(const nis_histogram *const *h, size_t n, const char *path)
{
  if (!h || !path) return nis_fail(NIS_INVALID, "%s must not be NULL", h ? "path" : "h");
  for (size_t i = 0; i < n; i++)
    if (!h[i]) return nis_fail(NIS_INVALID, "histogram %zu of %zu is NULL", i + 1, n);
  return NIS_OK;
}

int nis_histogram_write(const nis_histogram *const *h, size_t n, const char *path,
                        nis_histogram_format format, int force)
{
  NIS_ENTER();
  char *text = NULL;
  size_t size = 0;
  NIS_TRY(check(h, n, path));
  if ((int)format < NIS_HISTOGRAM_BY_NAME || (int)format > NIS_HISTOGRAM_JSON)
    return nis_fail(NIS_INVALID, "there is no format of histograms with number %d", (int)format);
  if (format == NIS_HISTOGRAM_BY_NAME) NIS_TRY(format_by_name(path, &format));
  FILE *file = open_memstream(&text, &size);
  if (!file) return nis_no_memory();
  print_all(file, h, n, format);
  int bad = ferror(file), status;
  if (fclose(file) || bad)
    status = nis_no_memory();
  else
    status = write_text(text, size, path, force);
  free(text);
  return status;
}
