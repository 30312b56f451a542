/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of how the run went, out of its history and its result */
#include "figures.h"

#include "html.h"
#include "svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- its history ---------------------------------------------------------------------------- */

/* The last n rows of the history, and room for what is drawn of them */
struct columns {
  const nis_progress *row;
  size_t n;
  double *calls, *a, *b, *c; /* [n]; owned by calls */
};

static int columns_make(struct columns *t, const struct history *history, size_t from)
{
  size_t n = history->n - from;
  double *all = calloc(4 * n + 1, sizeof *all);
  if (!all) return 0;
  *t = (struct columns){history->row + from, n, all, all + n, all + 2 * n, all + 3 * n};
  for (size_t i = 0; i < t->n; i++) t->calls[i] = (double)t->row[i].calls;
  return 1;
}

/* Where the estimate begins that the result is of, which no training follows */
static size_t last_estimate(const struct history *history)
{
  size_t from = history->n;
  while (from > 0 && history->row[from - 1].phase == NIS_INTEGRATING &&
         (from == history->n || history->row[from].iteration > 1))
    from--;
  return from;
}

/* In errors of the result: that makes axes of the same kind for all integrands. */
static void draw_convergence(FILE *file, const struct run *run, struct columns *t)
{
  const nis_result *r = &run->result;
  double *single = t->a, *low = t->b, *high = t->c, most = 2;
  for (size_t i = 0; i < t->n; i++) {
    const nis_progress *row = &t->row[i];
    single[i] = (row->value - r->value) / r->error;
    low[i] = (row->mean - row->sigma - r->value) / r->error;
    high[i] = (row->mean + row->sigma - r->value) / r->error;
    if (isfinite(single[i])) most = fmax(most, fabs(single[i]));
    if (!isfinite(low[i])) low[i] = -INFINITY, high[i] = INFINITY;
  }
  struct plot plot = plot_wide(file);
  plot.x = scale_around(t->calls[0], t->calls[t->n - 1]);
  plot.y = scale_around(-most, most);
  html_figure(file, "half");
  plot_begin(&plot, "Convergence: the estimate against calls");
  plot_axes(&plot, 5, 6, "calls", "(value - result) / error of the result");
  plot_band(&plot, "q", t->n, t->calls, low, high);
  plot_mark_y(&plot, "zero", 0);
  if (run->has_exact) plot_mark_y(&plot, "exact", (run->exact - r->value) / r->error);
  plot_dots(&plot, "f", 2.5, t->n, t->calls, single, NULL);
  plot_end(&plot);
  html_key(file, (const char *const[]){"q", "all so far, with its error", "f dot", "one iteration",
                                       run->has_exact ? "exact" : NULL, "exact value", NULL});
  html_caption(file,
               "How the estimate converges, in units of its final error: %zu iterations%s, each a "
               "dot, and what all of them up to there give, as a band one error wide on either "
               "side. It should shrink around its end.",
               t->n, r->suspect & NIS_LARGE_CHI2 ? ", which disagree" : "");
}

void figure_convergence(FILE *file, const struct run *run)
{
  struct columns columns;
  if (!columns_make(&columns, &run->history, last_estimate(&run->history))) return;
  if (columns.n > 1 && isfinite(run->result.error) && run->result.error > 0)
    draw_convergence(file, run, &columns);
  free(columns.calls);
}

