/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _GNU_SOURCE /* strcasestr */
#include "pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS = PICTURE_COLUMNS, ROWS = 4, STEPS = 8, MARGIN = 21 };

/* Lower eighths of a cell, from none to all of them */
static const char *const blocks[STEPS + 1] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                              "\u2585", "\u2586", "\u2587", "\u2588"};

/* The variables say what the terminal takes; whether such a locale is installed does not matter. */
static int is_utf8(void)
{
  static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  const char *locale = NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names && (!locale || !*locale); i++)
    locale = getenv(names[i]);
  return locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

int pictures_fit(FILE *file)
{
  const char *kind = getenv("TERM");
  return isatty(file == stdout ? STDOUT_FILENO : STDERR_FILENO) && kind && *kind &&
         strcmp(kind, "dumb") != 0 && is_utf8();
}

/* ---- weights -------------------------------------------------------------------------------- */

/* From where a thousandth lies below, to the largest; four bins of the library's histogram a column
 * at least, else some would have one more than their neighbours. Counts of quarters of octaves. */
enum { OCTAVES = 40, QUARTERS = 8 * OCTAVES };
static const double least_ratio = 8;

static double quarter(int i)
{
  return exp2(0.25 * i - OCTAVES);
}

static void find_range(struct weight_picture *picture, const uint64_t counts[QUARTERS + 2])
{
  uint64_t all = 0, below = 0;
  int first = 0, last = QUARTERS + 1;
  for (int i = 1; i <= QUARTERS + 1; i++) all += counts[i];
  if (all == 0) return;
  while (counts[last] == 0) last--;
  while (below + counts[first + 1] <= all / 1000) below += counts[++first];
  picture->low = quarter(first);
  picture->high = quarter(last);
  double widen = sqrt(least_ratio * picture->low / picture->high);
  if (widen > 1) picture->low /= widen, picture->high *= widen;
}

void weight_picture_read(struct weight_picture *picture, nis *s)
{
  double edges[QUARTERS + 1];
  uint64_t counts[QUARTERS + 2];
  *picture = (struct weight_picture){0};
  for (int i = 0; i <= QUARTERS; i++) edges[i] = quarter(i);
  if (nis_weights(s, QUARTERS + 1, edges, counts) == NIS_OK) find_range(picture, counts);
  if (picture->high == 0) return;
  for (int i = 0; i <= COLUMNS; i++)
    edges[i] = picture->low * pow(picture->high / picture->low, (double)i / COLUMNS);
  if (nis_weights(s, COLUMNS + 1, edges, counts) == NIS_OK)
    memcpy(picture->count, counts + 1, sizeof picture->count);
}

/* In eighths of a row: single weights can be seen beside a million of others. */
static int height(uint64_t count, uint64_t most)
{
  if (count == 0) return 0;
  return 1 + (int)lround((ROWS * STEPS - 1) * log((double)count) / fmax(log((double)most), 1));
}

static void draw_row(FILE *file, const struct weight_picture *picture, uint64_t most, int row)
{
  int end = COLUMNS;
  while (end > 0 && height(picture->count[end - 1], most) <= row * STEPS) end--;
  for (int i = 0; i < end; i++) {
    int above = height(picture->count[i], most) - row * STEPS;
    fputs(blocks[above < 0 ? 0 : above > STEPS ? STEPS : above], file);
  }
  fputc('\n', file);
}

/* The mark with its words on the side where there is more room */
static void draw_mark(FILE *file, const struct weight_picture *picture, double w_max)
{
  double place = log(w_max / picture->low) / log(picture->high / picture->low);
  int column = (int)(COLUMNS * fmin(fmax(place, 0), 1 - 1e-9));
  char words[32];
  int length = snprintf(words, sizeof words, "w_max = %.3g", w_max);
  if (column < COLUMNS / 2)
    fprintf(file, "%*s▲ %s\n", MARGIN + column, "", words);
  else
    fprintf(file, "%*s%s ▲\n", MARGIN + column - 1 - length, "", words);
}

static void draw_line(FILE *file, int columns)
{
  for (int i = 0; i < columns; i++) fputs("─", file);
}

/* "0.01 ──── |w| / mean ──── 12" */
static void draw_axis(FILE *file, const struct weight_picture *picture)
{
  static const char words[] = " |w| / mean ";
  char low[16], high[16];
  int used = snprintf(low, sizeof low, "%.2g ", picture->low) + (int)strlen(words) +
             snprintf(high, sizeof high, " %.2g", picture->high);
  int left = (COLUMNS - used) / 2;
  fprintf(file, "%*s%s", MARGIN, "", low);
  draw_line(file, left);
  fputs(words, file);
  draw_line(file, COLUMNS - used - left);
  fprintf(file, "%s\n", high);
}

void weight_picture_draw(FILE *file, const struct weight_picture *picture, double w_max)
{
  uint64_t most = 1;
  if (picture->high == 0) return;
  for (int i = 0; i < COLUMNS; i++) most = picture->count[i] > most ? picture->count[i] : most;
  for (int row = ROWS - 1; row >= 0; row--) {
    if (row == ROWS - 1)
      fprintf(file, "%-12s%8.2g ", "weights", (double)most);
    else if (row == 0)
      fprintf(file, "%-12s%8d ", "(log scale)", 1);
    else
      fprintf(file, "%*s", MARGIN, "");
    draw_row(file, picture, most, row);
  }
  if (w_max > 0) draw_mark(file, picture, w_max);
  draw_axis(file, picture);
}

/* ---- the error ------------------------------------------------------------------------------ */

static double error_of(const nis_progress *row)
{
  double error = row->phase == NIS_TRAINING ? row->error : row->sigma;
  return isfinite(error) && error > 0 ? error : NAN;
}

void error_picture_draw(FILE *file, const struct history *history)
{
  double least = INFINITY, largest = 0, error = NAN;
  size_t n = history->n, next = 0;
  for (size_t i = 0; i < n; i++) {
    least = fmin(least, error_of(&history->row[i]));
    largest = fmax(largest, error_of(&history->row[i]));
  }
  if (n < 2 || !(least < largest)) return;
  fprintf(file, "%-*s", MARGIN, "error, by calls");
  for (int i = 0; i < COLUMNS; i++) {
    double calls = (double)history->row[n - 1].calls * (i + 1) / COLUMNS;
    int phase = next ? history->row[next - 1].phase : history->row[0].phase, turns = 0;
    for (; next < n && (double)history->row[next].calls <= calls; next++) {
      turns |= history->row[next].phase != phase;
      error = error_of(&history->row[next]);
    }
    int step =
        isnan(error) ? 0 : 1 + (int)lround((STEPS - 1) * log(error / least) / log(largest / least));
    fputs(turns ? "│" : blocks[step], file);
  }
  fprintf(file, "\n%*s%.2g .. %.2g, log scale; of each round of training │ of the estimate\n",
          MARGIN, "", largest, least);
}
