/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tail.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <math.h>

enum {
  LEAST_POINTS = 25, /* a fifth of them are the tail */
  LEAST_TAIL = 5,
  LEAST_GRID = 30,
  MOST_GRID = LEAST_GRID + 128, /* 128^2 = TAIL_MOST */
  PRIOR_WEIGHT = 10             /* observations that pull k towards prior_shape (PSIS, appendix) */
};
static const double prior_shape = 0.5;

int nis_tail_init(struct tail *t)
{
  *t = (struct tail){.largest = NIS_RAW(double, 2 * TAIL_MOST)};
  return t->largest ? NIS_OK : nis_no_memory();
}

void nis_tail_clear(struct tail *t)
{
  free(t->largest);
  *t = (struct tail){0};
}

void nis_tail_reset(struct tail *t)
{
  t->n = 0;
  t->kept = 0;
}

static void swap(double *a, double *b)
{
  double c = *a;
  *a = *b;
  *b = c;
}

static void sift_up(double *heap, int i)
{
  for (; i > 0 && heap[i] < heap[(i - 1) / 2]; i = (i - 1) / 2) swap(&heap[i], &heap[(i - 1) / 2]);
}

static void sift_down(double *heap, int n)
{
  for (int i = 0, child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && heap[child + 1] < heap[child]) child++;
    if (heap[i] <= heap[child]) return;
    swap(&heap[i], &heap[child]);
  }
}

void nis_tail_add(struct tail *t, double magnitude)
{
  t->n++;
  if (magnitude == 0) return;
  if (t->kept < TAIL_MOST) {
    t->largest[t->kept] = magnitude;
    sift_up(t->largest, t->kept++);
  } else if (magnitude > t->largest[0]) {
    t->largest[0] = magnitude;
    sift_down(t->largest, t->kept);
  }
}

void nis_tail_merge(struct tail *into, const struct tail *from)
{
  for (int i = 0; i < from->kept; i++) nis_tail_add(into, from->largest[i]);
  into->n += from->n - (uint64_t)from->kept;
}

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The largest weights over the one below them, in units of the largest of all; returns their
 * number. That one is 0 when all weights that are not 0 belong to the tail. */
static int excesses(const struct tail *t, double *x)
{
  int size = (int)fmin(fmin(ceil((double)t->n / 5), ceil(3 * sqrt((double)t->n))), TAIL_MOST - 1);
  int n = size < t->kept ? size : t->kept;
  memcpy(x, t->largest, (size_t)t->kept * sizeof *x);
  qsort(x, (size_t)t->kept, sizeof *x, ascending);
  double below = n < t->kept ? x[t->kept - n - 1] : 0, top = x[t->kept - 1];
  for (int i = 0; i < n; i++) x[i] = (x[t->kept - n + i] - below) / top;
  return n;
}

static double mean_log(const double *x, int n, double b)
{
  double sum = 0;
  for (int i = 0; i < n; i++) sum += log1p(-b * x[i]);
  return sum / n;
}

static double quarter(const double *x, int n)
{
  int i = (int)floor(n / 4.0 + 0.5) - 1;
  while (x[i] <= 0) i++;
  return x[i];
}

/* Mean of the likelihood's profile in b = -k/sigma, over a grid that follows the data (Zhang,
 * Stephens, Technometrics 51 (2009) 316); x ascends, and its last is positive. */
static double fit_shape(const double *x, int n)
{
  int grid = LEAST_GRID + (int)sqrt(n);
  double b[MOST_GRID], likelihood[MOST_GRID], top = -HUGE_VAL, sum = 0, mean = 0;
  for (int j = 0; j < grid; j++) {
    b[j] = 1 / x[n - 1] + (1 - sqrt(grid / (j + 0.5))) / (3 * quarter(x, n));
    double k = mean_log(x, n, b[j]);
    likelihood[j] = n * (log(-b[j] / k) - k - 1);
    if (isfinite(likelihood[j])) top = fmax(top, likelihood[j]);
  }
  for (int j = 0; j < grid; j++) {
    if (!isfinite(likelihood[j])) continue;
    sum += exp(likelihood[j] - top);
    mean += exp(likelihood[j] - top) * b[j];
  }
  return mean_log(x, n, mean / sum);
}

double nis_tail_shape(const struct tail *t)
{
  double *x = t->largest ? t->largest + TAIL_MOST : NULL;
  if (t->n < LEAST_POINTS || t->kept < LEAST_TAIL) return NAN;
  int n = excesses(t, x);
  if (x[n - 1] <= 0) return 0;
  return (n * fit_shape(x, n) + PRIOR_WEIGHT * prior_shape) / (n + PRIOR_WEIGHT);
}

double nis_tail_threshold(uint64_t n)
{
  return n > 1 ? fmin(0.7, 1 - 1 / log10((double)n)) : 0;
}

void nis_tail_archive(struct archive *a, struct tail *t)
{
  nis_archive_count(a, "the number of weights", &t->n, ARCHIVE_MOST_COUNT);
  nis_archive_whole(a, "the number of large weights", &t->kept, 0, TAIL_MOST);
  nis_archive_reals(a, "a large weight", (size_t)t->kept, t->largest, DBL_TRUE_MIN, DBL_MAX);
  if ((uint64_t)t->kept > t->n) nis_archive_refuse(a, "it has more large weights than weights");
}
