/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "domain.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

enum range { BOX, ABOVE, BELOW, LINE };

struct axis {
  enum range range;
  double low, high; /* in order, finite or not */
};

static double limit(const double *limits, size_t j, double initial)
{
  return limits ? limits[j] : initial;
}

static int check_limits(size_t dim, const double *lower, const double *upper)
{
  for (size_t j = 0; j < dim; j++) {
    double a = limit(lower, j, 0), b = limit(upper, j, 1);
    int same_infinity = isinf(a) && a == b;
    if (isnan(a) || isnan(b) || same_infinity || (isfinite(a) && isfinite(b) && isinf(b - a)))
      return nis_fail(NIS_INVALID,
                      "coordinate %zu: lower and upper must be numbers at most %g apart, or "
                      "infinite and different, got %g and %g",
                      j, 1.7976931348623157e308, a, b);
  }
  return NIS_OK;
}

static struct axis axis_between(double low, double high)
{
  enum range range = isinf(low) ? (isinf(high) ? LINE : BELOW) : isinf(high) ? ABOVE : BOX;
  return (struct axis){range, low, high};
}

int nis_domain_init(struct domain *d, size_t dim, const double *lower, const double *upper)
{
  *d = (struct domain){0};
  NIS_TRY(check_limits(dim, lower, upper));
  *d = (struct domain){.dim = dim, .volume = 1, .axes = NIS_NEW(struct axis, dim)};
  if (!d->axes) return nis_no_memory();
  for (size_t j = 0; j < dim; j++) {
    double a = limit(lower, j, 0), b = limit(upper, j, 1);
    d->axes[j] = axis_between(fmin(a, b), fmax(a, b));
    if (d->axes[j].range == BOX)
      d->volume *= b - a;
    else if (a > b)
      d->volume = -d->volume;
    d->infinite |= d->axes[j].range != BOX;
    d->empty |= a == b;
  }
  if (!d->empty && (!isfinite(d->volume) || d->volume == 0))
    return nis_fail(NIS_INVALID, "the volume of the domain, %g, is out of range", d->volume);
  return NIS_OK;
}

void nis_domain_clear(struct domain *d)
{
  free(d->axes);
  *d = (struct domain){0};
}

int nis_domain_check_point(const struct domain *d, const char *what, size_t i, const double *x)
{
  for (size_t j = 0; j < d->dim; j++)
    if (!(x[j] > d->axes[j].low && x[j] < d->axes[j].high)) /* refuses NaN as well */
      return nis_fail(NIS_INVALID, "coordinate %zu of %s %zu must be between %g and %g, got %g", j,
                      what, i, d->axes[j].low, d->axes[j].high, x[j]);
  return NIS_OK;
}

/* ---- one coordinate ------------------------------------------------------------------- */

static double out(const struct axis *a, double u)
{
  switch (a->range) {
  case BOX: return a->low + (a->high - a->low) * u;
  case ABOVE: return a->low + u / (1 - u);
  case BELOW: return a->high - (1 - u) / u;
  case LINE: return tan(M_PI * (u - 0.5));
  }
  return NAN;
}

static double in(const struct axis *a, double x)
{
  switch (a->range) {
  case BOX: return (x - a->low) / (a->high - a->low);
  case ABOVE: return (x - a->low) / (1 + (x - a->low));
  case BELOW: return 1 / (1 + (a->high - x));
  case LINE: return 0.5 + atan(x) / M_PI;
  }
  return NAN;
}

static double slope(const struct axis *a, double u)
{
  double x;
  switch (a->range) {
  case BOX: return 1; /* in the volume */
  case ABOVE: return 1 / ((1 - u) * (1 - u));
  case BELOW: return 1 / (u * u);
  case LINE: return x = out(a, u), M_PI * (1 + x * x);
  }
  return NAN;
}

/* ---- points --------------------------------------------------------------------------- */

void nis_domain_out(const struct domain *d, const double *cube, double *x)
{
  for (size_t j = 0; j < d->dim; j++) {
    double low = d->axes[j].low, high = d->axes[j].high, to = out(&d->axes[j], cube[j]);
    x[j] = to <= low ? nextafter(low, high) : to >= high ? nextafter(high, low) : to;
  }
}

void nis_domain_in(const struct domain *d, const double *x, double *cube)
{
  for (size_t j = 0; j < d->dim; j++) {
    double u = in(&d->axes[j], x[j]);
    cube[j] = u < 0x1p-1022 ? 0x1p-1022 : u > 1 - 0x1p-53 ? 1 - 0x1p-53 : u;
  }
}

double nis_domain_jacobian(const struct domain *d, const double *cube)
{
  double product = d->volume;
  if (!d->infinite) return product;
  for (size_t j = 0; j < d->dim; j++) product *= slope(&d->axes[j], cube[j]);
  return product;
}

double nis_domain_log_jacobian(const struct domain *d, const double *cube)
{
  return log(fabs(nis_domain_jacobian(d, cube)));
}
