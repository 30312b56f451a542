/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points drawn from the flow and its fellow channels by many threads, with the integrand's values
 * at them. */
#ifndef NIS_SAMPLER_H
#define NIS_SAMPLER_H

#include "flow/flow.h"
#include "integrand/integrand.h"
#include "mixture/peaks.h"
#include "numerics/sobol.h"
#include "base/streams.h"

/* The density that points are drawn from is a mixture of these. */
enum channel {
  CHANNEL_UNIFORM,
  CHANNEL_FLOW,
  CHANNEL_NEGATIVE,
  CHANNEL_MAP,
  CHANNEL_PEAKS,
  CHANNELS
};

struct sampler {
  struct flow flow;     /* of coupling layers */
  struct flow negative; /* the same for the negative part of f, where there is one */
  struct flow map;      /* without correlations, as a VEGAS grid is */
  struct peaks peaks;
  double share[CHANNELS]; /* of the points; they add up to 1 */
  double beta[CHANNELS];  /* of the frozen mixture's control variates */
  double *hints;          /* [nhints][dim] of the cube, owned */
  size_t nhints;
  struct flow_scratch *scratch, *map_scratch; /* [threads]; both coupling flows share the first */
  double *tiles;                              /* [threads], nis_sampler_tile each */
  int threads;
  uint64_t seed;
  struct integrand_call integrand;
  struct monitor monitor;
};

/* n points of the unit cube, x[n][dim], with the log-density that each was drawn from and the
 * integrand's value times dx/du. */
struct points {
  size_t capacity, n;
  double *x, *log_q, *f; /* one block, owned through x */
  double *log_channel;   /* [n][CHANNELS] log-densities; -inf for a channel without share */
  double *components;    /* [n][ncomp] of f, not owned; NULL: not wanted */
  char *bad;             /* [n] 1 where f was not finite, not owned; NULL: not wanted */
};

/* Shown points that have values */
typedef void points_observer(void *context, const struct points *p);

enum { BLOCK_POINTS = 16384 }; /* drawn at a time, so that memory does not grow with calls */

int nis_sampler_init(struct sampler *s, nis_integrand *f, const nis_options *o);
void nis_sampler_clear(struct sampler *s);

int nis_points_init(struct points *p, size_t capacity, size_t dim);
void nis_points_clear(struct points *p);

/* Points first .. first + n - 1 of a stream into p (n <= capacity), without values. */
void nis_sampler_draw(struct sampler *s, enum stream stream, uint64_t first, size_t n,
                      struct points *p);

/* The same from points of a net, of dim + 1 coordinates; `first` is a multiple of LANES. */
void nis_sampler_draw_net(struct sampler *s, const struct net *net, uint64_t first, size_t n,
                          struct points *p);

/* log_q[n] at given points x[n][dim] of the cube; log_channel[n][CHANNELS] may be NULL. */
void nis_sampler_density(struct sampler *s, size_t n, const double *x, double *log_q,
                         double *log_channel);

/* The scratch of either flow, [threads] */
struct flow_scratch *nis_sampler_scratch(const struct sampler *s, const struct flow *flow);

/* One worker's space for 3 * dim + 1 rows of LANES numbers */
double *nis_sampler_tile(const struct sampler *s, int worker);

/* Points from .. from + n - 1 as points of their own, in the same memory; without components and bad */
struct points nis_points_part(const struct points *p, size_t from, size_t n, size_t dim);

/* Fills p->f; where the run was stopped, p->n shrinks to the points that have a value. */
int nis_sampler_evaluate(struct sampler *s, struct points *p);

/* f/q of point i, 0 where f is 0 */
double nis_point_weight(const struct points *p, size_t i);

#endif
