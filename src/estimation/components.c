/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "components.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

static size_t squares_of(const struct components *c)
{
  return c->with_covariance ? c->n * c->n : c->n;
}

static size_t at(const struct components *c, size_t a, size_t b)
{
  return c->with_covariance ? a * c->n + b : a;
}

int nis_components_init(struct components *c, size_t n, int with_covariance)
{
  *c = (struct components){.n = n, .with_covariance = with_covariance};
  if (n == 0) return NIS_OK;
  c->unit = NIS_NEW(double, 6 * n + squares_of(c));
  if (!c->unit) return nis_no_memory();
  c->replicate = c->unit + n;
  c->mean = c->replicate + n;
  c->centre = c->mean + n;
  c->off = c->centre + n;
  c->count = c->off + n;
  c->squares = c->count + n;
  return NIS_OK;
}

void nis_components_clear(struct components *c)
{
  free(c->unit);
  free(c->growing);
  free(c->growing_points);
  *c = (struct components){0};
}

void nis_components_reset(struct components *c)
{
  if (c->n > 0) memset(c->unit, 0, (6 * c->n + squares_of(c)) * sizeof *c->unit);
  c->replicate_points = c->points = c->samples = c->valued = 0;
  c->growers = 0;
  c->weight = 0;
}

void nis_components_count(struct components *c, const double *values)
{
  int any = 0;
  for (size_t a = 0; a < c->n; a++) {
    c->count[a] += values[a] != 0;
    any |= values[a] != 0;
  }
  c->valued += (uint64_t)any;
}

/* A larger value makes its component's unit larger; ratios are powers of two. */
static void widen(struct components *c, size_t a, double magnitude)
{
  double unit = ldexp(1, ilogb(magnitude)), ratio = c->unit[a] / unit;
  c->replicate[a] *= ratio;
  c->mean[a] *= ratio;
  c->centre[a] *= ratio;
  c->squares[at(c, a, a)] *= ratio * ratio;
  for (int i = 0; i < c->growers; i++) c->growing[(size_t)i * c->n + a] *= ratio;
  for (size_t b = 0; c->with_covariance && b < c->n; b++) {
    if (b == a) continue;
    c->squares[at(c, a, b)] *= ratio;
    c->squares[at(c, b, a)] *= ratio;
  }
  c->unit[a] = unit;
}

/* In the component's unit */
static double scaled(struct components *c, size_t a, double value)
{
  double magnitude = fabs(value);
  if (magnitude > 0 && (c->unit[a] == 0 || magnitude * 0x1p-64 > c->unit[a]))
    widen(c, a, magnitude);
  return value == 0 ? 0 : value / c->unit[a];
}

/* A sample of so many points, sample[n] in the units (Welford's update, weighted) */
static void add_sample(struct components *c, const double *sample, uint64_t points)
{
  double weight = (double)points * (double)points;
  c->samples++;
  c->points += points;
  c->weight += weight;
  for (size_t a = 0; a < c->n; a++) {
    c->mean[a] += (sample[a] - c->mean[a]) * (double)points / (double)c->points;
    c->off[a] = sample[a] - c->centre[a];
    c->centre[a] += c->off[a] * weight / c->weight;
  }
  for (size_t a = 0; a < c->n; a++) {
    double left = weight * (sample[a] - c->centre[a]);
    for (size_t b = c->with_covariance ? 0 : a; b <= a; b++)
      c->squares[at(c, a, b)] += left * c->off[b];
  }
}

void nis_components_add(struct components *c, const double *values)
{
  for (size_t a = 0; a < c->n; a++) c->replicate[a] = scaled(c, a, values[a]);
  add_sample(c, c->replicate, 1);
}

void nis_components_add_to_replicate(struct components *c, const double *values)
{
  c->replicate_points++;
  for (size_t a = 0; a < c->n; a++) {
    double value = scaled(c, a, values[a]);
    c->replicate[a] += (value - c->replicate[a]) / (double)c->replicate_points;
  }
}

void nis_components_end_replicate(struct components *c)
{
  if (c->n == 0 || c->replicate_points == 0) return;
  add_sample(c, c->replicate, c->replicate_points);
  memset(c->replicate, 0, c->n * sizeof *c->replicate);
  c->replicate_points = 0;
}

/* Chan, Golub, LeVeque, Am. Stat. 37 (1983) 242, for weighted samples; off is how far the other's
 * centre is. */
static void merge_squares(struct components *c, const struct components *other)
{
  double weight = c->weight + other->weight;
  for (size_t a = 0; a < c->n; a++)
    for (size_t b = c->with_covariance ? 0 : a; b <= a; b++) {
      double ratio = c->unit[a] * c->unit[b];
      double square = other->squares[at(c, a, b)] * (other->unit[a] * other->unit[b]);
      c->squares[at(c, a, b)] += ratio > 0 ? square / ratio : 0;
      c->squares[at(c, a, b)] += c->off[a] * c->off[b] * c->weight * other->weight / weight;
    }
  for (size_t a = 0; a < c->n; a++) c->centre[a] += c->off[a] * other->weight / weight;
}

void nis_components_merge(struct components *c, const struct components *other)
{
  if (c->n == 0 || other->samples == 0) return;
  double points = (double)(c->points + other->points);
  for (size_t a = 0; a < c->n; a++) {
    if (other->unit[a] > c->unit[a]) widen(c, a, other->unit[a]);
    double ratio = c->unit[a] > 0 ? other->unit[a] / c->unit[a] : 0;
    c->off[a] = other->centre[a] * ratio - c->centre[a];
    c->count[a] += other->count[a];
    c->mean[a] += (other->mean[a] * ratio - c->mean[a]) * (double)other->points / points;
  }
  merge_squares(c, other);
  c->points += other->points;
  c->samples += other->samples;
  c->valued += other->valued;
  c->weight += other->weight;
  c->growers = 0;
}

