/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tally.h"

#include "base/error.h"
#include "base/memory.h"
#include "numerics/spread.h"

#include <gsl/gsl_cdf.h>
#include <float.h>
#include <limits.h>
#include <math.h>

enum { LEAST_REPLICATES = 4 }; /* of equal size; before that, the error of random points */

int nis_tally_init(struct tally *t)
{
  *t = (struct tally){0};
  NIS_TRY(nis_weights_init(&t->weights));
  return nis_tail_init(&t->tail);
}

void nis_tally_clear(struct tally *t)
{
  nis_weights_clear(&t->weights);
  nis_tail_clear(&t->tail);
  free(t->ended);
  *t = (struct tally){0};
}

void nis_tally_reset(struct tally *t)
{
  struct tally empty = {.weights = t->weights, .tail = t->tail, .ended = t->ended, .room = t->room};
  nis_weights_reset(&empty.weights);
  nis_tail_reset(&empty.tail);
  *t = empty;
}

static void rescale(struct moments *m, double ratio)
{
  m->mean *= ratio;
  m->squares *= ratio * ratio;
}

/* Makes the unit fit a larger weight. Ratios are powers of two, so nothing is rounded, and what is
 * lost below the smallest double does not matter beside that weight. */
static void widen(struct tally *t, double magnitude)
{
  double unit = ldexp(1, ilogb(magnitude)), ratio = t->unit / unit;
  rescale(&t->all, ratio);
  rescale(&t->iteration, ratio);
  rescale(&t->spreading, ratio);
  t->within *= ratio * ratio;
  for (int i = 0; i < t->growers; i++) rescale(&t->growing[i], ratio);
  for (size_t i = 0; i < t->nended; i++) rescale(&t->ended[i], ratio);
  t->square *= ratio * ratio;
  t->replicate_origin *= ratio;
  t->replicate[1] *= ratio;
  t->replicate[2] *= ratio * ratio;
  t->replicate[3] *= ratio * ratio * ratio;
  t->unit = unit;
}

void nis_tally_add(struct tally *t, double w)
{
  nis_tally_add_controlled(t, w, w);
}

void nis_tally_add_controlled(struct tally *t, double w, double value)
{
  double magnitude = fabs(w), top = fmax(magnitude, fabs(value));
  if (top * 0x1p-64 > t->unit || t->unit == 0) {
    if (top > 0) widen(t, top);
  }
  nis_moments_add(&t->iteration, t->unit > 0 ? value / t->unit : 0);
  nis_tail_add(&t->tail, magnitude);
  nis_weights_add(&t->weights, w);
  if (magnitude > 0) t->square += (w / t->unit) * (w / t->unit);
}

static struct estimate estimate_of(const struct tally *t, const struct moments *m)
{
  double error = m->n < 2 ? HUGE_VAL : nis_moments_error(m) * t->unit;
  return (struct estimate){m->n < 1 ? NAN : m->mean * t->unit, error, nis_moments_spread(m)};
}

/* Kish's number of replicates of equal size that tell as much about the spread, up to rounding */
static double equal_replicates(const struct tally *t)
{
  double n = (double)t->all.n;
  return t->replicates > 0 ? n * n / t->replicate[0] : 0;
}

static int enough_replicates(const struct tally *t)
{
  return equal_replicates(t) > LEAST_REPLICATES - 1e-6;
}

/* sum n_i^2 (mean_i - mean)^k of the replicates, k = 2 or 3 */
static double central(const struct tally *t, int k)
{
  const double *sum = t->replicate;
  double off = t->all.mean - t->replicate_origin;
  if (k == 2) return fmax(sum[2] - 2 * off * sum[1] + off * off * sum[0], 0);
  return sum[3] - 3 * off * sum[2] + 3 * off * off * sum[1] - off * off * off * sum[0];
}

double nis_tally_factor(const struct tally *t)
{
  if (!enough_replicates(t)) return 1;
  return (t->widening > 0 ? t->widening : 1) * nis_spread_factor(t->replicates, equal_replicates(t),
                                                                 central(t, 2) / t->replicate[0],
                                                                 central(t, 3) / t->replicate[0]);
}

/* sum n_i^2 (mean_i - mean)^2 / (sum n_i)^2, for replicates of equal size their usual standard
 * error, and unbiased for others where the variance of a replicate's mean falls as 1/n_i; and t for
 * one standard deviation of a normal distribution. */
static double replicate_error(const struct tally *t)
{
  double n = (double)t->all.n, replicates = equal_replicates(t);
  double variance = central(t, 2) / (n * n) * replicates / (replicates - 1);
  return sqrt(variance) * nis_tally_factor(t) * t->unit;
}

