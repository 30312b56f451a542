/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each channel, a value of the last coordinate, has of the estimate. Value and error are those
 * of the weights f/q of all points, which are 0 outside of the channel: so they add up to the
 * integral, and calls go to the channels as the flow has learnt.
 */
#ifndef NIS_CHANNELS_H
#define NIS_CHANNELS_H

#include "components.h"
#include "numerics/weights.h"
#include "sampler/points.h"

struct channels {
  size_t n;                /* 0: there are none, and nothing to do */
  struct components parts; /* [n] of the integral */
  struct weights *weights; /* [n] of each channel's points; owned */
  double *part;            /* [n] scratch */
};

int nis_channels_init(struct channels *c, size_t n);
void nis_channels_clear(struct channels *c);
void nis_channels_reset(struct channels *c);

/* A point of channel number `channel`, of this weight: a sample of its own, or part of a
 * replicate */
void nis_channels_add(struct channels *c, size_t channel, double weight, int replicates);

void nis_channels_merge(struct channels *c, const struct channels *other);

/* `factor` widens the error, as in components.h. */
void nis_channels_result(const struct channels *c, size_t channel, double factor,
                         nis_channel_result *result);

void nis_channels_archive(struct archive *a, struct channels *c);

#endif
