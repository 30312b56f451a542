/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "backup.h"

#include "base/error.h"
#include "base/memory.h"

enum { FLOWS = 3 };

static const struct flow *flow_number(const struct mixture *m, int i)
{
  const struct flow *flows[FLOWS] = {&m->flow, &m->twin, &m->map};
  return flows[i];
}

int nis_backup_init(struct backup *b, const struct mixture *m)
{
  size_t n = m->weighting.nfloats;
  *b = (struct backup){0};
  NIS_TRY(nis_peaks_init(&b->peaks, m->dim, m->peaks.circle, m->peaks.threads));
  for (int i = 0; i < FLOWS; i++) n += flow_number(m, i)->nparameters;
  b->parameters = NIS_NEW(float, n);
  if (!b->parameters) return nis_no_memory();
  float *to = b->parameters;
  for (int i = 0; i < FLOWS; to += flow_number(m, i++)->nparameters)
    memcpy(to, flow_number(m, i)->parameters, flow_number(m, i)->nparameters * sizeof *to);
  if (m->weighting.nfloats > 0)
    memcpy(to, m->weighting.parameters, m->weighting.nfloats * sizeof *to);
  nis_peaks_copy(&b->peaks, &m->peaks);
  memcpy(b->share, m->share, sizeof b->share);
  memcpy(b->beta, m->beta, sizeof b->beta);
  return NIS_OK;
}

void nis_backup_clear(struct backup *b)
{
  nis_peaks_clear(&b->peaks);
  free(b->parameters);
  *b = (struct backup){0};
}

static void swap_doubles(size_t n, double *a, double *b)
{
  for (size_t i = 0; i < n; i++) {
    double kept = a[i];
    a[i] = b[i], b[i] = kept;
  }
}

static void swap_floats(size_t n, float *a, float *b)
{
  for (size_t i = 0; i < n; i++) {
    float kept = a[i];
    a[i] = b[i], b[i] = kept;
  }
}

void nis_backup_swap(struct backup *b, struct mixture *m)
{
  float *from = b->parameters;
  for (int i = 0; i < FLOWS; from += flow_number(m, i++)->nparameters)
    swap_floats(flow_number(m, i)->nparameters, from, flow_number(m, i)->parameters);
  swap_floats(m->weighting.nfloats, from, m->weighting.parameters);
  struct peaks peaks = m->peaks;
  m->peaks = b->peaks, b->peaks = peaks;
  swap_doubles(CHANNELS, b->share, m->share);
  swap_doubles(CHANNELS, b->beta, m->beta);
}
