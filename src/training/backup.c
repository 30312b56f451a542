/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backup.h"

#include "base/error.h"
#include "base/memory.h"

enum { FLOWS = 3 };

static const struct flow *flow_number(const struct sampler *s, int i)
{
  const struct flow *flows[FLOWS] = {&s->flow, &s->negative, &s->map};
  return flows[i];
}

int nis_backup_init(struct backup *b, const struct sampler *s)
{
  size_t n = 0;
  *b = (struct backup){0};
  NIS_TRY(nis_peaks_init(&b->peaks, s->flow.dim));
  for (int i = 0; i < FLOWS; i++) n += flow_number(s, i)->nweights;
  b->weights = NIS_NEW(float, n);
  if (!b->weights) return nis_no_memory();
  float *to = b->weights;
  for (int i = 0; i < FLOWS; to += flow_number(s, i++)->nweights)
    memcpy(to, flow_number(s, i)->weights, flow_number(s, i)->nweights * sizeof *to);
  nis_peaks_copy(&b->peaks, &s->peaks);
  memcpy(b->share, s->share, sizeof b->share);
  memcpy(b->beta, s->beta, sizeof b->beta);
  return NIS_OK;
}

void nis_backup_clear(struct backup *b)
{
  nis_peaks_clear(&b->peaks);
  free(b->weights);
  *b = (struct backup){0};
}

static void swap_doubles(size_t n, double *a, double *b)
{
  for (size_t i = 0; i < n; i++) {
    double kept = a[i];
    a[i] = b[i], b[i] = kept;
  }
}

void nis_backup_swap(struct backup *b, struct sampler *s)
{
  float *from = b->weights;
  for (int i = 0; i < FLOWS; i++) {
    const struct flow *flow = flow_number(s, i);
    for (size_t k = 0; k < flow->nweights; k++, from++) {
      float kept = *from;
      *from = flow->weights[k], flow->weights[k] = kept;
    }
  }
  struct peaks peaks = s->peaks;
  s->peaks = b->peaks, b->peaks = peaks;
  swap_doubles(CHANNELS, b->share, s->share);
  swap_doubles(CHANNELS, b->beta, s->beta);
}
