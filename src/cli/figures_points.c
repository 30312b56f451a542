/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of the points of the estimate: their weights, and what q and f look like */
#include "figures.h"

#include "html.h"
#include "points.h"
#include "svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LINE = 12, LEAST_POINTS = 5, WEIGHT_PANELS = 40 };

/* ---- weights -------------------------------------------------------------------------------- */

/* A choice of w_max */
struct rule {
  char name[64];
  double w_max, efficiency, error; /* in the unit of the weights; NaN: not known */
  int in_json;                     /* is the efficiency? */
};

static void name_rules(const nis_event_options *o, struct rule rule[NIS_W_MAX_RULES])
{
  snprintf(rule[NIS_W_MAX_TAIL].name, sizeof rule->name, "%g of the weight above it",
           o->tail > 0 ? o->tail : 1e-3);
  snprintf(rule[NIS_W_MAX_LARGEST].name, sizeof rule->name, "the largest weight");
  snprintf(rule[NIS_W_MAX_QUANTILE].name, sizeof rule->name, "%g of the weights below it",
           o->quantile > 0 ? o->quantile : 0.999);
  snprintf(rule[NIS_W_MAX_MEDIAN].name, sizeof rule->name, "the median of maxima");
}

/* Those of the events; or, without any, what the estimate's result has, and the quantile of the
 * counts. Returns the mean of |w|. */
static double find_rules(const struct run *run, struct rule rule[NIS_W_MAX_RULES])
{
  const nis_result *r = &run->result;
  double mean = r->efficiency_max * r->max_weight * fabs(r->value);
  const double efficiency[NIS_W_MAX_RULES] = {
      [NIS_W_MAX_TAIL] = r->efficiency,
      [NIS_W_MAX_LARGEST] = r->efficiency_max,
      [NIS_W_MAX_QUANTILE] = fmax(1 / points_quantile(run->points, 0.999), r->efficiency_max),
      [NIS_W_MAX_MEDIAN] = r->efficiency_median,
  };
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    const nis_unweighting *u = &run->events.rules[i];
    rule[i] = run->has_events ? (struct rule){"", u->w_max, u->efficiency, u->error, 1}
                              : (struct rule){"", mean / efficiency[i], efficiency[i], NAN,
                                              i != NIS_W_MAX_QUANTILE};
  }
  name_rules(&run->arguments->event_options, rule);
  return mean;
}

