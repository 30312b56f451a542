/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of the integrand table with its state and its known value. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "integrands.h"
#include "suite.h"

struct subject {
  const struct integrand *row;
  void *state; /* owned: free() */
  double exact;
};

/* `setting` is "key=value", or NULL. */
static inline struct subject subject(const char *name, size_t dim, const char *setting)
{
  double values[INTEGRAND_MAX_PARAMETERS];
  char message[256];
  struct subject s = {.row = integrand_find(name)};
  ck_assert_ptr_nonnull(s.row);
  integrand_defaults(s.row, values);
  if (setting) ck_assert_int_eq(integrand_set(s.row, setting, values, message, sizeof message), 0);
  s.state = integrand_make(s.row, dim, values);
  ck_assert_ptr_nonnull(s.state);
  ck_assert_int_eq(s.row->exact(s.state, dim, &s.exact), 1);
  return s;
}

#endif