static void draw_spread(FILE *file, struct columns *t)
{
  double *training = t->a, *estimate = t->b, first = NAN, last = NAN;
  for (size_t i = 0; i < t->n; i++) {
    const nis_progress *row = &t->row[i];
    double spread = row->spread > 0 ? row->spread : NAN;
    training[i] = row->phase == NIS_TRAINING ? spread : NAN;
    estimate[i] = row->phase == NIS_TRAINING ? NAN : spread;
    if (isnan(first)) first = spread;
    if (!isnan(spread)) last = spread;
  }
  if (isnan(first)) return;
  struct plot plot = plot_wide(file);
  plot.x = scale_around(0, t->calls[t->n - 1]);
  plot.x.low = 0;
  plot.y = scale_log(fmin(least_of(t->n, training), least_of(t->n, estimate)),
                     fmax(largest_of(t->n, training), largest_of(t->n, estimate)));
  html_figure(file, "half");
  plot_begin(&plot, "Spread of one weight against calls");
  plot_axes(&plot, 5, 5, "calls", "relative spread of one weight");
  plot_line(&plot, "q", t->n, t->calls, training);
  plot_dots(&plot, "q", 2, t->n, t->calls, training, NULL);
  plot_dots(&plot, "f", 2, t->n, t->calls, estimate, NULL);
  plot_end(&plot);
  html_key(file, (const char *const[]){"q line", "rounds of the training", "f dot",
                                       "iterations of the estimate", NULL});
  html_caption(
      file,
      "What the training is for: the relative standard deviation of a single weight was %.2g at "
      "first and is %.2g at last. Independent points need as many calls as "
      "the square of it over that of the relative error.",
      first, last);
}

void figure_spread(FILE *file, const struct run *run)
{
  struct columns columns;
  if (!columns_make(&columns, &run->history, 0)) return;
  if (columns.n > 1) draw_spread(file, &columns);
  free(columns.calls);
}

static const char *const share_words[NIS_SHARES] = {"uniform", "flow", "twin", "map", "peaks"};

/* From the top of all down to the first alone, each over those before */
static void draw_shares(const struct plot *plot, const struct history *history, double *edges,
                        double *height)
{
  for (int k = NIS_SHARES - 1; k >= 0; k--) {
    char class[] = "share0";
    class[5] = (char)('0' + k);
    edges[0] = 0;
    for (size_t i = 0; i < history->n; i++) {
      height[i] = 0;
      edges[i + 1] = (double)history->row[i].calls;
      for (int j = 0; j <= k; j++) height[i] += history->row[i].share[j];
    }
    plot_bins(plot, class, 1, history->n, edges, height);
  }
}

void figure_shares(FILE *file, const struct run *run)
{
  static const char *const words[] = {"share0", "uniform", "share1", "flow",  "share2", "twin",
                                      "share3", "map",     "share4", "peaks", NULL};
  const struct history *history = &run->history;
  if (history->n < 2) return;
  double *edges = calloc(2 * (history->n + 1), sizeof *edges);
  if (!edges) return;
  const double *last = history->row[history->n - 1].share;
  struct plot plot = plot_wide(file);
  plot.x = (struct scale){.low = 0, .high = (double)history->row[history->n - 1].calls};
  plot.y = (struct scale){.low = 0, .high = 1};
  html_figure(file, "half");
  plot_begin(&plot, "What points are drawn from, against calls");
  draw_shares(&plot, history, edges, edges + history->n + 1);
  plot_axes(&plot, 5, 4, "calls", "share of the points");
  plot_end(&plot);
  html_key(file, words);
  char text[256] = "";
  for (int k = 0; k < NIS_SHARES; k++)
    if (last[k] > 0)
      snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.1f %% %s", *text ? ", " : "",
               100 * last[k], share_words[k]);
  html_caption(
      file,
      "What points are drawn from, stacked from below: uniform points, the flow, its twin, a map "
      "without correlations, Gaussian peaks. At last %s.",
      text);
  free(edges);
}

/* ---- where the calls went ------------------------------------------------------------------- */

struct part {
  const char *class, *word;
  uint64_t calls;
};

enum { PARTS = 4 };

static void draw_calls(FILE *file, const struct part *part, double all)
{
  struct plot plot = {.file = file, .width = 480, .height = 30};
  double x = 0;
  plot_begin(&plot, "Where the calls went");
  for (int i = 0; i < PARTS; i++) {
    double width = plot.width * (double)part[i].calls / all;
    char class[32];
    snprintf(class, sizeof class, "area %s", part[i].class);
    if (part[i].calls) plot_box(&plot, class, x, 4, width, 22);
    x += width;
  }
  plot_end(&plot);
}

