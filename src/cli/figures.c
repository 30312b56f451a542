/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "figures.h"

#include "numbers.h"
#include "options.h"
#include "points.h"
#include "svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE = 1024, LINE = 12 };

/* ---- words and numbers ---------------------------------------------------------------------- */

void html_number(FILE *file, double value, int digits)
{
  char text[NUMBER_TEXT];
  format_number(text, value);
  if (isfinite(value))
    fprintf(file, "<data value=\"%s\">%.*g</data>", text, digits, value);
  else
    fputs("unknown", file);
}

void html_whole(FILE *file, uint64_t value)
{
  fprintf(file, "<data value=\"%" PRIu64 "\">%" PRIu64 "</data>", value, value);
}

void html_estimate(FILE *file, double value, double error)
{
  char text[ESTIMATE_TEXT], exact[NUMBER_TEXT];
  format_estimate(text, value, error);
  char *sign = strstr(text, " +- ");
  if (!sign || !isfinite(value) || !isfinite(error)) {
    html_text(file, text);
    return;
  }
  *sign = '\0';
  format_number(exact, value);
  fprintf(file, "<data value=\"%s\">%s</data> &#177; ", exact, text);
  format_number(exact, error);
  fprintf(file, "<data value=\"%s\">%s</data>", exact, sign + strlen(" +- "));
}

static void begin(FILE *file, const char *class)
{
  fprintf(file, "<figure class=\"%s\">\n", class);
}

/* Ends the figure. */
__attribute__((format(printf, 2, 3))) static void caption(FILE *file, const char *format, ...)
{
  char text[SENTENCE];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  fputs("<figcaption>", file);
  html_text(file, text);
  fputs("</figcaption>\n</figure>\n", file);
}

/* Pairs of a class and a word, up to NULL */
static void key(FILE *file, const char *const *words)
{
  fputs("<ul class=\"key\">", file);
  for (; *words; words += 2) {
    fprintf(file, "<li><span class=\"swatch %s\"></span>", words[0]);
    html_text(file, words[1]);
    fputs("</li>", file);
  }
  fputs("</ul>\n", file);
}

static struct plot wide(FILE *file)
{
  return (struct plot){
      .file = file, .width = 480, .height = 270, .left = 48, .right = 16, .top = 22, .bottom = 40};
}

static struct plot small(FILE *file)
{
  return (struct plot){
      .file = file, .width = 220, .height = 130, .left = 10, .right = 14, .top = 18, .bottom = 20};
}

static struct plot square(FILE *file)
{
  return (struct plot){
      .file = file, .width = 230, .height = 230, .left = 38, .right = 14, .top = 20, .bottom = 34};
}

/* ---- how the run went ----------------------------------------------------------------------- */

/* Columns of the history, from rows of one phase or of both */
struct columns {
  size_t n;
  double *calls, *a, *b, *c;
};

enum { BOTH = -1 };

static int columns_make(struct columns *columns, const struct history *history, int phase)
{
  double *all = calloc(4 * (history->n + 1), sizeof *all);
  *columns = (struct columns){0, all, all, all, all};
  if (!all) return 0;
  columns->a += history->n + 1;
  columns->b += 2 * (history->n + 1);
  columns->c += 3 * (history->n + 1);
  for (size_t i = 0; i < history->n; i++) {
    const nis_progress *row = &history->row[i];
    if (phase == BOTH || row->phase == phase) columns->calls[columns->n++] = (double)row->calls;
  }
  return 1;
}

static double largest_of(size_t n, const double *a)
{
  double largest = -INFINITY;
  for (size_t i = 0; i < n; i++)
    if (isfinite(a[i])) largest = fmax(largest, a[i]);
  return largest;
}

static double least_of(size_t n, const double *a)
{
  double least = INFINITY;
  for (size_t i = 0; i < n; i++)
    if (isfinite(a[i])) least = fmin(least, a[i]);
  return least;
}