static void rule_rows(FILE *file, const struct rule *rule, int has_events)
{
  for (int i = 0; i < NIS_W_MAX_RULES; i++) {
    if (!isfinite(rule[i].w_max)) continue;
    fprintf(file, "<tr><th scope=\"row\">%c</th><td>%s</td><td>", 'A' + i, rule[i].name);
    if (has_events)
      html_number(file, rule[i].w_max, 4);
    else
      fprintf(file, "%.3g", rule[i].w_max);
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

/* Some 40 bins of equal ratio between the smallest and the largest, in means; a ten-thousandth of
 * the weights may be smaller. */
struct weight_bins {
  size_t n;
  double edges[WEIGHT_PANELS + 1], count[WEIGHT_PANELS];
};

static void count_weights(struct weight_bins *bins, const struct points *points)
{
  double least = fmax(points_quantile(points, 1e-4), 1e-6);
  int from = 0, to = WEIGHT_EDGES - 1;
  while (from < to && weight_edge(from + 1) <= least) from++;
  while (to > from + 1 && points->weights[to] == 0) to--;
  int each = (to - from + WEIGHT_PANELS - 1) / WEIGHT_PANELS;
  bins->n = (size_t)((to - from + each - 1) / each);
  for (size_t i = 0; i < bins->n; i++) {
    int first = from + (int)i * each;
    bins->edges[i] = weight_edge(first);
    bins->edges[i + 1] = weight_edge(first + each);
    bins->count[i] = 0;
    for (int k = first + 1; k <= first + each && k <= to; k++)
      bins->count[i] += (double)points->weights[k];
  }
}

static void draw_weights(FILE *file, const struct run *run, const struct rule *rule, double mean)
{
  struct weight_bins bins;
  count_weights(&bins, run->points);
  double right = bins.edges[bins.n];
  for (int i = 0; i < NIS_W_MAX_RULES; i++)
    if (isfinite(rule[i].w_max)) right = fmax(right, rule[i].w_max / mean);
  struct plot plot = plot_wide(file);
  plot.x = scale_log(bins.edges[0], right);
  plot.y = scale_log(0.7, fmax(largest_of(bins.n, bins.count), 2));
  plot_begin(&plot, "Distribution of the weights");
  plot_axes(&plot, 6, 5, "|w| / mean of |w|", "points");
  plot_bins(&plot, "q", 1, bins.n, bins.edges, bins.count);
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
  double mean = find_rules(run, rule);
  uint64_t n = points_weights(run->points), negatives = run->points->negatives;
  if (n == 0 || !(mean > 0)) {
    html_element(file, "p", NULL, "There are no weights other than 0.");
    return;
  }
  html_figure(file, "whole split");
  draw_weights(file, run, rule, mean);
  html_table(file, (const char *const[]){"", "w_max is", "its value", "efficiency", NULL});
  rule_rows(file, rule, run->has_events);
  html_table_end(file);
  html_caption(file,
               "The weights w = f/q of %" PRIu64 " points, on two logarithmic scales, and four "
               "choices of w_max (lines A to D) with their efficiencies of unweighting. If q were "
               "right all weights would be 1 here. %" PRIu64 " more are 0%s; the largest is %.3g "
               "times the mean.",
               n, run->result.zero_calls, negatives ? ", and some are negative" : "",
               1 / run->result.efficiency_max);
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
  return p->negatives ? "|f|" : "f";
}

void figure_marginals(FILE *file, const struct run *run)
{
  enum { OPEN = 24 };
  size_t dim = run->options.dim;
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
  if (has_f)
    html_caption(file,
                 "The density of each coordinate, of q and of %s, by %s. Where they lie on each "
                 "other, q is right about that coordinate. Outside of what is called a part of the "
                 "domain there is hardly any of it.",
                 f, run->points->weighted ? "weights" : "events");
  else
    html_caption(file,
                 "The density of each coordinate, of q alone: no values of f are in the file. "
                 "Outside of what is called a part of the domain there is hardly any of it.");
}

/* f/q from 1/2 to 2, as -1 .. 1, where there are enough points to say so */
static void shade_ratio(size_t n, const double *f, const double *q, double least, double *shade)
{
  for (size_t i = 0; i < n; i++) {
    double part = q[i] >= least ? log2(f[i] / q[i]) : 0;
    shade[i] = fmin(fmax(part, -1), 1);
  }
}

/* The three drawings of a pair */
struct plane {
  const struct pair *pair;
  struct span span[2];
  double x[MOST_BINS + 1], y[MOST_BINS + 1];
};

static struct plot begin_plane(FILE *file, const struct plane *plane, const char *what)
{
  char title[96];
  struct plot plot = plot_square(file);
  plot.x = scale_of(&plane->span[0]);
  plot.y = scale_of(&plane->span[1]);
  snprintf(title, sizeof title, "%s in coordinates %zu and %zu", what,
           plane->pair->coordinate[0] + 1, plane->pair->coordinate[1] + 1);
  plot_begin(&plot, title);
  return plot;
}

static void end_plane(const struct plot *plot, const struct plane *plane, const char *what)
{
  char x[32], y[64];
  snprintf(x, sizeof x, "x%zu", plane->pair->coordinate[0] + 1);
  snprintf(y, sizeof y, "x%zu: %s", plane->pair->coordinate[1] + 1, what);
  plot_axes(plot, 3, 4, x, y);
  plot_end(plot);
}

static void draw_plane(FILE *file, const struct plane *plane, const char *what, const char *class,
                       const double *density, double most)
{
  struct plot plot = begin_plane(file, plane, what);
  plot_density(&plot, class, plane->span[0].bins, plane->x, plane->span[1].bins, plane->y, density,
               most);
  end_plane(&plot, plane, what);
}

static void draw_ratio(FILE *file, const struct plane *plane, const char *what, const double *shade)
{
  struct plot plot = begin_plane(file, plane, what);
  plot_heat(&plot, "f", "q", plane->span[0].bins, plane->x, plane->span[1].bins, plane->y, shade);
  end_plane(&plot, plane, what);
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
    draw_ratio(file, &plane, run->points->negatives ? "|f| / q" : "f / q", shade);
  }
  free(f);
}

void figure_pairs(FILE *file, const struct run *run)
{
  enum { MOST_PAIRS = 3 };
  const double worth_showing = 0.01;
  struct pair pair[MOST_PAIRS];
  struct span span[NIS_MOST_DIM];
  if (!run->points->weighted || points_weights(run->points) == 0) return;
  for (size_t j = 0; j < run->options.dim; j++) span[j] = span_of(run, j);
  size_t n = points_pairs(run->points, span, pair, MOST_PAIRS);
  for (size_t i = 0; i < n && (i == 0 || pair[i].explained >= worth_showing); i++) {
    html_figure(file, "whole");
    fputs("<div class=\"panels planes\">\n", file);
    draw_pair(file, run, &pair[i], span);
    fputs("</div>\n", file);
    html_caption(
        file,
        "%s: x%zu and x%zu, with %.1f %% of the variance of the weights in what "
        "depends on these two alone. First their densities, then their ratio: orange where q is "
        "too small, down to a half, blue where it is too large; nothing where fewer than %d "
        "points are.",
        i == 0 ? "The pair of coordinates in which f and q differ most"
               : "The next pair of coordinates",
        pair[i].coordinate[0] + 1, pair[i].coordinate[1] + 1, 100 * pair[i].explained,
        LEAST_POINTS);
  }
}