double nis_tally_blur(const struct tally *t)
{
  return t->weights.n > 0 ? t->blurred * t->weights.absolute / (double)t->weights.n : 0;
}

struct estimate nis_tally_estimate(const struct tally *t)
{
  struct estimate estimate = estimate_of(t, &t->all);
  if (enough_replicates(t)) estimate.error = replicate_error(t);
  if (t->blurred > 0) estimate.error = hypot(estimate.error, nis_tally_blur(t));
  return estimate;
}

int nis_tally_reserve(struct tally *t, size_t iterations)
{
  size_t needed = t->nended + iterations, room = needed > 2 * t->room ? needed : 2 * t->room;
  if (needed <= t->room) return NIS_OK;
  struct moments *larger = NIS_RAW(struct moments, room);
  if (!larger) return nis_no_memory();
  if (t->nended > 0) memcpy(larger, t->ended, t->nended * sizeof *larger);
  free(t->ended);
  t->ended = larger;
  t->room = room;
  return NIS_OK;
}

/* Without room for it the tally goes on, but it can be merged no more. */
static void keep_ended(struct tally *t)
{
  if (t->nended == t->room && nis_tally_reserve(t, 1) != NIS_OK)
    t->forgotten = 1;
  else
    t->ended[t->nended++] = t->iteration;
}

struct estimate nis_tally_end_iteration(struct tally *t)
{
  keep_ended(t);
  struct estimate estimate = estimate_of(t, &t->iteration);
  if (t->iteration.squares > 0) {
    t->iterations++;
    t->within += t->iteration.squares;
    nis_moments_merge(&t->spreading, &t->iteration);
  }
  nis_moments_merge(&t->all, &t->iteration);
  t->iteration = (struct moments){0};
  return estimate;
}

struct estimate nis_tally_end_replicate(struct tally *t)
{
  const struct moments *replicate = &t->iteration;
  if (t->replicates++ == 0) t->replicate_origin = replicate->mean;
  double n2 = (double)replicate->n * (double)replicate->n,
         off = replicate->mean - t->replicate_origin;
  t->replicate[0] += n2;
  t->replicate[1] += n2 * off;
  t->replicate[2] += n2 * off * off;
  t->replicate[3] += n2 * off * off * off;
  return nis_tally_end_iteration(t);
}

void nis_tally_grow(struct tally *t, int i)
{
  if (i >= t->growers) t->growers = i + 1;
  nis_moments_merge(&t->growing[i], &t->iteration);
  t->iteration = (struct moments){0};
}

void nis_tally_look(struct tally *t, int replicates)
{
  t->all = (struct moments){0};
  t->nended = 0;
  t->iterations = t->replicates = 0;
  t->spreading = (struct moments){0};
  t->within = 0;
  memset(t->replicate, 0, sizeof t->replicate);
  for (int i = 0; i < t->growers; i++) {
    t->iteration = t->growing[i];
    if (t->iteration.n == 0) continue;
    if (replicates)
      nis_tally_end_replicate(t);
    else
      nis_tally_end_iteration(t);
  }
}

/* Its iterations, one after the other */
static void add_ended(struct tally *t, const struct tally *other, double ratio)
{
  for (size_t i = 0; i < other->nended; i++) {
    t->iteration = other->ended[i];
    rescale(&t->iteration, ratio);
    if (other->replicates > 0)
      nis_tally_end_replicate(t);
    else
      nis_tally_end_iteration(t);
  }
}

int nis_tally_merge(struct tally *t, const struct tally *other)
{
  if (other->weights.n == 0) return NIS_OK;
  if (t->forgotten || other->forgotten) return nis_no_memory();
  if (t->weights.n > 0 && (t->replicates > 0) != (other->replicates > 0))
    return nis_fail(NIS_INVALID, "estimates with nets and with random points cannot be merged");
  NIS_TRY(nis_tally_reserve(t, other->nended));
  if (other->unit > t->unit) widen(t, other->unit);
  double ratio = other->unit > 0 ? other->unit / t->unit : 1;
  add_ended(t, other, ratio);
  t->square += other->square * (ratio * ratio);
  t->widening = fmax(t->widening, other->widening);
  t->blurred = fmax(t->blurred, other->blurred);
  t->bad += other->bad;
  t->uniform += other->uniform;
  t->growers = 0;
  nis_weights_merge(&t->weights, &other->weights);
  nis_tail_merge(&t->tail, &other->tail);
  return NIS_OK;
}

/* Values less one a group */
static double free_values(const struct tally *t)
{
  return (double)t->spreading.n - t->iterations;
}

