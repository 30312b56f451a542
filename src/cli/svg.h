/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawings inside of HTML: axes, and what is drawn between them. Colours, strokes and type are the
 * page's, by class: "q", "f" ... Numbers that are not finite are left out; what lies outside of the
 * axes is cut off at them. */
#ifndef SVG_H
#define SVG_H

#include <stddef.h>
#include <stdio.h>

struct scale {
  double low, high; /* low < high; both above 0 for: */
  int log;
  int whole; /* numbers of something: no ticks between them */
};

struct plot {
  FILE *file;
  double width, height; /* of the drawing, in units of the page's type: 12 is a line of text */
  double left, right, top, bottom; /* where the axes are, from the drawing's edges */
  struct scale x, y;
};

/* Of half the page's width, of one among many, of one beside two others */
struct plot plot_wide(FILE *file);
struct plot plot_small(FILE *file);
struct plot plot_square(FILE *file);

/* Of those of the n that are finite; without any, infinite */
double least_of(size_t n, const double *a);
double largest_of(size_t n, const double *a);

/* A scale that holds low .. high, which may be equal or not finite, with a margin */
struct scale scale_around(double low, double high);
struct scale scale_log(double low, double high);

/* The drawing begins; title is what is read out. */
void plot_begin(const struct plot *plot, const char *title);
void plot_end(const struct plot *plot);

/* Grid, ticks and their numbers, of about nx and ny, and labels, which may be NULL. No numbers and
 * no grid where nx or ny is 0. */
void plot_axes(const struct plot *plot, int nx, int ny, const char *x_label, const char *y_label);

/* Where a value is in the drawing */
double plot_x(const struct plot *plot, double x);
double plot_y(const struct plot *plot, double y);

/* Through n points; a gap where one is not finite */
void plot_line(const struct plot *plot, const char *class, size_t n, const double *x,
               const double *y);

/* n bins between edges[n + 1]; filled down to the axis, or only their outline */
void plot_bins(const struct plot *plot, const char *class, int filled, size_t n,
               const double *edges, const double *y);

/* Between low and high at n values of x */
void plot_band(const struct plot *plot, const char *class, size_t n, const double *x,
               const double *low, const double *high);

/* n dots with error bars; error may be NULL */
void plot_dots(const struct plot *plot, const char *class, double radius, size_t n, const double *x,
               const double *y, const double *error);

/* Lines across the axes; one that goes up begins under its word, so far below the top */
void plot_mark_x(const struct plot *plot, const char *class, double x, double down,
                 const char *word);
void plot_mark_y(const struct plot *plot, const char *class, double y);

/* Cells between edges x[nx + 1] and y[ny + 1], of shade[iy * nx + ix] up to 1, or down to -1 for
 * the class of what is negative; 0 is left out. */
void plot_heat(const struct plot *plot, const char *positive, const char *negative, size_t nx,
               const double *x, size_t ny, const double *y, const double *shade);

/* Cells of a density that is at most `most`: with its square root, so that what is thin is seen */
void plot_density(const struct plot *plot, const char *class, size_t nx, const double *x, size_t ny,
                  const double *y, const double *density, double most);

/* A piece of text at a place of the drawing; anchor is "start", "middle" or "end". */
void plot_word(const struct plot *plot, double x, double y, const char *anchor, const char *word);

/* A box in the drawing */
void plot_box(const struct plot *plot, const char *class, double x, double y, double width,
              double height);

#endif
