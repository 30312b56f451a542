/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channels.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

int nis_channels_init(struct channels *c, size_t n)
{
  *c = (struct channels){.n = n};
  NIS_TRY(nis_components_init(&c->parts, n, 0));
  c->weights = NIS_NEW(struct weights, n);
  c->part = NIS_NEW(double, n);
  if (!c->weights || !c->part) return nis_no_memory();
  for (size_t k = 0; k < n; k++) NIS_TRY(nis_weights_init(&c->weights[k]));
  return NIS_OK;
}

void nis_channels_clear(struct channels *c)
{
  nis_components_clear(&c->parts);
  for (size_t k = 0; c->weights && k < c->n; k++) nis_weights_clear(&c->weights[k]);
  free(c->weights);
  free(c->part);
  *c = (struct channels){0};
}

void nis_channels_reset(struct channels *c)
{
  nis_components_reset(&c->parts);
  for (size_t k = 0; k < c->n; k++) nis_weights_reset(&c->weights[k]);
}

void nis_channels_add(struct channels *c, size_t channel, double weight, int replicates)
{
  c->part[channel] = weight;
  nis_components_count(&c->parts, c->part);
  if (replicates)
    nis_components_add_to_replicate(&c->parts, c->part);
  else
    nis_components_add(&c->parts, c->part);
  c->part[channel] = 0;
  nis_weights_add(&c->weights[channel], weight);
}

void nis_channels_merge(struct channels *c, const struct channels *other)
{
  nis_components_merge(&c->parts, &other->parts);
  for (size_t k = 0; k < c->n; k++) nis_weights_merge(&c->weights[k], &other->weights[k]);
}

void nis_channels_result(const struct channels *c, size_t channel, double factor,
                         nis_channel_result *r)
{
  const struct weights *w = &c->weights[channel];
  *r = (nis_channel_result){.value = nis_components_value(&c->parts, channel),
                            .error = nis_components_error(&c->parts, channel, factor, 0),
                            .calls = w->n,
                            .zero_calls = w->zeros,
                            .efficiency = nis_weights_efficiency(w, &nis_default_rule),
                            .max_weight = w->largest};
}

void nis_channels_archive(struct archive *a, struct channels *c)
{
  if (c->n == 0) return;
  nis_components_archive(a, &c->parts);
  for (size_t k = 0; k < c->n && a->status == NIS_OK; k++) nis_weights_archive(a, &c->weights[k]);
}
