/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Points drawn from the mixture by many threads, with the integrand's values at them. */
#ifndef NIS_SAMPLER_H
#define NIS_SAMPLER_H

#include "base/streams.h"
#include "integrand/integrand.h"
#include "numerics/sobol.h"
#include "points.h"

struct sampler {
  struct mixture mixture;
  struct workspace *work; /* [threads] */
  int threads;
  uint64_t seed;
  struct integrand_call integrand;
  struct monitor monitor;
};

/* Of the coupling flows that these complete options ask for */
struct flow_shape nis_sampler_shape(const nis_options *o);

int nis_sampler_init(struct sampler *s, nis_integrand *f, const nis_options *o);
void nis_sampler_clear(struct sampler *s);

/* Points first .. first + n - 1 of a stream into p (n <= capacity), without values. */
void nis_sampler_draw(struct sampler *s, enum stream stream, uint64_t first, size_t n,
                      struct points *p);

/* The same from points of a replicate, of dim + 1 coordinates; `first` is a multiple of LANES. */
void nis_sampler_draw_replicate(struct sampler *s, const struct replicate *replicate,
                                uint64_t first, size_t n, struct points *p);

/* log_q[n] at given points x[n][dim] of the cube, of the mixture with these shares (NULL: its own);
 * log_channel[n][CHANNELS] may be NULL. */
void nis_sampler_density(struct sampler *s, const double *share, size_t n, const double *x,
                         double *log_q, double *log_channel);

/* log alpha[n] of the channel that each point x[n][dim] of the cube is of, by their views (see
 * mixture/weighting.h); 0 where that has no part in the point */
void nis_sampler_weigh(struct sampler *s, size_t n, const double *x, const float *view,
                       double *log_alpha);

/* Fills p->f, with the channel weights; where the run was stopped, p->n shrinks to the points that
 * have a value. */
int nis_sampler_evaluate(struct sampler *s, struct points *p);

/* For the monitor's next report: what the points come from */
void nis_sampler_tell_shares(struct sampler *s);

#endif
