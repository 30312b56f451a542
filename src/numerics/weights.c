/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "weights.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

/* The leading bits of a positive double order as the number does: 11 of exponent, 6 of mantissa. */
enum { BIN_SHIFT = 46, BINS = 1 << 17 };

struct weight_bin {
  uint64_t count;
  double sum;
};

static unsigned bin_of(double magnitude)
{
  uint64_t bits;
  memcpy(&bits, &magnitude, sizeof bits);
  return (unsigned)(bits >> BIN_SHIFT);
}

static double upper_edge(unsigned bin)
{
  uint64_t bits = (uint64_t)(bin + 1) << BIN_SHIFT;
  double edge;
  memcpy(&edge, &bits, sizeof edge);
  return edge;
}

/* From calloc, which does not touch the bins: those in use are few. */
int nis_weights_init(struct weights *t)
{
  *t = (struct weights){.bins = calloc(BINS, sizeof(struct weight_bin))};
  return t->bins ? NIS_OK : nis_no_memory();
}

void nis_weights_clear(struct weights *t)
{
  free(t->bins);
  *t = (struct weights){0};
}

void nis_weights_reset(struct weights *t)
{
  memset(t->bins + t->first, 0, (t->end - t->first) * sizeof *t->bins);
  *t = (struct weights){.bins = t->bins};
}

void nis_weights_copy(struct weights *to, const struct weights *from)
{
  struct weight_bin *bins = to->bins;
  nis_weights_reset(to);
  memcpy(bins + from->first, from->bins + from->first, (from->end - from->first) * sizeof *bins);
  *to = *from;
  to->bins = bins;
}

void nis_weights_merge(struct weights *into, const struct weights *from)
{
  for (unsigned bin = from->first; bin < from->end; bin++) {
    into->bins[bin].count += from->bins[bin].count;
    into->bins[bin].sum += from->bins[bin].sum;
  }
  if (from->end > 0 && (into->end == 0 || from->first < into->first)) into->first = from->first;
  if (from->end > into->end) into->end = from->end;
  into->n += from->n;
  into->zeros += from->zeros;
  into->negatives += from->negatives;
  into->absolute += from->absolute;
  if (from->largest > into->largest) into->largest = from->largest;
}

void nis_weights_add(struct weights *t, double w)
{
  double magnitude = fabs(w);
  t->n++;
  if (magnitude == 0) {
    t->zeros++;
    return;
  }
  t->negatives += w < 0;
  t->absolute += magnitude;
  t->largest = magnitude > t->largest ? magnitude : t->largest;
  unsigned here = bin_of(magnitude);
  if (t->end == 0 || here < t->first) t->first = here;
  if (here >= t->end) t->end = here + 1;
  struct weight_bin *bin = &t->bins[here];
  bin->count++;
  bin->sum += magnitude;
}

/* Bin 0 is that of weights too small to matter. */
static int is_used(const struct weights *t, unsigned bin)
{
  return bin > 0 && bin >= t->first;
}

double nis_weights_mean(const struct weights *t)
{
  return t->absolute / (double)t->n;
}

double nis_weights_capped_mean(const struct weights *t, double w_max)
{
  double sum = t->absolute;
  for (unsigned bin = bin_of(t->largest); is_used(t, bin) && upper_edge(bin - 1) >= w_max; bin--)
    sum -= t->bins[bin].sum - (double)t->bins[bin].count * w_max;
  return sum / (double)t->n;
}

double nis_weights_largest(const struct weights *t, uint64_t k)
{
  uint64_t count = 0;
  for (unsigned bin = bin_of(t->largest); is_used(t, bin); bin--) {
    count += t->bins[bin].count;
    if (count >= k) return fmin(upper_edge(bin), t->largest);
  }
  return upper_edge(0);
}

double nis_weights_tail(const struct weights *t, double eps)
{
  double count = 0, sum = 0, allowed = eps * t->absolute;
  double edge = upper_edge(bin_of(t->largest));
  for (unsigned bin = bin_of(t->largest); bin > 0; bin--) {
    count += (double)t->bins[bin].count;
    sum += t->bins[bin].sum;
    double lower = upper_edge(bin - 1);
    if (sum - count * lower > allowed) break;
    edge = lower;
  }
  return fmin(edge, t->largest);
}

/* Standard deviation of the excess above w_max, as a share of sum|w| */
static double excess_error(const struct weights *t, double w_max)
{
  double square = 0;
  for (unsigned bin = bin_of(t->largest); is_used(t, bin) && upper_edge(bin - 1) >= w_max; bin--) {
    double n = (double)t->bins[bin].count;
    if (n > 0) square += n * pow((t->bins[bin].sum / n - w_max) / t->absolute, 2);
  }
  return sqrt(square);
}

/* The median of the maxima of samples of n/50 weights, drawn from the n that are not 0, is the
 * largest weight number ceil(n 2^(-50/n)) from below (i-flow's bootstrap, arXiv:2001.10028, and
 * MadNIS's way with zeros, without the drawing). */
static uint64_t rank_from_below(uint64_t n, const struct w_max_rule *rule)
{
  double sample = n > 50 ? (double)n / 50 : 1;
  double share = rule->rule == NIS_W_MAX_LARGEST    ? 1
                 : rule->rule == NIS_W_MAX_QUANTILE ? rule->quantile
                                                    : exp2(-1 / sample);
  double rank = ceil((double)n * share);
  return rank < 1 ? 1 : rank < (double)n ? (uint64_t)rank : n;
}

static uint64_t rank_from_above(const struct weights *t, const struct w_max_rule *rule)
{
  uint64_t n = t->n - t->zeros;
  return n - rank_from_below(n, rule) + 1;
}