/* sum n_i (mean_i - mean)^2 / variance, with the variance of all values inside their iterations:
 * k - 1 times the F of k groups */
double nis_tally_chi2(const struct tally *t, int *dof)
{
  *dof = t->iterations > 1 ? t->iterations - 1 : 0;
  if (*dof == 0) return 0;
  return fmax(t->spreading.squares - t->within, 0) / (t->within / free_values(t));
}

static double efficiency(const struct tally *t, nis_w_max_rule rule)
{
  struct w_max_rule by = nis_default_rule;
  by.rule = rule;
  return nis_weights_efficiency(&t->weights, &by);
}

double nis_tally_efficiency(const struct tally *t)
{
  return efficiency(t, NIS_W_MAX_TAIL);
}

void nis_tally_result(const struct tally *t, nis_result *r)
{
  const struct weights *weights = &t->weights;
  struct estimate estimate = nis_tally_estimate(t);
  double n = (double)t->all.n;
  r->value = estimate.value;
  r->error = estimate.error;
  r->chi2 = nis_tally_chi2(t, &r->dof);
  r->p_value = r->dof > 0 ? gsl_cdf_fdist_Q(r->chi2 / r->dof, r->dof, free_values(t)) : NAN;
  r->khat = nis_tail_shape(&t->tail);
  r->zero_calls = weights->zeros;
  r->efficiency = efficiency(t, NIS_W_MAX_TAIL);
  r->efficiency_max = efficiency(t, NIS_W_MAX_LARGEST);
  r->efficiency_median = efficiency(t, NIS_W_MAX_MEDIAN);
  r->ess = n > 0 ? 0 : NAN;
  if (weights->absolute == 0) return;
  r->ess = n * t->all.mean * t->all.mean * n / t->square;
  r->max_weight = weights->largest / fabs(estimate.value);
  r->max_weight_share = weights->largest / weights->absolute;
}

/* What the distributions of chi2 and of the replicates' spread are not defined for */
static int is_sound(const struct tally *t)
{
  double n = (double)t->all.n, k = t->replicates;
  int spread = t->replicates == 0 ||
               (t->replicate[0] >= n * n / k * (1 - 1e-9) && t->replicate[0] <= n * n * (1 + 1e-9));
  int groups = t->iterations == 0 ||
               ((uint64_t)t->iterations <= t->spreading.n / 2 && t->spreading.squares < HUGE_VAL);
  return spread && groups && t->weights.n >= t->all.n && t->tail.n == t->weights.n;
}

static void archive_ended(struct archive *a, struct tally *t)
{
  uint64_t n = t->nended;
  nis_archive_whole(a, "forgotten", &t->forgotten, 0, 1);
  nis_archive_count(a, "the number of iterations", &n, INT_MAX / 2);
  if (nis_archive_is_reading(a) && nis_archive_holds(a, "iterations", n, sizeof *t->ended)) {
    t->ended = NIS_NEW(struct moments, n);
    if (!t->ended) a->status = nis_no_memory();
    if (t->ended) t->room = t->nended = (size_t)n;
  }
  for (size_t i = 0; i < n && a->status == NIS_OK; i++) nis_moments_archive(a, &t->ended[i]);
}

void nis_tally_archive(struct archive *a, struct tally *t)
{
  archive_ended(a, t);
  nis_archive_real(a, "the unit", &t->unit, 0, DBL_MAX);
  nis_moments_archive(a, &t->all);
  nis_moments_archive(a, &t->iteration);
  nis_archive_real(a, "the sum of squares", &t->square, 0, HUGE_VAL);
  nis_archive_whole(a, "the number of iterations", &t->iterations, 0, INT_MAX / 2);
  nis_moments_archive(a, &t->spreading);
  nis_archive_real(a, "the squares within iterations", &t->within, 0, HUGE_VAL);
  nis_archive_whole(a, "the number of replicates", &t->replicates, 0, INT_MAX / 2);
  nis_archive_any_reals(a, 1, &t->replicate_origin);
  nis_archive_any_reals(a, sizeof t->replicate / sizeof *t->replicate, t->replicate);
  nis_archive_real(a, "the widening", &t->widening, 0, 2);
  nis_archive_real(a, "the blurred share", &t->blurred, 0, 1);
  nis_archive_count(a, "the number of bad points", &t->bad, ARCHIVE_MOST_COUNT);
  nis_archive_real(a, "the uniform points", &t->uniform, 0, DBL_MAX);
  nis_weights_archive(a, &t->weights);
  nis_tail_archive(a, &t->tail);
  if (nis_archive_is_reading(a) && !is_sound(t))
    nis_archive_refuse(a, "its numbers contradict each other");
}
