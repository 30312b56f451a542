/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Online training: rounds of fresh points, each followed by gradient steps on stored ones. The
 * loss is the Kullback-Leibler divergence of |f|^beta from q, with beta as large as the weights of
 * the newest round allow, and at the end the variance of f/q. A map without correlations and the
 * peaks follow the same target beside the flow; the shares of all follow the newest round, and the
 * last one, which nothing learns from, sets them for good.
 */
#ifndef NIS_TRAIN_H
#define NIS_TRAIN_H

#include "sampler/sampler.h"
#include "numerics/moments.h"

struct training {
  struct moments seen; /* weights of all its points */
  int peaks_found;
  int late_peaks; /* found by the last search, where hardly any point had been */
  uint64_t search_calls;
};

/* Spends `calls` on training, on points first_point .. of the training stream. With NIS_STOPPED and
 * NIS_CALLBACK the flow stays usable. */
int nis_train_flow(struct sampler *s, uint64_t first_point, uint64_t calls, const nis_options *o,
                   struct training *outcome);

#endif