/* In errors of the result: that makes axes of the same kind for all integrands. */
static void draw_convergence(FILE *file, const struct run *run, struct columns *t)
{
  const nis_result *r = &run->result;
  const struct history *history = &run->history;
  size_t n = 0;
  double *single = t->a, *low = t->b, *high = t->c, most = 2;
  for (size_t i = 0; i < history->n; i++) {
    const nis_progress *row = &history->row[i];
    if (row->phase != NIS_INTEGRATING) continue;
    single[n] = (row->value - r->value) / r->error;
    low[n] = (row->mean - row->sigma - r->value) / r->error;
    high[n] = (row->mean + row->sigma - r->value) / r->error;
    if (isfinite(single[n])) most = fmax(most, fabs(single[n]));
    if (!isfinite(low[n])) low[n] = -INFINITY, high[n] = INFINITY;
    n++;
  }
  struct plot plot = wide(file);
  plot.x = scale_around(t->calls[0], t->calls[n - 1]);
  plot.y = scale_around(-most, most);
  begin(file, "half");
  plot_begin(&plot, "Convergence: the estimate against calls");
  plot_axes(&plot, 5, 6, "calls", "(value - result) / error of the result");
  plot_band(&plot, "q", n, t->calls, low, high);
  plot_mark_y(&plot, "zero", 0);
  if (run->has_exact) plot_mark_y(&plot, "exact", (run->exact - r->value) / r->error);
  plot_dots(&plot, "f", 2.5, n, t->calls, single, NULL);
  plot_end(&plot);
  key(file, (const char *const[]){"q", "all so far, with its error", "f dot", "one iteration",
                                  run->has_exact ? "exact" : NULL, "exact value", NULL});
  caption(
      file,
      "How the estimate converges: %zu iterations%s, each a dot, and what all of them up to "
      "there give, as a band one error wide on either side. It should shrink around its end and "
      "stay around it.",
      n, r->dof > 0 && r->p_value < 1e-4 ? ", which disagree" : "");
}

void figure_convergence(FILE *file, const struct run *run)
{
  struct columns columns;
  if (!columns_make(&columns, &run->history, NIS_INTEGRATING)) return;
  if (columns.n > 1 && isfinite(run->result.error) && run->result.error > 0)
    draw_convergence(file, run, &columns);
  free(columns.calls);
}

static void draw_spread(FILE *file, const struct run *run, struct columns *t)
{
  const struct history *history = &run->history;
  double *training = t->a, *estimate = t->b, first = NAN, last = NAN;
  for (size_t i = 0; i < history->n; i++) {
    const nis_progress *row = &history->row[i];
    double spread = row->spread > 0 ? row->spread : NAN;
    training[i] = row->phase == NIS_TRAINING ? spread : NAN;
    estimate[i] = row->phase == NIS_TRAINING ? NAN : spread;
    if (isnan(first)) first = spread;
    if (!isnan(spread)) last = spread;
  }
  if (isnan(first)) return;
  struct plot plot = wide(file);
  plot.x = scale_around(0, t->calls[t->n - 1]);
  plot.x.low = 0;
  plot.y = scale_decades(fmin(least_of(t->n, training), least_of(t->n, estimate)),
                         fmax(largest_of(t->n, training), largest_of(t->n, estimate)));
  begin(file, "half");
  plot_begin(&plot, "Spread of one weight against calls");
  plot_axes(&plot, 5, 5, "calls", "relative spread of one weight");
  plot_line(&plot, "q", t->n, t->calls, training);
  plot_dots(&plot, "q", 2, t->n, t->calls, training, NULL);
  plot_dots(&plot, "f", 2, t->n, t->calls, estimate, NULL);
  plot_end(&plot);
  key(file, (const char *const[]){"q line", "rounds of the training", "f dot",
                                  "iterations of the estimate", NULL});
  caption(
      file,
      "What the training is for: the relative standard deviation of a single weight was %.2g at "
      "first and is %.2g at last. Independent points need the square of it over the square of "
      "the relative error.",
      first, last);
}

void figure_spread(FILE *file, const struct run *run)
{
  struct columns columns;
  if (!columns_make(&columns, &run->history, BOTH)) return;
  if (columns.n > 1) draw_spread(file, run, &columns);
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
  struct plot plot = wide(file);
  plot.x = (struct scale){0, (double)history->row[history->n - 1].calls, 0};
  plot.y = (struct scale){0, 1, 0};
  begin(file, "half");
  plot_begin(&plot, "What points are drawn from, against calls");
  draw_shares(&plot, history, edges, edges + history->n + 1);
  plot_axes(&plot, 5, 4, "calls", "share of the points");
  plot_end(&plot);
  key(file, words);
  char text[256] = "";
  for (int k = 0; k < NIS_SHARES; k++)
    if (last[k] > 0)
      snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.1f %% %s", *text ? ", " : "",
               100 * last[k], share_words[k]);
  caption(
      file,
      "What points are drawn from, stacked from below: uniform points, the flow, its twin, a map "
      "without correlations, Gaussian peaks. At last %s.",
      text);
  free(edges);
}

