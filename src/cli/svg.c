/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "svg.h"

#include "html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_TEXT = 32, SHADES = 12, LINE = 12, MOST_TICKS = 20, LEAST_LOG_RANGE = 8 };

struct plot plot_wide(FILE *file)
{
  return (struct plot){
      .file = file, .width = 480, .height = 262, .left = 48, .right = 20, .top = 22, .bottom = 34};
}

struct plot plot_small(FILE *file)
{
  return (struct plot){
      .file = file, .width = 220, .height = 130, .left = 10, .right = 14, .top = 18, .bottom = 20};
}

struct plot plot_square(FILE *file)
{
  return (struct plot){
      .file = file, .width = 230, .height = 230, .left = 38, .right = 14, .top = 20, .bottom = 34};
}

double least_of(size_t n, const double *a)
{
  double least = INFINITY;
  for (size_t i = 0; i < n; i++)
    if (isfinite(a[i])) least = fmin(least, a[i]);
  return least;
}

double largest_of(size_t n, const double *a)
{
  double largest = -INFINITY;
  for (size_t i = 0; i < n; i++)
    if (isfinite(a[i])) largest = fmax(largest, a[i]);
  return largest;
}

/* ---- scales --------------------------------------------------------------------------------- */

struct scale scale_around(double low, double high)
{
  if (!isfinite(low) || !isfinite(high)) return (struct scale){.low = 0, .high = 1};
  double margin = 0.06 * (high - low);
  if (!(margin > 1e-12 * fabs(high))) margin = high ? 0.1 * fabs(high) : 1;
  return (struct scale){.low = low - margin, .high = high + margin};
}

struct scale scale_log(double low, double high)
{
  const double margin = 1.05, least = 1.5;
  if (!(low > 0) || !isfinite(high) || high < low)
    return (struct scale){.low = 0.1, .high = 10, .log = 1};
  double more = margin * fmax(1, sqrt(least / margin / margin * low / high));
  return (struct scale){.low = low / more, .high = high * more, .log = 1};
}

/* 0 at the low end, 1 at the high one; what is beyond them is at them. */
static double place(const struct scale *s, double value)
{
  double part =
      s->log ? log(value / s->low) / log(s->high / s->low) : (value - s->low) / (s->high - s->low);
  return value <= 0 && s->log ? 0 : fmin(fmax(part, 0), 1);
}

double plot_x(const struct plot *plot, double x)
{
  return plot->left + place(&plot->x, x) * (plot->width - plot->left - plot->right);
}

double plot_y(const struct plot *plot, double y)
{
  double room = plot->height - plot->top - plot->bottom;
  return plot->top + (1 - place(&plot->y, y)) * room;
}

/* ---- axes ----------------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of 10, about n of them in the range */
static double nice_step(double range, int n)
{
  double rough = range / n, power = pow(10, floor(log10(rough))), rest = rough / power;
  return power * (rest > 7.07 ? 10 : rest > 3.16 ? 5 : rest > 1.41 ? 2 : 1);
}

/* As few digits as tell neighbours apart: "0.25", "20000", "2.5e6" */
static void tick_text(char text[TICK_TEXT], double value, double step)
{
  double size = fmax(fabs(value), step);
  int last = (int)floor(log10(step) + 1e-9), digits = (int)floor(log10(size) + 1e-9) - last;
  if (fabs(value) < 1e-9 * step) value = 0;
  if (value == 0 || (size >= 1e-4 && size < 1e5))
    snprintf(text, TICK_TEXT, "%.*f", last < 0 && value != 0 ? -last : 0, value);
  else
    snprintf(text, TICK_TEXT, "%.*e", digits < 15 ? digits : 15, value);
  char *sign = strchr(text, 'e');
  if (!sign) return;
  sign += sign[1] == '-' ? 2 : 1;
  memmove(sign, sign + strspn(sign, "+0"), strlen(sign + strspn(sign, "+0")) + 1);
}

struct tick {
  double value;
  char text[TICK_TEXT];
};

static int add_tick(struct tick *tick, int found, const struct scale *s, double value, double step)
{
  double beyond = 1e-9 * (s->log ? value : step);
  if (found == MOST_TICKS || value < s->low - beyond || value > s->high + beyond) return found;
  tick[found].value = value;
  tick_text(tick[found].text, value, step);
  return found + 1;
}

