/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trust.h"

#include "base/error.h"
#include "numerics/tail.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* One true error bar in 10,000 is suspected for its chi2. */
static const double least_p_value = 1e-4;
/* Of single weights: what spreads by less does not disagree. */
static const double rounding = 1e-13;
enum { LEAST_WEIGHTS = 30 }; /* other than 0: the variance of fewer says little */

/* Before a run may end early: Kish's number of weights that carry the sum, and khat at 1000 points
 * and its rise for ten times as many. Errors that are small because large weights have not been
 * seen are those that end runs: corner_peak in 6 dimensions, with a goal of 0.1 and a few thousand
 * calls, gave pulls of width 2.1 without both, of 1.2 with a khat of 0.5, of 1.05 so. */
static const double least_effective = 400;
static const double early_shape = 0.3, shape_rise = 0.1;

/* A tail with k >= 0.7 would give the largest weight about a third of the sum of squares: where it
 * has hardly any, or not many times what every weight has, the tail ends. */
static const double least_square_share = 0.01, times_the_mean = 10;

/* Values other than 0 that the error rests on */
static uint64_t values(const struct tally *t, const struct components *c)
{
  uint64_t first = t->weights.n - t->weights.zeros;
  return first == 0 && c->n > 0 ? c->valued : first;
}

/* Those that the error of each component rests on which is not 0 everywhere */
static double fewest_values(const struct tally *t, const struct components *c, int all)
{
  double fewest = (double)values(t, c);
  for (size_t a = 1; all && a < c->n; a++)
    if (c->count[a] > 0) fewest = fmin(fewest, c->count[a]);
  return fewest;
}

double nis_trust_unseen(double uniform_points)
{
  const double missed = 0.05;
  return fmin(1, -log(missed) / uniform_points);
}

int nis_trust_few(const struct tally *t, const struct components *c, int all)
{
  return fewest_values(t, c, all) < LEAST_WEIGHTS;
}

/* Of the largest weight: w^2 / sum w^2 */
static double square_share(const struct tally *t)
{
  double largest = t->weights.largest / t->unit;
  return largest * largest / t->square;
}

static int heavy_tail(const struct tally *t, double khat, double most)
{
  double least = fmax(least_square_share, times_the_mean / (double)t->weights.n);
  return khat > most && square_share(t) > least;
}

double nis_trust_least_points(const struct tally *t, const struct components *c, int all)
{
  double n = (double)t->weights.n, sum = t->weights.absolute / t->unit;
  if (nis_trust_few(t, c, all)) return n * LEAST_WEIGHTS / fewest_values(t, c, all);
  if (t->weights.absolute == 0) return 0;
  double most = early_shape + shape_rise * fmax(log10(n / 1000), 0);
  if (heavy_tail(t, nis_tail_shape(&t->tail), most)) return HUGE_VAL;
  return least_effective * n * t->square / (sum * sum);
}

/* What spreads is no more than rounding and what doubles hide at a singular end. */
static int only_rounded(const struct tally *t, const nis_result *r)
{
  return r->error * sqrt((double)t->all.n) < rounding * fabs(r->value) ||
         r->error < M_SQRT2 * nis_tally_blur(t);
}

int nis_trust_doubts(const struct tally *t, const struct components *c, const nis_result *r)
{
  int doubts = 0;
  if (nis_trust_few(t, c, 0)) doubts |= NIS_FEW_WEIGHTS;
  if (!only_rounded(t, r)) {
    if (heavy_tail(t, r->khat, nis_tail_threshold(t->weights.n))) doubts |= NIS_HEAVY_TAIL;
    if (r->dof > 0 && r->p_value < least_p_value) doubts |= NIS_LARGE_CHI2;
  }
  if (r->late_peaks > 0) doubts |= NIS_LATE_PEAK;
  return doubts;
}

/* The doubts, one after the other */
struct list {
  char text[768];
  size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct list *list, const char *format, ...)
{
  size_t room = sizeof list->text - list->used;
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(list->text + list->used, room, format, arguments);
  va_end(arguments);
  if (n > 0) list->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void explain_peaks(struct list *list, const nis_result *r)
{
  add(list, "%d peak%s turned up when the training was over, so others may be missing; ",
      r->late_peaks, r->late_peaks == 1 ? "" : "s");
}

static void explain_few(struct list *list, const struct tally *t, const struct components *c)
{
  unsigned long long n = t->weights.n, others = values(t, c);
  if (n > 0 && others == 0)
    add(list, "the integrand was 0 at all %llu integration points; ", n);
  else if (others == n)
    add(list, "%llu integration points are too few (at least %d are needed); ", n, LEAST_WEIGHTS);
  else
    add(list,
        "of %llu integration points only %llu have a value other than 0 (at least %d are needed); ",
        n, others, LEAST_WEIGHTS);
}

static void explain_chi2(struct list *list, const nis_result *r)
{
  add(list,
      "the iterations disagree, chi2 = %.3g for %d degrees of freedom (p = %.1g, at least %g is "
      "needed); ",
      r->chi2, r->dof, r->p_value, least_p_value);
}

/* A tail of the shape k has moments up to 1/k. */
static void explain_tail(struct list *list, const struct tally *t, const nis_result *r)
{
  const char *means = r->khat >= 1     ? ": the integral itself may diverge"
                      : r->khat >= 0.5 ? ": their variance may be infinite"
                                       : "";
  add(list,
      "the largest weights have a heavy tail, k-hat = %.2f (at most %.2f for %llu points)%s, the "
      "largest has %.2g of the sum; ",
      r->khat, nis_tail_threshold(t->weights.n), (unsigned long long)t->weights.n, means,
      r->max_weight_share);
}

int nis_trust_explain(const struct tally *t, const struct components *c, const nis_result *r)
{
  struct list list = {"", 0};
  int empty = (r->suspect & NIS_FEW_WEIGHTS) && values(t, c) < t->weights.n;
  if (r->suspect & NIS_LATE_PEAK) explain_peaks(&list, r);
  if (r->suspect & NIS_FEW_WEIGHTS) explain_few(&list, t, c);
  if (r->suspect & NIS_LARGE_CHI2) explain_chi2(&list, r);
  if (r->suspect & NIS_HEAVY_TAIL) explain_tail(&list, t, r);
  return nis_fail_too(NIS_SUSPECT, "the error is not to be believed: %sgive more calls%s",
                      list.text,
                      empty || (r->suspect & NIS_LATE_PEAK) ? ", or hints where f is large" : "");
}