/* ---- where the calls went ------------------------------------------------------------------- */

void figure_calls(FILE *file, const struct run *run)
{
  const nis_result *r = &run->result;
  const struct {
    const char *class, *word;
    uint64_t calls;
  } part[] = {{"share1", "training", r->train_calls - r->search_calls},
              {"share4", "search for peaks, in the training", r->search_calls},
              {"f", "estimate", r->calls - r->train_calls},
              {"share3", "events", run->has_events ? run->events.calls : 0}};
  enum { PARTS = sizeof part / sizeof *part };
  struct plot plot = {.file = file, .width = 480, .height = 30};
  uint64_t all = 0;
  for (int i = 0; i < PARTS; i++) all += part[i].calls;
  if (all == 0) return;
  begin(file, "whole");
  plot_begin(&plot, "Where the calls went");
  double x = 0;
  for (int i = 0; i < PARTS; i++) {
    double width = plot.width * (double)part[i].calls / (double)all;
    char class[32];
    snprintf(class, sizeof class, "area %s", part[i].class);
    if (part[i].calls) plot_box(&plot, class, x, 4, width, 22);
    x += width;
  }
  plot_end(&plot);
  fputs("<table><thead><tr><th scope=\"col\">calls for</th><th scope=\"col\">calls</th>"
        "<th scope=\"col\">share</th></tr></thead>\n<tbody>\n",
        file);
  for (int i = 0; i < PARTS; i++) {
    if (!part[i].calls) continue;
    fprintf(file,
            "<tr><th scope=\"row\"><span class=\"swatch %s\"></span>%s</th><td>%" PRIu64
            "</td><td>%.1f %%</td></tr>\n",
            part[i].class, part[i].word, part[i].calls, 100 * (double)part[i].calls / (double)all);
  }
  fprintf(file, "<tr><th scope=\"row\">all</th><td>%" PRIu64 "</td><td>100 %%</td></tr>\n", all);
  fputs("</tbody></table>\n", file);
  caption(file,
          "Where the %" PRIu64 " calls of the integrand went. Of those of the estimate %" PRIu64
          " gave 0%s.",
          all, r->zero_calls, r->bad_calls ? "; some calls gave what is no number, see above" : "");
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
  struct plot plot = wide(file);
  plot.x = (struct scale){-0.5, (double)channels->n - 0.5, 0};
  plot.y = (struct scale){0, 1, 0};
  begin(file, "whole");
  plot_begin(&plot, "Shares of the channels");
  plot_axes(&plot, channels->n < 8 ? (int)channels->n : 8, 4, "channel", "share of all");
  draw_channels(&plot, channels);
  plot_end(&plot);
  key(file,
      (const char *const[]){"f", "of the integral", "q", "of the points of the estimate", NULL});
  fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">channel</th>"
        "<th scope=\"col\">integral</th><th scope=\"col\">calls</th>"
        "<th scope=\"col\">zero calls</th><th scope=\"col\">efficiency</th>"
        "<th scope=\"col\">largest weight</th></tr></thead>\n<tbody>\n",
        file);
  channel_rows(file, channels);
  fputs("</tbody></table></div>\n", file);
  caption(file,
          "What each of the %zu channels has of the integral, and of the points of the "
          "estimate: as many as pay, more than its share where its weights spread.",
          channels->n);
}

/* ---- weights -------------------------------------------------------------------------------- */

struct rule {
  const char *name;
  double w_max, efficiency, error; /* in the unit of the weights; NaN: not known */
  int in_json;
};

/* Those of the events; or, without any, what the estimate's result has, and the quantile of the
 * counts. Returns how many are known. */
