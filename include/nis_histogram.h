/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Histograms with honest errors, of one or two observables, filled in the pass that makes the
 * estimate, or from events:
 *
 *     nis_axis mass = {.observable = mass_of, .name = "mass", .unit = "GeV", .bins = 50,
 *                      .high = 500};
 *     nis_histogram *h;
 *     nis_histogram_create(&h, "dilepton mass", &mass, 1);
 *     nis_integrate(f, 4, .sink = nis_histogram_points, .sink_params = h);
 *     nis_histogram_write(&h, 1, "mass.yoda", NIS_HISTOGRAM_BY_NAME, 0);
 *
 * The same bits for any number of threads. nis.h does not include this. Structs of this header do
 * not grow. A histogram is not to be used from two threads at once, and is not part of nis_save:
 * nis_histogram_write keeps it, nis_histogram_read and nis_histogram_merge put runs together.
 */
#ifndef NIS_HISTOGRAM_H
#define NIS_HISTOGRAM_H

#include "nis_events.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A number that a point has, outputs[extra] being what the integrand gave there besides
 * (options.extra; else NULL). NaN: it has none, and the point is in no bin, but is counted. Called
 * from one thread. */
typedef double nis_observable(const double *x, size_t dim, const double *outputs, size_t extra,
                              void *params);

#define NIS_MOST_BINS 1000000

/* An axis has `bins` bins between its edges: of equal width from low to high, or as edges say. Its
 * bin i holds edges[i] <= value < edges[i+1]; what is below the first edge is underflow, what is at
 * the last or above it overflow. */
typedef struct {
  nis_observable *observable; /* NULL: for nis_histogram_fill only */
  void *params;               /* handed to it */
  const char *name, *unit;    /* for files; copied; default "" */
  size_t bins;                /* 1 .. 1,000,000, also of two axes together; required */
  double low, high;           /* default 0 and, with low = 0, 1 */
  const double *edges; /* [bins + 1], finite, each above the one before; copied. Default: bins
                                 of equal width */
} nis_axis;

/* For the slots that an axis has: 0 is underflow, 1 .. bins, and bins + 1 overflow */
typedef struct {
  double low[2], high[2]; /* edges in each axis, infinite for under- and overflow */
  double value;           /* the integral of f over the bin: the mean over all N points, also those
                             elsewhere, of w 1[in the bin]. So the values of all bins, with under-
                             and overflow and those without a number, add up to the mean weight */
  double error;           /* its standard error. Of independent points
                                 sqrt((sum w^2 / N - value^2) / (N - 1)).
                             Of nets, whose points depend on each other, the spread of what they
                             give: with the sum C_i of w over the points of net i in the bin, n_i
                             points in all of it,
                                 sqrt(sum_i (C_i - value n_i)^2 / N^2 k / (k - 1)) t,
                             k = N^2 / sum n_i^2, t as in nis_result.error (NIS_POINTS_NETS); that
                             of independent points where k < 4. Infinite below two points */
  double width;         /* of the bin, or its area: value / width is the differential cross section;
                             infinite for under- and overflow */
  double sum_w, sum_w2; /* over the points in the bin */
  uint64_t entries;     /* such points */
  double effective;     /* (sum w)^2 / sum w^2 of them; 0 without any */
} nis_bin;

typedef struct nis_histogram nis_histogram;

/* Of 1 or 2 axes; name for files, NULL is "". *out is NULL on failure. Free it with
 * nis_histogram_free; NULL is fine there. A slot takes 64 bytes, and 8 more for each net that
 * points come from (16 to 31 an estimate). */
NIS_API int nis_histogram_create(nis_histogram **out, const char *name, const nis_axis *axes,
                                 size_t naxes);
NIS_API void nis_histogram_free(nis_histogram *h);

/* Empties it. */
NIS_API int nis_histogram_reset(nis_histogram *h);

/* A nis_point_sink, whose params is the histogram: fills it with the points of an estimate, and
 * begins anew where that does. 0, or a nis_status with a sentence: NIS_INVALID for an axis without
 * an observable, or points of nets among independent ones; NIS_CALLBACK where an observable called
 * nis_refuse(). A sink of the user's calls it for each of several histograms. */
NIS_API int nis_histogram_points(const nis_point_block *points, void *histogram);

/* Likewise a nis_event_sink: the mean over all events of unit * weight, with the errors of
 * independent points: that of the unit, which all bins have in common, is not in it. It does not
 * begin anew. */
NIS_API int nis_histogram_events(const nis_event_block *events, void *histogram);

/* One independent point of weight w, also of w = 0: all points count. values[naxes]. */
NIS_API int nis_histogram_fill(nis_histogram *h, const double *values, double weight);

/* The points of another one with the same edges join those of h, its nets as nets of their own:
 * parts of an estimate, or runs with other seeds. NIS_INVALID, and nothing changed, where edges
 * differ or only one is of nets. Points of one seed must not be in both. */
NIS_API int nis_histogram_merge(nis_histogram *h, const nis_histogram *other);

/* The bin of slot[naxes], each 0 .. bins + 1 */
NIS_API int nis_histogram_bin(const nis_histogram *h, const size_t *slot, nis_bin *bin);

/* All points together; and those that an observable had no number for. */
NIS_API int nis_histogram_total(const nis_histogram *h, nis_bin *all);
NIS_API int nis_histogram_nowhere(const nis_histogram *h, nis_bin *without);

/* Axis number `axis`, with its edges: the histogram's, as long as it lives. */
NIS_API int nis_histogram_axis(const nis_histogram *h, size_t axis, nis_axis *out);
NIS_API size_t nis_histogram_axes(const nis_histogram *h);
NIS_API const char *nis_histogram_name(const nis_histogram *h);
NIS_API uint64_t nis_histogram_count(const nis_histogram *h); /* N */

/* What a plug-in of the command may export, an array that ends with a NULL name:
 *     const nis_plugin_observable SYMBOL_observables[] = {{"radius", "", "|x|", 0, 2, radius},
 *                                                         {0}};
 */
typedef struct {
  const char *name, *unit, *description; /* unit and description may be NULL */
  double low, high;  /* where it lies, for --histogram without a range; equal: unknown */
  nis_observable *f; /* with params NULL */
} nis_plugin_observable;

typedef enum {
  NIS_HISTOGRAM_BY_NAME, /* .yoda .csv .json */
  NIS_HISTOGRAM_YODA, /* Histo1D and Histo2D of YODA 2, version 3 of its text, as Rivet 4 reads it:
                         sumW is the value, sumW2 error^2, so that YODA shows these errors */
  NIS_HISTOGRAM_CSV,  /* a line for each slot, after one with the columns' names */
  NIS_HISTOGRAM_JSON
} nis_histogram_format;

/* n histograms into one file, "-" for standard output, which bears its name when it is complete. An
 * existing one is NIS_NO_FILE, or replaced with `force`. */
NIS_API int nis_histogram_write(const nis_histogram *const *h, size_t n, const char *path,
                                nis_histogram_format format, int force);

/* Histogram number `number`, from 0, out of a YODA file of nis_histogram_write, to be merged: with
 * its nets, without observables, its sums those that were written, up to rounding. *out is NULL,
 * and the status NIS_OK, where the file has no more of them. NIS_NO_FILE, or NIS_BAD_FILE where it
 * is something else, cut or damaged. */
NIS_API int nis_histogram_read(nis_histogram **out, const char *path, size_t number);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