int nis_components_begin_growth(struct components *c, int most)
{
  c->growers = 0;
  if (c->n == 0 || c->growing) return NIS_OK;
  c->growing = NIS_NEW(double, (size_t)most * c->n);
  c->growing_points = NIS_NEW(uint64_t, most);
  return c->growing && c->growing_points ? NIS_OK : nis_no_memory();
}

void nis_components_grow(struct components *c, int i)
{
  if (c->n == 0 || c->replicate_points == 0) return;
  double *mean = c->growing + (size_t)i * c->n;
  uint64_t *points = &c->growing_points[i];
  for (; c->growers <= i; c->growers++) {
    memset(c->growing + (size_t)c->growers * c->n, 0, c->n * sizeof *mean);
    c->growing_points[c->growers] = 0;
  }
  *points += c->replicate_points;
  double share = (double)c->replicate_points / (double)*points;
  for (size_t a = 0; a < c->n; a++) mean[a] += (c->replicate[a] - mean[a]) * share;
  memset(c->replicate, 0, c->n * sizeof *c->replicate);
  c->replicate_points = 0;
}

void nis_components_look(struct components *c)
{
  if (c->n == 0) return;
  memset(c->mean, 0, c->n * sizeof *c->mean);
  memset(c->centre, 0, c->n * sizeof *c->centre);
  memset(c->squares, 0, squares_of(c) * sizeof *c->squares);
  c->points = c->samples = 0;
  c->weight = 0;
  for (int i = 0; i < c->growers; i++)
    if (c->growing_points[i] > 0)
      add_sample(c, c->growing + (size_t)i * c->n, c->growing_points[i]);
}

static double covariance_of(const struct components *c, size_t a, size_t b)
{
  if (c->samples < 2) return a == b ? HUGE_VAL : 0;
  double points = (double)c->points, samples = points * points / c->weight; /* of equal size */
  return c->squares[at(c, a > b ? a : b, a > b ? b : a)] / (points * points) * samples /
         (samples - 1);
}

/* Of the means, in units: all are off by the same share of their value together. */
static double whole_covariance(const struct components *c, double factor, double blurred, size_t a,
                               size_t b)
{
  return factor * factor * covariance_of(c, a, b) + blurred * c->mean[a] * (blurred * c->mean[b]);
}

double nis_components_value(const struct components *c, size_t a)
{
  return c->samples > 0 ? c->mean[a] * c->unit[a] : NAN;
}

double nis_components_error(const struct components *c, size_t a, double factor, double blurred)
{
  if (c->samples < 2) return HUGE_VAL;
  return sqrt(whole_covariance(c, factor, blurred, a, a)) * c->unit[a];
}

double nis_components_correlation(const struct components *c, size_t a, size_t b, double factor,
                                  double blurred)
{
  double both = sqrt(whole_covariance(c, factor, blurred, a, a)) *
                sqrt(whole_covariance(c, factor, blurred, b, b));
  return both > 0 ? whole_covariance(c, factor, blurred, a, b) / both : 0;
}

void nis_components_result(const struct components *c, double factor, double blurred,
                           double *values, double *errors, double *covariance)
{
  for (size_t a = 0; a < c->n; a++) {
    if (values) values[a] = nis_components_value(c, a);
    if (errors) errors[a] = nis_components_error(c, a, factor, blurred);
    for (size_t b = 0; covariance && b < c->n; b++)
      covariance[a * c->n + b] =
          whole_covariance(c, factor, blurred, a, b) * c->unit[a] * c->unit[b];
  }
}

/* Whose covariance is not asked for keeps it for a later owner; none can be made up. */
static void fit_covariance(struct archive *a, struct components *c, int with_covariance)
{
  if (a->status != NIS_OK || with_covariance == c->with_covariance) return;
  if (!with_covariance)
    a->status = nis_fail(
        NIS_INVALID, "%s was saved without a covariance: options.covariance must be 0", a->name);
  if (a->status != NIS_OK) return;
  size_t n = c->n;
  nis_components_clear(c);
  int status = nis_components_init(c, n, 1);
  if (status != NIS_OK) c->n = 0, a->status = status;
}

void nis_components_archive(struct archive *a, struct components *c)
{
  size_t n = c->n;
  int with_covariance = c->with_covariance;
  nis_archive_size(a, "the number of components", &n, NIS_MOST_COMPONENTS);
  nis_archive_whole(a, "the covariance", &with_covariance, 0, 1);
  if (n != c->n) nis_archive_refuse(a, "it has %zu components, not %zu", n, c->n);
  if (nis_archive_is_reading(a) && c->n > 0) fit_covariance(a, c, with_covariance);
  if (a->status != NIS_OK || c->n == 0) return;
  nis_archive_reals(a, "the unit of a component", c->n, c->unit, 0, DBL_MAX);
  nis_archive_any_reals(a, c->n, c->replicate);
  nis_archive_any_reals(a, c->n, c->mean);
  nis_archive_any_reals(a, c->n, c->centre);
  nis_archive_any_reals(a, squares_of(c), c->squares);
  nis_archive_reals(a, "points with a component", c->n, c->count, 0, DBL_MAX);
  nis_archive_count(a, "points of a replicate", &c->replicate_points, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "points", &c->points, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "samples", &c->samples, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "points with a value", &c->valued, ARCHIVE_MOST_COUNT);
  nis_archive_real(a, "a weight of samples", &c->weight, 0, DBL_MAX);
}