static int find_rules(const struct run *run, struct rule rule[NIS_W_MAX_RULES])
{
  static const char *const names[] = {"1e-3 of the weight above it", "the largest weight",
                                      "quantile of the weights", "median of maxima"};
  const nis_result *r = &run->result;
  const struct weight_counts *weights = &run->points->weights;
  double mean = weights->sum / (double)weights->n, quantile = points_quantile(weights, 0.999);
  const double from_result[] = {r->efficiency, r->efficiency_max, mean / quantile,
                                r->efficiency_median};
  int known = 0;
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    const nis_unweighting *u = &run->events.rules[i];
    rule[i] = run->has_events
                  ? (struct rule){names[i], u->w_max, u->efficiency, u->error, 1}
                  : (struct rule){names[i], mean / from_result[i], from_result[i], NAN, 0};
    if (!run->has_events) rule[i].in_json = i != NIS_W_MAX_QUANTILE;
    known += isfinite(rule[i].efficiency);
  }
  return known;
}

static void rule_rows(FILE *file, const struct rule *rule, int has_events)
{
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    if (!isfinite(rule[i].efficiency)) continue;
    fprintf(file, "<tr><th scope=\"row\">%c</th><td>%s</td><td>", 'A' + i, rule[i].name);
    if (has_events)
      html_number(file, rule[i].w_max, 4);
    else if (isfinite(rule[i].w_max))
      fprintf(file, "%.3g", rule[i].w_max);
    else
      fputs("unknown", file);
    fputs("</td><td>", file);
    if (has_events)
      html_estimate(file, rule[i].efficiency, rule[i].error);
    else if (rule[i].in_json)
      html_number(file, rule[i].efficiency, 4);
    else
      fprintf(file, "%.2g", rule[i].efficiency);
    fputs("</td></tr>\n", file);
  }
}

/* Fills edges and counts of bins of an eighth of a decade, in means; returns how many. */
static size_t weight_bins(const struct weight_counts *weights, double least, double *edges,
                          double *counts)
{
  enum { A_DECADE = 8, EACH = WEIGHT_BINS_A_DECADE / A_DECADE };
  double mean = weights->sum / (double)weights->n;
  size_t n = 0;
  int from = (int)((log10(least) + WEIGHT_DECADES / 2) * A_DECADE);
  for (int i = from; i < WEIGHT_BINS / EACH; i++) {
    double power = (double)i / A_DECADE - WEIGHT_DECADES / 2;
    if (pow(10, power) > weights->largest) break;
    edges[n] = pow(10, power) / mean;
    edges[n + 1] = pow(10, power + 1.0 / A_DECADE) / mean;
    counts[n] = 0;
    for (int k = 0; k < EACH; k++) counts[n] += (double)weights->bin[i * EACH + k];
    n++;
  }
  return n;
}

static void draw_weights(FILE *file, const struct run *run, const struct rule *rule)
{
  enum { MOST = 8 * WEIGHT_DECADES };
  const struct weight_counts *weights = &run->points->weights;
  static double edges[MOST + 1], counts[MOST]; /* 84 KB */
  double mean = weights->sum / (double)weights->n;
  double least = fmax(points_quantile(weights, 1e-3), 1e-6 * mean);
  size_t n = weight_bins(weights, least, edges, counts);
  double right = edges[n];
  for (int i = 0; i < NIS_W_MAX_RULES; i++)
    if (isfinite(rule[i].w_max)) right = fmax(right, rule[i].w_max / mean);
  struct plot plot = wide(file);
  plot.x = scale_decades(fmin(edges[0], 0.1), right);
  plot.y = scale_decades(1, fmax(largest_of(n, counts), 2));
  plot.y.low = 0.5; /* a single one is seen */
  plot_begin(&plot, "Distribution of the weights");
  plot_axes(&plot, 6, 5, "|w| / mean of |w|", "points");
  plot_bins(&plot, "q", 1, n, edges, counts);
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    const char letter[] = {(char)('A' + i), '\0'};
    if (isfinite(rule[i].w_max))
      plot_mark_x(&plot, "mark", rule[i].w_max / mean, LINE * (i + 1.0), letter);
  }
  plot_end(&plot);
}