/* Powers of 10, and 2 and 5 times these where there are few */
static int log_ticks(const struct scale *s, int n, struct tick *tick)
{
  double decades = log10(s->high / s->low);
  int each = 1 + (int)decades / n, found = 0;
  for (int k = (int)floor(log10(s->low)); k <= (int)ceil(log10(s->high)); k += each) {
    double power = pow(10, k);
    found = add_tick(tick, found, s, power, power);
    if (3 * decades > n) continue;
    found = add_tick(tick, found, s, 2 * power, power);
    found = add_tick(tick, found, s, 5 * power, power);
  }
  return found;
}

/* Fills tick[MOST_TICKS]; returns how many they are, about n. */
static int find_ticks(const struct scale *s, int n, struct tick *tick)
{
  if (s->log && s->high > LEAST_LOG_RANGE * s->low) return log_ticks(s, n, tick);
  double step = nice_step(s->high - s->low, n);
  if (s->whole) step = fmax(step, 1);
  int found = 0, from = 0;
  double first = ceil(s->low / step - 1e-9);
  for (; from < MOST_TICKS; from++) found = add_tick(tick, found, s, (first + from) * step, step);
  return found;
}

void plot_word(const struct plot *plot, double x, double y, const char *anchor, const char *word)
{
  fprintf(plot->file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
  html_text(plot->file, word);
  fputs("</text>\n", plot->file);
}

static void stroke(const struct plot *plot, const char *class, double x1, double y1, double x2,
                   double y2)
{
  fprintf(plot->file, "<path class=\"%s\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", class, x1, y1, x2, y2);
}

static void x_ticks(const struct plot *plot, int n)
{
  struct tick tick[MOST_TICKS];
  int found = find_ticks(&plot->x, n, tick);
  double bottom = plot->height - plot->bottom;
  for (int i = 0; i < found; i++) {
    double x = plot_x(plot, tick[i].value);
    stroke(plot, "grid", x, plot->top, x, bottom);
    plot_word(plot, x, bottom + LINE + 2, "middle", tick[i].text);
  }
}

static void y_ticks(const struct plot *plot, int n)
{
  struct tick tick[MOST_TICKS];
  int found = find_ticks(&plot->y, n, tick);
  for (int i = 0; i < found; i++) {
    double y = plot_y(plot, tick[i].value);
    stroke(plot, "grid", plot->left, y, plot->width - plot->right, y);
    plot_word(plot, plot->left - 4, y + 4, "end", tick[i].text);
  }
}

void plot_begin(const struct plot *plot, const char *title)
{
  fprintf(plot->file, "<svg viewBox=\"0 0 %g %g\" role=\"img\"><title>", plot->width, plot->height);
  html_text(plot->file, title);
  fputs("</title>\n", plot->file);
}

void plot_end(const struct plot *plot)
{
  fputs("</svg>\n", plot->file);
}

void plot_box(const struct plot *plot, const char *class, double x, double y, double width,
              double height)
{
  fprintf(plot->file, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
          class, x, y, fmax(width, 0), fmax(height, 0));
}

void plot_axes(const struct plot *plot, int nx, int ny, const char *x_label, const char *y_label)
{
  if (nx) x_ticks(plot, nx);
  if (ny) y_ticks(plot, ny);
  plot_box(plot, "frame", plot->left, plot->top, plot->width - plot->left - plot->right,
           plot->height - plot->top - plot->bottom);
  if (x_label)
    plot_word(plot, (plot->left + plot->width - plot->right) / 2,
              plot->height - plot->bottom + 2 * LINE + 4, "middle", x_label);
  if (y_label) plot_word(plot, 2, LINE, "start", y_label);
}

/* ---- between the axes ----------------------------------------------------------------------- */

void plot_line(const struct plot *plot, const char *class, size_t n, const double *x,
               const double *y)
{
  int drawing = 0;
  fprintf(plot->file, "<path class=\"line %s\" d=\"", class);
  for (size_t i = 0; i < n; i++) {
    int known = isfinite(x[i]) && isfinite(y[i]);
    if (known)
      fprintf(plot->file, "%c%.1f %.1f", drawing ? 'L' : 'M', plot_x(plot, x[i]),
              plot_y(plot, y[i]));
    drawing = known;
  }
  fputs("\"/>\n", plot->file);
}

void plot_bins(const struct plot *plot, const char *class, int filled, size_t n,
               const double *edges, const double *y)
{
  double bottom = plot->height - plot->bottom;
  fprintf(plot->file, "<path class=\"%s %s\" d=\"M%.1f %.1f", filled ? "area" : "line", class,
          plot_x(plot, edges[0]), bottom);
  for (size_t i = 0; i < n; i++)
    fprintf(plot->file, "V%.1fH%.1f", isfinite(y[i]) ? plot_y(plot, y[i]) : bottom,
            plot_x(plot, edges[i + 1]));
  fprintf(plot->file, "V%.1f\"/>\n", bottom);
}

void plot_band(const struct plot *plot, const char *class, size_t n, const double *x,
               const double *low, const double *high)
{
  char command = 'M';
  fprintf(plot->file, "<path class=\"area %s\" d=\"", class);
  for (size_t i = 0; i < n; i++, command = 'L')
    fprintf(plot->file, "%c%.1f %.1f", command, plot_x(plot, x[i]), plot_y(plot, high[i]));
  for (size_t i = n; i-- > 0;)
    fprintf(plot->file, "L%.1f %.1f", plot_x(plot, x[i]), plot_y(plot, low[i]));
  fputs("\"/>\n", plot->file);
}

void plot_dots(const struct plot *plot, const char *class, double radius, size_t n, const double *x,
               const double *y, const double *error)
{
  fprintf(plot->file, "<g class=\"%s\">\n", class);
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i]) || !isfinite(y[i])) continue;
    double px = plot_x(plot, x[i]);
    if (error && isfinite(error[i]))
      stroke(plot, "line", px, plot_y(plot, y[i] - error[i]), px, plot_y(plot, y[i] + error[i]));
    fprintf(plot->file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\"/>\n", px, plot_y(plot, y[i]),
            radius);
  }
  fputs("</g>\n", plot->file);
}

