/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points of a run that the figures of a report are made of. Where there are more than room is for,
 * a random choice of them stays, which depends on nothing but their numbers. The weights are those
 * of the whole estimate, which the library counts. */
#ifndef POINTS_H
#define POINTS_H

#include "nis_events.h"

/* Of |w| / mean |w|, as fine as the library knows them */
enum { BINS_AN_OCTAVE = 64, OCTAVES = 40, WEIGHT_EDGES = 2 * OCTAVES * BINS_AN_OCTAVE + 1 };

enum { MOST_BINS = NIS_MOST_VALUES };

struct cloud {
  size_t dim, n, room;
  uint64_t seen;    /* of these the points stay ... */
  uint64_t one_in;  /* ... whose number's hash is a multiple of this power of 2 */
  uint64_t *number; /* [n] */
  double *x;        /* [n][dim] */
  double *weight;   /* [n] |w| */
};

struct points {
  struct cloud drawn;  /* from q: those of the estimate, with weights, or else without any */
  struct cloud events; /* from |f|, where drawn has no weights */
  int weighted;        /* has drawn? */
  uint64_t negatives;  /* of its weights */
  uint64_t weights[WEIGHT_EDGES + 1]; /* as nis_weights counts them */
};

/* NULL when memory is short */
struct points *points_make(size_t dim);
void points_free(struct points *points);

/* Their sinks; params is the struct points. */
nis_point_sink points_take;
nis_event_sink points_take_events;

/* Draws from q, without a call of the integrand. */
void points_draw(struct points *points, nis *s);

/* Counts the weights of the estimate. */
void points_count(struct points *points, nis *s);

/* ---- what the figures ask for --------------------------------------------------------------- */

/* A coordinate as it is shown: where |f| is, or all of the domain if that is not much more */
struct span {
  double low, high;
  size_t bins;
  int discrete; /* a bin is a value */
  int zoomed;   /* not all of the domain: a thousandth of |f| or less is on either side of it, a
                   hundredth where the domain is infinite */
};

/* low and high are the domain's, or infinite where it is not known. */
struct span points_span(const struct points *points, size_t coordinate, double low, double high);

/* Fills edges[bins + 1]. */
void span_edges(const struct span *span, double *edges);

/* Of q or |f|, whose integral is 1: density[bins]. 0 where it is not known. */
int points_marginal(const struct points *points, int of_f, size_t coordinate,
                    const struct span *span, double *density);

/* Of two coordinates: density[bins of b][bins of a] */
int points_plane(const struct points *points, int of_f, const size_t coordinate[2],
                 const struct span span[2], double *density);

struct pair {
  size_t coordinate[2];
  double explained; /* share of the weights' variance that their mean over the other coordinates
                       has: what a q that was right in these two would save */
};

/* Those with the largest shares, the largest first; span[dim]. Returns how many there are. */
size_t points_pairs(const struct points *points, const struct span *span, struct pair *pair,
                    size_t most);

/* Where the bins of the weights end; bin i > 0 lies between i - 1 and i. */
double weight_edge(int i);

/* How many weights are not 0, or next to it */
uint64_t points_weights(const struct points *points);

/* Below which a share of these lies, to some percent, in means; NaN without any */
double points_quantile(const struct points *points, double share);

#endif