void figure_weights(FILE *file, const struct run *run)
{
  struct rule rule[NIS_W_MAX_RULES];
  if (!run->points || !find_rules(run, rule)) return;
  const struct weight_counts *weights = &run->points->weights;
  int seen = weights->sum > 0;
  begin(file, "whole");
  if (seen) draw_weights(file, run, rule);
  fputs("<div class=\"scroll\"><table><thead><tr><th scope=\"col\"></th>"
        "<th scope=\"col\">w_max</th><th scope=\"col\">its value</th>"
        "<th scope=\"col\">unweighting efficiency</th></tr></thead>\n<tbody>\n",
        file);
  rule_rows(file, rule, run->has_events);
  fputs("</tbody></table></div>\n", file);
  if (seen)
    caption(file,
            "The weights w = f/q of %" PRIu64 " points, on two logarithmic scales, and four "
            "choices of w_max (lines A to D). If q were right all weights would be 1 here. "
            "%" PRIu64 " more are 0, %" PRIu64 " below 0; the largest is %.3g times the mean.",
            weights->n - weights->zeros, weights->zeros, weights->negatives,
            weights->largest / (weights->sum / (double)weights->n));
  else
    caption(file, "Unweighting efficiencies, the mean of |w| over w_max, for the choices of w_max "
                  "that are known. The weights themselves are not in the file.");
}

/* ---- coordinates ---------------------------------------------------------------------------- */

/* What is loaded does not say its limits; those of built-in integrands are the unit cube's. */
static struct span span_of(const struct run *run, size_t j)
{
  const nis_options *o = &run->options;
  int unknown = run->arguments->from && !run->row->description; /* a plug-in */
  double low = o->lower ? o->lower[j] : unknown ? -INFINITY : 0;
  double high = o->upper ? o->upper[j] : unknown ? INFINITY : 1;
  return points_span(run->points, j, fmin(low, high), fmax(low, high));
}

static void draw_marginal(FILE *file, const struct run *run, size_t j)
{
  double edges[MOST_BINS + 1], f[MOST_BINS], q[MOST_BINS], most = 0;
  struct span span = span_of(run, j);
  char title[64], name[32];
  span_edges(&span, edges);
  int has_q = points_marginal(run->points, 0, j, &span, q);
  int has_f = points_marginal(run->points, 1, j, &span, f);
  for (size_t i = 0; i < span.bins; i++)
    most = fmax(most, fmax(has_q ? q[i] : 0, has_f ? f[i] : 0));
  struct plot plot = small(file);
  plot.x = (struct scale){span.low, span.high, 0};
  plot.y = (struct scale){0, most > 0 ? 1.08 * most : 1, 0};
  snprintf(title, sizeof title, "Density of coordinate %zu", j + 1);
  snprintf(name, sizeof name, "x%zu%s", j + 1, span.zoomed ? " (a part)" : "");
  plot_begin(&plot, title);
  if (has_q) plot_bins(&plot, "q", 1, span.bins, edges, q);
  plot_axes(&plot, 3, 0, NULL, name);
  if (has_f) plot_bins(&plot, "f", 0, span.bins, edges, f);
  plot_end(&plot);
}

static const char *f_word(const struct run *run)
{
  const struct points *p = run->points;
  return p->weights.negatives ? "|f|" : "f";
}

void figure_marginals(FILE *file, const struct run *run)
{
  enum { OPEN = 24 };
  size_t dim = run->options.dim;
  if (!run->points || run->points->drawn.n == 0) return;
  const char *f = f_word(run);
  int has_f = run->points->weighted || run->points->events.n;
  begin(file, "whole");
  fputs("<div class=\"panels\">\n", file);
  for (size_t j = 0; j < dim && j < OPEN; j++) draw_marginal(file, run, j);
  fputs("</div>\n", file);
  if (dim > OPEN) {
    fprintf(file, "<details><summary>the other %zu coordinates</summary><div class=\"panels\">\n",
            dim - OPEN);
    for (size_t j = OPEN; j < dim; j++) draw_marginal(file, run, j);
    fputs("</div></details>\n", file);
  }
  key(file, (const char *const[]){"q", "q, what points are drawn from", has_f ? "f line" : NULL, f,
                                  NULL});
  caption(
      file,
      "The density of each coordinate, of q%s%s%s. Where they lie on each other, q is "
      "right about that coordinate. \"A part\" of the domain is the one outside of which there is "
      "hardly any of it. From %zu points.",
      has_f ? " and of " : "", has_f ? f : "",
      run->points->weighted ? " (by weights)"
      : has_f               ? " (by events)"
                            : ", as no values of f are in the file",
      run->points->drawn.n);
}

/* log10 of densities down to a thousandth of the largest, in 0.05 .. 1; none: 0 */
static void shade_density(size_t n, const double *density, double most, double *shade)
{
  for (size_t i = 0; i < n; i++) {
    double part = 1 + log10(density[i] / most) / 3;
    shade[i] = density[i] > 0 ? fmax(part, 0.05) : 0;
  }
}

