/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "domain.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

enum range { BOX, ABOVE, BELOW, LINE, VALUES };

struct axis {
  enum range range;
  double low, high; /* in order, finite or not; of n values -1/2 and n - 1/2 */
  struct stretch stretch;
};

static int is_stretched(struct stretch s)
{
  return s.low != 1 || s.high != 1;
}

static int is_curved(const struct axis *a)
{
  return (a->range != BOX && a->range != VALUES) || is_stretched(a->stretch);
}

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
  return (struct axis){range, low, high, {1, 1}};
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
    d->curved |= is_curved(&d->axes[j]);
    d->empty |= a == b;
  }
  if (!d->empty && (!isfinite(d->volume) || d->volume == 0))
    return nis_fail(NIS_INVALID, "the volume of the domain, %g, is out of range", d->volume);
  return NIS_OK;
}

void nis_domain_set_discrete(struct domain *d, const int *values)
{
  for (size_t j = 0; values && j < d->dim; j++) {
    if (values[j] == 0) continue;
    d->axes[j] = (struct axis){VALUES, -0.5, values[j] - 0.5, {1, 1}};
    d->volume *= values[j];
  }
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
    else if (d->axes[j].range == VALUES && x[j] != floor(x[j]))
      return nis_fail(NIS_INVALID,
                      "coordinate %zu of %s %zu is discrete and must be a whole number, got %g", j,
                      what, i, x[j]);
  return NIS_OK;
}

/* ---- stretched ends ------------------------------------------------------------------- */

/* u and 1 - u, each to its own accuracy: singular ends are looked at from 1e-300 away. */
struct place {
  double u, rest;
};

static struct place stretched(struct stretch s, double v)
{
  double low = s.low == 1 ? v : pow(v, s.low), high = s.high == 1 ? 1 - v : pow(1 - v, s.high);
  if (s.high == 1) return (struct place){low, 1 - low};
  if (s.low == 1) return (struct place){1 - high, high};
  return (struct place){low / (low + high), high / (low + high)};
}

/* log du/dv; the derivative itself leaves the range of doubles where u does. */
static double log_stretch_slope(struct stretch s, double v)
{
  if (!is_stretched(s)) return 0;
  if (s.high == 1) return log(s.low) + (s.low - 1) * log(v);
  if (s.low == 1) return log(s.high) + (s.high - 1) * log1p(-v);
  double a = pow(v, s.low), b = pow(1 - v, s.high);
  return s.low * log(v) + s.high * log1p(-v) + log(s.low / v + s.high / (1 - v)) - 2 * log(a + b);
}

/* log(1 + e^s) */
static double softplus(double s)
{
  return fmax(s, 0) + log1p(exp(-fabs(s)));
}

/* v of u: p log v - q log(1 - v) = log u - log(1 - u), by Newton's method in logit v, where the
 * slope of the left side is between p and q. */
static double unstretched(struct stretch s, struct place at)
{
  enum { MOST_STEPS = 64 };
  if (s.high == 1) return s.low == 1 ? at.u : pow(at.u, 1 / s.low);
  if (s.low == 1) return 1 - pow(at.rest, 1 / s.high);
  double aim = log(at.u) - log(at.rest), logit = aim / (aim < 0 ? s.low : s.high), moved = 1;
  for (int i = 0; i < MOST_STEPS && fabs(moved) > 1e-15 * (1 + fabs(logit)); i++) {
    double v = 1 / (1 + exp(-logit));
    double here = s.high * softplus(logit) - s.low * softplus(-logit);
    moved = (aim - here) / (s.low * (1 - v) + s.high * v);
    logit += moved;
  }
  return 1 / (1 + exp(-logit));
}

struct stretch nis_domain_stretch(const struct domain *d, size_t j)
{
  return d->axes[j].stretch;
}

void nis_domain_set_stretch(struct domain *d, size_t j, struct stretch to)
{
  d->axes[j].stretch = to;
  d->curved = 0;
  for (size_t i = 0; i < d->dim; i++) d->curved |= is_curved(&d->axes[i]);
}

static double inside_cube(double v)
{
  return v < 0x1p-1022 ? 0x1p-1022 : v > 1 - 0x1p-53 ? 1 - 0x1p-53 : v;
}

