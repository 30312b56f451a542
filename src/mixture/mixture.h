/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All that has been learnt of an integrand: the density q = sum_c share_c q_c that points are drawn
 * from. A point is drawn from one channel, whose density is known from that very pass; only the
 * others are then evaluated at it. No result depends on which points travel together.
 */
#ifndef NIS_MIXTURE_H
#define NIS_MIXTURE_H

#include "flow/flow.h"
#include "peaks.h"
#include "weighting.h"

enum channel { CHANNEL_UNIFORM, CHANNEL_FLOW, CHANNEL_TWIN, CHANNEL_MAP, CHANNEL_PEAKS, CHANNELS };

struct mixture {
  size_t dim;
  struct flow flow; /* of coupling layers */
  struct flow twin; /* another: of the negative part of f, where there is one, or of the same
                           target, learnt in another way */
  struct flow map;  /* without correlations, as a VEGAS grid is */
  struct peaks peaks;
  double share[CHANNELS];     /* of the points; they add up to 1 */
  double beta[CHANNELS];      /* coefficients of the control variates, see control.h */
  struct weighting weighting; /* of the user's channels; its owner's to begin */
};

/* One worker's memory for one mixture */
struct workspace {
  struct flow_scratch coupling; /* of either coupling flow */
  struct flow_scratch map;
  struct weighting_scratch weighting;
  double *tile; /* [dim + 1][LANES] */
  int worker;   /* its number */
};

/* Untrained: every flow the identity, no peaks, all points from the coupling flow. For as many
 * workers at once as `threads`. */
int nis_mixture_init(struct mixture *m, const struct flow_shape *shape, uint64_t seed, int threads);
void nis_mixture_clear(struct mixture *m);

int nis_workspace_init(struct workspace *w, const struct mixture *m, int worker);
void nis_workspace_clear(struct workspace *w);

/* The scratch that this flow of the mixture uses */
struct flow_scratch *nis_workspace_scratch(struct workspace *w, const struct mixture *m,
                                           const struct flow *flow);

/* Points that are drawn or looked at together: a multiple of LANES. More would not fit into the
 * cache, fewer would leave lanes of the channels' last tiles empty. */
enum { MIXTURE_BLOCK = 1024 };

/* Whether points choose between channels, or peaks: a single flow takes none of their numbers. */
int nis_mixture_has_choice(const struct mixture *m);

/* n <= MIXTURE_BLOCK points x[n][dim], in place of uniform numbers; chooser[n], uniform too, picks
 * the channels and is spoilt. log_channel[n][CHANNELS] gets the channels' log-densities, -inf for a
 * channel without share, and log_q[n] that of the mixture. */
void nis_mixture_draw(const struct mixture *m, struct workspace *w, size_t n, double *chooser,
                      double *x, double *log_channel, double *log_q);

/* The densities at given points, for the shares of the mixture or others */
void nis_mixture_density(const struct mixture *m, struct workspace *w, const double *share,
                         size_t n, const double *x, double *log_channel, double *log_q);

/* All that it has learnt. The number of bytes that this takes at least is known beforehand from the
 * shape alone. */
void nis_mixture_archive(struct archive *a, struct mixture *m);

#endif