/* f/q from 1/4 to 4, as -1 .. 1 */
static void shade_ratio(size_t n, const double *f, const double *q, double *shade)
{
  for (size_t i = 0; i < n; i++) {
    double part = q[i] > 0 ? log2(f[i] / q[i]) / 2 : 0;
    shade[i] = fmin(fmax(part, -1), 1);
  }
}

static void draw_plane(FILE *file, const char *title, const struct pair *pair,
                       const struct span span[2], const char *negative, const char *positive,
                       const double *shade)
{
  double x[MOST_BINS + 1], y[MOST_BINS + 1];
  char x_name[32], y_name[128];
  struct plot plot = square(file);
  span_edges(&span[0], x);
  span_edges(&span[1], y);
  plot.x = (struct scale){span[0].low, span[0].high, 0};
  plot.y = (struct scale){span[1].low, span[1].high, 0};
  snprintf(x_name, sizeof x_name, "x%zu", pair->coordinate[0] + 1);
  snprintf(y_name, sizeof y_name, "x%zu: %s", pair->coordinate[1] + 1, title);
  plot_begin(&plot, title);
  plot_heat(&plot, positive, negative, span[0].bins, x, span[1].bins, y, shade);
  plot_axes(&plot, 3, 4, x_name, y_name);
  plot_end(&plot);
}

/* f, q and f/q in one row */
static void draw_pair(FILE *file, const struct run *run, const struct pair *pair,
                      const struct span *spans)
{
  enum { PLANE = MOST_BINS * MOST_BINS };
  double *f = malloc(3 * PLANE * sizeof *f), *q = f + PLANE, *shade = q + PLANE;
  struct span span[2];
  if (!f) return;
  size_t fit = (size_t)sqrt((double)run->points->drawn.n / 20);
  for (int k = 0; k < 2; k++) {
    span[k] = spans[pair->coordinate[k]];
    if (!span[k].discrete) span[k].bins = fit < 6 ? 6 : fit > 28 ? 28 : fit;
  }
  size_t n = span[0].bins * span[1].bins;
  if (points_plane(run->points, 1, pair->coordinate, span, f) &&
      points_plane(run->points, 0, pair->coordinate, span, q)) {
    double most = fmax(largest_of(n, f), largest_of(n, q));
    shade_density(n, f, most, shade);
    draw_plane(file, f_word(run), pair, span, NULL, "f", shade);
    shade_density(n, q, most, shade);
    draw_plane(file, "q", pair, span, NULL, "q", shade);
    shade_ratio(n, f, q, shade);
    draw_plane(file, run->points->weights.negatives ? "|f| / q" : "f / q", pair, span, "q", "f",
               shade);
  }
  free(f);
}

void figure_pairs(FILE *file, const struct run *run)
{
  enum { MOST_PAIRS = 3 };
  struct pair pair[MOST_PAIRS];
  struct span span[NIS_MOST_DIM];
  if (!run->points || !run->points->weighted) return;
  for (size_t j = 0; j < run->options.dim; j++) span[j] = span_of(run, j);
  size_t n = points_pairs(run->points, span, pair, MOST_PAIRS);
  for (size_t i = 0; i < n; i++) {
    begin(file, "whole");
    fputs("<div class=\"panels planes\">\n", file);
    draw_pair(file, run, &pair[i], span);
    fputs("</div>\n", file);
    caption(file,
            "%s: x%zu and x%zu, with %.1f %% of the variance of the weights in what "
            "depends on these two alone. Left and middle: densities, a thousandth of the largest "
            "is nearly white. Right: orange where q is too small, down to a quarter, blue "
            "where it is too large.",
            i == 0 ? "The pair of coordinates in which f and q differ most"
                   : "The next pair of coordinates",
            pair[i].coordinate[0] + 1, pair[i].coordinate[1] + 1, 100 * pair[i].explained);
  }
}

/* ---- the user's histograms ------------------------------------------------------------------ */

static void axis_label(char text[SENTENCE], const nis_axis *axis)
{
  snprintf(text, SENTENCE, "%s%s%s%s", axis->name, *axis->unit ? " [" : "", axis->unit,
           *axis->unit ? "]" : "");
}

