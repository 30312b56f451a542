/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Channel weights. The maps of several channels can give the same physical point y, and the
 * integral is sum_k int alpha_k(y) f for any alpha_k >= 0 that add up to 1 there: with
 *   alpha_k(y) = prior_k(y) exp(n_k(y)) / sum_j prior_j(y) exp(n_j(y))
 * (Heimel et al., arXiv:2212.06172, 2311.01548), where the prior is the user's and the net n sees
 * features of y. Its last layer is 0 at first, and alpha the prior.
 *
 * Both are outputs of the integrand. What is stored of a point is its view: log prior and features,
 * all of them finite.
 */
#ifndef NIS_WEIGHTING_H
#define NIS_WEIGHTING_H

#include "base/archive.h"
#include "kernels/kernels.h"

struct weighting {
  size_t channels, features; /* no channels: nothing is weighted; no features: the prior stays */
  struct net_shape net;
  float *parameters; /* of the net; and behind them centre[features], scale[features], by which it
                        sees these: 0 until they are known; owned */
  size_t nparameters, nfloats; /* of the net, and with the others */
  const struct kernels *kernels;
};

/* One worker's memory for one tile */
struct weighting_scratch {
  double *alpha; /* [channels][LANES] the prior, and then alpha; a block, owned */
  float *in, *hidden, *out, *din, *work;
};

int nis_weighting_init(struct weighting *w, size_t channels, size_t features, uint64_t seed);
void nis_weighting_clear(struct weighting *w);

int nis_weighting_scratch_init(struct weighting_scratch *s, const struct weighting *w);
void nis_weighting_scratch_clear(struct weighting_scratch *s);

int nis_weighting_learns(const struct weighting *w);

/* Numbers of a view: none where nothing is learnt */
size_t nis_weighting_view(const struct weighting *w);

/* The view of a point, of what the integrand gave besides its values */
void nis_weighting_see(const struct weighting *w, const double *outputs, float *view);

/* Whether the features have their centre and scale: the mean and the width in n views of points
 * where f is not 0 */
int nis_weighting_is_standardised(const struct weighting *w);
void nis_weighting_standardise(struct weighting *w, size_t n, const double *f, const float *view);

/* Whether alpha is not the prior; and makes it the prior again. */
int nis_weighting_has_learnt(const struct weighting *w);
void nis_weighting_forget(struct weighting *w);

/* Puts a point into a lane, of its outputs or of its view. */
void nis_weighting_put(const struct weighting *w, struct weighting_scratch *s, size_t lane,
                       const double *outputs);
void nis_weighting_put_view(const struct weighting *w, struct weighting_scratch *s, size_t lane,
                            const float *view);

/* alpha of all channels in the lanes where there are points, NaN in all of them where the prior is
 * none: not finite, negative, or 0 everywhere. */
void nis_weighting_tile(const struct weighting *w, struct weighting_scratch *s);

/* Adds to gradient[nparameters] that of sum_l d[l] log alpha_c(l), c = channel[l], for the points
 * that nis_weighting_tile has just seen; d is 0 where there are none. */
void nis_weighting_backward(const struct weighting *w, const float *d, const size_t *channel,
                            float *gradient, struct weighting_scratch *s);

/* The channel that a point of the cube is of, by its last coordinate */
static inline size_t nis_channel_of(size_t channels, double last)
{
  return (size_t)(last * (double)channels);
}

void nis_weighting_archive(struct archive *a, struct weighting *w);

#endif