void plot_mark_x(const struct plot *plot, const char *class, double x, double down,
                 const char *word)
{
  double at = plot_x(plot, x), top = plot->top + down;
  stroke(plot, class, at, top + 3, at, plot->height - plot->bottom);
  plot_word(plot, at, top, "middle", word);
}

void plot_mark_y(const struct plot *plot, const char *class, double y)
{
  double at = plot_y(plot, y);
  stroke(plot, class, plot->left, at, plot->width - plot->right, at);
}

/* The cells of one shade as one path, in which neighbours in a row are one box */
static void heat_level(const struct plot *plot, const char *class, int level, size_t nx,
                       const double *x, size_t ny, const double *y, const double *shade)
{
  int begun = 0;
  for (size_t i = 0, end; i < nx * ny; i = end) {
    size_t row = i / nx, last = (row + 1) * nx;
    for (end = i; end < last && lround(SHADES * shade[end]) == level;) end++;
    if (end == i) {
      end++;
      continue;
    }
    if (!begun++)
      fprintf(plot->file, "<path class=\"cell %s\" fill-opacity=\"%.2g\" d=\"", class,
              fabs((double)level) / SHADES);
    double left = plot_x(plot, x[i - row * nx]), right = plot_x(plot, x[end - row * nx]);
    fprintf(plot->file, "M%.1f %.1fH%.1fV%.1fH%.1fz", left, plot_y(plot, y[row]), right,
            plot_y(plot, y[row + 1]), left);
  }
  if (begun) fputs("\"/>\n", plot->file);
}

void plot_heat(const struct plot *plot, const char *positive, const char *negative, size_t nx,
               const double *x, size_t ny, const double *y, const double *shade)
{
  for (int level = 1; level <= SHADES; level++) {
    heat_level(plot, positive, level, nx, x, ny, y, shade);
    if (negative) heat_level(plot, negative, -level, nx, x, ny, y, shade);
  }
}

void plot_density(const struct plot *plot, const char *class, size_t nx, const double *x, size_t ny,
                  const double *y, const double *density, double most)
{
  double *shade = malloc(nx * ny * sizeof *shade);
  if (!shade) return;
  for (size_t i = 0; i < nx * ny; i++)
    shade[i] = density[i] > 0 && most > 0 ? sqrt(density[i] / most) : 0;
  plot_heat(plot, class, NULL, nx, x, ny, y, shade);
  free(shade);
}
