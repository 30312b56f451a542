/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of the points of the estimate: their weights, and what q and f look like */
#include "figures.h"

#include "html.h"
#include "points.h"
#include "svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LINE = 12, LEAST_POINTS = 5 };

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
  struct plot plot = plot_wide(file);
  plot.x = scale_log(fmin(edges[0], 0.1), right);
  plot.y = scale_log(1, fmax(largest_of(n, counts), 2));
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
  html_figure(file, seen ? "whole split" : "whole");
  if (seen) draw_weights(file, run, rule);
  html_table(file,
             (const char *const[]){"", "w_max is", "its value", "unweighting efficiency", NULL});
  rule_rows(file, rule, run->has_events);
  html_table_end(file);
  if (seen)
    html_caption(file,
                 "The weights w = f/q of %" PRIu64 " points, on two logarithmic scales, and four "
                 "choices of w_max (lines A to D). If q were right all weights would be 1 here. "
                 "%" PRIu64 " more are 0, %" PRIu64 " below 0; the largest is %.3g times the mean.",
                 weights->n - weights->zeros, weights->zeros, weights->negatives,
                 weights->largest / (weights->sum / (double)weights->n));
  else
    html_caption(file,
                 "Unweighting efficiencies, the mean of |w| over w_max, for the choices of w_max "
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

/* One of a coordinate */
static struct scale scale_of(const struct span *span)
{
  return (struct scale){.low = span->low, .high = span->high, .whole = span->discrete};
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
  struct plot plot = plot_small(file);
  plot.x = scale_of(&span);
  plot.y = (struct scale){.low = 0, .high = most > 0 ? 1.08 * most : 1};
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
  html_figure(file, "whole");
  fputs("<div class=\"panels\">\n", file);
  for (size_t j = 0; j < dim && j < OPEN; j++) draw_marginal(file, run, j);
  fputs("</div>\n", file);
  if (dim > OPEN) {
    fprintf(file, "<details><summary>the other %zu coordinates</summary><div class=\"panels\">\n",
            dim - OPEN);
    for (size_t j = OPEN; j < dim; j++) draw_marginal(file, run, j);
    fputs("</div></details>\n", file);
  }
  html_key(file, (const char *const[]){"q", "q, what points are drawn from",
                                       has_f ? "f line" : NULL, f, NULL});
  html_caption(
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

/* f/q from 1/4 to 4, as -1 .. 1, where there are enough points to say so */
static void shade_ratio(size_t n, const double *f, const double *q, double least, double *shade)
{
  for (size_t i = 0; i < n; i++) {
    double part = q[i] >= least ? log2(f[i] / q[i]) / 2 : 0;
    shade[i] = fmin(fmax(part, -1), 1);
  }
}

/* The three drawings of a pair */
struct plane {
  const struct pair *pair;
  struct span span[2];
  double x[MOST_BINS + 1], y[MOST_BINS + 1];
};

static struct plot begin_plane(FILE *file, const struct plane *plane, const char *title)
{
  struct plot plot = plot_square(file);
  plot.x = scale_of(&plane->span[0]);
  plot.y = scale_of(&plane->span[1]);
  plot_begin(&plot, title);
  return plot;
}

static void end_plane(const struct plot *plot, const struct plane *plane, const char *title)
{
  char x[32], y[64];
  snprintf(x, sizeof x, "x%zu", plane->pair->coordinate[0] + 1);
  snprintf(y, sizeof y, "x%zu: %s", plane->pair->coordinate[1] + 1, title);
  plot_axes(plot, 3, 4, x, y);
  plot_end(plot);
}

static void draw_plane(FILE *file, const struct plane *plane, const char *title, const char *class,
                       const double *density, double most)
{
  struct plot plot = begin_plane(file, plane, title);
  plot_density(&plot, class, plane->span[0].bins, plane->x, plane->span[1].bins, plane->y, density,
               most);
  end_plane(&plot, plane, title);
}

static void draw_ratio(FILE *file, const struct plane *plane, const char *title,
                       const double *shade)
{
  struct plot plot = begin_plane(file, plane, title);
  plot_heat(&plot, "f", "q", plane->span[0].bins, plane->x, plane->span[1].bins, plane->y, shade);
  end_plane(&plot, plane, title);
}

static struct plane plane_of(const struct run *run, const struct pair *pair,
                             const struct span *spans)
{
  struct plane plane = {.pair = pair};
  size_t fit = (size_t)sqrt((double)run->points->drawn.n / 20);
  for (int k = 0; k < 2; k++) {
    plane.span[k] = spans[pair->coordinate[k]];
    if (!plane.span[k].discrete) plane.span[k].bins = fit < 6 ? 6 : fit > 28 ? 28 : fit;
  }
  span_edges(&plane.span[0], plane.x);
  span_edges(&plane.span[1], plane.y);
  return plane;
}

/* Of q, in a cell with one point */
static double density_of_one(const struct points *points, const struct span span[2])
{
  double area = 1;
  for (int k = 0; k < 2; k++) area *= (span[k].high - span[k].low) / (double)span[k].bins;
  return 1 / (area * (double)points->drawn.n);
}

/* |f|, q and their ratio in one row */
static void draw_pair(FILE *file, const struct run *run, const struct pair *pair,
                      const struct span *spans)
{
  struct plane plane = plane_of(run, pair, spans);
  size_t n = plane.span[0].bins * plane.span[1].bins;
  double *f = malloc(3 * n * sizeof *f), *q = f + n, *shade = q + n;
  if (f && points_plane(run->points, 1, pair->coordinate, plane.span, f) &&
      points_plane(run->points, 0, pair->coordinate, plane.span, q)) {
    double most = fmax(largest_of(n, f), largest_of(n, q));
    draw_plane(file, &plane, f_word(run), "f", f, most);
    draw_plane(file, &plane, "q", "q", q, most);
    shade_ratio(n, f, q, LEAST_POINTS * density_of_one(run->points, plane.span), shade);
    draw_ratio(file, &plane, run->points->weights.negatives ? "|f| / q" : "f / q", shade);
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
    html_figure(file, "whole");
    fputs("<div class=\"panels planes\">\n", file);
    draw_pair(file, run, &pair[i], span);
    fputs("</div>\n", file);
    html_caption(
        file,
        "%s: x%zu and x%zu, with %.1f %% of the variance of the weights in what "
        "depends on these two alone. Left and middle: their densities. Right: orange where q is "
        "too small, down to a quarter, blue where it is too large; white also where fewer than %d "
        "points are.",
        i == 0 ? "The pair of coordinates in which f and q differ most"
               : "The next pair of coordinates",
        pair[i].coordinate[0] + 1, pair[i].coordinate[1] + 1, 100 * pair[i].explained,
        LEAST_POINTS);
  }
}
