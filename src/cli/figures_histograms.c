/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Figures of --histogram */
#include "figures.h"

#include "html.h"
#include "svg.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LABEL = 256 };

static void axis_label(char text[LABEL], const nis_axis *axis)
{
  snprintf(text, LABEL, "%s%s%s%s", axis->name, *axis->unit ? " [" : "", axis->unit,
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
    if (y[i] < 0) low = fmin(low, isfinite(error[i]) ? y[i] - error[i] : y[i]);
  }
  char x_label[LABEL], y_label[LABEL];
  axis_label(x_label, axis);
  snprintf(y_label, sizeof y_label, "density%s%s%s%s%s", *unit ? " [" : "", unit,
           *unit && *axis->unit ? "/" : "", *unit ? axis->unit : "", *unit ? "]" : "");
  struct plot plot = plot_wide(file);
  plot.x = (struct scale){.low = axis->edges[0], .high = axis->edges[axis->bins]};
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
  double *density = malloc(nx * ny * sizeof *density);
  char x_label[LABEL], y_label[LABEL];
  if (!density) return;
  for (size_t i = 0; i < nx * ny; i++) {
    nis_bin bin;
    nis_histogram_bin(h, (const size_t[]){i % nx + 1, i / nx + 1}, &bin);
    density[i] = bin.value / bin.width;
  }
  struct plot plot = plot_wide(file);
  plot.x = (struct scale){.low = axis[0].edges[0], .high = axis[0].edges[nx]};
  plot.y = (struct scale){.low = axis[1].edges[0], .high = axis[1].edges[ny]};
  axis_label(x_label, &axis[0]);
  axis_label(y_label, &axis[1]);
  plot_begin(&plot, nis_histogram_name(h));
  plot_density(&plot, "q", nx, axis[0].edges, ny, axis[1].edges, density,
               largest_of(nx * ny, density));
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
    html_figure(file, "half");
    if (is_too_fine(axis, axes)) {
      html_caption(file, "%s has too many bins to be drawn.", nis_histogram_name(h));
      continue;
    }
    if (axes == 1)
      draw_line_histogram(file, h, &axis[0], run->row->unit);
    else
      draw_plane_histogram(file, h, axis);
    html_caption(file, "%s of %" PRIu64 " %s%s.", nis_histogram_name(h), nis_histogram_count(h),
                 run->arguments->command == EVENTS ? "events" : "points",
                 axes == 1 ? ", the integral in each bin over its width, with its error"
                           : ", the integral in each bin over its area: the darker the larger");
  }
}