static void part_rows(FILE *file, const struct part *part, double all)
{
  for (int i = 0; i < PARTS; i++)
    if (part[i].calls)
      fprintf(file,
              "<tr><th scope=\"row\"><span class=\"swatch %s\"></span>%s</th><td>%" PRIu64
              "</td><td>%.1f %%</td></tr>\n",
              part[i].class, part[i].word, part[i].calls, 100 * (double)part[i].calls / all);
  fprintf(file, "<tr><th scope=\"row\">all</th><td>%.0f</td><td>100 %%</td></tr>\n", all);
}

void figure_calls(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  const struct part part[PARTS] = {{"share1", "training", r->train_calls - r->search_calls},
                                   {"share4", "search for peaks, in the training", r->search_calls},
                                   {"share2", "estimate", r->calls - r->train_calls},
                                   {"share3", "events", run->has_events ? run->events.calls : 0}};
  double all = 0;
  for (int i = 0; i < PARTS; i++) all += (double)part[i].calls;
  if (all == 0) return;
  html_figure(file, "whole split");
  draw_calls(file, part, all);
  html_table(file, (const char *const[]){"calls for", "calls", "share", NULL});
  part_rows(file, part, all);
  html_table_end(file);
  html_caption(file,
               "Where the %.0f calls of the integrand went. Of those of the estimate %" PRIu64
               " gave 0.",
               all, r->zero_calls);
}

static void channel_rows(FILE *file, const struct channel_list *channels)
{
  for (size_t k = 0; k < channels->n; k++) {
    const nis_channel_result *c = &channels->list[k];
    fprintf(file, "<tr><th scope=\"row\">%zu</th><td>", k);
    html_estimate(file, c->value, c->error);
    fputs("</td><td>", file);
    html_whole(file, c->calls);
    fputs("</td><td>", file);
    html_whole(file, c->zero_calls);
    fputs("</td><td>", file);
    html_number(file, c->efficiency, 4);
    fputs("</td><td>", file);
    html_number(file, c->max_weight, 4);
    fputs("</td></tr>\n", file);
  }
}

/* Two bars a channel: its share of the integral, of calls */
static void draw_channels(const struct plot *plot, const struct channel_list *channels)
{
  double value = 0, calls = 0;
  for (size_t k = 0; k < channels->n; k++) {
    value += fabs(channels->list[k].value);
    calls += (double)channels->list[k].calls;
  }
  double bottom = plot->height - plot->bottom, width = plot_x(plot, 0.4) - plot_x(plot, 0);
  for (size_t k = 0; k < channels->n; k++) {
    double x = plot_x(plot, (double)k);
    double of_value = plot_y(plot, fabs(channels->list[k].value) / value);
    double of_calls = plot_y(plot, (double)channels->list[k].calls / calls);
    plot_box(plot, "area f", x - width, of_value, width, bottom - of_value);
    plot_box(plot, "area q", x, of_calls, width, bottom - of_calls);
  }
}

void figure_channels(FILE *file, const struct run *run)
{
  const struct channel_list *channels = &run->channels;
  if (!channels->n) return;
  struct plot plot = plot_wide(file);
  plot.x = (struct scale){.low = -0.5, .high = (double)channels->n - 0.5, .whole = 1};
  plot.y = (struct scale){.low = 0, .high = 1};
  html_figure(file, "whole split");
  fputs("<div>", file);
  plot_begin(&plot, "Shares of the channels");
  plot_axes(&plot, 8, 4, "channel", "share of all");
  draw_channels(&plot, channels);
  plot_end(&plot);
  html_key(file, (const char *const[]){"f", "of the integral", "q", "of the points of the estimate",
                                       NULL});
  fputs("</div>", file);
  html_table(file, (const char *const[]){"channel", "integral", "calls", "zero calls", "efficiency",
                                         "largest weight", NULL});
  channel_rows(file, channels);
  html_table_end(file);
  html_caption(file,
               "What each of the %zu channels has of the integral, and of the points of the "
               "estimate: as many as pay, more than its share where its weights spread.",
               channels->n);
}
