/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One whole run of an integrand of several components. */
#ifndef RUN_COMPONENTS_H
#define RUN_COMPONENTS_H

#include "nis.h"
#include "suite.h"

/* Each array may be NULL. */
static inline nis_result run_components(const nis_options *o, double *values, double *errors,
                                        double *covariance)
{
  nis_result r;
  nis *s;
  ck_assert_int_eq(nis_create(&s, NULL, o), NIS_OK);
  nis_run(s, &r);
  ck_assert_int_eq(nis_values(s, values, errors), NIS_OK);
  if (covariance) ck_assert_int_eq(nis_covariance(s, covariance), NIS_OK);
  nis_free(s);
  return r;
}

#endif