double nis_domain_restretch(const struct domain *d, const struct stretch *to, double *cube)
{
  double log_ratio = 0;
  for (size_t j = 0; j < d->dim; j++) {
    struct stretch from = d->axes[j].stretch;
    if (from.low == to[j].low && from.high == to[j].high) continue;
    log_ratio -= log_stretch_slope(from, cube[j]);
    cube[j] = inside_cube(unstretched(to[j], stretched(from, cube[j])));
    log_ratio += log_stretch_slope(to[j], cube[j]);
  }
  return log_ratio;
}

/* ---- one coordinate ------------------------------------------------------------------- */

static double out(const struct axis *a, double v)
{
  struct place at = stretched(a->stretch, v);
  double width = a->high - a->low;
  switch (a->range) {
  case BOX:
    return is_stretched(a->stretch) && at.u > at.rest ? a->high - width * at.rest
                                                      : a->low + width * at.u;
  case ABOVE: return a->low + at.u / at.rest;
  case BELOW: return a->high - at.rest / at.u;
  case LINE:
    if (!is_stretched(a->stretch)) return tan(M_PI * (v - 0.5));
    return at.u < at.rest ? -1 / tan(M_PI * at.u) : 1 / tan(M_PI * at.rest);
  case VALUES: return floor(v * (a->high - a->low));
  }
  return NAN;
}

static double in(const struct axis *a, double x)
{
  double above = x - a->low, below = a->high - x;
  struct place at = {0.5, 0.5};
  switch (a->range) {
  case BOX: at = (struct place){above / (a->high - a->low), below / (a->high - a->low)}; break;
  case ABOVE: at = (struct place){above / (1 + above), 1 / (1 + above)}; break;
  case BELOW: at = (struct place){1 / (1 + below), below / (1 + below)}; break;
  case LINE:
    at.u = x < -1 ? atan(-1 / x) / M_PI : 0.5 + atan(x) / M_PI;
    at.rest = x > 1 ? atan(1 / x) / M_PI : 0.5 - atan(x) / M_PI;
    break;
  case VALUES: return above / (a->high - a->low);
  }
  return unstretched(a->stretch, at);
}

/* Between a limit and the next double, as a share of the axis as u counts it */
static double spacing(const struct axis *a, int high)
{
  double end = high ? a->high : a->low;
  if (isinf(end)) return DBL_TRUE_MIN;
  double next = fabs(nextafter(end, high ? a->low : a->high) - end);
  return a->range == BOX ? next / (a->high - a->low) : next;
}

double nis_domain_blurred(const struct domain *d)
{
  double blurred = 0;
  for (const struct axis *a = d->axes; a < d->axes + d->dim; a++) {
    struct stretch s = a->stretch;
    if (is_stretched(s)) blurred += 4 * DBL_EPSILON; /* of the powers, and of f's */
    if (s.low > 1) blurred += pow(spacing(a, 0), 1 / s.low);
    if (s.high > 1) blurred += pow(spacing(a, 1), 1 / s.high);
  }
  return fmin(blurred, 1);
}

static double slope(const struct axis *a, double v)
{
  struct place at = stretched(a->stretch, v);
  double stretch = exp(log_stretch_slope(a->stretch, v)), x;
  switch (a->range) {
  case VALUES:
  case BOX: return stretch; /* the width is in the volume */
  case ABOVE: return stretch / (at.rest * at.rest);
  case BELOW: return stretch / (at.u * at.u);
  case LINE: return x = out(a, v), stretch * M_PI * (1 + x * x);
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
  for (size_t j = 0; j < d->dim; j++) cube[j] = inside_cube(in(&d->axes[j], x[j]));
}

double nis_domain_jacobian(const struct domain *d, const double *cube)
{
  double product = d->volume;
  if (!d->curved) return product;
  for (size_t j = 0; j < d->dim; j++) product *= slope(&d->axes[j], cube[j]);
  return product;
}

double nis_domain_log_jacobian(const struct domain *d, const double *cube)
{
  return log(fabs(nis_domain_jacobian(d, cube)));
}

void nis_domain_archive(struct archive *a, struct domain *d)
{
  const double most = 1e6; /* no look at an end finds as much */
  for (size_t j = 0; j < d->dim; j++) {
    struct stretch stretch = d->axes[j].stretch;
    nis_archive_real(a, "the stretch of a lower end", &stretch.low, 1, most);
    nis_archive_real(a, "the stretch of an upper end", &stretch.high, 1, most);
    if (nis_archive_is_reading(a) && a->status == NIS_OK) nis_domain_set_stretch(d, j, stretch);
  }
}