static void draw_line_histogram(FILE *file, const nis_histogram *h, const nis_axis *axis,
                                const char *unit)
{
  double *middle = calloc(3 * axis->bins, sizeof *middle), *y = middle + axis->bins,
         *error = y + axis->bins, low = 0, high = 0;
  if (!middle) return;
  for (size_t i = 0; i < axis->bins; i++) {
    nis_bin bin;
    nis_histogram_bin(h, &(size_t){i + 1}, &bin);
    middle[i] = (axis->edges[i] + axis->edges[i + 1]) / 2;
    y[i] = bin.value / bin.width;
    error[i] = bin.error / bin.width;
    high = fmax(high, isfinite(error[i]) ? y[i] + error[i] : y[i]);
    low = fmin(low, isfinite(error[i]) ? y[i] - error[i] : y[i]);
  }
  char x_label[SENTENCE], y_label[SENTENCE];
  axis_label(x_label, axis);
  snprintf(y_label, sizeof y_label, "density%s%s%s%s%s", *unit ? " [" : "", unit,
           *unit && *axis->unit ? "/" : "", *unit ? axis->unit : "", *unit ? "]" : "");
  struct plot plot = wide(file);
  plot.x = (struct scale){axis->edges[0], axis->edges[axis->bins], 0};
  plot.y = scale_around(low, high);
  if (low >= 0) plot.y.low = 0;
  plot_begin(&plot, nis_histogram_name(h));
  plot_axes(&plot, 5, 5, x_label, y_label);
  if (low >= 0) plot_bins(&plot, "q", 1, axis->bins, axis->edges, y);
  plot_dots(&plot, "q", 1.5, axis->bins, middle, y, error);
  plot_end(&plot);
  free(middle);
}

static void draw_plane_histogram(FILE *file, const nis_histogram *h, const nis_axis axis[2])
{
  size_t nx = axis[0].bins, ny = axis[1].bins;
  double *density = malloc(2 * nx * ny * sizeof *density);
  char x_label[SENTENCE], y_label[SENTENCE];
  if (!density) return;
  for (size_t i = 0; i < nx * ny; i++) {
    nis_bin bin;
    nis_histogram_bin(h, (const size_t[]){i % nx + 1, i / nx + 1}, &bin);
    density[i] = bin.value / bin.width;
  }
  struct plot plot = wide(file);
  plot.x = (struct scale){axis[0].edges[0], axis[0].edges[nx], 0};
  plot.y = (struct scale){axis[1].edges[0], axis[1].edges[ny], 0};
  axis_label(x_label, &axis[0]);
  axis_label(y_label, &axis[1]);
  shade_density(nx * ny, density, largest_of(nx * ny, density), density + nx * ny);
  plot_begin(&plot, nis_histogram_name(h));
  plot_heat(&plot, "q", NULL, nx, axis[0].edges, ny, axis[1].edges, density + nx * ny);
  plot_axes(&plot, 5, 5, x_label, y_label);
  plot_end(&plot);
  free(density);
}

static int is_too_fine(const nis_axis *axis, size_t axes)
{
  const size_t most = 4000;
  return axis[0].bins > most || (axes == 2 && axis[1].bins > most / axis[0].bins);
}

void figure_histograms(FILE *file, const struct run *run)
{
  for (size_t i = 0; run->histograms && i < run->histograms->n; i++) {
    const nis_histogram *h = run->histograms->h[i];
    nis_axis axis[HISTOGRAM_AXES];
    size_t axes = nis_histogram_axes(h);
    if (nis_histogram_count(h) == 0) continue;
    for (size_t k = 0; k < axes; k++) nis_histogram_axis(h, k, &axis[k]);
    begin(file, "half");
    if (is_too_fine(axis, axes)) {
      caption(file, "%s has too many bins to be drawn.", nis_histogram_name(h));
      continue;
    }
    if (axes == 1)
      draw_line_histogram(file, h, &axis[0], run->row->unit);
    else
      draw_plane_histogram(file, h, axis);
    caption(file, "%s of %" PRIu64 " %s%s.", nis_histogram_name(h), nis_histogram_count(h),
            run->arguments->command == EVENTS ? "events" : "points",
            axes == 1 ? ", the integral in each bin over its width, with its error"
                      : ", the integral in each bin over its area: a thousandth of the largest is "
                        "nearly white");
  }
}
