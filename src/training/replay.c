/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

int nis_replay_init(struct replay *r, size_t dim, size_t capacity)
{
  *r = (struct replay){.dim = dim, .capacity = capacity};
  r->x = NIS_RAW(double, nis_product(capacity, dim));
  r->log_f = NIS_RAW(double, capacity);
  r->log_p = NIS_RAW(double, capacity);
  r->negative = NIS_RAW(char, capacity);
  r->running = NIS_RAW(double, capacity + 1);
  return r->x && r->log_f && r->log_p && r->negative && r->running ? NIS_OK : nis_no_memory();
}

void nis_replay_clear(struct replay *r)
{
  free(r->x);
  free(r->log_f);
  free(r->log_p);
  free(r->negative);
  free(r->running);
  *r = (struct replay){0};
}

void nis_replay_store(struct replay *r, const struct points *p)
{
  for (size_t i = 0; i < p->n; i++) {
    memcpy(r->x + r->next * r->dim, p->x + i * r->dim, r->dim * sizeof *r->x);
    r->log_f[r->next] = log(fabs(p->f[i]));
    r->log_p[r->next] = p->log_q[i];
    r->negative[r->next] = p->f[i] < 0;
    r->next = (r->next + 1) % r->capacity;
    r->count += r->count < r->capacity;
  }
}

/* Slot of the i-th of the newest `points`, oldest first. */
static size_t slot_of(const struct replay *r, size_t points, size_t i)
{
  return (r->next + r->capacity - points + i) % r->capacity;
}

/* log of |f|^beta / p, -inf where f is 0 */
static double log_weight(const struct replay *r, size_t slot, double beta)
{
  if (isinf(r->log_f[slot])) return -HUGE_VAL;
  return beta * r->log_f[slot] - r->log_p[slot];
}

static double largest_log_weight(const struct replay *r, size_t points, double beta)
{
  double largest = -HUGE_VAL;
  for (size_t i = 0; i < points; i++)
    largest = fmax(largest, log_weight(r, slot_of(r, points, i), beta));
  return largest;
}

/* (sum w)^2 / (n sum w^2) over the n weights that are not zero */
static double kish_fraction(const struct replay *r, size_t points, double beta)
{
  double top = largest_log_weight(r, points, beta), sum = 0, square = 0;
  size_t n = 0;
  if (isinf(top)) return 0;
  for (size_t i = 0; i < points; i++) {
    double log_w = log_weight(r, slot_of(r, points, i), beta);
    if (isinf(log_w)) continue;
    double w = exp(log_w - top);
    sum += w;
    square += w * w;
    n++;
  }
  return sum * sum / ((double)n * square);
}