double nis_weights_w_max(const struct weights *t, const struct w_max_rule *rule)
{
  if (rule->rule == NIS_W_MAX_TAIL) return nis_weights_tail(t, rule->tail);
  return nis_weights_largest(t, rank_from_above(t, rule));
}

/* w_max one standard deviation up and down: of the excess, or of the number of weights above it */
static void w_max_range(const struct weights *t, const struct w_max_rule *rule, double w_max,
                        double range[2])
{
  if (rule->rule == NIS_W_MAX_TAIL) {
    double off = excess_error(t, w_max);
    range[0] = nis_weights_tail(t, rule->tail + off);
    range[1] = nis_weights_tail(t, fmax(rule->tail - off, 0));
    return;
  }
  double rank = (double)rank_from_above(t, rule), off = sqrt(rank);
  range[0] = nis_weights_largest(t, (uint64_t)(rank + off));
  range[1] = nis_weights_largest(t, (uint64_t)fmax(rank - off, 1));
}

/* Relative standard error of the mean of min(|w|, cap), its bins' middles standing for them */
static double capped_error(const struct weights *t, double cap)
{
  double square = 0, mean = nis_weights_capped_mean(t, cap), n = (double)t->n;
  for (unsigned bin = bin_of(t->largest); is_used(t, bin); bin--) {
    double count = (double)t->bins[bin].count;
    if (count > 0) square += count * pow(fmin(t->bins[bin].sum / count, cap) / mean, 2);
  }
  return n > 1 ? sqrt(fmax(square / n - 1, 0) / (n - 1)) : HUGE_VAL;
}

/* An efficiency never exceeds 1: a w_max below the mean would make nothing but overweights. */
static double ratio(double mean, double w_max)
{
  return mean < w_max ? mean / w_max : 1;
}

double nis_weights_efficiency(const struct weights *t, const struct w_max_rule *rule)
{
  if (t->n == 0) return NAN;
  return t->absolute == 0 ? 0 : ratio(nis_weights_mean(t), nis_weights_w_max(t, rule));
}

nis_unweighting nis_weights_unweighting(const struct weights *t, const struct w_max_rule *rule)
{
  double efficiency = nis_weights_efficiency(t, rule), range[2];
  if (t->absolute == 0) return (nis_unweighting){0, efficiency, efficiency};
  double mean = nis_weights_mean(t), w_max = nis_weights_w_max(t, rule);
  w_max_range(t, rule, w_max, range);
  double of_mean = efficiency * capped_error(t, t->largest);
  double of_w_max = 0.5 * (ratio(mean, range[0]) - ratio(mean, range[1]));
  return (nis_unweighting){w_max, efficiency, hypot(of_mean, of_w_max)};
}

nis_share nis_weights_partial(const struct weights *t, double w_max)
{
  double share = nis_weights_capped_mean(t, w_max) / w_max;
  return (nis_share){share, share * capped_error(t, w_max)};
}

nis_share nis_weights_cut(const struct weights *t)
{
  double n = (double)t->n, share = (double)(t->n - t->zeros) / n;
  return (nis_share){share, sqrt(share * (1 - share) / n)};
}

void nis_weights_counts(const struct weights *t, size_t n, const double *edges, uint64_t *counts)
{
  size_t at = 0;
  memset(counts, 0, (n + 1) * sizeof *counts);
  counts[0] = t->zeros;
  for (unsigned bin = t->first; bin < t->end; bin++) {
    double count = (double)t->bins[bin].count;
    if (count == 0) continue;
    double size = t->bins[bin].sum / count / nis_weights_mean(t);
    while (at < n && size >= edges[at]) at++;
    counts[at] += t->bins[bin].count;
  }
}

/* The next bin that is in use, and what is in it */
static void archive_bin(struct archive *a, struct weights *t, int *number)
{
  if (!nis_archive_is_reading(a))
    while (t->bins[*number].count == 0) ++*number;
  nis_archive_whole(a, "the number of a bin", number, *number, BINS - 1);
  struct weight_bin *bin = &t->bins[*number];
  nis_archive_count(a, "the count of a bin", &bin->count, t->n);
  nis_archive_real(a, "the sum of a bin", &bin->sum, 0, HUGE_VAL);
  if (t->end == 0) t->first = (unsigned)*number;
  t->end = (unsigned)++*number > t->end ? (unsigned)*number : t->end;
}

/* Of the bins only those that are in use, in their order */
void nis_weights_archive(struct archive *a, struct weights *t)
{
  uint64_t counted = 0;
  int used = 0, number = (int)t->first;
  for (unsigned bin = t->first; bin < t->end; bin++) used += t->bins[bin].count > 0;
  nis_archive_count(a, "the number of weights", &t->n, ARCHIVE_MOST_COUNT);
  nis_archive_count(a, "the number of zeros", &t->zeros, t->n);
  nis_archive_count(a, "the number of negative weights", &t->negatives, t->n);
  nis_archive_real(a, "the sum of weights", &t->absolute, 0, HUGE_VAL);
  nis_archive_real(a, "the largest weight", &t->largest, 0, DBL_MAX);
  nis_archive_whole(a, "the number of bins in use", &used, 0, BINS);
  for (int i = 0; i < used && number < BINS; i++) archive_bin(a, t, &number);
  for (unsigned bin = t->first; bin < t->end; bin++) counted += t->bins[bin].count;
  unsigned top = bin_of(t->largest);
  int right = counted == t->n - t->zeros && (counted == 0 || (top >= t->first && top < t->end));
  if (!right) nis_archive_refuse(a, "the histogram is not that of its weights");
}
