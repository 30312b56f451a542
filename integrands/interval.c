/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "interval.h"

#include <gsl/gsl_integration.h>
#include <math.h>

/* Of GSL's adaptive rules this one never calls the error handler when it cannot do better. */
double integrate_interval(double (*f)(double x, void *params), void *params, double low,
                          double high)
{
  gsl_integration_cquad_workspace *work = gsl_integration_cquad_workspace_alloc(1000);
  gsl_function function = {f, params};
  double value = NAN;
  if (work) gsl_integration_cquad(&function, low, high, 0, 1e-13, work, &value, NULL, NULL);
  gsl_integration_cquad_workspace_free(work);
  return value;
}