/* Between low, where the fraction is reached, and high, where it is not. */
static double refine(const struct replay *r, size_t points, double fraction, double low,
                     double high)
{
  for (int step = 0; step < 8; step++) {
    double middle = (low + high) / 2;
    if (kish_fraction(r, points, middle) >= fraction)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* The effective fraction has its peak at the temperature that the flow has learnt, and need not
 * be large at 0: the search comes down from 1, in steps small against that peak's width. */
double nis_replay_temperature(const struct replay *r, size_t points, double fraction)
{
  const double step = exp2(-0.25);
  double best = 1, largest = 0;
  for (double beta = 1; beta > 1e-4; beta *= step) {
    double kish = kish_fraction(r, points, beta);
    if (kish >= fraction) return beta == 1 ? 1 : refine(r, points, fraction, beta, beta / step);
    if (kish > largest) largest = kish, best = beta;
  }
  return best;
}

double nis_replay_kish(const struct replay *r, size_t points, double beta)
{
  double nonzero = 0;
  for (size_t i = 0; i < points; i++) nonzero += !isinf(r->log_f[slot_of(r, points, i)]);
  return nonzero / (double)points * kish_fraction(r, points, beta);
}

/* Sums of |f|^beta / p over the parts, in units of the largest one, whose log is *top; 0 if f is 0 at
 * all points. */
static int sum_parts(const struct replay *r, size_t points, double beta, double *top, double *sum)
{
  *top = largest_log_weight(r, points, beta);
  memset(sum, 0, PARTS * sizeof *sum);
  for (size_t i = 0; i < points && !isinf(*top); i++) {
    size_t slot = slot_of(r, points, i);
    double w = exp(log_weight(r, slot, beta) - *top);
    sum[PART_ALL] += w;
    sum[r->negative[slot] ? PART_NEGATIVE : PART_POSITIVE] += w;
  }
  return !isinf(*top);
}

double nis_replay_negative(const struct replay *r, size_t points, double beta)
{
  double top, sum[PARTS];
  return sum_parts(r, points, beta, &top, sum) ? sum[PART_NEGATIVE] / sum[PART_ALL] : 0;
}

int nis_replay_prepare(struct replay *r, size_t points, double beta)
{
  r->usable = points < r->count ? points : r->count;
  r->beta = beta;
  double top, sum[PARTS];
  if (!sum_parts(r, r->usable, beta, &top, sum)) return 0;
  for (int part = 0; part < PARTS; part++)
    r->log_z[part] = top + log(sum[part] / (double)r->usable);
  r->running[0] = 0;
  for (size_t i = 0; i < r->usable; i++)
    r->running[i + 1] = r->running[i] + nis_replay_share(r, slot_of(r, r->usable, i));
  return 1;
}

double nis_replay_log_part(const struct replay *r, size_t slot, enum part part)
{
  int other = part == (r->negative[slot] ? PART_POSITIVE : PART_NEGATIVE);
  return other || isinf(r->log_f[slot]) ? -HUGE_VAL : r->beta * r->log_f[slot] - r->log_z[part];
}

double nis_replay_log_target(const struct replay *r, size_t slot)
{
  return nis_replay_log_part(r, slot, PART_ALL);
}

double nis_replay_share(const struct replay *r, size_t slot)
{
  return (exp(nis_replay_log_target(r, slot) - r->log_p[slot]) + 1) / 2;
}

/* The i for which running[i] <= target < running[i + 1], not below `from`. */
static size_t find(const struct replay *r, double target, size_t from)
{
  size_t low = from, high = r->usable - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (r->running[middle + 1] > target)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

void nis_replay_draw(const struct replay *r, double u, size_t n, size_t *slot)
{
  double step = r->running[r->usable] / (double)n;
  size_t i = 0;
  for (size_t k = 0; k < n; k++) {
    i = find(r, ((double)k + u) * step, i);
    slot[k] = slot_of(r, r->usable, i);
  }
}

void nis_replay_newest(const struct replay *r, size_t n, size_t *slot)
{
  for (size_t i = 0; i < n; i++) slot[i] = slot_of(r, n, i);
}

void nis_replay_draw_target(const struct replay *r, double u, size_t n, size_t *slot)
{
  double sum = 0, step = (double)r->usable / (double)n; /* the mean of a is 1 */
  size_t k = 0;
  for (size_t i = 0; i < r->usable && k < n; i++) {
    size_t here = slot_of(r, r->usable, i);
    sum += exp(nis_replay_log_target(r, here) - r->log_p[here]);
    while (k < n && ((double)k + u) * step < sum) slot[k++] = here;
  }
  for (; k < n; k++) slot[k] = k > 0 ? slot[k - 1] : slot_of(r, r->usable, 0); /* rounding */
}

int nis_replay_grow(struct replay *r, size_t dim, size_t capacity)
{
  struct replay larger;
  if (capacity <= r->capacity) return NIS_OK;
  int status = nis_replay_init(&larger, dim, capacity);
  if (status != NIS_OK) {
    nis_replay_clear(&larger);
    return status;
  }
  for (size_t i = 0; i < r->count; i++) {
    size_t slot = slot_of(r, r->count, i);
    memcpy(larger.x + i * dim, r->x + slot * dim, dim * sizeof *r->x);
    larger.log_f[i] = r->log_f[slot];
    larger.log_p[i] = r->log_p[slot];
    larger.negative[i] = r->negative[slot];
  }
  larger.count = larger.next = r->count;
  nis_replay_clear(r);
  *r = larger;
  return NIS_OK;
}
