/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "matrix_element.h"

#include "integrands.h"

#include <stdlib.h>

struct nis_matrix_element {
  const struct integrand *row;
  void *state;
};

static const struct integrand *find(const char *name, char *sentence, size_t size)
{
  const struct integrand *row = integrand_find(name);
  if (row && row->squared) return row;
  size_t used =
      (size_t)snprintf(sentence, size, "there is no matrix element '%s'; there are", name);
  for (int i = 0; integrand_table[i]; i++)
    if (integrand_table[i]->squared && used < size)
      used += (size_t)snprintf(sentence + used, size - used, " %s", integrand_table[i]->name);
  return NULL;
}

nis_matrix_element *nis_matrix_element_make(const char *name, const char *const *settings,
                                            size_t nsettings, char *sentence, size_t size)
{
  double values[INTEGRAND_MAX_PARAMETERS];
  const struct integrand *row = find(name, sentence, size);
  if (!row) return NULL;
  integrand_defaults(row, values);
  for (size_t i = 0; i < nsettings; i++)
    if (integrand_set(row, settings[i], values, sentence, size)) return NULL;
  nis_matrix_element *m = malloc(sizeof *m);
  if (m) *m = (nis_matrix_element){row, integrand_make(row, integrand_dim(row, values), values)};
  if (m && m->state) return m;
  snprintf(sentence, size, "no memory for the matrix element '%s'", name);
  free(m);
  return NULL;
}

void nis_matrix_element_free(nis_matrix_element *m)
{
  if (m) free(m->state);
  free(m);
}

int nis_matrix_element_legs(const nis_matrix_element *m)
{
  return m->row->legs;
}

double nis_matrix_element_value(const nis_matrix_element *m, const double (*p)[4])
{
  return m->row->squared(m->state, p);
}
